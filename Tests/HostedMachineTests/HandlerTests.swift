// Handlers: ways in, coalescing, order and priority.

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
        #expect(here.agent.counters(.high).pointee.raisedThrough == 1)
      }
    }
  }
}
