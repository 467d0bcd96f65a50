// Data that a program declares, so that its accesses can be watched.
//
// Law: a read or write is a scheduling point of its own, and an access of the value's object: who may not be beside it is found
// whatever the value. It is the program's order that must keep accesses apart, and that is checked, not provided.

import SimulatedMachine
import SoftInterrupts

/// A value that handlers, base code, visitors and devices share.
public final class Shared<Value>: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  let word: UnsafeMutablePointer<SimulatedWord>
  private let storage: UnsafeMutablePointer<Value>
  /// What it is called in stories.
  public let name: String
  unowned let world: World
  let guardLevel: Level?

  init(_ world: World, _ name: String, _ guardLevel: Level?, _ value: Value) {
    self.world = world
    self.name = name
    self.guardLevel = guardLevel
    word = .allocate(capacity: 1)
    word.initialize(to: SimulatedWord(0))
    storage = .allocate(capacity: 1)
    storage.initialize(to: value)
  }

  deinit {
    word.deallocate()
    storage.deinitialize(count: 1)
    storage.deallocate()
  }

  /// The value: reading and writing it are two accesses.
  public var value: Value {
    get {
      SimulatedMachine.access(word, isWrite: false)
      world.checkGuard(guardLevel, name)
      return storage.pointee
    }
    set {
      SimulatedMachine.access(word, isWrite: true)
      world.checkGuard(guardLevel, name)
      storage.pointee = newValue
    }
  }
}
