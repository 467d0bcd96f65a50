// The raise to a level of the program's own, for each level that it may be above.
//
// Written by make-overloads: change that. Law: one block a level, the same for all.

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftClock {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftClock, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftClock, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftBio {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftBio, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftBio, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftNet {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftNet, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftNet, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftSerial {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftSerial, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSoftSerial, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostVM {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveVM, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveVM, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSched {
  /// Runs `body` at a level of your own, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSched, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), body) }
  /// Runs `body` at a level of your own, with its gate, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<T: JustAboveSched, R: ~Copyable, E: Error>(
    to level: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try riseToUser(level, .init(file, line), lending: body) }
}
