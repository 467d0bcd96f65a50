// Arming, cancelling, expiring and running callouts.

extension InterruptSystem {
  /// Makes a callout, not armed.
  ///
  /// - Parameters:
  ///   - level: the soft level at which it is dispatched.
  ///   - guard: the gate under which the body runs and cancelling is exact: at or above `level`. Nil: the level's own gate for
  ///     `.ordered`, `.disjoint` and `.bigLock`; none for `.mpSafe`, where only ``Callout/halt(file:line:)`` is exact.
  ///   - way: how it is let in at `level`.
  ///   - exactly: take the guard's gate only, not those between; for code that touches nothing of the levels between.
  ///   - cpu: whose wheel it is on; by default the calling CPU's, or CPU 0 for a visitor.
  /// - Note: less than 128 B each, what the closure captured (up to two words) included.
  @inlinable public func callout(
    _ name: StaticString, at level: Level, guard guardLevel: Level? = nil, as way: WayIn = .ordered,
    exactly: Bool = false, cpu: Int? = nil, _ body: @escaping (borrowing Here<M>) -> Void
  ) throws(CalloutError) -> Callout<M> {
    guard level.isSoft else { throw .notSoft(level) }
    if configuration.execution == .threads && way != .mpSafe { throw .threadsAreMPSafe }
    if let guardLevel {
      if guardLevel < level { throw .guardBelowLevel(level, guard: guardLevel) }
      if way == .disjoint && guardLevel != level {
        throw .disjointGuard(name.description, at: level, guard: guardLevel)
      }
    }
    let here = existingAgent()
    let home = cpu ?? here.flatMap { $0.isCPU ? $0.cpu : nil } ?? 0
    guard home >= 0 && home < cpuCount else { throw .noSuchCPU(home) }
    var made: Callout<M>?
    lockedTable {
      guard !isShutDown else { return }
      let node = freeNode(name)
      node.pointee.identity = node.pointee.identity &+ 1
      node.pointee.body = body
      node.pointee.name = name
      node.pointee.cpu = UInt8(home)
      node.pointee.level = level
      // A disjoint callout that raises nowhere is an ordered one.
      node.pointee.way = way == .disjoint ? .ordered : way
      node.pointee.guardLevel = guardLevel ?? (way == .mpSafe ? .none : level)
      node.pointee.isExact = exactly
      node.pointee.retiring = false
      made = Callout(node: node, identity: node.pointee.identity)
    }
    guard let made else { throw .shutDown }
    return made
  }

  @inlinable static var slabSize: Int { 128 }

  /// Lets go of what the callouts' bodies hold, at shutdown: the CPUs have stopped. The nodes stay: handles may ask them.
  @inlinable func releaseCallouts() {
    for slab in slabs {
      for index in 0..<Self.slabSize {
        slab[index].identity &+= 1
        slab[index].body = nil
      }
    }
  }

  /// A node nobody owns. Table lock held. Slabs keep the allocator's overhead per node small.
  @inlinable func freeNode(_ name: StaticString) -> UnsafeMutablePointer<CalloutNode<M>> {
    if let node = freeNodes {
      freeNodes = node.pointee.next
      node.pointee.next = nil
      return node
    }
    let count = Self.slabSize
    let slab = UnsafeMutablePointer<CalloutNode<M>>.allocate(capacity: count)
    slabs.append(slab)
    for index in 0..<count {
      (slab + index).initialize(to: CalloutNode(system: core, name: name))
      if index > 0 {
        slab[index].next = freeNodes
        freeNodes = slab + index
      }
    }
    return slab
  }

  @inlinable func wheel(of node: UnsafeMutablePointer<CalloutNode<M>>) -> LockedWheel<M> {
    agents[Int(node.pointee.cpu)].wheel!
  }

  /// Runs `body` under a wheel's lock.
  @inlinable func lockedWheel<R>(_ wheel: LockedWheel<M>, _ body: () -> R) -> R {
    if let agent = existingAgent() { return agent.locked(wheel.lock, body) }
    spinLock(M.self, wheel.lock)
    let result = body()
    wheel.lock.store(0, .release)
    return result
  }

  @inlinable func arm(_ callout: Callout<M>, at deadline: UInt64) -> ArmResult {
    let node = callout.node
    let wheel = wheel(of: node)
    var isEarliest = false
    let result: ArmResult = lockedWheel(wheel) {
      guard node.pointee.identity == callout.identity && !node.pointee.retiring else { return .retired }
      let wasArmed = node.pointee.place != .idle
      if wasArmed { wheel.wheel.pointee.remove(node) }
      node.pointee.generation = node.pointee.generation &+ 1
      node.pointee.deadline = deadline
      wheel.wheel.pointee.insert(node)
      isEarliest = (agents + Int(node.pointee.cpu)).pointee.nextDueShared > deadline
      if isEarliest { (agents + Int(node.pointee.cpu)).pointee.nextDueShared = deadline }
      return wasArmed ? .rearmed : .armed
    }
    if isEarliest {
      // The CPU reads the wheel again when it sees bit 0 of its summary, before it sleeps and when it polls.
      let home = agent(ofCPU: Int(node.pointee.cpu))
      home.summary.fetchOr(1, .acquireRelease)
      if existingAgent() != home { M.unpark(home.p.pointee.seat) }
    }
    return result
  }

