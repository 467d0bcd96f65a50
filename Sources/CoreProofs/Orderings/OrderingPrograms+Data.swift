// Programs on the data that the core offers: LevelLock, condition, ring.
//
// Law: the value is its lock's, its guard's or its side's.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  static var data: [OrderingProgram] {
    OrderingProgram.both("a LevelLock", levelLock)
      + OrderingProgram.both("a LevelLock, handed over", configuration: overdueAtOnce, levelLock)
      + OrderingProgram.both("a condition", condition)
      + OrderingProgram.both("a ring", preemptions: nil, ring)
  }

  @Sendable static func levelLock(_ world: World) throws {
    let value = world.shared("value", 0)
    let lock = world.system.levelLock(at: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in lock.withLock { _ in value.value += 1 } }
    }
    world.visitor { lock.withLock { _ in value.value += 1 } }
    world.finally { world.expect(value.value == 3) }
  }

  @Sendable static func condition(_ world: World) throws {
    let system = world.system
    let isReady = world.shared("ready", guard: .softNet, false)
    let condition = system.condition(guardedBy: .softNet)
    world.base(on: 0) { here in
      here.raise(exactly: .softNet) { _ in _ = condition.wait { isReady.value } }
    }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in
        isReady.value = true
        condition.broadcast()
      }
    }
  }

  @Sendable static func ring(_ world: World) throws {
    let ring = Ring<Int, SimulatedMachine>(capacity: 1)
    nonisolated(unsafe) var got: [Int] = []
    world.visitor("producer") {
      for value in 1...3 { _ = ring.push(value) }
    }
    world.visitor("consumer") {
      for _ in 0..<3 { if let value = ring.pop() { got.append(value) } }
    }
    // Kept: who gives up the last reference takes out what is left, after what the others have done.
    world.finally { world.expect(got == got.sorted() && ring.count <= 1) }
  }
}
