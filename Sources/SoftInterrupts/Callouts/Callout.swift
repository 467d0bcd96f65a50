// Callouts as users see them: arm, cancel, halt, retire.
//
// Law: `cancel` is exact for who holds the guard, because the dispatch compares the generation it popped *under the guard*; a
// cancel followed by a re-arm changes the generation twice, so neither runs early. A callout runs on the CPU it was made for.

/// Why a callout could not be made.
public enum CalloutError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Callouts run at the soft levels.
  case notSoft(Level)
  /// The guard is below the callout's level.
  case guardBelowLevel(Level, guard: Level)
  /// A disjoint callout whose guard is another soft level: what makes disjoint levels impossible for networking.
  case disjointGuard(String, at: Level, guard: Level)
  /// The system has no CPU of this number.
  case noSuchCPU(Int)
  /// With `Execution.threads` there are no gates.
  case threadsAreMPSafe
  /// The system has been shut down.
  case shutDown

  @inlinable public var description: String {
    switch self {
    case .notSoft(let level): "callouts run at soft levels, not at \(level): choose softClock … softSerial"
    case .guardBelowLevel(let level, let guardLevel):
      "the guard \(guardLevel) is below the callout's level \(level): a guard is at or above it"
    case .disjointGuard(let name, let level, let guardLevel):
      "callout \"\(name)\" runs at \(level) and its guard is \(guardLevel): disjoint levels never touch each other's data; make it .ordered"
    case .threadsAreMPSafe: "with execution by threads callouts are .mpSafe and bring explicit locks"
    case .noSuchCPU(let cpu): "there is no CPU \(cpu)"
    case .shutDown: "the system has been shut down: make callouts before shutdown()"
    }
  }
}

/// What became of arming a callout.
@frozen public enum ArmResult: Sendable {
  /// It is armed; it was not before.
  case armed
  /// It was armed, and now is for the new time only.
  case rearmed
  /// It has been retired. Nothing was done.
  case retired
}

/// What a cancel found.
@frozen public enum CancelResult: Sendable {
  /// It was armed, and will not run.
  case cancelled
  /// It was not armed, and its body is not running.
  case notArmed
  /// The caller does not hold the guard, and the body may be running; if it had not begun it will not.
  case mayBeRunning
  /// It has been retired.
  case retired
}

/// A timeout: a body that runs at a soft level of one CPU at or after a time, under its guard.
///
/// A value that may be copied anywhere. Once the callout has been retired, or its system shut down, all answers are `.retired`.
@frozen public struct Callout<M: Machine>: Hashable, @unchecked Sendable {
  // Sendable: nodes and their wheel's lock are never freed; all else is touched under that lock, once the node is known to be ours.
  @usableFromInline let node: UnsafeMutablePointer<CalloutNode<M>>
  /// Here and not in the node, so that the lock is found without waiting for the node's memory.
  @usableFromInline let system: SystemRef<M>
  @usableFromInline let identity: UInt32
  @usableFromInline let cpu: UInt8
  /// Under the wheel's lock.
  @inlinable init(node: UnsafeMutablePointer<CalloutNode<M>>, system: SystemRef<M>) {
    self.node = node
    self.system = system
    identity = node.pointee.identity
    cpu = node.pointee.cpu
  }
  /// Whether both are the same callout.
  @inlinable public static func == (a: Callout, b: Callout) -> Bool {
    a.node == b.node && a.identity == b.identity
  }
  /// Hashes what `==` compares.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(node)
    hasher.combine(identity)
  }

  /// Arms it to run `delay` after now. Any level, any thread but signal handlers; O(1).
  @inlinable @discardableResult public func schedule(after delay: Duration) -> ArmResult {
    schedule(afterNanoseconds: delay.clampedNanoseconds)
  }

  /// Arms it to run `nanoseconds` after now.
  @inlinable @discardableResult public func schedule(afterNanoseconds nanoseconds: UInt64) -> ArmResult {
    let now = M.now()
    let (at, overflow) = now.addingReportingOverflow(nanoseconds)
    return schedule(at: overflow ? .max : at)
  }

  /// Arms it to run at `deadline`, nanoseconds of the machine's clock; a time that has passed means as soon as may be. An armed
  /// callout moves to the new time. Without holding the guard the last writer wins, also against the body's own arming.
  @inlinable @discardableResult public func schedule(at deadline: UInt64) -> ArmResult {
    arm(at: deadline)
  }

  /// Moves it to `delay` after now if it is armed, and arms it if it is not.
  @inlinable @discardableResult public func reschedule(after delay: Duration) -> ArmResult {
    schedule(after: delay)
  }

  /// Takes it back. Exact for a context that holds the guard in its own frames: then its body is not running, and will not.
  /// Any level, any thread but signal handlers; waits for nothing; O(1).
  @inlinable @discardableResult public func cancel() -> CancelResult {
    takeBack()
  }

  /// Takes it back and waits until its body is not running: in order where raising to the guard is. False if it was refused.
  @discardableResult
  @inlinable public func halt(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    facts == nil || system.object.halt(self, .init(file, line))
  }

  /// Ends it: as ``halt(file:line:)``, and every later arming answers ``ArmResult/retired``. From its own body it ends after the body.
  @discardableResult
  @inlinable public func retire(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    facts == nil || system.object.retire(self, .init(file, line))
  }
}

extension Duration {
  /// Whole nanoseconds; negative durations are 0, and what does not fit is the largest.
  @inlinable var clampedNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    let (high, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return .max }
    let (sum, over) = high.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
    return over ? .max : sum
  }
}
