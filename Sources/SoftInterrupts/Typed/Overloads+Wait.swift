// The waits that have a place in the order, for each level: from below it.
//
// Written by make-overloads: change that. Law: one block a level, the same for all.

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftClock {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: SoftClock.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .softClock, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: SoftClock.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<SoftClock, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == SoftClock {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftClock, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftClock, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == SoftClock {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftClock, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftClock, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftBio {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: SoftBio.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .softBio, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: SoftBio.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<SoftBio, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == SoftBio {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftBio, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftBio, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == SoftBio {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftBio, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftBio, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftNet {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: SoftNet.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .softNet, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: SoftNet.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<SoftNet, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == SoftNet {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftNet, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftNet, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == SoftNet {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftNet, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftNet, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSoftSerial {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: SoftSerial.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .softSerial, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: SoftSerial.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<SoftSerial, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == SoftSerial {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftSerial, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSoftSerial, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == SoftSerial {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftSerial, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSoftSerial, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowVM {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: VM.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .vm, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: VM.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<VM, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == VM {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowVM, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowVM, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == VM {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowVM, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowVM, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowSched {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: Sched.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .sched, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: Sched.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<Sched, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == Sched {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSched, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowSched, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == Sched {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSched, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowSched, T.M == M { retire(file, line) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: BelowHigh {
  /// See ``InterruptSystem/barrier(at:file:line:)``.
  @inlinable @discardableResult public mutating func barrier(
    at level: High.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    agent.system.object.barrier(at: .high, file: file, line: line)
  }
  /// See ``InterruptSystem/crossCallAndWait(on:at:file:line:_:)``.
  @inlinable @discardableResult public mutating func crossCallAndWait(
    on cpu: Int, at level: High.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (inout At<High, M>) -> Void
  ) -> Bool { call(cpu, level, file, line, body) }
}

extension HandlerAt where L == High {
  /// See ``InterruptSystem/disestablish(_:file:line:)``.
  @inlinable @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowHigh, T.M == M { disestablish(file, line) }
  /// See ``InterruptSystem/suspend(_:file:line:)``.
  @inlinable @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult where T.L: BelowHigh, T.M == M { suspend(file, line) }
}

extension CalloutAt where L == High {
  /// See ``Callout/halt(file:line:)``.
  @inlinable @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowHigh, T.M == M { halt(file, line) }
  /// See ``Callout/retire(file:line:)``.
  @inlinable @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool where T.L: BelowHigh, T.M == M { retire(file, line) }
}
