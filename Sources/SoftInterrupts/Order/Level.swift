// The eight levels of interrupt priority, and sets of their gates.
//
// The order of the levels is the only order there is: gates are acquired along it, handlers pre-empt along it, and waits
// are admitted along it. Everything else in this module is derived from the comparison of two `Level`s.

/// An interrupt priority level.
///
/// Levels are strictly ordered, lowest first. `none` is base code; the four soft levels run deferred work; the last
/// three belong to the machine. The names are those of the spl(9) manual pages.
public enum Level: UInt8, CaseIterable, Comparable, Hashable, Sendable {
  /// Base code. Its gate is the big lock.
  case none = 0
  /// Timeouts and callouts.
  case softClock
  /// Block input and output, exports, anything that talks to slow devices.
  case softBio
  /// Protocol processing.
  case softNet
  /// The most urgent soft level.
  case softSerial
  /// Devices: handlers here only move data and schedule soft work.
  case vm
  /// The scheduler and cross-calls.
  case sched
  /// Everything off.
  case high

  @inlinable public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

  /// Whether this is one of the four levels of deferred work.
  @inlinable public var isSoft: Bool { self >= .softClock && self <= .softSerial }

  /// The gate of this level, as a set of one.
  @inlinable @inline(__always) public var gate: GateSet { GateSet(rawValue: 1 &<< UInt(rawValue)) }

  /// The next level below; `none` stays `none`.
  @inlinable public var below: Level { self == .none ? .none : Level(raw: rawValue &- 1) }

  /// The level with this raw value, which the caller knows to be 0…7.
  @inlinable init(raw: UInt8) {
    assert(raw <= Level.high.rawValue)
    // All eight raw values 0…7 are cases and the enumeration is laid out as its raw values, which a test pins.
    self = unsafeBitCast(raw, to: Level.self)
  }

  /// The number of levels.
  @inlinable public static var count: Int { 8 }
}

extension Level: CustomStringConvertible {
  public var description: String {
    switch self {
    case .none: "none"
    case .softClock: "softClock"
    case .softBio: "softBio"
    case .softNet: "softNet"
    case .softSerial: "softSerial"
    case .vm: "vm"
    case .sched: "sched"
    case .high: "high"
    }
  }

  /// The level with this name, if there is one.
  public init?(name: some StringProtocol) {
    guard let level = Level.allCases.first(where: { $0.description == name }) else { return nil }
    self = level
  }
}

/// A set of gates, one bit for each, in the order of the levels: bit k is the gate of level k.
@frozen public struct GateSet: OptionSet, Hashable, Sendable {
  public var rawValue: UInt
  @inlinable public init(rawValue: UInt) { self.rawValue = rawValue }

  /// The gates `lower+1 … upper`; empty if `upper <= lower`.
  @inlinable static func above(_ lower: Level, through upper: Level) -> GateSet {
    let through: UInt = (2 &<< UInt(upper.rawValue)) &- 1
    let skipped: UInt = (2 &<< UInt(lower.rawValue)) &- 1
    return GateSet(rawValue: through & ~skipped)
  }

  /// The level of the lowest gate. The set must not be empty.
  @inlinable var lowest: Level { Level(raw: UInt8(truncatingIfNeeded: rawValue.trailingZeroBitCount)) }

  /// The level of the highest gate. The set must not be empty.
  @inlinable var highest: Level {
    Level(raw: UInt8(truncatingIfNeeded: UInt.bitWidth &- 1 &- rawValue.leadingZeroBitCount))
  }

  /// Whether every gate of this set is above every gate of `other`.
  @inlinable func isAbove(_ other: GateSet) -> Bool {
    // The lowest bit of self exceeds the whole of other exactly if it exceeds other's highest bit.
    isEmpty || rawValue & (0 &- rawValue) > other.rawValue
  }
}

extension GateSet: CustomStringConvertible {
  public var description: String {
    Level.allCases.filter { contains($0.gate) }.map { $0.description }.joined(separator: ", ")
  }
}
