// Arming and taking back: what any thread may do to a callout, under its wheel's lock.
//
// Law: the identity is compared before anything of the system is touched. `cancel` is exact for who holds the guard, because the
// dispatch compares the generation that it popped under the guard and under this lock.

extension SystemRef {
  /// Runs `body` with a node's wheel, under its lock. Of the system nothing else is touched: it may have gone, and the wheel with
  /// it, unless `body` finds that the node is still its caller's.
  @inlinable func lockedWheel<R>(
    of node: UnsafeMutablePointer<CalloutNode<M>>, _ body: (UnsafeMutablePointer<Wheel<M>>) -> R
  ) -> R {
    lockedWheel(ofCPU: Int(node.pointee.cpu), body)
  }
  @inlinable func lockedWheel<R>(
    ofCPU cpu: Int, _ body: (UnsafeMutablePointer<Wheel<M>>) -> R
  ) -> R {
    let wheel = p.pointee.wheels[cpu]
    return locked(wheel.lock) { body(wheel.wheel) }
  }
}

extension Callout {
  /// What is constant while it has not been retired.
  @usableFromInline typealias Facts = (level: Level, guardLevel: Level, name: StaticString)

  /// Its level, guard and name; nil if it has been retired, or its system is gone.
  @inlinable var facts: Facts? {
    let names = system.p.pointee.wheels[Int(cpu)].names
    return system.lockedWheel(ofCPU: Int(cpu)) { _ -> Facts? in
      if node.pointee.identity != identity { return nil }
      return (node.pointee.rules.level, node.pointee.rules.guardLevel, names[Int(node.pointee.nameIndex)])
    }
  }

  @inlinable func arm(at deadline: UInt64) -> ArmResult {
    let home = system.p.pointee.wheels[Int(cpu)]
    let section = Section(home.lock, system.existingAgent())
    guard node.pointee.identity == identity && !node.pointee.retiring || Mutant.isOn(.armRetired) else {
      section.end()
      return .retired
    }
    // A popped one that waits for its guard finds another generation there: it is superseded, and does not run for the old time.
    let waits = node.pointee.isWaiting
    if waits { node.pointee.isCancelled = true }
    let wasArmed = node.pointee.place != .idle
    node.pointee.deadline = deadline
    home.wheel.pointee.insert(node)
    if home.wheel.pointee.looksBy > deadline && !Mutant.isOn(.noArmRing) {
      tell(of: deadline, section)
    } else {
      section.end()
    }
    return wasArmed || waits ? .rearmed : .armed
  }

  /// Tells the CPU of a deadline before the time by which it looks, and ends the section.
  @inlinable @inline(never) func tell(of deadline: UInt64, _ section: Section<M>) {
    let home = system.agent(ofCPU: Int(cpu))
    home.p.pointee.wheel!.wheel.pointee.looksBy = deadline
    // The CPU reads the wheel again when it sees bit 0 of its summary, before it sleeps and when it polls. Relaxed: it does so
    // under the lock that is held here.
    home.summary.fetchOr(1, .relaxed)
    let sleeper = section.agent == home ? nil : home.p.pointee.seat
    section.end()
    // The system may have gone since; a seat stays.
    if let sleeper { M.unpark(sleeper) }
  }

  /// Takes it back if it is armed; whether it is not with a dispatch either, that is whether it can neither run nor be running.
  @inlinable func isQuelled() -> Bool {
    system.lockedWheel(ofCPU: Int(cpu)) { wheel in
      guard node.pointee.identity == identity else { return true }
      wheel.pointee.remove(node)
      wheel.pointee.renew(node)
      if node.pointee.isPopped && !node.pointee.isInBody { node.pointee.isCancelled = true }
      return !node.pointee.isPopped
    }
  }

  /// Whether the calling context's own frames hold what the body runs under.
  @inlinable var holdsGuard: Bool {
    guard system.configuration.execution == .inline, let agent = system.existingAgent() else { return false }
    let own = agent.context.pointee.own
    if node.pointee.rules.way == .bigLock && own.contains(Level.none.gate) { return true }
    return node.pointee.rules.guardLevel != .none && own.contains(node.pointee.rules.guardLevel.gate)
  }

  @inlinable func takeBack() -> CancelResult {
    let home = system.p.pointee.wheels[Int(cpu)]
    let section = Section(home.lock, system.existingAgent())
    let result: CancelResult
    if node.pointee.identity != identity {
      result = .retired
    } else if node.pointee.place != .idle {
      // A popped one compares its generation under the guard and finds another.
      home.wheel.pointee.renew(node)
      home.wheel.pointee.remove(node)
      result = .cancelled
    } else {
      result = takeBackPopped(home.wheel)
    }
    section.end()
    return result
  }

  /// Takes back what is not armed: it may be with a dispatch. Under the wheel's lock.
  @inlinable @inline(never) func takeBackPopped(_ wheel: UnsafeMutablePointer<Wheel<M>>) -> CancelResult {
    if node.pointee.isWaiting {
      wheel.pointee.renew(node)
      node.pointee.isCancelled = true
      if holdsGuard { return .cancelled }
    }
    if holdsGuard { return .notArmed }
    return node.pointee.isPopped ? .mayBeRunning : .notArmed
  }
}
