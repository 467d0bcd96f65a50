// Swift's clock on the callouts of a system.
//
// Law: everything about a sleep is done at `softClock`, under its gate, by one handler and by the callouts' bodies. A task that goes to
// sleep and a thread that cancels one only leave a message, in order, and wait for nothing: a cancel may come from a thread that holds
// gates, `softClock`'s included. As the handler holds the callouts' guard, its cancels are exact, so a callout is used again at once.

public import SoftInterrupts
import Synchronization

/// Sleeps by the callouts of a system: late by the wheel's tick (16.4 µs) and by what runs above `softClock`, never early.
///
/// ```swift
/// let clock = try CalloutClock(system)
/// try await clock.sleep(for: .milliseconds(2))
/// ```
public final class CalloutClock: Clock {
  /// A time of the system's machine.
  public struct Instant: InstantProtocol {
    /// Of the machine's clock, which never goes back.
    public var nanoseconds: UInt64
    /// An instant of the machine's clock.
    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    @inlinable public func advanced(by duration: Duration) -> Instant {
      let (seconds, attoseconds) = duration.components
      let (high, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      let (sum, over) = high.addingReportingOverflow(attoseconds / 1_000_000_000)
      // What does not fit is the farthest there is, before or after.
      if overflow || over { return Instant(nanoseconds: seconds < 0 ? 0 : .max) }
      if sum < 0 {
        let back = sum.magnitude
        return Instant(nanoseconds: back > nanoseconds ? 0 : nanoseconds - back)
      }
      let (time, past) = nanoseconds.addingReportingOverflow(UInt64(sum))
      return Instant(nanoseconds: past ? .max : time)
    }
    @inlinable public func duration(to other: Instant) -> Duration {
      other >= self
        ? .nanoseconds(Int64(clamping: other.nanoseconds - nanoseconds))
        : .zero - .nanoseconds(Int64(clamping: nanoseconds - other.nanoseconds))
    }
    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  }

  @usableFromInline let time: @Sendable () -> UInt64
  @usableFromInline let send: @Sendable (SleepMessage) -> Void

  /// - Parameters:
  ///   - system: whose callouts wake the sleepers.
  ///   - cpu: whose wheel is used, and where the handler is pending when other threads ask.
  /// - Throws: as `InterruptSystem/establish(_:at:as:_:_:)`.
  @inlinable public init<M: Machine>(_ system: InterruptSystem<M>, on cpu: Int = 0) throws(EstablishError) {
    let desk = ClockDesk<M>(system, cpu)
    time = { M.now() }
    send = { desk.send($0) }
    let end = HandlerEnd { desk.end() }
    desk.queue.handler = try system.establish("clock", at: .softClock, as: .ordered, .anywhere) { here in
      if !desk.queue.run(here, desk.answer) { desk.end() }
      withExtendedLifetime(end) {}
    }
  }

  @inlinable public var now: Instant { Instant(nanoseconds: time()) }
  /// The wheel's tick.
  @inlinable public var minimumResolution: Duration { .nanoseconds(1 << 14) }

  /// Suspends the task until `deadline`, at the earliest.
  ///
  /// Sleepers are woken in the order of their deadlines. The runtime resumes each where its task prefers to run, and from there it goes
  /// to its actor: with a ``CPUTaskExecutor`` on the CPUs of the system, without one by a thread of the concurrency pool, in any order.
  ///
  /// - Throws: `CancellationError` if the task is cancelled; ``LevelActorError/ended`` if the system is shut down.
  public nonisolated(nonsending) func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws
  {
    let sleeper = Sleeper(deadline.nanoseconds)
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
        sleeper.continuation = continuation
        // Releases what was written above to the handler.
        send(SleepMessage(sleeper, isCancel: false))
      }
    } onCancel: {
      send(SleepMessage(sleeper, isCancel: true))
    }
  }
}

/// A task that sleeps. Under gate `softClock` but for `continuation` and `deadline`, which are written before its message is sent.
@usableFromInline final class Sleeper: @unchecked Sendable {
  // Sendable: as said.
  @usableFromInline let deadline: UInt64
  @usableFromInline var continuation: UnsafeContinuation<Void, any Error>?
  /// Its callout, while it is armed.
  @usableFromInline var alarm: Int?
  @usableFromInline var isCancelled = false

  init(_ deadline: UInt64) { self.deadline = deadline }

