// Running a measurement where it belongs: on a CPU of a system, on a thread of its own, in a task.
//
// Law: whoever asks waits for the end; so what a body captures outlives it and is touched by one thread at a time.

import Dispatch
import Glibc
import HostedMachine
import SoftInterrupts

/// NIO has a `System` too.
typealias System = InterruptSystem<HostedMachine>

/// Runs `body` as base code of a CPU and waits for its result. Not for a CPU.
func onCPU<R>(_ system: System, _ cpu: Int = 0, _ body: @escaping () -> R) -> R {
  nonisolated(unsafe) let body = body
  nonisolated(unsafe) var result: R?
  let done = DispatchSemaphore(value: 0)
  system.submit(on: cpu) { _ in
    result = body()
    done.signal()
  }
  done.wait()
  return result!
}

/// A thread of its own, for what is no CPU.
final class OwnThread: @unchecked Sendable {
  // Sendable: set once, before anybody else knows of it.
  private var thread = pthread_t()
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
    let opaque = Unmanaged.passRetained(self).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { opaque in
        Unmanaged<OwnThread>.fromOpaque(opaque!).takeRetainedValue().body()
        return nil
      }, opaque)
    precondition(status == 0, "no thread")
  }

  func join() { pthread_join(thread, nil) }
}

/// Waits for an asynchronous measurement. Not for a thread of the pool.
func blocking<R: Sendable>(_ body: @escaping @Sendable () async -> R) -> R {
  nonisolated(unsafe) var result: R?
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    result = await body()
    done.signal()
  }
  done.wait()
  return result!
}
