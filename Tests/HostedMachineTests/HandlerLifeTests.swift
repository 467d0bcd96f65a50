// The life of a handler: established, changed, suspended, ended, and its slot used again.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("The life of a handler")
struct HandlerLifeTests {
  @Test("disestablishing says on how many CPUs it was pending, and it never runs again")
  func disestablish() throws {
    try withSystem { system in
      let runs = Counter()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in runs.add() }
      #expect(system.suspend(handler) == .done(dropped: 0))
      handler.schedule(on: 0)
      handler.schedule(on: 1)
      system.settle(0)
      system.settle(1)
      #expect(system.disestablish(handler) == .done(dropped: 2))
      #expect(system.disestablish(handler) == .notEstablished)
      #expect(handler.schedule() == .notEstablished && handler.schedule(on: 1) == .notEstablished)
      #expect(
        system.resume(handler) == .notEstablished && system.setWay(.ordered, of: handler) == .notEstablished)
      system.settle(0)
      #expect(runs.count == 0)
    }
  }

  @Test("the body goes with its handler", arguments: WayIn.allCases)
  func bodiesAreReleased(_ way: WayIn) throws {
    final class Token: Sendable {}
    try withSystem { system in
      weak var seen: Token?
      let handler = try {
        let token = Token()
        seen = token
        return try system.establish("h", at: .softNet, as: way) { _ in _ = token }
      }()
      handler.schedule(on: 1)
      system.settle(1)
      #expect(seen != nil)
      system.disestablish(handler)
      #expect(seen == nil)
    }
  }

  @Test("suspensions nest; what came meanwhile runs after the last resume", arguments: WayIn.allCases)
  func suspend(_ way: WayIn) throws {
    try withSystem { system in
      let runs = Counter()
      let handler = try system.establish("h", at: .softNet, as: way) { _ in runs.add() }
      #expect(system.resume(handler) == .notEstablished)
      #expect(system.suspend(handler) == .done(dropped: 0) && system.suspend(handler) == .done(dropped: 0))
      #expect(handler.schedule(on: 1) == .scheduled)
      system.settle(1)
      #expect(system.resume(handler) == .done(dropped: 0))
      system.settle(1)
      #expect(runs.count == 0 && system.isPending(handler, on: 1))
      system.resume(handler)
      #expect(eventually { runs.count == 1 })
      handler.schedule(on: 1)
      #expect(eventually { runs.count == 2 })
    }
  }

  @Test(
    "suspending returns when no run is under way", arguments: [WayIn.ordered, .mpSafe, .bigLock, .disjoint])
  func suspendWaits(_ way: WayIn) throws {
    try withSystem { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let handler = try system.establish("h", at: .softNet, as: way) { _ in
        entered.signal()
        go.wait()
        log.note("ended")
      }
      handler.schedule(on: 1)
      #expect(entered.wait())
      let visitor = Visitor {
        system.suspend(handler)
        log.note("suspended")
      }
      #expect(eventually { system.queueLength(.softNet) == 1 || system.quiescers.load(.acquire) == 1 })
      go.signal()
      #expect(visitor.join())
      #expect(log.all == ["ended", "suspended"])
    }
  }

  @Test("a way in can be changed through all of them, and pending work runs under the new one")
  func setWay() throws {
    try withSystem { system in
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .bigLock) { here in
        log.note("\(here.agent.context.pointee.kind)")
      }
      var expected: [String] = []
      for way in [WayIn.ordered, .mpSafe, .disjoint, .bigLock, .mpSafe, .bigLock, .disjoint, .ordered] {
        system.on(1) { here in
          here.mask(to: .softNet) { _ in
            handler.schedule()
            let other = Visitor { system.setWay(way, of: handler) }
            #expect(other.join())
          }
        }
        system.settle(1)
        expected.append("\(way)")
        #expect(log.all == expected)
      }
    }
  }

  @Test(
    "H7: a handler ends itself with retire(); disestablishing it from inside is refused",
    arguments: WayIn.allCases)
  func h7(_ way: WayIn) throws {
    try withSystem(expecting: [.changeFromInside]) { system in
      final class Token: Sendable {}
      weak var seen: Token?
      let runs = Counter()
      nonisolated(unsafe) var me: HandlerOf?
      try {
        let token = Token()
        seen = token
        me = try system.establish("h", at: .softNet, as: way) { here in
          _ = token
          runs.add()
          #expect(system.disestablish(me!) == .refused)
          here.retire()
          here.retire()
          #expect(me!.schedule() == .notEstablished)
        }
      }()
      let handler = try #require(me)
      handler.schedule(on: 1)
      system.settle(1)
      #expect(handler.schedule(on: 1) == .notEstablished)
      #expect(system.disestablish(handler) == .notEstablished)
      // Its slot and body are given back at the next establishing.
      let next = try system.establish("next", at: .softNet, as: .ordered) { _ in }
      #expect(next.slot == handler.slot && seen == nil && runs.count == 1)
    }
  }

  @Test("slots are used again, handles of all earlier owners stay stale")
  func slotReuse() throws {
    try withSystem { system in
      let runs = Counter()
      var old: [HandlerOf] = []
      for _ in 0..<200 {
        let handler = try system.establish("h", at: .softBio, as: .ordered) { _ in runs.add() }
        for stale in old.suffix(5) { #expect(stale.schedule() == .notEstablished) }
        old.append(handler)
        #expect(handler.schedule(on: 0) == .scheduled)
        system.settle(0)
        system.disestablish(handler)
      }
      #expect(runs.count == 200)
      #expect(Set(old.map { $0.slot }).count == 1 && Set(old).count == 200)
    }
  }

  @Test("a level has a limit of handlers, and says so")
  func limit() throws {
    try withSystem { system in
      var handlers: [HandlerOf] = []
      let limit = System.handlersPerLevel
      let log = Counter()
      for _ in 0..<limit {
        handlers.append(try system.establish("h", at: .softClock, as: .ordered) { _ in log.add() })
      }
      #expect(throws: EstablishError.tooMany(.softClock, limit: limit)) {
        try system.establish("one more", at: .softClock, as: .ordered) { _ in }
      }
      #expect(throws: EstablishError.levelNone) {
        try system.establish("h", at: .none, as: .ordered) { _ in }
      }
      for handler in handlers { handler.schedule(on: 1) }
      #expect(eventually { log.count == limit })
      system.disestablish(handlers[7])
      handlers[7] = try system.establish("again", at: .softClock, as: .ordered) { _ in }
    }
  }

  @Test("a stale handle may be asked after its system has gone")
  func outlivesSystem() throws {
    nonisolated(unsafe) var handler: HandlerOf?
    do {
      let system = try System(on: .hosted(cpus: 1), quiet())
      handler = try system.establish("h", at: .softNet, as: .ordered) { _ in }
      system.shutdown()
      #expect(handler?.schedule() == .notEstablished)
    }
    #expect(handler?.schedule() == .notEstablished && handler?.schedule(on: 0) == .notEstablished)
    let visitor = Visitor { #expect(handler?.schedule() == .notEstablished) }
    #expect(visitor.join())
  }

  @Test("disestablishing where the raise would be out of order is refused, and nothing changes")
  func refusedChanges() throws {
    try withSystem(expecting: [.downward, .waitOutOfOrder]) { system in
      let runs = Counter()
      let ordered = try system.establish("o", at: .softNet, as: .ordered) { _ in runs.add() }
      let mpSafe = try system.establish("m", at: .softNet, as: .mpSafe) { _ in runs.add() }
      system.raise(exactly: .softSerial) { _ in
        #expect(system.disestablish(ordered) == .refused)
        #expect(system.suspend(mpSafe) == .refused)
      }
      #expect(ordered.schedule(on: 0) == .scheduled && mpSafe.schedule(on: 0) == .scheduled)
      system.settle(0)
      #expect(runs.count == 2)
      #expect(system.violations.allSatisfy { $0.other == "o" || $0.other == "m" })
    }
  }

  @Test("threads that change one handler at the same time all succeed in the end")
  func concurrentChanges() throws {
    try withSystem { system in
      let runs = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in runs.add() }
      let visitors = (0..<3).map { index in
        Visitor {
          for round in 0..<60 {
            switch (index + round) % 3 {
            case 0: #expect(system.setWay(WayIn.allCases[round % 4], of: handler) == .done(dropped: 0))
            default:
              #expect(system.suspend(handler) == .done(dropped: 0))
              handler.schedule(on: round % 2)
              #expect(system.resume(handler) == .done(dropped: 0))
            }
          }
        }
      }
      for visitor in visitors { #expect(visitor.join()) }
      let before = runs.count
      handler.schedule(on: 1)
      #expect(eventually { runs.count > before })
      #expect(handler.slot.pointee.suspensions == 0 && handler.slot.pointee.changes == 0)
    }
  }

  @Test(
    "of threads that disestablish one handler at the same time exactly one does", arguments: WayIn.allCases)
  func disestablishTogether(_ way: WayIn) throws {
    try withSystem { system in
      for round in 0..<100 {
        let handler = try system.establish("h", at: .softNet, as: way) { _ in }
        let start = Counter()
        let done = Counter()
        let visitors = (0..<3).map { _ in
          Visitor {
            start.add()
            eventually { start.count == 3 }
            if system.disestablish(handler) == .done(dropped: 0) { done.add() }
          }
        }
        for visitor in visitors { #expect(visitor.join()) }
        #expect(done.count == 1, "round \(round)")
        // Odd is established: an ending counted twice would make the slot look alive.
        #expect(handler.slot.pointee.generation.load(.acquire) == handler.generation &+ 1)
        #expect(handler.slot.pointee.changes == 0)
        if done.count != 1 { break }
      }
    }
  }

  @Test("the last of several changes of an MP-safe handler stands alone: it has one way in")
  func setWayTogether() throws {
    try withSystem { system in
      for _ in 0..<100 {
        let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in }
        let start = Counter()
        let visitors = [WayIn.ordered, .bigLock].map { way in
          Visitor {
            start.add()
            eventually { start.count == 2 }
            #expect(system.setWay(way, of: handler) == .done(dropped: 0))
          }
        }
        for visitor in visitors { #expect(visitor.join()) }
        let ways = system.ways(.softNet)
        let bit = handler.slot.pointee.bit
        let admitted = [ways.mpSafe, ways.ordered, ways.bigLock].filter { $0.load(.acquire) & bit != 0 }
        #expect(admitted.count == 1)
        system.disestablish(handler)
      }
    }
  }

  @Test("a slot that somebody is about to change is not given to the next owner")
  func noReuseUnderChange() throws {
    try withSystem { system in
      let old = try system.establish("old", at: .softBio, as: .ordered) { _ in }
      // A changer between its word that it comes and the gate.
      system.lockedTable { old.slot.pointee.changes += 1 }
      system.disestablish(old)
      let next = try system.establish("next", at: .softBio, as: .ordered) { _ in }
      #expect(next.slot != old.slot)
      system.lockedTable { old.slot.pointee.changes -= 1 }
      let last = try system.establish("last", at: .softBio, as: .ordered) { _ in }
      #expect(last.slot == old.slot)
    }
  }
}
