// Wrong ways, in our words: overloads that are chosen when no right one fits, and are unavailable.
//
// Law: nothing here can be called. A message says the rule, and then what to write instead.

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// Downward or sideways.
  @available(
    *, unavailable,
    message:
      "gates are taken upward only, and this level is not above the one that is held: raise to the lower level first, and to this one inside"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// Downward or sideways.
  @available(
    *, unavailable,
    message:
      "gates are taken upward only, and this level is not above the one that is held: raise to the lower level first, and to this one inside"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no gate is held across an await: await first, raise after"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Held<T, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }
}

extension Held {
  /// Another level's guard.
  @available(
    *, unavailable,
    message:
      "this value is guarded by another level: open it with that level's token, inside a raise to it (raise(to:) { inner, outer in … } has both)"
  )
  public borrowing func open<V: ~Copyable, X: OrderLevel, R: ~Copyable & Sendable, E: Error>(
    _ guarded: Guarded<V, X>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// Another level's guard.
  @available(
    *, unavailable,
    message:
      "this value is guarded by another level: open it with that level's token, inside a raise to it (raise(to:) { inner, outer in … } has both)"
  )
  public subscript<V: Sendable, X: OrderLevel>(guarded: Guarded<V, X>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }
}
