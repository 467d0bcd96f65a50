// Several callouts under one hold of their guard: who waits for it, and what is pending above them, comes between two of them.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

extension Hazards {
  /// Two callouts of one guard are due together. While the first runs, a visitor comes to wait for the guard: with hand-off at once, it
  /// has it before the second runs.
  static func guardBetweenCallouts() throws -> Bool {
    try holds(quiet { $0.handOffAfter = 0 }) { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let ended = Event()
      let first = try system.callout("first", at: .softClock, guard: .softNet, cpu: 0) { _ in
        entered.signal()
        go.hold()
        log.note("first")
      }
      let second = try system.callout("second", at: .softClock, guard: .softNet, cpu: 0) { _ in
        log.note("second")
        ended.signal()
      }
      dueTogether([first, second], system)
      guard entered.wait() else { return false }
      let visitor = Visitor { system.raise(exactly: .softNet) { _ in log.note("visitor") } }
      guard system.someoneWaits(for: .softNet) else { return false }
      go.signal()
      return visitor.join() && ended.wait() && log.all == ["first", "visitor", "second"]
    }
  }

  /// The first one schedules a handler between its level and its guard: that runs before the second one does.
  static func handlerBetweenCallouts() throws -> Bool {
    try holds { system in
      let log = Log()
      let ended = Event()
      let handler = try system.establish("between", at: .softBio, as: .ordered) { _ in log.note("handler") }
      let first = try system.callout("first", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        log.note("first")
        handler.schedule()
      }
      let second = try system.callout("second", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        log.note("second")
        ended.signal()
      }
      dueTogether([first, second], system)
      return ended.wait() && log.all == ["first", "handler", "second"]
    }
  }

  /// Arms callouts of CPU 0 for one time while nothing is dispatched there.
  private static func dueTogether(_ callouts: [CalloutOf], _ system: System) {
    system.on(0) { here in
      here.mask(to: .softClock) { _ in
        let now = HostedMachine.now()
        for callout in callouts { callout.schedule(at: now) }
      }
    }
  }
}