  /// Wakes it; once.
  @inlinable func wake(_ error: (any Error)?) {
    guard let continuation else { return }
    self.continuation = nil
    if let error { continuation.resume(throwing: error) } else { continuation.resume() }
  }
}

/// "I sleep until …", or "wake that one".
@usableFromInline package struct SleepMessage: Linked {
  @usableFromInline typealias Memory = (link: UInt, sleeper: Unmanaged<Sleeper>, isCancel: Bool)
  @usableFromInline let memory: UnsafeMutablePointer<Memory>

  init(_ sleeper: Sleeper, isCancel: Bool) {
    memory = .allocate(capacity: 1)
    memory.initialize(to: (0, .passRetained(sleeper), isCancel))
  }
  @inlinable package init(bits: UInt) { memory = .init(bitPattern: bits).unsafelyUnwrapped }
  @inlinable package var bits: UInt { UInt(bitPattern: memory) }
  @inlinable package var link: UnsafeMutablePointer<UInt> {
    // The first of the tuple's members, at its address.
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt.self)
  }
  /// Out of the list: gives its memory back.
  @inlinable func take() -> (sleeper: Sleeper, isCancel: Bool) {
    let content = (memory.pointee.sleeper.takeRetainedValue(), memory.pointee.isCancel)
    memory.deallocate()
    return content
  }
}

/// Where the messages are answered: at `softClock`.
@usableFromInline final class ClockDesk<M: Machine>: @unchecked Sendable {
  // Sendable: everything but the queue is touched under gate `softClock`.
  @usableFromInline let queue: LevelQueue<M, SleepMessage>
  @usableFromInline let cpu: Int
  /// The callouts that were made, and who sleeps by each.
  @usableFromInline var alarms: [(callout: Callout<M>, sleeper: Sleeper?)] = []
  @usableFromInline var free: [Int] = []
  @usableFromInline var isOver = false
  @usableFromInline let afterHours = AfterHours()

  @inlinable init(_ system: InterruptSystem<M>, _ cpu: Int) {
    self.cpu = cpu
    queue = LevelQueue(system, at: .softClock, home: cpu, budget: 64)
  }

  @inlinable func send(_ message: SleepMessage) { if !queue.push(message) { end() } }

  @inlinable func answer(_ message: SleepMessage) {
    let (sleeper, isCancel) = message.take()
    if isCancel {
      cancel(sleeper)
    } else if sleeper.isCancelled {
      // Its cancel came first.
      sleeper.wake(CancellationError())
    } else if isOver {
      sleeper.wake(LevelActorError.ended)
    } else if sleeper.deadline <= M.now() {
      sleeper.wake(nil)
    } else {
      arm(sleeper)
    }
  }

  @inlinable func cancel(_ sleeper: Sleeper) {
    sleeper.isCancelled = true
    guard let alarm = sleeper.alarm else { return }
    // Exact: the gate of its guard is this context's own. Its body is not running, and will not for this arming.
    alarms[alarm].callout.cancel()
    release(alarm)
    sleeper.wake(CancellationError())
  }

  @inlinable func release(_ alarm: Int) {
    alarms[alarm].sleeper?.alarm = nil
    alarms[alarm].sleeper = nil
    free.append(alarm)
  }

  @inlinable func arm(_ sleeper: Sleeper) {
    let alarm: Int
    if let known = free.popLast() {
      alarm = known
    } else {
      let number = alarms.count
      do {
        let callout = try queue.system.callout("clock", at: .softClock, cpu: cpu) { [unowned self] _ in
          guard let sleeper = self.alarms[number].sleeper else { return }
          self.release(number)
          sleeper.wake(nil)
        }
        alarms.append((callout, nil))
      } catch { return sleeper.wake(LevelActorError.ended) }
      alarm = number
    }
    alarms[alarm].sleeper = sleeper
    sleeper.alarm = alarm
    if case .retired = alarms[alarm].callout.schedule(at: sleeper.deadline) {
      release(alarm)
      sleeper.wake(LevelActorError.ended)
    }
  }

  /// The handler has ended, or may have: whoever sleeps is told, under the gate, by the pool.
  @usableFromInline func end() {
    afterHours.look { [self] in
      queue.runLate { [self] message in
        isOver = true
        answer(message)
      } last: { [self] in
        isOver = true
        for index in alarms.indices {
          guard let sleeper = alarms[index].sleeper else { continue }
          release(index)
          sleeper.wake(LevelActorError.ended)
        }
      }
    }
  }
}
