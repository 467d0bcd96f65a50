// Wrong ways of waiting and of establishing, in our words; see Refused.swift.
//
// Law: nothing here can be called. A message says the rule, and then what to write instead.

extension HandlerAt {
  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message:
      "this wait is for the handler's level, and stands below its gate: disestablish from below the level; a handler ends itself with retire()"
  )
  @discardableResult public func disestablish<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T
  ) -> ChangeResult where T.M == M { fatalError() }

  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message: "this wait is for the handler's level, and stands below its gate: suspend from below the level"
  )
  @discardableResult public func suspend<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T
  ) -> ChangeResult where T.M == M { fatalError() }
}

extension CalloutAt {
  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message:
      "this wait is for the callout's guard, and stands below its gate: halt from below it; who holds the guard uses cancel(), which is exact"
  )
  @discardableResult public func halt<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T
  ) -> Bool where T.M == M { fatalError() }

  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message:
      "this wait is for the callout's guard, and stands below its gate: retire from below it; who holds the guard uses cancel(), which is exact"
  )
  @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    from here: inout T
  ) -> Bool where T.M == M { fatalError() }
}

extension InterruptSystem {
  /// An async body.
  @available(
    *, unavailable,
    message: "tokens go to synchronous closures only: await first, enter after; or use a level's global actor"
  )
  public func base<R: ~Copyable, E: Error>(
    _ body: (inout At<None, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }

  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no gate is held across an await: await first, assume after"
  )
  public func assume<L: OrderLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, _ body: (inout Held<L, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }

  /// A level of the program's own.
  @available(
    *, unavailable,
    message:
      "the witness knows the gates of the module's eight levels only: assume the level beneath, and raise to it inside"
  )
  public func assume<L: OrderLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// An async handler.
  @available(
    *, unavailable,
    message: "a handler runs to completion and awaits nothing: schedule a handler, or start a Task from it"
  )
  public func establish<L: OrderLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.Ordered, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (inout Held<L, M>) async -> Void
  ) throws(EstablishError) -> Handler<M> { fatalError() }

  /// A handler where none starts.
  @available(
    *, unavailable,
    message:
      "handlers start at softClock … high: establish it at the level beneath, and raise to your own level inside"
  )
  public func establish<L: OrderLevel>(
    _ name: String, at level: L.Type, as way: TypedWay.Ordered, _ placement: Placement = .bound,
    _ body: @escaping @Sendable (inout Held<L, M>) -> Void
  ) throws(EstablishError) -> Handler<M> { fatalError() }

  /// A guard below its callout.
  @available(
    *, unavailable,
    message:
      "a callout's guard is at or above its level: make the callout at the lower level, or guard it higher"
  )
  public func callout<L: OrderLevel, G: OrderLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: G.Type, cpu: Int? = nil,
    _ body: @escaping @Sendable (inout Held<G, M>) -> Void
  ) throws(CalloutError) -> Callout<M> { fatalError() }

  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no gate is held across an await: await first, raise after"
  )
  public func raise<L: OrderLevel, R, E: Error>(
    to level: L.Type, _ body: (inout Held<L, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }
}
