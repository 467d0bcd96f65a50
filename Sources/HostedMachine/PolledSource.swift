// A device without a descriptor: memory that a CPU looks at, as a driver looks at the descriptor ring of a network card.
//
// Law: a source belongs to one CPU and is asked on that CPU's thread only, at recognition points, no more often than
// `Configuration.pollInterval`; it raises its interrupt by scheduling a handler.

import Glibc
public import SoftInterrupts

/// A device that a CPU asks whether it has an interrupt to raise.
public final class PolledSource: @unchecked Sendable {
  // Sendable: both closures are called by one CPU's thread at a time.
  let look: (_ now: UInt64) -> Void
  let nextDue: () -> UInt64

  /// - Parameters:
  ///   - look: called with the time (nanoseconds of ``HostedMachine/now()``); schedules the device's handler if it has something.
  ///   - nextDue: when it has something next, at the earliest: a CPU that sleeps wakes then. `UInt64.max` if that is not known.
  public init(
    look: @escaping @Sendable (_ now: UInt64) -> Void, nextDue: @escaping @Sendable () -> UInt64 = { .max }
  ) {
    self.look = look
    self.nextDue = nextDue
  }
}

extension InterruptSystem where M == HostedMachine {
  /// Gives a CPU a source to look at; replaces the one it had. `nil` takes it away. Returns when the CPU has taken it over.
  /// From a visitor that holds nothing: it waits for base code of that CPU. False if it is a CPU that asks, or the system is shut down.
  @discardableResult public func setPolledSource(
    _ source: PolledSource?, on cpu: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    // As base code: on the thread that looks at the source, whatever the execution.
    if isCPU || !mayWaitForBaseCode(file: file, line: line) { return false }
    let done = OneShot()
    // Written by the CPU before it drops the job, read after that.
    nonisolated(unsafe) var isTaken = false
    do {
      let end = SignalAtEnd(done)
      let accepted = submit(on: cpu) { [machine] _ in
        machine.sources[cpu] = source
        isTaken = true
        withExtendedLifetime(end) {}
      }
      if !accepted { return false }
    }
    done.wait()
    return isTaken
  }
}

/// Signals when nobody holds it any more: the job that holds it has run, or was dropped by a shutdown.
private final class SignalAtEnd: Sendable {
  let event: OneShot
  init(_ event: OneShot) { self.event = event }
  deinit { event.signal() }
}

/// Says once, from one thread to another, that something is done.
final class OneShot: @unchecked Sendable {
  // Sendable: a POSIX semaphore, initialised before it is shared and destroyed after its last use.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  init() { sem_init(semaphore, 0, 0) }
  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }
  func signal() { sem_post(semaphore) }
  func wait() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}
