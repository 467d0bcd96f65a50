// Handlers established at a level that the compiler knows: the body gets the token of its way in.
//
// Law: the closure's type says what its way in takes, so the two cannot disagree; and each run looks, in every build, that its gate
// is there, for `setWay` on the untyped handle could have changed it.

/// The typed ways in, spelled as ``WayIn`` is.
public enum TypedWay {
  /// Not migrated: under the big lock and the gate of its level. The body gets both tokens.
  @frozen public struct BigLock: Sendable {
    /// This way in.
    public static var bigLock: BigLock { BigLock() }
  }
  /// Under the gate of its level, which the body's token says.
  @frozen public struct Ordered: Sendable {
    /// This way in.
    public static var ordered: Ordered { Ordered() }
  }
  /// As ordered, raising nowhere: the token is lent only.
  @frozen public struct Disjoint: Sendable {
    /// This way in.
    public static var disjoint: Disjoint { Disjoint() }
  }
  /// Under no gate.
  @frozen public struct MPSafe: Sendable {
    /// This way in.
    public static var mpSafe: MPSafe { MPSafe() }
  }
}

/// A handler at a level that the compiler knows; a value that may be copied anywhere and outlive the handler.
@frozen public struct HandlerAt<L: HandlerLevel, M: Machine>: Hashable, Sendable {
  /// The same handler for untyped code.
  public let untyped: Handler<M>
  @inlinable init(_ untyped: Handler<M>) { self.untyped = untyped }

  /// See ``Handler/schedule()``.
  @inlinable @discardableResult public func schedule() -> ScheduleResult { untyped.schedule() }
  /// See ``Handler/schedule(on:)``.
  @inlinable @discardableResult public func schedule(on cpu: Int) -> ScheduleResult {
    untyped.schedule(on: cpu)
  }
}

extension InterruptSystem {
  /// Establishes an ordered handler at level `L`. See ``establish(_:at:as:_:_:)``.
  @inlinable public func establish<L: HandlerLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.Ordered, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (inout Held<L, M>) -> Void
  ) throws(EstablishError) -> HandlerAt<L, M> {
    HandlerAt(
      try establish(name, at: L.level, as: .ordered, placement) { here in
        here.agent.assuming(level, .init(#fileID, #line), body)
      })
  }

  /// Establishes a disjoint handler at level `L`: its token is lent, so it opens what its level guards and raises nowhere.
  @inlinable public func establish<L: HandlerLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.Disjoint, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (borrowing Held<L, M>) -> Void
  ) throws(EstablishError) -> HandlerAt<L, M> {
    HandlerAt(
      try establish(name, at: L.level, as: .disjoint, placement) { here in
        here.agent.assuming(level, .init(#fileID, #line)) { held in body(held) }
      })
  }

  /// Establishes a handler that is not migrated yet at level `L`: under its gate and the big lock, whose token is lent.
  @inlinable public func establish<L: HandlerLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.BigLock, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (inout Held<L, M>, borrowing Held<None, M>) -> Void
  ) throws(EstablishError) -> HandlerAt<L, M> {
    HandlerAt(
      try establish(name, at: L.level, as: .bigLock, placement) { here in
        here.agent.assumingWithBigLock(level, .init(#fileID, #line), body)
      })
  }

  /// Establishes an MP-safe handler at level `L`.
  @inlinable public func establish<L: HandlerLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.MPSafe, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (inout At<L, M>) -> Void
  ) throws(EstablishError) -> HandlerAt<L, M> {
    if configuration.execution == .threads { throw .threadsHaveNoGates }
    return HandlerAt(
      try establish(name, at: L.level, as: .mpSafe, placement) { here in
        var at = At<L, M>(here.agent)
        body(&at)
      })
  }
}
