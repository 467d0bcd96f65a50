// What the tests of the explorer share.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

/// A word of the machine that lives as long as this.
final class Place: @unchecked Sendable {
  let p: UnsafeMutablePointer<SimulatedWord>
  init(_ value: UInt = 0) {
    p = .allocate(capacity: 1)
    p.initialize(to: SimulatedWord(value))
  }
  deinit { p.deallocate() }
  func load(_ order: MemoryOrder = .sequentiallyConsistent) -> UInt { SimulatedWord.load(p, order) }
  func store(_ value: UInt, _ order: MemoryOrder = .sequentiallyConsistent) {
    SimulatedWord.store(p, value, order)
  }
  @discardableResult func add(_ value: UInt, _ order: MemoryOrder = .sequentiallyConsistent) -> UInt {
    SimulatedWord.fetchAdd(p, value, order)
  }
  func replace(_ old: UInt, by new: UInt, _ order: MemoryOrder = .sequentiallyConsistent) -> Bool {
    SimulatedWord.compareExchange(p, old, new, order)
  }
}

/// A lock that spins, as the core's own.
final class SpinLock: @unchecked Sendable {
  let place = Place()
  func lock() {
    var round = 0
    while place.load(.relaxed) != 0 || !place.replace(0, by: 1, .acquire) {
      SimulatedMachine.pause(round)
      round += 1
    }
  }
  func unlock() { place.store(0, .release) }
}

func explored(
  cpus: Int = 1, recognition: Recognition = .points, memory: MemoryModel = .sequentiallyConsistent,
  _ strategy: Strategy = .exhaustive(),
  limits: Limits = Limits(), _ program: (World) throws -> Void
) throws -> Exploration {
  try Explorer(cpus: cpus, recognition: recognition, memory: memory, strategy: strategy, limits: limits)
    .explore(program)
}
