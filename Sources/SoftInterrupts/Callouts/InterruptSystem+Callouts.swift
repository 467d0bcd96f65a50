// Arming, cancelling, expiring and running callouts.

extension InterruptSystem {
  /// Makes a callout, not armed.
  ///
  /// - Parameters:
  ///   - name: for the witness.
  ///   - level: the soft level at which it is dispatched.
  ///   - guardLevel: the gate under which the body runs and cancelling is exact: at or above `level`. Nil: the level's own gate for
  ///     `.ordered`, `.disjoint` and `.bigLock`; none for `.mpSafe`, where only ``Callout/halt(file:line:)`` is exact.
  ///   - way: how it is let in at `level`.
  ///   - exactly: take the guard's gate only, not those between; for code that touches nothing of the levels between.
  ///   - cpu: whose wheel it is on; by default the calling CPU's, or CPU 0 for a visitor.
  ///   - body: runs to completion at `level`, or at the guard's if that is higher. It may arm its own callout again.
  /// - Note: less than 128 B each, a closure of two captured words included. O(names that callouts of the CPU have).
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
      let node = freeNode(home)
      let nameIndex = core.p.pointee.wheels[home].names.index(of: name)
      // Stale callouts may ask the node meanwhile.
      core.lockedWheel(of: node) { _ in
        M.touches(node, .write)
        node.pointee.identity = node.pointee.identity &+ 1
        node.pointee.body = body
        node.pointee.nameIndex = nameIndex
        // A disjoint callout that raises nowhere is an ordered one.
        node.pointee.rules = CalloutRules(
          level, guard: guardLevel ?? (way == .mpSafe ? .none : level), way == .disjoint ? .ordered : way)
        node.pointee.isExact = exactly
        node.pointee.retiring = false
        made = Callout(node: node, system: core)
      }
    }
    guard let made else { throw .shutDown }
    return made
  }

  @inlinable static var slabSize: Int { 128 }

  /// Ends all callouts, at shutdown: the CPUs have stopped, visitors may still ask. The nodes stay: handles may ask them.
  @inlinable func releaseCallouts() {
    for slab in slabs {
      for index in 0..<Self.slabSize {
        let node = slab + index
        var body: ((borrowing Here<M>) -> Void)?
        core.lockedWheel(of: node) { _ in body = release(node) }
        withExtendedLifetime(body) {}
      }
    }
  }

  /// A node of a CPU that nobody owns. Table lock held. Slabs keep the allocator's overhead per node small.
  @inlinable func freeNode(_ cpu: Int) -> UnsafeMutablePointer<CalloutNode<M>> {
    if let node = freeNodes[cpu] {
      freeNodes[cpu] = node.pointee.next
      node.pointee.next = nil
      return node
    }
    let count = Self.slabSize
    // A line each, whatever the allocator's own alignment. `deallocate` of the typed pointer frees it as it does `words`.
    let slab = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<CalloutNode<M>>.stride, alignment: 64
    ).bindMemory(to: CalloutNode<M>.self, capacity: count)
    slabs.append(slab)
    for index in 0..<count {
      (slab + index).initialize(to: CalloutNode(cpu: cpu))
      if index > 0 {
        slab[index].next = freeNodes[cpu]
        freeNodes[cpu] = slab + index
      }
    }
    return slab
  }

  @inlinable func halt(_ callout: Callout<M>, _ site: Violation.Site) -> Bool {
    guard let facts = callout.facts else { return true }
    guard mayHalt(facts, site) else { return false }
    stop(callout, facts, site)
    return true
  }

  /// Whether the wait that a halt needs is in order here; the verdict depends on the calling context alone.
  @inlinable func mayHalt(_ facts: Callout<M>.Facts, _ site: Violation.Site) -> Bool {
    let agent = currentAgent()
    var broken: Violation.Rule?
    if facts.guardLevel == .none {
      broken = GateOrder.waitForCPUs(agent.standing, at: facts.level)
    } else if case .violation(let rule) = GateOrder.exact(agent.standing, to: facts.guardLevel) {
      broken = rule
    }
    guard let broken else { return true }
    let level = facts.guardLevel == .none ? facts.level : facts.guardLevel
    report(broken, agent, level, "callout \"\(facts.name)\"", site)
    return false
  }

  /// Takes a callout back and waits until its body is not running.
  @inlinable func stop(_ callout: Callout<M>, _ facts: Callout<M>.Facts, _ site: Violation.Site) {
    if Mutant.isOn(.haltAtOnce) {
      _ = callout.isQuelled()
    } else if facts.guardLevel == .none {
      // A body that arms its own callout again may be run once more before we are back from the wait.
      while !callout.isQuelled() { waitForCPUs(at: facts.level, currentAgent()) }
    } else {
      // Under the guard no body runs, and what was popped finds another generation.
      raise(exactly: facts.guardLevel, file: site.file, line: site.line) { _ in _ = callout.isQuelled() }
    }
  }

  @inlinable func retire(_ callout: Callout<M>, _ site: Violation.Site) -> Bool {
    let node = callout.node
    guard let facts = callout.facts else { return true }
    var isInside = false
    core.lockedWheel(of: node) { wheel in
      guard node.pointee.identity == callout.identity, node.pointee.isInBody,
        let agent = existingAgent(), agent.isCPU, agent.cpu == Int(node.pointee.cpu),
        configuration.execution == .inline || agent.p.pointee.servedLevel == facts.level
      else { return }
      // From its own body, or from something on top of it: it ends when the body does.
      isInside = true
      node.pointee.retiring = true
      if node.pointee.place != .idle {
        wheel.pointee.remove(node)
        wheel.pointee.renew(node)
      }
    }
    if isInside { return true }
    guard mayHalt(facts, site) else { return false }
    // From here on nobody arms it: neither its body nor another, while we wait for the body.
    core.lockedWheel(of: node) { _ in
      if node.pointee.identity == callout.identity { node.pointee.retiring = true }
    }
    stop(callout, facts, site)
    var body: ((borrowing Here<M>) -> Void)?
    core.lockedWheel(of: node) { _ in
      // If a dispatch still holds it popped, waiting for the guard, that gives the node back; or has done so.
      if node.pointee.identity == callout.identity && !node.pointee.isPopped { body = release(node) }
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
    // What it left in the wheel, before the next owner gets the node. (At shutdown armed ones stay: they are counted, and nobody arms.)
    if node.pointee.place == .idle && !Mutant.isOn(.staysRetired) {
      core.p.pointee.wheels[Int(node.pointee.cpu)].wheel.pointee.takeFromSlot(node)
    }
    node.pointee.identity = node.pointee.identity &+ 1
    node.pointee.body = nil
    node.pointee.retiring = false
    return body
  }

  @inlinable func giveBack(_ node: UnsafeMutablePointer<CalloutNode<M>>, _ isFree: Bool) {
    guard isFree else { return }
    lockedTable {
      let cpu = Int(node.pointee.cpu)
      node.pointee.next = freeNodes[cpu]
      freeNodes[cpu] = node
    }
  }
}
