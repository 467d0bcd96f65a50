// Per-CPU values and locks at a level that the compiler knows: opened through the `Masked` token of that level.
//
// Law: as for the untyped ones: a cell is opened at home, at its level, by who started at or below it. The token says the level and,
// as nobody gets one below his entry, the entry; that it is a CPU, and one opening at a time, is looked at in every build.

/// A value for each CPU, touched at level `L` by that CPU only.
@frozen public struct PerCPUAt<Value, L: HandlerLevel, M: Machine>: Sendable {
  /// The same values for untyped code.
  public let untyped: PerCPU<Value, M>
  @inlinable init(_ untyped: PerCPU<Value, M>) { self.untyped = untyped }

  /// The calling CPU's cell, open and pinned; traps where there is none, for then there is nothing to go on with.
  @inlinable @inline(__always)
  func begin(
    _ agent: AgentRef<M>, _ site: @autoclosure () -> Violation.Site
  ) -> UnsafeMutablePointer<PerCPU<Value, M>.Cell> {
    let isThere =
      agent.isCPU && agent.system == untyped.system && agent.context.pointee.kind != .thread
    guard isThere, !untyped.cells[agent.cpu].pointee.isOpen else { refuse(agent, site()) }
    let cell = untyped.cells[agent.cpu]
    cell.pointee.isOpen = true
    agent.context.pointee.pins &+= 1
    return cell
  }

  @inlinable @inline(__always)
  func end(_ agent: AgentRef<M>, _ cell: UnsafeMutablePointer<PerCPU<Value, M>.Cell>) {
    cell.pointee.isOpen = false
    agent.context.pointee.pins &-= 1
  }

  @inlinable @inline(never) func refuse(_ agent: AgentRef<M>, _ site: Violation.Site) -> Never {
    let rule: Violation.Rule =
      agent.system != untyped.system
      ? .guardOfOtherSystem
      : !agent.isCPU
        ? .cellByVisitor : agent.context.pointee.kind == .thread ? .cellUnderThreads : .cellOpenTwice
    agent.system.object.report(rule, agent, L.level, "a PerCPU value", site, mustTrap: true)
    fatalError()
  }
}

/// A value guarded by a lock of level `L`, for MP-safe code.
@frozen public struct LevelLockAt<Value, L: HandlerLevel, M: Machine>: Sendable {
  /// The same lock for untyped code.
  public let untyped: LevelLock<Value, M>
  @inlinable init(_ untyped: LevelLock<Value, M>) { self.untyped = untyped }
}

extension Masked where L: HandlerLevel {
  /// Opens this CPU's value for the time of `body`. Opened twice in one context, or by a visitor, it traps.
  @inlinable @inline(__always)
  public borrowing func open<V, R: ~Copyable & Sendable, E: Error>(
    _ values: PerCPUAt<V, L, M>, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R {
    let agent = self.agent
    let cell = values.begin(agent, .init(file, line))
    defer { values.end(agent, cell) }
    return try body(&cell.pointee.value)
  }

  /// This CPU's value, which is `Sendable`: read, written, or changed in place (open meanwhile).
  @inlinable @inline(__always)
  public subscript<V: Sendable>(
    values: PerCPUAt<V, L, M>, file: StaticString = #fileID, line: UInt = #line
  ) -> V {
    @inline(__always) get {
      let agent = self.agent
      let cell = values.begin(agent, .init(file, line))
      defer { values.end(agent, cell) }
      return cell.pointee.value
    }
    @inline(__always) nonmutating _modify {
      let agent = self.agent
      let cell = values.begin(agent, .init(file, line))
      defer { values.end(agent, cell) }
      yield &cell.pointee.value
    }
  }

  /// Runs `body` with a lock's value, at the lock's level and above its gate: other CPUs are kept out too. The body's token raises to
  /// what is above, and takes locks of a higher rank; the order of ranks is the witness's affair.
  @inlinable
  public mutating func lock<V, R: ~Copyable & Sendable, E: Error>(
    _ lock: LevelLockAt<V, L, M>, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout sending V, inout Masked<L, M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = self.agent
    return try lock.untyped.locked(.init(file, line)) { () throws(E) in
      var masked = Masked<L, M>(agent)
      return try body(&lock.untyped.value.pointee, &masked)
    }
  }
}

extension InterruptSystem {
  /// Makes a value for each CPU, touched at level `L`. `make` is called once for each CPU, here and now.
  @inlinable public func perCPU<Value, L: HandlerLevel>(
    at level: L.Type, _ make: (_ cpu: Int) -> sending Value
  ) -> PerCPUAt<Value, L, M> { PerCPUAt(perCPU(at: L.level, make)) }

  /// Makes a lock of level `L`. Locks of one level that are taken inside each other have different ranks, lowest first.
  @inlinable public func levelLock<Value, L: HandlerLevel>(
    at level: L.Type, rank: Int32 = 0, _ value: sending Value
  ) -> LevelLockAt<Value, L, M> { LevelLockAt(levelLock(at: L.level, rank: rank, value)) }
}
