// Wrong ways of levels of one's own, of conditions and of callouts, in our words; see Refused.swift.
//
// Law: nothing here can be called. A message says the rule, and then what to write instead.

extension OrderToken where Self: ~Copyable, Self: ~Escapable, L: UserLevel {
  /// Sideways.
  @available(
    *, unavailable,
    message:
      "two levels of your own above one level are not ordered between each other: take them one after the other, or declare the higher one AboveOwnLevel"
  )
  public mutating func raise<T: UserLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R where T.Under == L.Under { fatalError() }

  /// Sideways.
  @available(
    *, unavailable,
    message:
      "two levels of your own above one level are not ordered between each other: take them one after the other, or declare the higher one AboveOwnLevel"
  )
  public mutating func raise<T: UserLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R where T.Under == L.Under { fatalError() }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// A wait with something held.
  @available(
    *, unavailable,
    message:
      "a wait for a condition gives up every gate, so it begins with none: wait in base code, outside of every raise; a handler schedules another handler instead"
  )
  public mutating func raise<T: OrderLevel, C, R: ~Copyable, E: Error>(
    to level: T.Type, when condition: C, _ isTrue: (borrowing Held<T, M>) -> Bool,
    then body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension At where L == None {
  /// Another level's condition.
  @available(
    *, unavailable,
    message: "this is another level's condition: raise to the condition's own level"
  )
  public mutating func raise<T: HandlerLevel, X: HandlerLevel, R: ~Copyable, E: Error>(
    to level: T.Type, when condition: ConditionAt<X, M>, _ isTrue: (borrowing Held<T, M>) -> Bool,
    then body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension ConditionAt {
  /// Another level's token.
  @available(
    *, unavailable,
    message: "who broadcasts holds the condition's own level: raise to it, and broadcast there"
  )
  public func broadcast<T: OrderToken & ~Copyable & ~Escapable>(under held: borrowing T) { fatalError() }
}

extension CalloutAt {
  /// Another level's token.
  @available(
    *, unavailable,
    message:
      "only who holds the callout's guard retires it without a wait: raise to the guard, or retire(from:) below it"
  )
  @discardableResult public func retire<T: OrderToken & ~Copyable & ~Escapable>(
    under held: borrowing T
  ) -> Bool { fatalError() }
}

extension InterruptSystem {
  /// A disjoint callout with another guard.
  @available(
    *, unavailable,
    message:
      "disjoint levels never touch each other's data: leave the guard out, and it is the level's own; or leave .disjoint out"
  )
  public func callout<L: OrderLevel, G: OrderLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: G.Type, as way: TypedWay.Disjoint,
    cpu: Int? = nil, _ body: @escaping @Sendable (borrowing Held<G, M>) -> Void
  ) throws(CalloutError) -> Callout<M> { fatalError() }

  /// A guard below its callout.
  @available(
    *, unavailable,
    message:
      "a callout's guard is at or above its level: make the callout at the lower level, or guard it higher"
  )
  public func callout<L: OrderLevel, G: OrderLevel>(
    _ name: StaticString, at level: L.Type, guard guardLevel: G.Type, as way: TypedWay.BigLock,
    cpu: Int? = nil, _ body: @escaping @Sendable (inout Held<G, M>, borrowing Held<None, M>) -> Void
  ) throws(CalloutError) -> Callout<M> { fatalError() }
}

extension Held {
  /// A cell, without a mask.
  @available(
    *, unavailable,
    message: "a per-CPU value is opened inside a mask of its level: mask(to:) { masked in masked[value] }"
  )
  public borrowing func open<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ values: PerCPUAt<V, X, M>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// A lock, without a mask.
  @available(
    *, unavailable,
    message:
      "a LevelLock is taken inside a mask of its level: mask(to:) { masked in masked.lock(lock) { value, masked in … } }"
  )
  public mutating func lock<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ lock: LevelLockAt<V, X, M>, _ body: (inout sending V, inout Masked<X, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension At {
  /// A cell, without a mask.
  @available(
    *, unavailable,
    message: "a per-CPU value is opened inside a mask of its level: mask(to:) { masked in masked[value] }"
  )
  public borrowing func open<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ values: PerCPUAt<V, X, M>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// A cell, without a mask.
  @available(
    *, unavailable,
    message: "a per-CPU value is opened inside a mask of its level: mask(to:) { masked in masked[value] }"
  )
  public subscript<V: Sendable, X: HandlerLevel>(values: PerCPUAt<V, X, M>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }

  /// A lock, without a mask.
  @available(
    *, unavailable,
    message:
      "a LevelLock is taken inside a mask of its level: mask(to:) { masked in masked.lock(lock) { value, masked in … } }"
  )
  public mutating func lock<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ lock: LevelLockAt<V, X, M>, _ body: (inout sending V, inout Masked<X, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no gate is held across an await: await first, raise after"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    through level: T.Type, _ body: (inout Held<T, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }

  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no gate is held across an await: await first, raise after"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>, borrowing Self) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }

  /// Downward.
  @available(
    *, unavailable,
    message: "the cumulative raise goes upward too: raise through the higher level, from below it"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    through level: T.Type, _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension Held {
  /// An async body.
  @available(
    *, unavailable,
    message: "a guard is open for a synchronous closure only, for no gate is held across an await"
  )
  public borrowing func open<V: ~Copyable, R: ~Copyable & Sendable, E: Error>(
    _ guarded: Guarded<V, L>, _ body: (inout sending V) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }
}
