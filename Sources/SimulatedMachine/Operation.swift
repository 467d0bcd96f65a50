// What a process is about to do: the alphabet of an exploration.
//
// Law: two operations of different processes commute unless they are of one object and one of them is a write. Everything by
// which one process can notice another is an operation of an object: words, seats, ends of processes, declared data.

public import SoftInterrupts

/// What a process asks the machine for.
public enum OperationKind: UInt8, Sendable {
  /// The first step of a process.
  case start
  /// An operation of a word.
  case load, store, exchange, fetchAdd, fetchOr, fetchAnd, compareExchange
  /// A fence.
  case lightFence, heavyFence, localFence
  /// Sleeping on a seat, and ringing one.
  case park, unpark
  /// One step of a spin wait.
  case pause
  /// Waiting for the end of a process.
  case join
  /// Accesses to declared data.
  case read, write
  /// A point that the program declares.
  case point
  /// A CPU takes an interrupt.
  case interrupt
  /// The last step of a process.
  case end

  /// How it accesses its object, as far as is known before it is done.
  public var access: Access {
    switch self {
    case .load, .read, .join, .unpark: .read
    case .store, .exchange, .fetchAdd, .fetchOr, .fetchAnd, .compareExchange, .write, .park, .end: .write
    case .start, .lightFence, .heavyFence, .localFence, .pause, .point, .interrupt: .none
    }
  }
}

/// How an operation accesses its object. Rings of one seat commute (a seat that is rung twice is rung), so `unpark` counts as a
/// read of the seat and `park`, which takes the ring, as a write.
public enum Access: UInt8, Sendable {
  /// What was done to the memory.
  case none, read, write
}

/// An operation that a process has announced and not done.
public struct Operation: Sendable {
  /// What is to be done.
  public var kind: OperationKind = .start
  /// Its memory order.
  public var order: MemoryOrder = .relaxed
  /// The object in this run, counted from 1 in the order of the first announcements; 0 for none.
  public var object: UInt32 = 0
}

/// An operation that was done.
public struct Event: Sendable {
  /// Who did it; -1 before the first.
  public var process: Int32 = -1
  /// What was done.
  public var kind: OperationKind = .start
  /// Its memory order.
  public var order: MemoryOrder = .relaxed
  /// What it did to its object. A write that left the value as it was commutes as a read does, and is one.
  public var access: Access = .none
  /// The object that it touched, as an ``Operation`` counts it.
  public var object: UInt32 = 0
  /// The value after it (for reads: the value read). Of a park: its deadline if it was rung, 0 if its time had come.
  public var value: UInt = 0
}

#if ManyCPUs
  /// A set of processes, by their indices.
  public typealias ProcessSet = WideProcessSet
#else
  /// A set of processes, by their indices.
  public typealias ProcessSet = UInt128
#endif

extension ProcessSet {
  /// The set of one process.
  @inlinable @inline(__always) public static func only(_ process: Int) -> ProcessSet {
    ProcessSet(1) << process
  }
  /// Whether the process is in the set.
  @inlinable @inline(__always) public func has(_ process: Int) -> Bool {
    self & .only(process) != 0
  }
  /// Puts a process into the set.
  @inlinable @inline(__always) public mutating func insert(_ process: Int) { self |= .only(process) }
  /// Takes a process out of the set.
  @inlinable @inline(__always) public mutating func remove(_ process: Int) { self &= ~.only(process) }
  /// The lowest index. The set must not be empty.
  @inlinable @inline(__always) public var first: Int { trailingZeroBitCount }
}
