// Handlers: ways in, coalescing, order, priority, and a life from establishing to disestablishing.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Handlers")
struct HandlerTests {
  @Test("each way in has its kind, its level and its gates", arguments: WayIn.allCases)
  func waysIn(_ way: WayIn) throws {
    try withSystem { system in
      let seen = Log()
      for level in [Level.softClock, .softNet, .vm] {
        let handler = try system.establish("h", at: level, as: way) { here in
          let context = here.agent.context.pointee
          seen.note("\(context.kind) \(here.level) \(context.floor) [\(here.gates)] \(here.cpu ?? -1)")
        }
        handler.schedule(on: 1)
        system.settle(1)
      }
      let expected = [("softClock", "none"), ("softNet", "softBio"), ("vm", "softSerial")].map {
        level, below in
        switch way {
        case .ordered, .disjoint: "\(way) \(level) \(level) [\(level)] 1"
        case .bigLock: "bigLock \(level) \(level) [none, \(level)] 1"
        case .mpSafe: "mpSafe \(level) \(below) [] 1"
        }
      }
      #expect(seen.all == expected)
    }
  }

  @Test("schedules of a pending handler are one run")
  func coalescing() throws {
    try withSystem { system in
      let runs = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in runs.add() }
      let results = system.on(0) { here in
        here.mask(to: .softNet) { _ in (0..<5).map { _ in handler.schedule() } }
      }
      system.settle(0)
      #expect(results == [.scheduled, .coalesced, .coalesced, .coalesced, .coalesced])
      #expect(runs.count == 1)
    }
  }

  @Test("a handler that is pending on two CPUs runs for both, one after the other")
  func twoHomes() throws {
    try withSystem { system in
      let inside = Counter()
      let most = Counter()
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { here in
        most.count = max(most.count, inside.add())
        log.note("\(here.cpu ?? -1)")
        inside.add(-1)
      }
      system.raise(exactly: .softNet) { _ in
        handler.schedule(on: 0)
        handler.schedule(on: 1)
        #expect(system.isMarked(.softNet, by: 0) && system.isMarked(.softNet, by: 1))
      }
      #expect(eventually { log.all.count == 2 })
      #expect(log.all.sorted() == ["0", "1"] && most.count == 1)
    }
  }

  @Test("bound ordered handlers of a level run in the order of the schedules")
  func order() throws {
    try withSystem { system in
      let log = Log()
      let names = ["a", "b", "c", "d", "e", "f"]
      let handlers = try names.map { name in
        try system.establish(name, at: .softNet, as: .ordered) { _ in log.note(name) }
      }
      var random = Seeded(3)
      var expected: [String] = []
      for _ in 0..<50 {
        let order = names.indices.shuffled(using: &random)
        expected += order.map { names[$0] }
        system.on(1) { here in
          here.mask(to: .softNet) { _ in for index in order { handlers[index].schedule() } }
        }
      }
      system.settle(1)
      #expect(log.all == expected)
    }
  }

  @Test("what was marked while the gate was busy keeps its order")
  func orderOverMarks() throws {
    try withSystem { system in
      let log = Log()
      let handlers = try ["a", "b", "c"].map { name in
        try system.establish(name, at: .softNet, as: .ordered) { _ in log.note(name) }
      }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      for index in [2, 0, 1] {
        handlers[index].schedule(on: 1)
        system.settle(1)
      }
      blocker.letGo()
      #expect(eventually { log.all.count == 3 })
      #expect(log.all == ["c", "a", "b"])
    }
  }

  @Test("the highest level first, and a higher one in the middle of a lower one's wait")
  func priority() throws {
    try withSystem { system in
      let log = Log()
      let levels: [Level] = [.softClock, .softBio, .softNet, .softSerial, .vm]
      let handlers = try levels.map { level in
        try system.establish("\(level)", at: level, as: .ordered) { _ in log.note("\(level)") }
      }
      system.on(0) { here in
        here.mask(to: .high) { _ in for handler in handlers { handler.schedule() } }
      }
      system.settle(0)
      #expect(log.all == levels.reversed().map { "\($0)" })
    }
  }

  @Test("a handler interrupts a lower one at its recognition points, never one of its own level")
  func nesting() throws {
    try withSystem { system in
      let log = Log()
      let high = try system.establish("high", at: .softSerial, as: .ordered) { _ in log.note("high") }
      let same = try system.establish("same", at: .softNet, as: .ordered) { _ in log.note("same") }
      let low = try system.establish("low", at: .softNet, as: .ordered) { here in
        log.note("begin")
        same.schedule()
        high.schedule()
        here.checkpoint()
        log.note("end")
      }
      low.schedule(on: 0)
      system.settle(0)
      #expect(log.all == ["begin", "high", "end", "same"])
    }
  }

  @Test("a mask keeps handlers up to its level out, and lets those above in")
  func mask() throws {
    try withSystem { system in
      let log = Log()
      let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in log.note("net") }
      let serial = try system.establish("serial", at: .softSerial, as: .mpSafe) { _ in log.note("serial") }
      system.on(0) { here in
        here.mask(to: .softNet) { masked in
          net.schedule()
          serial.schedule()
          masked.checkpoint()
          log.note("masked")
        }
        log.note("after")
      }
      #expect(log.all == ["serial", "masked", "net", "after"])
    }
  }

  @Test("an .anywhere handler that finds its gate busy is run by the holder")
  func delegation() throws {
    try withSystem { system in
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .ordered, .anywhere) { here in
        log.note("\(here.cpu ?? -1) [\(here.gates)] \(here.level)")
      }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      handler.schedule(on: 1)
      #expect(system.isMarked(.softNet, by: 1))
      blocker.letGo()
      system.settle(0)
      #expect(log.all == ["0 [softNet] softNet"])
      #expect(system.on(0) { $0.agent.counters(.softNet).pointee.drained } == 1)
    }
  }

  @Test("a disjoint handler that is run by the holder stays disjoint: the witness says the same on every run")
  func delegatedDisjoint() throws {
    try withSystem(expecting: [.disjointRaises]) { system in
      let handler = try system.establish("h", at: .softNet, as: .disjoint, .anywhere) { here in
        here.raise(exactly: .softSerial) { #expect($0.gates.contains(Level.softSerial.gate)) }
      }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      handler.schedule(on: 1)
      #expect(system.isMarked(.softNet, by: 1))
      blocker.letGo()
      system.settle(0)
      system.settle(1)
      #expect(system.violations.first?.context.contains("disjoint") == true)
    }
  }

  @Test("a bound handler that finds its gate busy runs at home when the holder rings")
  func bound() throws {
    try withSystem { system in
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { log.note("\($0.cpu ?? -1)") }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      handler.schedule(on: 1)
      #expect(system.isMarked(.softNet, by: 1))
      blocker.letGo()
      #expect(eventually { log.all == ["1"] })
    }
  }

  @Test("work over the holder's budget is run at home")
  func drainBudget() throws {
    try withSystem(quiet { $0.drainBudget = 2 }) { system in
      let log = Log()
      let handlers = try (0..<5).map { index in
        try system.establish("\(index)", at: .softNet, as: .ordered, .anywhere) {
          log.note("\($0.cpu ?? -1)")
        }
      }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      system.on(1) { here in here.mask(to: .softNet) { _ in for handler in handlers { handler.schedule() } } }
      #expect(system.isMarked(.softNet, by: 1))
      blocker.letGo()
      #expect(eventually { log.all.count == 5 })
      #expect(log.all.filter { $0 == "0" }.count == 2)
    }
  }

  @Test("MP-safe handlers of one level run on two CPUs at once")
  func mpSafe() throws {
    try withSystem { system in
      let inside = Counter()
      let both = Event()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in
        if inside.add() == 2 {
          both.signal()
          both.signal()
        }
        both.wait()
      }
      handler.schedule(on: 0)
      handler.schedule(on: 1)
      system.settle(0)
      system.settle(1)
      #expect(inside.count == 2)
    }
  }

  @Test("ordered handlers of different levels run on two CPUs at once")
  func levelsInParallel() throws {
    try withSystem { system in
      let net = try Blocker(system, at: .softNet, on: 0)
      let bio = try Blocker(system, at: .softBio, on: 1)
      bio.letGo()
      net.letGo()
    }
  }

  @Test("H34: an exact raise does not wait for a level in between, a cumulative one does")
  func h34() throws {
    try withSystem { system in
      let blocker = try Blocker(system, at: .softBio, on: 1)
      system.on(0) { here in here.raise(exactly: .softNet) { #expect($0.gates == Level.softNet.gate) } }
      #expect(system.tryRaise(to: .softNet) { _ in 1 } == nil)
      blocker.letGo()
    }
  }

  @Test("H28: a raise to high takes every gate, and says so in the statistics")
  func h28() throws {
    try withSystem { system in
      system.on(0) { here in
        here.raise(to: .high) { #expect($0.gates == .above(.none, through: .high)) }
        #expect(here.agent.counters(.softClock).pointee.taken == 1)
      }
    }
  }

  // MARK: The life of a handler

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
      #expect(system.resume(handler) == .notEstablished && system.setWay(.ordered, of: handler) == .notEstablished)
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

  @Test("suspending returns when no run is under way", arguments: [WayIn.ordered, .mpSafe, .bigLock, .disjoint])
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

  @Test("H7: a handler ends itself with retire(); disestablishing it from inside is refused", arguments: WayIn.allCases)
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
      #expect(throws: EstablishError.levelNone) { try system.establish("h", at: .none, as: .ordered) { _ in } }
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
}
