// How code comes by its first token: base code, raises of code that has none, and what untyped code knows of itself.
//
// Law: a token is handed out only where what it says has been looked at, by the verdict of a raise or by a check that is made in
// every build. What nobody can look at here is a second token of one level in one context: see `Guarded`.

extension AgentRef {
  /// Whether the context is base code or a visitor's that holds nothing.
  @inlinable var isBare: Bool {
    !context.pointee.kind.isHandler && context.pointee.kind != .bigLockBase && ipl == .none && held.isEmpty
      && context.pointee.lockedThrough == .none && context.pointee.pins == 0
  }

  /// Traps, also where violations are collected: a token that lies is nothing to go on with.
  @inlinable @inline(never) func assumedInVain(_ level: Level, _ site: Violation.Site) {
    system.object.report(.assumedInVain, self, level, "assumed", site, mustTrap: true)
  }

  /// A token for a gate that the context's own frames hold; looked at in every build.
  @inlinable @inline(__always)
  func assuming<L: GateLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, _ site: @autoclosure () -> Violation.Site, _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    // A level's thread has every gate by name and none in truth.
    if !context.pointee.own.contains(L.level.gate) || context.pointee.kind == .thread {
      assumedInVain(L.level, site())
    }
    var held = Held<L, M>(self)
    return try body(&held)
  }

  /// As `assuming`, with the token of the big lock lent besides.
  @inlinable func assumingWithBigLock<L: HandlerLevel>(
    _ level: L.Type, _ site: Violation.Site, _ body: (inout Held<L, M>, borrowing Held<None, M>) -> Void
  ) {
    assuming(level, site) { held in
      // The big lock may be that of the base code beneath, which this run came on top of.
      if !self.held.contains(Level.none.gate) { assumedInVain(.none, site) }
      body(&held, Held<None, M>(self))
    }
  }

  /// An exact raise with the verdict of run time.
  @inlinable @inline(__always)
  func raising<L: HandlerLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, _ site: @autoclosure () -> Violation.Site, _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    if context.pointee.kind == .thread { assumedInVain(L.level, site()) }
    let raised = enter(to: L.level, cumulative: false, forToken: true, site())
    return try exiting(raised, first: L.level.gate, cumulative: false) { () throws(E) -> R in
      var held = Held<L, M>(self)
      return try body(&held)
    }
  }
}

extension InterruptSystem {
  /// Runs `body` as base code (or a visiting thread) that holds nothing: where the compiler's order begins.
  ///
  /// Any thread, at IPL `none` with no gate, mask or lock; anything else traps. Costs a look at the context.
  @inlinable @inline(__always)
  public func base<R: ~Copyable, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (inout At<None, M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = currentAgent()
    if !agent.isBare { agent.assumedInVain(.none, .init(file, line)) }
    var base = At<None, M>(agent)
    return try body(&base)
  }

  /// Runs `body` at level `L` with that gate, taken exactly. For code that has no token: the witness gives the verdict, at run time.
  @inlinable @inline(__always)
  public func raise<L: HandlerLevel, R: ~Copyable, E: Error>(
    to level: L.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    try currentAgent().raising(level, .init(file, line), body)
  }

  /// Runs `body` with the token of a level whose gate the calling context has taken, or was dispatched with. Traps if it has not.
  @inlinable @inline(__always)
  public func assume<L: GateLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    try currentAgent().assuming(level, .init(file, line), body)
  }
}

extension Here {
  /// Runs `body` at level `L` with that gate, taken exactly: typed code inside untyped. The witness gives the verdict, at run time.
  @inlinable @inline(__always)
  public func raise<L: HandlerLevel, R: ~Copyable, E: Error>(
    to level: L.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    try mine.raising(level, .init(file, line), body)
  }

  /// Runs `body` with the token of a level whose gate this context has taken, or was dispatched with. Traps if it has not.
  @inlinable @inline(__always)
  public func assume<L: GateLevel, R: ~Copyable, E: Error>(
    _ level: L.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    try mine.assuming(level, .init(file, line), body)
  }
}
