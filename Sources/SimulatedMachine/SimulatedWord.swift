// The word of the simulated machine: each operation on it is a scheduling point.
//
// Law: a process announces an operation, waits for its turn, does it and says what it did. Outside of a run (while a system is
// built, or taken down) there is one thread of control, and an operation is just done.

public import SoftInterrupts

/// A word whose every operation the scheduler is asked for.
@frozen public struct SimulatedWord: MachineWord {
  @usableFromInline var bits: UInt
  /// Which object it is in the run numbered `run`.
  @usableFromInline var object: UInt32 = 0
  @usableFromInline var run: UInt32 = 0

  @inlinable public init(_ value: UInt) { bits = value }

  public static func load(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt {
    guard let engine = EngineRef.inProcess else { return at.pointee.bits }
    engine.announce(.load, at, order)
    let value = engine.weak?.load(engine, at, order) ?? at.pointee.bits
    engine.didRead(.load, at, value)
    return value
  }

  public static func store(_ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder) {
    guard let engine = EngineRef.inProcess else {
      at.pointee.bits = value
      return
    }
    engine.announce(.store, at, order)
    let old = at.pointee.bits
    if let weak = engine.weak { weak.store(engine, at, value, order) } else { at.pointee.bits = value }
    engine.didWrite(.store, at, old)
  }

  public static func exchange(
    _ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder
  ) -> UInt {
    modify(.exchange, at, order) { _ in value }
  }

  public static func fetchAdd(
    _ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder
  ) -> UInt {
    modify(.fetchAdd, at, order) { $0 &+ value }
  }

  public static func fetchOr(_ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder) -> UInt {
    modify(.fetchOr, at, order) { $0 | bits }
  }

  public static func fetchAnd(_ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder) -> UInt {
    modify(.fetchAnd, at, order) { $0 & bits }
  }

  /// One step, as the processors have it that can.
  public static func rewrite(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt {
    modify(.fetchOr, at, order) { $0 }
  }

  public static func compareExchange(
    _ at: UnsafeMutablePointer<Self>, _ expected: UInt, _ desired: UInt, _ order: MemoryOrder
  ) -> Bool {
    modify(.compareExchange, at, order, expected) { $0 == expected ? desired : $0 } == expected
  }

  /// A read-modify-write; the value before.
  @inline(__always)
  static func modify(
    _ kind: OperationKind, _ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder, _ expected: UInt? = nil,
    _ change: (UInt) -> UInt
  ) -> UInt {
    guard let engine = EngineRef.inProcess else {
      let old = at.pointee.bits
      at.pointee.bits = change(old)
      return old
    }
    engine.announce(kind, at, order)
    if let weak = engine.weak {
      let before = at.pointee.bits
      let old = weak.modify(engine, at, order, expected: expected, change)
      engine.didWrite(kind, at, before)
      return old
    }
    let old = at.pointee.bits
    at.pointee.bits = change(old)
    engine.didWrite(kind, at, old)
    return old
  }
}
