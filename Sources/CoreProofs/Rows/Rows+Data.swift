// Rows on data that CPUs keep for themselves, and on LevelLocks.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let data = [h49, h50]

  // A handler of softNet and base code that masks to it share their CPU's cell, at any instruction.
  // A handler that starts above the cell's level could come in the middle of either: it may not open it.
  static let h49 = Proof(
    "H49 a cell is opened from above its level", cpus: 1, recognition: .anywhere,
    strategy: .exhaustive(preemptions: 3),
    wrong: [
      WrongProgram(
        "opens it at softSerial", reports: .witness(.cellLevel), without: .cellAnyEntry,
        becomes: .witness(.cellOpenTwice)
      ) { world in
        let cell = world.system.perCPU(at: .softNet) { _ in 0 }
        let line = try world.handler("line", at: .softSerial, as: .mpSafe) { _ in cell.open { $0 += 1 } }
        world.base(on: 0) { here in
          here.mask(to: .softNet) { here in
            cell.open { value in
              value += 1
              world.point()
            }
          }
        }
        world.device("uart") { line.schedule(on: 0) }
      }
    ]
  ) { world in
    let cell = world.system.perCPU(at: .softNet) { _ in 0 }
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in cell.open { $0 += 1 } }
    let line = try world.handler("line", at: .softSerial, as: .mpSafe) { _ in }
    world.base(on: 0) { here in
      here.mask(to: .softNet) { _ in
        cell.open { value in
          let old = value
          world.point()
          value = old + 1
        }
      }
    }
    world.device("card") { net.schedule(on: 0) }
    world.device("uart") { line.schedule(on: 0) }
  }

  // MP-safe code uses two locks of softNet, in the order of their ranks, and raises from under none of them.
  // The six wrong ways are refused; let through, each that needs another CPU is a deadlock.
  static let h50 = Proof(
    "H50 LevelLocks, six wrong ways", strategy: .exhaustive(), wrong: wrongLocks
  ) { world in
    let low = world.system.levelLock(at: .softNet, rank: 0, 0)
    let high = world.system.levelLock(at: .softNet, rank: 1, 0)
    let list = world.shared("list", 0)
    let both = { low.withLock { _ in high.withLock { _ in list.value += 1 } } }
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in both() }
    world.base(on: 0) { here in here.raise(exactly: .softBio) { _ in both() } }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(list.value == 2 && low.withLock { $0 } == 0, "\(list.value) of 2") }
  }

  private static let wrongLocks = [
    WrongProgram(
      "takes one from above its level", reports: .witness(.levelLockAboveLevel), without: .noLockOrder,
      becomes: .deadlock
    ) { world in
      let lock = world.system.levelLock(at: .softNet, 0)
      world.base(on: 0) { here in here.raise(exactly: .softSerial) { _ in lock.withLock { _ in } } }
      world.base(on: 1) { here in lock.withLock { _ in here.raise(exactly: .softSerial) { _ in } } }
    },
    WrongProgram(
      "takes two in two orders", reports: .witness(.levelLockRank), without: .noLockOrder, becomes: .deadlock
    ) { world in
      let locks = (0..<2).map { world.system.levelLock(at: .softNet, rank: Int32($0), 0) }
      for cpu in 0..<2 {
        world.base(on: cpu) { _ in locks[cpu].withLock { _ in locks[1 - cpu].withLock { _ in } } }
      }
    },
    WrongProgram(
      "takes one inside of a mask above it", reports: .witness(.levelLockAboveLevel), without: .noLockOrder,
      becomes: .deadlock
    ) { world in
      let lock = world.system.levelLock(at: .softNet, 0)
      world.base(on: 0) { here in here.mask(to: .softSerial) { _ in lock.withLock { _ in } } }
      world.base(on: 1) { here in
        lock.withLock { _ in _ = world.system.crossCallAndWait(on: 0, at: .softSerial) { _ in } }
      }
    },
    WrongProgram(
      "takes one twice", reports: .fatal, without: .noLockOrder, becomes: .deadlock
    ) { world in
      let lock = world.system.levelLock(at: .softNet, 0)
      world.base(on: 0) { _ in lock.withLock { _ in lock.withLock { _ in } } }
    },
    WrongProgram(
      "takes a gate of its level under one", reports: .witness(.gateUnderLevelLock), without: .anyOrder,
      becomes: .deadlock
    ) { world in
      let lock = world.system.levelLock(at: .softNet, 0)
      world.base(on: 0) { here in lock.withLock { _ in here.raise(exactly: .softNet) { _ in } } }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in lock.withLock { _ in } } }
    },
    WrongProgram(
      "waits for CPUs under one", reports: .witness(.waitOutOfOrder), without: .waitAnywhere,
      becomes: .deadlock
    ) { world in
      let lock = world.system.levelLock(at: .softNet, 0)
      world.base(on: 0) { _ in
        lock.withLock { _ in _ = world.system.crossCallAndWait(on: 1, at: .softNet) { _ in } }
      }
      world.base(on: 1) { _ in lock.withLock { _ in } }
    },
  ]
}
