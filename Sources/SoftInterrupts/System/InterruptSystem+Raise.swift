// Raising, masking and the big lock, as users write them.

extension InterruptSystem {
  /// Runs `body` at `level`, holding every gate up to it that this context does not account for yet: the *cumulative* raise,
  /// which makes uniprocessor code right without reading it.
  ///
  /// - Any thread, below `level` or with the floor at it; not in a signal handler. Waits in order: what is above is served
  ///   meanwhile, and what was read before may have changed. On a thread that is no CPU of the system it is a visitor.
  /// - Cost: one locked compare-exchange, one load of the same word and one locked addition, uncontended; one compare-exchange more while another CPU
  ///   holds any gate.
  @inlinable @inline(__always)
  public func raise<R: ~Copyable, E: Error>(
    to level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = currentAgent()
    let raised = agent.enter(to: level, cumulative: true, .init(file, line))
    return try agent.exiting(raised) { () throws(E) -> R in try body(Here(agent)) }
  }

  /// Runs `body` at `level`, holding that one gate: for code that knows the guard of what it touches to be exactly `level`.
  @inlinable @inline(__always)
  public func raise<R: ~Copyable, E: Error>(
    exactly level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = currentAgent()
    let raised = agent.enter(to: level, cumulative: false, .init(file, line))
    return try agent.exiting(raised) { () throws(E) -> R in try body(Here(agent)) }
  }

  /// As ``raise(to:file:line:_:)-(Level,_,_,_)`` if every gate is free; nil, and `body` not called, if one is not. Waits for nothing.
  @inlinable
  public func tryRaise<R, E: Error>(
    to level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R? {
    let agent = currentAgent()
    guard let raised = agent.tryEnter(to: level, .init(file, line)) else { return nil }
    return try agent.exiting(raised) { () throws(E) -> R in try body(Here(agent)) }
  }

  /// Runs `body` with the handlers of this CPU up to `level` kept out; other CPUs are not: for per-CPU data.
  ///
  /// CPUs only. Takes no gate, waits for nothing: two stores and a load.
  @inlinable @inline(__always)
  public func mask<R: ~Copyable, E: Error>(
    to level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = currentAgent()
    let saved = agent.mask(to: level, .init(file, line))
    defer { agent.unmask(saved) }
    return try body(Here(agent))
  }

  /// Runs `body` under the big lock: base code and visitors that are not migrated yet. The first step of a migration.
  ///
  /// At IPL `none`, holding nothing; in a handler it is refused. Long sections end their atomicity at ``yieldBigLock()`` only.
  @inlinable
  public func bigLock<R: ~Copyable, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = currentAgent()
    let entered = agent.enterBigLock(.init(file, line))
    defer { if let entered { agent.exitBigLock(entered) } }
    return try body(Here(agent))
  }

  /// Gives other big-lock work its turn: frees gate `none`, lets who waits have it, and takes it again in order.
  ///
  /// Base code and visitors inside ``bigLock(file:line:_:)``, at IPL `none` with no other gate; elsewhere it does nothing.
  /// What was read before is stale after.
  @inlinable public func yieldBigLock() { currentAgent().yieldBigLock() }

  /// Lets what is pending run, and looks at clock and devices now and then: for long base code. Any level; does not give up
  /// the big lock.
  @inlinable public func checkpoint() { currentAgent().checkpoint() }
}

extension AgentRef {
  @inlinable func enterBigLock(_ site: Violation.Site, forToken: Bool = false) -> ContextKind? {
    switch GateOrder.bigLock(standing) {
    case .nothing: return nil
    case .violation(let rule):
      system.report(rule, self, .none, "", site, mustTrap: forToken)
      return nil
    case .take(let gate):
      takeBigLock()
      let before = context.pointee.kind
      context.pointee.own.insert(gate)
      context.pointee.kind = .bigLockBase
      #if Witness
        p.pointee.takings[0] = Taking(gate, site)
      #endif
      return before
    }
  }

  @inlinable func exitBigLock(_ before: ContextKind) {
    context.pointee.kind = before
    leaveWithBigLock(Level.none.gate, returningTo: .none)
    context.pointee.own.remove(Level.none.gate)
    recognise()
  }

  @inlinable func yieldBigLock() {
    guard held == Level.none.gate, ipl == .none, context.pointee.kind == .bigLockBase else { return }
    let queue = system.queue(.none)
    let isWanted = queue.pointee.word.wantsCare(queue.pointee.gate)
    leaveWithBigLock(Level.none.gate, returningTo: .none)
    recognise()
    if isWanted {
      // Whoever was woken or rung comes first, if it comes soon: this is what a yield is for.
      var round = 0
      while round < 256 && !queue.pointee.word.isHeld(queue.pointee.gate) {
        recognise()
        M.pause(0)
        round &+= 1
      }
    }
    takeBigLock()
    // A leaving by the slow path has struck it off here too.
    context.pointee.own.insert(Level.none.gate)
  }

  @inlinable @inline(__always) func checkpoint() {
    recognise()
    p.pointee.pollTick &+= 1
    if p.pointee.pollTick & 31 == 0 { poll(force: false) }
  }
}
