// Rows whose rule is the program's to keep: what is reported if it does not.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let programs = [h18, h27, h45]

  // A value is read, then a gate is waited for, then the value is used: others had the gate in between.
  // What is read before a blocking acquisition is stale after it.
  static let h18 = Proof(
    "H18 a value from before the wait", strategy: .exhaustive(),
    wrong: [
      WrongProgram("reads in one section and writes in the next", reports: .expectation) { world in
        try counts(world) { here, packets in
          let old = here.raise(exactly: .softNet) { _ in packets.value }
          here.raise(exactly: .softNet) { _ in packets.value = old + 1 }
        }
      }
    ]
  ) { world in
    try counts(world) { here, packets in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
  }

  private static func counts(_ world: World, _ add: @escaping (borrowing Place, Shared<Int>) -> Void) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<2 { world.base(on: cpu) { here in add(here, packets) } }
    world.finally { world.expect(packets.value == 2, "\(packets.value) of 2") }
  }

  // A handler updates a pair in two steps; base code reads it without a raise, as it may on one CPU only.
  static let h27 = Proof(
    "H27 an un-raised reader sees the middle of a handler", strategy: .exhaustive(),
    wrong: [
      WrongProgram("reads at level none", reports: .dataRace) { world in
        try pair(world, guard: nil) { _, read in read() }
      },
      WrongProgram("reads there what has a declared guard", reports: .unguarded) { world in
        try pair(world, guard: .softNet) { _, read in read() }
      },
    ]
  ) { world in
    try pair(world, guard: .softNet) { here, read in here.raise(to: .softNet) { _ in read() } }
  }

  private static func pair(
    _ world: World, guard level: Level?, _ reading: @escaping (borrowing Place, () -> Void) -> Void
  ) throws {
    let (a, b) = (world.shared("a", guard: level, 0), world.shared("b", guard: level, 0))
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in
      a.value += 1
      b.value += 1
    }
    world.device("card") { net.schedule(on: 0) }
    world.base(on: 1) { here in
      reading(here) { world.expect(a.value == b.value, "half of an update is seen") }
    }
  }

  // A lock is held across a raise, and a handler that the wait for the gate serves wants the lock.
  // A LevelLock keeps such handlers out; an ordinary lock does not.
  static let h45 = Proof(
    "H45 an ordinary lock held across a raise", strategy: .exhaustive(),
    wrong: [
      WrongProgram("has a spin lock", reports: .livelock) { world in
        let lock = Flag()
        let locked: (() -> Void) -> Void = { body in
          var round = 0
          while !SimulatedWord.compareExchange(lock.word, 0, 1, .acquireRelease) {
            SimulatedMachine.pause(round)
            round += 1
          }
          body()
          SimulatedWord.store(lock.word, 0, .release)
        }
        try acrossRaise(world, locked)
      }
    ]
  ) { world in
    let lock = world.system.levelLock(at: .softNet, 0)
    try acrossRaise(world) { body in lock.withLock { _ in body() } }
  }

  private static func acrossRaise(_ world: World, _ locked: @escaping (() -> Void) -> Void) throws {
    let list = world.shared("list", 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in locked { list.value += 1 } }
    world.base(on: 0) { here in
      locked {
        list.value += 1
        here.raise(exactly: .softSerial) { _ in }
      }
    }
    world.base(on: 1) { here in here.raise(exactly: .softSerial) { _ in world.point() } }
    world.device("card") { net.schedule(on: 0) }
    world.finally { world.expect(list.value == 2, "\(list.value) of 2") }
  }
}
