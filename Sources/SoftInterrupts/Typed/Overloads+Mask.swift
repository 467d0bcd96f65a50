// Masks and guards of callouts, for each level: from at most it.
//
// Written by make-overloads: change that. Law: one block a level, the same for all.

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftClock {
  /// Runs `body` with this CPU's handlers up to `SoftClock` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: SoftClock.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<SoftClock, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `SoftClock`, not armed.
  @inlinable public func callout<L: AtMostSoftClock & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftClock.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftClock, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftClock, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `SoftClock`, not armed.
  @inlinable public func callout<L: AtMostSoftClock & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftClock.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftClock, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftClock, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftBio {
  /// Runs `body` with this CPU's handlers up to `SoftBio` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: SoftBio.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<SoftBio, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `SoftBio`, not armed.
  @inlinable public func callout<L: AtMostSoftBio & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftBio.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftBio, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftBio, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `SoftBio`, not armed.
  @inlinable public func callout<L: AtMostSoftBio & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftBio.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftBio, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftBio, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftNet {
  /// Runs `body` with this CPU's handlers up to `SoftNet` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: SoftNet.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<SoftNet, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `SoftNet`, not armed.
  @inlinable public func callout<L: AtMostSoftNet & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftNet.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftNet, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftNet, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `SoftNet`, not armed.
  @inlinable public func callout<L: AtMostSoftNet & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftNet.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftNet, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftNet, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSoftSerial {
  /// Runs `body` with this CPU's handlers up to `SoftSerial` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: SoftSerial.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<SoftSerial, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `SoftSerial`, not armed.
  @inlinable public func callout<L: AtMostSoftSerial & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftSerial.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftSerial, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftSerial, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `SoftSerial`, not armed.
  @inlinable public func callout<L: AtMostSoftSerial & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: SoftSerial.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<SoftSerial, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<SoftSerial, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostVM {
  /// Runs `body` with this CPU's handlers up to `VM` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: VM.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<VM, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `VM`, not armed.
  @inlinable public func callout<L: AtMostVM & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: VM.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<VM, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<VM, M> { try guarded(name, at: L.level, guard: guardLevel, cpu, body) }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `VM`, not armed.
  @inlinable public func callout<L: AtMostVM & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: VM.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<VM, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<VM, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostSched {
  /// Runs `body` with this CPU's handlers up to `Sched` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: Sched.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<Sched, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `Sched`, not armed.
  @inlinable public func callout<L: AtMostSched & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: Sched.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<Sched, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<Sched, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `Sched`, not armed.
  @inlinable public func callout<L: AtMostSched & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: Sched.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<Sched, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<Sched, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: AtMostHigh {
  /// Runs `body` with this CPU's handlers up to `High` kept out; other CPUs are not. CPUs only.
  @inlinable @inline(__always)
  public mutating func mask<R: ~Copyable, E: Error>(
    to level: High.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Masked<High, M>) throws(E) -> R
  ) throws(E) -> R { try cover(level, .init(file, line), body) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` whose body runs under the gate of `High`, not armed.
  @inlinable public func callout<L: AtMostHigh & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: High.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<High, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<High, M> {
    try guarded(name, at: L.level, guard: guardLevel, cpu, body)
  }
  /// Makes a callout at level `L` whose body runs under the big lock and the gate of `High`, not armed.
  @inlinable public func callout<L: AtMostHigh & HandlerLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: High.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<High, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<High, M> {
    try guardedWithBigLock(name, at: L.level, guard: guardLevel, cpu, body)
  }
}
