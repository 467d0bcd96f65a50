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

extension Masked {
  /// A guarded value, without its gate.
  @available(
    *, unavailable,
    message:
      "a mask keeps out this CPU's handlers only, and this value needs its gate: raise to its level, then open it"
  )
  public borrowing func open<V: ~Copyable, X: OrderLevel, R: ~Copyable & Sendable, E: Error>(
    _ guarded: Guarded<V, X>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// A guarded value, without its gate.
  @available(
    *, unavailable,
    message:
      "a mask keeps out this CPU's handlers only, and this value needs its gate: raise to its level, then open it"
  )
  public subscript<V: Sendable, X: OrderLevel>(guarded: Guarded<V, X>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }

  /// Another level's cell.
  @available(
    *, unavailable,
    message: "this per-CPU value belongs to another level: mask to that level, and open it there"
  )
  public borrowing func open<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ values: PerCPUAt<V, X, M>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// Another level's cell.
  @available(
    *, unavailable,
    message: "this per-CPU value belongs to another level: mask to that level, and open it there"
  )
  public subscript<V: Sendable, X: HandlerLevel>(values: PerCPUAt<V, X, M>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }

  /// Another level's lock.
  @available(
    *, unavailable,
    message: "this lock belongs to another level: mask to that level, and take it there"
  )
  public mutating func lock<V, X: HandlerLevel, R: ~Copyable & Sendable, E: Error>(
    _ lock: LevelLockAt<V, X, M>, _ body: (inout sending V, inout Masked<X, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension At {
  /// A guarded value, without its gate.
  @available(
    *, unavailable,
    message: "no gate is held here: raise to the value's level, then open it"
  )
  public borrowing func open<V: ~Copyable, X: OrderLevel, R: ~Copyable & Sendable, E: Error>(
    _ guarded: Guarded<V, X>, _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// A guarded value, without its gate.
  @available(
    *, unavailable,
    message: "no gate is held here: raise to the value's level, then open it"
  )
  public subscript<V: Sendable, X: OrderLevel>(guarded: Guarded<V, X>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }
}

extension Held {
  /// A cell, without a mask.
  @available(
    *, unavailable,
    message: "a per-CPU value is opened inside a mask of its level: mask(to:) { masked in masked[value] }"
  )
  public subscript<V: Sendable, X: HandlerLevel>(values: PerCPUAt<V, X, M>) -> V {
    get { fatalError() }
    nonmutating set { fatalError() }
  }

  /// The big lock, late.
  @available(
    *, unavailable,
    message: "the big lock is the lowest gate: base code takes it, before any other gate"
  )
  public mutating func bigLock<R: ~Copyable, E: Error>(
    _ body: (inout Held<None, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// Downward.
  @available(
    *, unavailable,
    message: "the cumulative raise goes upward too: raise through the higher level, from below it"
  )
  public mutating func raise<T: OrderLevel, R: ~Copyable, E: Error>(
    through level: T.Type, _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// Downward.
  @available(
    *, unavailable,
    message: "a mask goes upward only: nothing below the level of this token can interrupt it anyway"
  )
  public mutating func mask<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Masked<T, M>) throws(E) -> R
  ) throws(E) -> R { fatalError() }

  /// An async body.
  @available(
    *, unavailable,
    message:
      "tokens go to synchronous closures only, for no mask lasts across an await: await first, mask after"
  )
  public mutating func mask<T: OrderLevel, R: ~Copyable, E: Error>(
    to level: T.Type, _ body: (inout Masked<T, M>) async throws(E) -> R
  ) async throws(E) -> R { fatalError() }

  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message:
      "a wait for a level stands just below its gate, and this code is not below it: wait before the raise, or from base code"
  )
  @discardableResult public mutating func barrier<T: OrderLevel>(at level: T.Type) -> Bool { fatalError() }

  /// A wait that could be for itself.
  @available(
    *, unavailable,
    message:
      "a wait for a level stands just below its gate, and this code is not below it: use crossCall, which does not wait, or call from below"
  )
  @discardableResult public mutating func crossCallAndWait<T: HandlerLevel>(
    on cpu: Int, at level: T.Type, _ body: @escaping @Sendable (inout At<T, M>) -> Void
  ) -> Bool { fatalError() }
}
