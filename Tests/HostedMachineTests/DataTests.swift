// Data with a level: per-CPU values, LevelLocks, conditions, rings.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Data with a level")
struct DataTests {
  @Test("per-CPU values: opened at home, at the level, once at a time; summed by asking each CPU")
  func perCPU() throws {
    try withSystem(expecting: [.cellLevel, .cellOpenTwice]) { system in
      let cell = system.perCPU(at: .softNet) { $0 * 100 }
      for cpu in 0..<2 {
        system.on(cpu) { here in
          #expect(
            here.mask(to: .softNet) { _ in
              cell.open {
                $0 += 1
                return $0
              }
            } == cpu * 100 + 1)
          if cpu == 0 { #expect(cell.open { $0 } == nil) }
          if cpu == 1 {
            here.raise(to: .softNet) { _ in cell.open { _ in #expect(cell.open { $0 } == nil) } }
          }
        }
      }
      #expect(cell.reduce(0) { $0 + $1 } == 102)
    }
  }

  @Test("H50: LevelLocks mask to their level, and each wrong shape is said")
  func h50() throws {
    let expected: [Violation.Rule] = [
      .levelLockAboveLevel, .gateUnderLevelLock, .levelLockRank, .levelLockAboveLevel, .parkUnderGate,
      .waitOutOfOrder,
    ]
    try withSystem(expecting: expected) { system in
      let low = system.levelLock(at: .softBio, rank: 0, 0)
      let net = system.levelLock(at: .softNet, rank: 1, 0)
      let netToo = system.levelLock(at: .softNet, rank: 2, 0)
      let condition = system.condition(guardedBy: .softSerial)
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in log.note("handler") }
      system.on(0) { here in
        low.withLock { _ in net.withLock { _ in netToo.withLock { $0 += 1 } } }
        net.withLock { _ in
          #expect(here.level == .softNet)
          handler.schedule()
          here.checkpoint()
          log.note("locked")
        }
        log.note("after")
        // Above its level, a gate under it, against the rank, a lower lock inside, waiting with it.
        here.mask(to: .softSerial) { _ in net.withLock { _ in } }
        net.withLock { _ in here.raise(exactly: .softBio) { _ in } }
        netToo.withLock { _ in net.withLock { _ in } }
        net.withLock { _ in low.withLock { _ in } }
        net.withLock { _ in here.raise(exactly: .softSerial) { _ in _ = condition.wait { true } } }
        net.withLock { _ in _ = system.barrier(at: .softNet) }
      }
      #expect(log.all == ["locked", "handler", "after"])
    }
  }

  @Test("a LevelLock excludes CPUs and visitors, and its waiters serve what is above")
  func levelLock() throws {
    try withSystem(cpus: 2, quiet()) { system in
      let lock = system.levelLock(at: .softNet, Datum())
      let served = Event()
      let above = try system.establish("above", at: .softSerial, as: .ordered) { _ in served.signal() }
      let ended = Event()
      lock.withLock { datum in
        system.submit(on: 0) { _ in
          lock.withLock { $0.update(1) }
          ended.signal()
        }
        let queue = lock.queue
        #expect(eventually { queue.pointee.word.word.load(.acquire) & Level.softNet.gate.attentionBits != 0 })
        above.schedule(on: 0)
        #expect(served.wait())
        datum.update(1)
      }
      #expect(ended.wait())
      let visitors = (0..<3).map { _ in Visitor { for _ in 0..<500 { lock.withLock { $0.update(2) } } } }
      for visitor in visitors { #expect(visitor.join()) }
      lock.withLock { #expect($0.isWhole && $0.updates.count == 1_502) }
    }
  }

  @Test("a condition is waited for under its guard only, never in a handler or under a mask")
  func conditions() throws {
    try withSystem(expecting: [
      .conditionWithoutGuard, .parkUnderGate, .conditionWithoutGuard, .conditionInHandler,
    ]) {
      system in
      let condition = system.condition(guardedBy: .softNet)
      system.on(0) { here in
        #expect(!condition.wait { true })
        here.raise(to: .softNet) { inside in
          inside.mask(to: .softNet) { _ in #expect(!condition.wait { true }) }
        }
      }
      condition.broadcast()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        #expect(!condition.wait { true })
      }
      handler.schedule(on: 0)
      system.settle(0)
    }
  }

  @Test("visitors and CPUs hand a value back and forth through a condition")
  func pingPong() throws {
    try withSystem { system in
      let condition = system.condition(guardedBy: .softNet)
      nonisolated(unsafe) var turn = 0
      let ended = Event()
      let play: @Sendable (Int) -> Void = { player in
        for _ in 0..<300 {
          system.raise(exactly: .softNet) { _ in
            condition.wait { turn % 3 == player }
            turn += 1
            condition.broadcast()
          }
        }
        ended.signal()
      }
      for cpu in 0..<2 { system.submit(on: cpu) { _ in play(cpu) } }
      _ = Visitor { play(2) }
      for _ in 0..<3 { #expect(ended.wait()) }
      system.raise(exactly: .softNet) { _ in #expect(turn == 900) }
    }
  }

  @Test("H18: what was read before a raise that waited is stale after it")
  func h18() throws {
    try withSystem { system in
      nonisolated(unsafe) var value = 1
      let read = Event()
      let ended = Event()
      system.raise(exactly: .softNet) { _ in
        system.submit(on: 0) { here in
          let before = value
          read.signal()
          here.raise(exactly: .softNet) { _ in #expect(before == 1 && value == 2) }
          ended.signal()
        }
        #expect(read.wait() && system.someoneWaits(for: .softNet))
        value = 2
      }
      #expect(ended.wait())
    }
  }

  @Test("H31: a full ring says so; one producer and one consumer on two CPUs lose nothing")
  func h31() throws {
    try withSystem { system in
      let ring = Ring<Int, HostedMachine>(capacity: 8)
      let full = Counter()
      let ended = Event()
      system.submit(on: 0) { here in
        for value in 0..<20_000 {
          while !ring.push(value) {
            full.add()
            sched_yield()
          }
        }
        ended.signal()
      }
      system.submit(on: 1) { _ in
        for value in 0..<20_000 {
          var next = ring.pop()
          while next == nil {
            sched_yield()
            next = ring.pop()
          }
          if next != value { Issue.record("\(value): \(next!)") }
        }
        ended.signal()
      }
      #expect(ended.wait() && ended.wait())
      #expect(ring.pop() == nil)
    }
  }

  @Test("with execution by threads a PerCPU value does not open: nothing would keep the levels apart")
  func perCPUWithThreads() throws {
    let threads = quiet { $0.execution = .threads }
    try withSystem(threads, expecting: [.cellUnderThreads, .cellUnderThreads]) { system in
      let cell = system.perCPU(at: .softNet) { $0 }
      #expect(system.on(1) { _ in cell.open { $0 } } == Int??.some(nil))
      let ran = Event()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in
        #expect(cell.open { $0 } == nil)
        ran.signal()
      }
      handler.schedule(on: 1)
      #expect(ran.wait())
    }
  }

  @Test("values, locks and conditions keep their system: they may be used after its last other reference")
  func keepTheSystem() throws {
    let (lock, condition, cell) = try {
      let system = try System(on: .hosted(cpus: 1), quiet())
      defer { system.shutdown() }
      return (
        system.levelLock(at: .softNet, 1), system.condition(guardedBy: .softNet),
        system.perCPU(at: .softNet) { $0 }
      )
    }()
    let visitor = Visitor {
      #expect(lock.withLock { $0 } == 1)
      condition.broadcast()
      #expect(cell.open { $0 } == nil)
    }
    #expect(visitor.join())
    #expect(cell.owner.violations.map(\.rule) == [.conditionWithoutGuard, .cellByVisitor])
  }
}
