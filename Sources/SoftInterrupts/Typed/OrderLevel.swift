// The levels as types, and "below" and "at most" as protocols, so that the compiler knows the order.
//
// Law: a type conforms to `BelowX` only if its rank is below X's, and to `AtMostX` only if its rank is at most X's. The protocols
// refine each other up the order, so one conformance says all that follows from it.

/// A level as a type. The eight of the module conform, and levels of your own: see ``UserLevel``.
public protocol OrderLevel: SendableMetatype {
  /// The level beneath; `None` is beneath itself.
  associatedtype Under: OrderLevel
  /// The level of interrupt priority at which this one runs.
  static var level: Level { get }
  /// Its place in the order: a gate is taken only above every gate that is held. Multiples of 256 are the module's levels.
  static var rank: Int { get }
}

extension OrderLevel {
  @inlinable public static var rank: Int { Int(level.rawValue) << 8 }
}

/// At `high` or below.
public protocol AtMostHigh: OrderLevel where Under: AtMostHigh {}
/// Below `high`.
public protocol BelowHigh: AtMostHigh where Under: BelowHigh {}
/// At `sched` or below.
public protocol AtMostSched: BelowHigh where Under: AtMostSched {}
/// Below `sched`.
public protocol BelowSched: AtMostSched where Under: BelowSched {}
/// At `vm` or below.
public protocol AtMostVM: BelowSched where Under: AtMostVM {}
/// Below `vm`.
public protocol BelowVM: AtMostVM where Under: BelowVM {}
/// At `softSerial` or below.
public protocol AtMostSoftSerial: BelowVM where Under: AtMostSoftSerial {}
/// Below `softSerial`.
public protocol BelowSoftSerial: AtMostSoftSerial where Under: BelowSoftSerial {}
/// At `softNet` or below.
public protocol AtMostSoftNet: BelowSoftSerial where Under: AtMostSoftNet {}
/// Below `softNet`.
public protocol BelowSoftNet: AtMostSoftNet where Under: BelowSoftNet {}
/// At `softBio` or below.
public protocol AtMostSoftBio: BelowSoftNet where Under: AtMostSoftBio {}
/// Below `softBio`.
public protocol BelowSoftBio: AtMostSoftBio where Under: BelowSoftBio {}
/// At `softClock` or below.
public protocol AtMostSoftClock: BelowSoftBio where Under: AtMostSoftClock {}
/// Below `softClock`: base code.
public protocol BelowSoftClock: AtMostSoftClock where Under: BelowSoftClock {}

/// One of the module's eight levels, whose gate the dispatch knows.
public protocol GateLevel: OrderLevel {}
/// A level that has handlers: all of the module's but `None`.
public protocol HandlerLevel: GateLevel {}

/// Level `none`, base code; its gate is the big lock.
public enum None: BelowSoftClock, GateLevel {
  public typealias Under = None
  @inlinable public static var level: Level { .none }
}
extension SoftClock: AtMostSoftClock, HandlerLevel {
  public typealias Under = None
  @inlinable public static var level: Level { .softClock }
}
extension SoftBio: AtMostSoftBio, HandlerLevel {
  public typealias Under = SoftClock
  @inlinable public static var level: Level { .softBio }
}
extension SoftNet: AtMostSoftNet, HandlerLevel {
  public typealias Under = SoftBio
  @inlinable public static var level: Level { .softNet }
}
extension SoftSerial: AtMostSoftSerial, HandlerLevel {
  public typealias Under = SoftNet
  @inlinable public static var level: Level { .softSerial }
}
/// Level `vm`: devices.
public enum VM: AtMostVM, HandlerLevel {
  public typealias Under = SoftSerial
  @inlinable public static var level: Level { .vm }
}
/// Level `sched`: the scheduler and cross-calls.
public enum Sched: AtMostSched, HandlerLevel {
  public typealias Under = VM
  @inlinable public static var level: Level { .sched }
}
/// Level `high`: everything off.
public enum High: AtMostHigh, HandlerLevel {
  public typealias Under = Sched
  @inlinable public static var level: Level { .high }
}
