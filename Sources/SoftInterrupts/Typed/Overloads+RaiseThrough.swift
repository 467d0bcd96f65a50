// The cumulative raise, for each level: from below it.
//
// Written by make-overloads: change that. Law: one block a level, the same for all.

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftClock {
  /// Runs `body` at `SoftClock` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftClock.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftClock, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `SoftClock` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftClock.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftClock, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftBio {
  /// Runs `body` at `SoftBio` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftBio.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftBio, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `SoftBio` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftBio.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftBio, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftNet {
  /// Runs `body` at `SoftNet` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftNet.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftNet, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `SoftNet` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftNet.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftNet, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftSerial {
  /// Runs `body` at `SoftSerial` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftSerial.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftSerial, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `SoftSerial` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: SoftSerial.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<SoftSerial, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowVM {
  /// Runs `body` at `VM` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: VM.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<VM, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `VM` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: VM.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<VM, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSched {
  /// Runs `body` at `Sched` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: Sched.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<Sched, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `Sched` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: Sched.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<Sched, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowHigh {
  /// Runs `body` at `High` with every gate up to it, for older code inside.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: High.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<High, M>) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), body) }
  /// Runs `body` at `High` with every gate up to it, for older code inside, lending the outer token.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    through level: High.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<High, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { try rise(level, cumulative: true, .init(file, line), lending: body) }
}
