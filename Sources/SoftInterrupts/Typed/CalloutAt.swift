// Callouts whose guard the compiler knows: the body gets the token of the guard, taken exactly.
//
// Law: the guard is at or above the callout's level (a conformance says so), and the core takes it before it calls the body.

/// A callout whose body runs under the gate of level `L`, or (MP-safe) at `L`; a value that may be copied anywhere.
@frozen public struct CalloutAt<L: HandlerLevel, M: Machine>: Hashable, Sendable {
  /// The same callout for untyped code.
  public let untyped: Callout<M>
  @inlinable init(_ untyped: Callout<M>) { self.untyped = untyped }

  /// See ``Callout/schedule(after:)``.
  @inlinable @discardableResult public func schedule(after delay: Duration) -> ArmResult {
    untyped.schedule(after: delay)
  }
  /// See ``Callout/schedule(at:)``.
  @inlinable @discardableResult public func schedule(at deadline: UInt64) -> ArmResult {
    untyped.schedule(at: deadline)
  }
  /// See ``Callout/cancel()``: exact for who holds `L`.
  @inlinable @discardableResult public func cancel() -> CancelResult { untyped.cancel() }
  /// See ``Callout/retire(file:line:)``. Who holds the guard waits for nothing; from the callout's own body it ends when the body does.
  /// An MP-safe callout has no guard: there the witness refuses it, and the answer is false.
  @inlinable @discardableResult public func retire(
    under held: borrowing Held<L, M>, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool { retire(file, line) }
}

extension InterruptSystem {
  /// Makes a callout at level `L` under that level's gate, not armed. See ``callout(_:at:guard:as:exactly:cpu:_:)``.
  @inlinable public func callout<L: HandlerLevel>(
    _ name: StaticString, at level: L.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<L, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<L, M> { try guarded(name, at: L.level, guard: level, cpu, body) }

  /// Makes an MP-safe callout at level `L` without a guard, not armed: only halting it is exact.
  @inlinable public func callout<L: HandlerLevel>(
    _ name: StaticString, at level: L.Type, as way: TypedWay.MPSafe, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout At<L, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<L, M> {
    if configuration.execution == .threads { throw .threadsAreMPSafe }
    return CalloutAt(
      try callout(name, at: L.level, as: .mpSafe, cpu: cpu) { here in
        var at = At<L, M>(here.agent)
        body(&at)
      })
  }

  /// Makes a callout at level `L` that is not migrated yet: under that level's gate and the big lock, whose token is lent. Not armed.
  @inlinable public func callout<L: HandlerLevel>(
    _ name: StaticString, at level: L.Type, as way: TypedWay.BigLock, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<L, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<L, M> {
    try guardedWithBigLock(name, at: L.level, guard: level, cpu, body)
  }

  /// Makes a disjoint callout at level `L`, not armed: its token is lent, so it opens what its level guards and raises nowhere.
  @inlinable public func callout<L: HandlerLevel>(
    _ name: StaticString, at level: L.Type, as way: TypedWay.Disjoint, cpu: Int? = nil,
    _ body: @escaping @Sendable (borrowing Held<L, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<L, M> {
    CalloutAt(
      try callout(name, at: L.level, guard: L.level, as: .disjoint, exactly: true, cpu: cpu) { here in
        here.agent.assuming(level, .init(name, 0)) { held in body(held) }
      })
  }

  /// What every typed callout with a guard comes down to.
  @inlinable func guarded<G: HandlerLevel>(
    _ name: StaticString, at level: Level, guard guardLevel: G.Type, _ cpu: Int?,
    _ body: @escaping @Sendable (inout Held<G, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<G, M> {
    CalloutAt(
      try callout(name, at: level, guard: G.level, as: .ordered, exactly: true, cpu: cpu) { here in
        here.agent.assuming(guardLevel, .init(name, 0), body)
      })
  }

  /// What every typed callout with a guard under the big lock comes down to.
  @inlinable func guardedWithBigLock<G: HandlerLevel>(
    _ name: StaticString, at level: Level, guard guardLevel: G.Type, _ cpu: Int?,
    _ body: @escaping @Sendable (inout Held<G, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> CalloutAt<G, M> {
    CalloutAt(
      try callout(name, at: level, guard: G.level, as: .bigLock, exactly: true, cpu: cpu) { here in
        here.agent.assumingWithBigLock(guardLevel, .init(name, 0), body)
      })
  }
}
