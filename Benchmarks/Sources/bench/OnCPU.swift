// Running a measurement where it belongs: on a CPU of a system, in a task.
//
// Law: whoever asks waits for the end; so what a body captures outlives it and is touched by one thread at a time.

import Dispatch
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