  /// Whether a context's own frames hold what the body runs under.
  @inlinable func holdsGuard(of node: UnsafeMutablePointer<CalloutNode<M>>) -> Bool {
    guard configuration.execution == .inline, let agent = existingAgent() else { return false }
    let own = agent.context.pointee.own
    if node.pointee.way == .bigLock && own.contains(Level.none.gate) { return true }
    return node.pointee.guardLevel != .none && own.contains(node.pointee.guardLevel.gate)
  }

  @inlinable func cancel(_ callout: Callout<M>) -> CancelResult {
    let node = callout.node
    let wheel = wheel(of: node)
    return lockedWheel(wheel) {
      guard node.pointee.identity == callout.identity else { return .retired }
      let wasArmed = node.pointee.place != .idle
      // A popped one compares its generation under the guard and finds another.
      let waits = node.pointee.isPopped && !node.pointee.isInBody
      if wasArmed {
        wheel.wheel.pointee.remove(node)
        node.pointee.generation = node.pointee.generation &+ 1
      } else if waits && !node.pointee.isCancelled {
        node.pointee.generation = node.pointee.generation &+ 1
        node.pointee.isCancelled = true
        if holdsGuard(of: node) { return .cancelled }
      }
      if wasArmed { return .cancelled }
      if holdsGuard(of: node) { return .notArmed }
      return node.pointee.isPopped ? .mayBeRunning : .notArmed
    }
  }

  @inlinable func halt(_ callout: Callout<M>, _ site: Violation.Site) -> Bool {
    let node = callout.node
    let level = node.pointee.level
    let guardLevel = node.pointee.guardLevel
    let agent = currentAgent()
    if guardLevel == .none {
      if let rule = GateOrder.waitForCPUs(agent.standing, at: level) {
        report(rule, agent, level, "callout \"\(node.pointee.name)\"", site)
        return false
      }
      _ = cancel(callout)
      waitForCPUs(at: level, agent)
      _ = cancel(callout)
      return true
    }
    if case .violation(let rule) = GateOrder.exact(agent.standing, to: guardLevel) {
      report(rule, agent, guardLevel, "callout \"\(node.pointee.name)\"", site)
      return false
    }
    // Under the guard no body runs, and what was popped finds another generation.
    raise(exactly: guardLevel, file: site.file, line: site.line) { _ in _ = cancel(callout) }
    return true
  }

  @inlinable func retire(_ callout: Callout<M>, _ site: Violation.Site) -> Bool {
    let node = callout.node
    let wheel = wheel(of: node)
    var isInside = false
    lockedWheel(wheel) {
      guard node.pointee.identity == callout.identity, node.pointee.isInBody,
        let agent = existingAgent(), agent.isCPU, agent.cpu == Int(node.pointee.cpu)
      else { return }
      // From its own body, or from something on top of it: it ends when the body does.
      isInside = true
      node.pointee.retiring = true
      if node.pointee.place != .idle {
        wheel.wheel.pointee.remove(node)
        node.pointee.generation = node.pointee.generation &+ 1
      }
    }
    if isInside { return true }
    guard halt(callout, site) else { return false }
    var body: ((borrowing Here<M>) -> Void)?
    lockedWheel(wheel) {
      guard node.pointee.identity == callout.identity else { return }
      if node.pointee.place != .idle { wheel.wheel.pointee.remove(node) }
      node.pointee.generation = node.pointee.generation &+ 1
      // A dispatch may still hold it popped, waiting for the guard: then it gives the node back.
      if node.pointee.isPopped {
        node.pointee.retiring = true
      } else {
        body = release(node)
      }
    }
    withExtendedLifetime(body) {}
    giveBack(node, body != nil)
    return true
  }

  /// Ends a node's identity; its body, to be released outside the lock. Wheel lock held.
  @inlinable func release(
    _ node: UnsafeMutablePointer<CalloutNode<M>>
  ) -> ((borrowing Here<M>) -> Void)? {
    let body = node.pointee.body
    node.pointee.identity = node.pointee.identity &+ 1
    node.pointee.body = nil
    node.pointee.retiring = false
    return body
  }

  @inlinable func giveBack(_ node: UnsafeMutablePointer<CalloutNode<M>>, _ isFree: Bool) {
    guard isFree else { return }
    lockedTable {
      node.pointee.next = freeNodes
      freeNodes = node
    }
  }
}
