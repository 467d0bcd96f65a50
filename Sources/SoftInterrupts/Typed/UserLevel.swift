// Levels of a program's own: a gate between two of the module's, in one declaration.
//
// Law: such a level shares the IPL of the one beneath and stands just above its gate: as a LevelLock of that level with a rank below
// every lock's. The number in the declaration names the gate in each system; two types of one number share it, which is coarser and
// still right.

/// A level of your own. Do not conform to it itself, but to one of `JustAboveSoftClock` … `JustAboveSched`:
///
/// ```swift
/// enum DriverLock: JustAboveSoftNet { static let number = 0 }
/// try system.insert(DriverLock.self)
/// net.raise(to: DriverLock.self) { driver in driver[registers] += 1 }
/// ```
/// No handler starts there, and it is no wait's place.
public protocol UserLevel: OrderLevel where Under: HandlerLevel {
  /// Which of the system's own gates it is: 0 ..< ``UserGates/limit``.
  static var number: Int { get }
}

extension UserLevel {
  @inlinable public static var level: Level { Under.level }
  @inlinable public static var rank: Int { Under.rank + 1 + number }
}

/// A level of your own between `softClock` and `softBio`.
public protocol JustAboveSoftClock: UserLevel, BelowSoftBio where Under == SoftClock {}
/// A level of your own between `softBio` and `softNet`.
public protocol JustAboveSoftBio: UserLevel, BelowSoftNet where Under == SoftBio {}
/// A level of your own between `softNet` and `softSerial`.
public protocol JustAboveSoftNet: UserLevel, BelowSoftSerial where Under == SoftNet {}
/// A level of your own between `softSerial` and `vm`.
public protocol JustAboveSoftSerial: UserLevel, BelowVM where Under == SoftSerial {}
/// A level of your own between `vm` and `sched`.
public protocol JustAboveVM: UserLevel, BelowSched where Under == VM {}
/// A level of your own between `sched` and `high`.
public protocol JustAboveSched: UserLevel, BelowHigh where Under == Sched {}

/// A level of your own above another one that is just above the same level of the module. It has the higher number:
///
/// ```swift
/// enum DriverLock: JustAboveSoftNet { static let number = 0 }
/// enum CacheLock: JustAboveSoftNet, AboveOwnLevel {
///   static let number = 1
///   typealias Own = DriverLock
/// }
/// driver.raise(to: CacheLock.self) { cache in … }
/// ```
/// Two that do not say so are not ordered between each other. What is said is said of these two: a third above the second is not above the
/// first in types, and is raised to from the second.
public protocol AboveOwnLevel: UserLevel {
  /// The level of your own that it is above.
  associatedtype Own: UserLevel where Own.Under == Under
}

/// Why a level could not be inserted.
public enum UserLevelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Its number is not one of the system's gates.
  case tooMany(number: Int, limit: Int)
  /// Its number was inserted before.
  case taken(number: Int)

  @inlinable public var description: String {
    switch self {
    case .tooMany(let number, let limit):
      "a level of your own has number \(number), and a system has \(limit): number them 0 to \(limit - 1), or let some share one"
    case .taken(let number):
      "a level of number \(number) has been inserted: insert each once, and give each a number of its own"
    }
  }
}

/// The gates of a system's inserted levels: written under the table lock, each before any raise to it.
@frozen public struct UserGates<M: Machine> {
  /// How many levels of its own a system can have.
  @inlinable public static var limit: Int { 8 }
  @usableFromInline let locks: UnsafeMutablePointer<LevelLock<Void, M>?>

  @inlinable init() {
    locks = .allocate(capacity: Self.limit)
    locks.initialize(repeating: nil, count: Self.limit)
  }
  /// Takes every level away: nobody is in one.
  @inlinable func clear() { locks.update(repeating: nil, count: Self.limit) }
  @inlinable func deallocate() {
    locks.deinitialize(count: Self.limit)
    locks.deallocate()
  }
}

extension InterruptSystem {
  /// Makes the gate of a level of your own. Once for each level and system, before any thread raises to it.
  @inlinable public func insert<T: UserLevel>(_ level: T.Type) throws(UserLevelError) {
    let limit = UserGates<M>.limit
    guard T.number >= 0 && T.number < limit else { throw .tooMany(number: T.number, limit: limit) }
    // The system's own: it does not keep the system.
    let lock = LevelLock<Void, M>(self, keeps: false, at: T.level, rank: Int32.min + Int32(T.number), ())
    var isTaken = false
    lockedTable {
      isTaken = userGates.locks[T.number] != nil
      if !isTaken { userGates.locks[T.number] = lock }
    }
    if isTaken { throw .taken(number: T.number) }
  }
}

extension AgentRef {
  @inlinable func userGate<T: UserLevel>(_ level: T.Type) -> LevelLock<Void, M> {
    precondition(
      T.number >= 0 && T.number < UserGates<M>.limit, "insert(_:) says how many levels there can be")
    guard let lock = system.object.userGates.locks[T.number], lock.level == T.level else {
      M.fatal(
        "a level of your own, number \(T.number) just above \(T.level), was not inserted: call system.insert(_:) first"
      )
    }
    return lock
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: UserLevel {
  /// Runs `body` at a level of your own above this one, with its gate.
  @inlinable public mutating func raise<T: AboveOwnLevel, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R where T.Own == L {
    precondition(T.number > L.number, "a level of your own above another has the higher number")
    return try riseToUser(level, .init(file, line), body)
  }
  /// Runs `body` at a level of your own above this one, with its gate, lending the outer token.
  @inlinable public mutating func raise<T: AboveOwnLevel, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R where T.Own == L {
    precondition(T.number > L.number, "a level of your own above another has the higher number")
    return try riseToUser(level, .init(file, line), lending: body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// What every raise to a user's level comes down to.
  @inlinable
  mutating func riseToUser<T: UserLevel, R: ~Copyable, E: Error>(
    _ level: T.Type, _ site: Violation.Site, _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.rank > L.rank, "a conformance to BelowX or AtMostX lies: the level is not below the other")
    let agent = self.agent
    return try agent.userGate(level).locked(site) { () throws(E) in
      var held = Held<T, M>(agent)
      return try body(&held)
    }
  }

  /// As `riseToUser`, with the outer token lent to the body.
  @inlinable
  mutating func riseToUser<T: UserLevel, R: ~Copyable, E: Error>(
    _ level: T.Type, _ site: Violation.Site, lending body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.rank > L.rank, "a conformance to BelowX or AtMostX lies: the level is not below the other")
    let agent = self.agent
    return try agent.userGate(level).locked(site) { () throws(E) in
      var held = Held<T, M>(agent)
      return try body(&held, self)
    }
  }
}
