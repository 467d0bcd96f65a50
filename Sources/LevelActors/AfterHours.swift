// What is done for a level once its handler has ended: on the concurrency pool, by one task at a time, which blocks none of its threads.
//
// Law: after each call of `look` a whole look begins and succeeds. Count, then look: who counts from 0 starts the task, and that ends
// only if nobody has counted since its last look began. All is done by read-modify-writes of one word, each an acquire and a release,
// so a look that begins after a count sees what was pushed before it.

import Synchronization

@usableFromInline final class AfterHours: Sendable {
  private let calls = Atomic<UInt>(0)
  @usableFromInline init() {}

  /// - Parameter attempt: looks, and does what there is; false if it could not, now. Waits for nothing.
  @usableFromInline func look(_ attempt: @escaping @Sendable () -> Bool) {
    if calls.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue != 0 { return }
    Task.detached { [self] in
      var seen = calls.load(ordering: .acquiring)
      while true {
        if attempt() {
          let (isLast, now) = calls.compareExchange(
            expected: seen, desired: 0, ordering: .acquiringAndReleasing)
          if isLast { return }
          seen = now
        } else {
          // Somebody has the gate. No thread of the pool waits for it: others go first.
          await Task.yield()
        }
      }
    }
  }
}

/// Says, by its end, that a handler's body was given back: the handler was disestablished, or the system shut down.
@usableFromInline package final class HandlerEnd: Sendable {
  @usableFromInline let body: @Sendable () -> Void
  @inlinable package init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  deinit { body() }
}

/// Why something that waited for a system will not come.
public enum LevelActorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system has been shut down, or the handler disestablished.
  case ended

  public var description: String {
    "what was waited for will not come: the system has been shut down, or the handler disestablished"
  }
}
