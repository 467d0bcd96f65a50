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
    let wheel = p.pointee.wheels[Int(node.pointee.cpu)]
    return locked(wheel.lock) { body(wheel.wheel) }
  }
}

extension Callout {
  /// What is constant while it has not been retired.
  @usableFromInline typealias Facts = (level: Level, guardLevel: Level, name: StaticString)

  /// Its level, guard and name; nil if it has been retired, or its system is gone.
  @inlinable var facts: Facts? {
    node.pointee.system.lockedWheel(of: node) { _ in
      if node.pointee.identity != identity { return nil }
      return (node.pointee.level, node.pointee.guardLevel, node.pointee.name)
    }
  }

  @inlinable func arm(at deadline: UInt64) -> ArmResult {
    let system = node.pointee.system
    var sleeper: M.Seat?
    let result: ArmResult = system.lockedWheel(of: node) { wheel in
      guard node.pointee.identity == identity && !node.pointee.retiring || Mutant.isOn(.armRetired)
      else { return .retired }
      // A popped one that waits for its guard finds another generation there: it is superseded, and does not run for the old time.
      let waits = node.pointee.isPopped && !node.pointee.isInBody && !node.pointee.isCancelled
      if waits { node.pointee.isCancelled = true }
      let wasArmed = node.pointee.place != .idle
      if wasArmed { wheel.pointee.remove(node) }
      node.pointee.generation = node.pointee.generation &+ 1
      node.pointee.deadline = deadline
      wheel.pointee.insert(node)
      let home = system.agent(ofCPU: Int(node.pointee.cpu))
      if home.p.pointee.nextDueShared > deadline && !Mutant.isOn(.noArmRing) {
        home.p.pointee.nextDueShared = deadline
        // The CPU reads the wheel again when it sees bit 0 of its summary, before it sleeps and when it polls. Relaxed: it does so
        // under the lock that is held here.
        home.summary.fetchOr(1, .relaxed)
        if system.existingAgent() != home { sleeper = home.p.pointee.seat }
      }
      return wasArmed || waits ? .rearmed : .armed
    }
    // The system may have gone since; a seat stays.
    if let sleeper { M.unpark(sleeper) }
    return result
  }

  /// Takes it back if it is armed; whether it is not with a dispatch either, that is whether it can neither run nor be running.
  @inlinable func isQuelled() -> Bool {
    node.pointee.system.lockedWheel(of: node) { wheel in
      guard node.pointee.identity == identity else { return true }
      if node.pointee.place != .idle { wheel.pointee.remove(node) }
      node.pointee.generation = node.pointee.generation &+ 1
      if node.pointee.isPopped && !node.pointee.isInBody { node.pointee.isCancelled = true }
      return !node.pointee.isPopped
    }
  }

  /// Whether the calling context's own frames hold what the body runs under.
  @inlinable var holdsGuard: Bool {
    let system = node.pointee.system
    guard system.configuration.execution == .inline, let agent = system.existingAgent() else { return false }
    let own = agent.context.pointee.own
    if node.pointee.way == .bigLock && own.contains(Level.none.gate) { return true }
    return node.pointee.guardLevel != .none && own.contains(node.pointee.guardLevel.gate)
  }

  @inlinable func takeBack() -> CancelResult {
    node.pointee.system.lockedWheel(of: node) { wheel in
      guard node.pointee.identity == identity else { return .retired }
      let wasArmed = node.pointee.place != .idle
      // A popped one compares its generation under the guard and finds another.
      let waits = node.pointee.isPopped && !node.pointee.isInBody && !node.pointee.isCancelled
      if wasArmed || waits { node.pointee.generation = node.pointee.generation &+ 1 }
      if wasArmed {
        wheel.pointee.remove(node)
        return .cancelled
      }
      if waits {
        node.pointee.isCancelled = true
        if holdsGuard { return .cancelled }
      }
      if holdsGuard { return .notArmed }
      return node.pointee.isPopped ? .mayBeRunning : .notArmed
    }
  }
}
