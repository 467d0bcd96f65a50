// The big lock: the gate of level none, for what has not been migrated yet.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("The big lock")
struct BigLockTests {
  @Test("base code, visitors and big-lock handlers of all levels exclude each other")
  func excludes() throws {
    try withSystem(cpus: 3, Configuration()) { system in
      let datum = Datum()
      let levels: [Level] = [.softClock, .softNet, .vm]
      let handlers = try levels.flatMap { level in
        try (0..<2).map { _ in
          try system.establish("big \(level)", at: level, as: .bigLock) { _ in datum.update(3) }
        }
      }
      let visitor = Visitor { for _ in 0..<300 { system.bigLock { _ in datum.update(2) } } }
      for round in 0..<300 {
        for handler in handlers { handler.schedule(on: round % 3) }
        system.on(round % 3, as: .bigLock) { here in
          datum.update(2)
          here.checkpoint()
        }
      }
      #expect(visitor.join())
      for cpu in 0..<3 { system.settle(cpu) }
      system.bigLock { _ in #expect(datum.isWhole && datum.updates.count >= 600) }
    }
  }

  @Test("H55: base code gives it up at its yield points, and there only")
  func h55() throws {
    try withSystem { system in
      let ran = Counter()
      let big = try system.establish("big", at: .softNet, as: .bigLock) { _ in ran.add() }
      let early = system.on(0, as: .bigLock) { here in
        big.schedule(on: 1)
        #expect(system.isMarked(.none, by: 1) || system.someoneWaits(for: .none))
        for _ in 0..<100 { here.checkpoint() }
        let early = ran.count
        // Any number of yields: the other CPU has to come to its try.
        #expect(
          eventually {
            system.yieldBigLock()
            return ran.count == 1
          })
        #expect(system.isHeld(.none) && here.gates == Level.none.gate)
        return early
      }
      #expect(early == 0)
    }
  }

  @Test("on a CPU that holds it, big-lock handlers are dispatched on top")
  func onTop() throws {
    try withSystem { system in
      let log = Log()
      let big = try system.establish("big", at: .softNet, as: .bigLock) { log.note("[\($0.gates)]") }
      system.on(0, as: .bigLock) { here in
        big.schedule()
        here.checkpoint()
        log.note("base [\(here.gates)]")
      }
      system.settle(0)
      #expect(log.all == ["[none, softNet]", "base [none]"])
      #expect(!system.isHeld(.none))
    }
  }

  @Test("it is refused in a handler, and under a raise; where it is held, once more is nothing")
  func refused() throws {
    try withSystem(expecting: [.bigLockTooLate, .bigLockInHandler]) { system in
      system.raise(to: .softNet) { _ in system.bigLock { #expect(!$0.gates.contains(Level.none.gate)) } }
      #expect(
        system.violations.first!.description.contains(
          "a visitor at softNet asked for the big lock; holds gate softClock"))
      system.bigLock { _ in system.bigLock { #expect($0.gates == Level.none.gate) } }
      #expect(!system.isHeld(.none))
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in
        system.bigLock { #expect($0.gates.isEmpty) }
      }
      handler.schedule(on: 0)
      system.settle(0)
    }
  }

  @Test("who is refused another gate under it is told that the big lock is held")
  func named() throws {
    try withSystem(expecting: [.downward]) { system in
      system.bigLock { _ in
        system.raise(exactly: .softNet) { _ in system.raise(exactly: .softBio) { _ in } }
      }
      #expect(
        system.violations.first!.description.contains(
          "asked for softBio; holds the big lock taken at \(#fileID):"))
    }
  }

  @Test("H29: big-lock work that was deferred inside a handler runs although its CPU goes to sleep in a wait")
  func deferredWhileWaiting() throws {
    try withSystem { system in
      let condition = system.condition(guardedBy: .softClock)
      nonisolated(unsafe) var isOver = false
      let waits = Event()
      let bigRan = Event()
      let ended = Event()
      let big = try system.establish("big", at: .softSerial, as: .bigLock) { _ in bigRan.signal() }
      let net = try system.establish("net", at: .softNet, as: .ordered) { here in
        big.schedule()
        // Deferred: this CPU holds softNet.
        here.checkpoint()
      }
      system.submit(on: 0) { here in
        here.raise(to: .softClock) { _ in
          _ = condition.wait {
            waits.signal()
            return isOver
          }
        }
        ended.signal()
      }
      #expect(waits.wait())
      net.schedule(on: 0)
      #expect(bigRan.wait())
      system.raise(to: .softClock) { _ in
        isOver = true
        condition.broadcast()
      }
      #expect(ended.wait())
    }
  }

  @Test("work of the level that came while a big-lock dispatch waited for its gate is not forgotten")
  func orderedBehindBigLock() throws {
    try withSystem(quiet { $0.patience = 1 }) { system in
      let bigRuns = Counter()
      let netRan = Event()
      let big = try system.establish("big", at: .softNet, as: .bigLock) { _ in bigRuns.add() }
      let net = try system.establish("net", at: .softNet, as: .ordered) { _ in netRan.signal() }
      let blocker = try Blocker(system, at: .softNet, on: 1)
      system.submit(on: 0, as: .bigLock) { here in
        // Holding `none`, the dispatch tries softNet alone, and at its second failure waits for it.
        big.schedule()
        while bigRuns.count == 0 {
          here.agent.summary.fetchOr(AgentRef<HostedMachine>.bit(.softNet), .acquireRelease)
          here.checkpoint()
        }
      }
      #expect(system.someoneWaits(for: .softNet))
      net.schedule(on: 0)
      #expect(eventually { system.agent(ofCPU: 0).summary.load(.acquire) >> 1 == 0 })
      blocker.letGo()
      #expect(netRan.wait() && bigRuns.count == 1)
    }
  }
}
