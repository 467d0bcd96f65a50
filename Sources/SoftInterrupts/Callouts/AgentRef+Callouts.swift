// Time on a CPU: looking at the clock, expiring callouts, and running those of one level.
//
// Law: a popped callout's body is called only under its guard, and only if its generation there is still the one that was
// popped. Due callouts of one CPU, level and way in run in the order of their deadlines.

extension AgentRef {
  /// Looks at clock and devices, at most once in `Configuration/pollInterval` unless forced. CPUs only.
  @inlinable @inline(never) func poll(force: Bool) {
    if polls { poll(force: force, at: M.now()) }
  }

  /// Level threads have others for that, and visitors nothing to look for.
  @inlinable var polls: Bool { isCPU && !p.pointee.isLevelThread }

  /// The same by who has looked at the clock anyway. The next checkpoints need not: one in 32 does, counted from the last look of any.
  @inlinable func poll(force: Bool, at now: UInt64) {
    p.pointee.pollTick = 0
    if !force && now &- p.pointee.lastPoll < system.configuration.pollInterval { return }
    p.pointee.lastPoll = now
    // Acquire: pairs with the release in `shutdown`, which wrote `stopBy` before.
    if system.stopping.load(.acquire) & 1 != 0 {
      M.touches(system.p, .read)
      if now >= system.stopBy { p.pointee.isAbandoned = true }
    }
    if p.pointee.retry != 0 && now >= p.pointee.retryAt {
      uninterrupted {
        summary.fetchOr(UInt(p.pointee.retry), .relaxed)
        p.pointee.retry = 0
      }
    }
    if now >= p.pointee.nextDue || summary.load(.relaxed) & 1 != 0 { expire(now) }
    system.object.machine.pollDevices(cpu: cpu)
  }

  /// Tries a level's dispatch again when a reservation that refused it may have lapsed.
  @inlinable func retryLater(_ level: Level) {
    // One more: it has lapsed when it is older than that.
    let time = M.now() &+ system.configuration.reservationLapse &+ 1
    uninterrupted {
      p.pointee.retryAt = time
      p.pointee.retry |= UInt8(1 << level.rawValue)
    }
  }

  /// When this CPU has something to do by the clock, at the latest.
  @inlinable func nextDeadline() -> UInt64 {
    // Clear, then look: pairs with the arming that sets the bit after it has changed the wheel.
    if summary.load(.relaxed) & 1 != 0 { expire(M.now()) }
    var deadline = p.pointee.nextDue
    if p.pointee.retry != 0 { deadline = min(deadline, p.pointee.retryAt) }
    if p.pointee.throttled != 0 { deadline = min(deadline, p.pointee.share.resumeAt) }
    return deadline
  }

  /// Moves what is due to its levels and asks them to look.
  @inlinable @inline(never) func expire(_ now: UInt64) {
    // The bit may have stood for base code that was submitted: its queue is looked at when the level is done. Relaxed: it was set
    // inside a section of the wheel's lock, or after one of the queue's, so our own section comes after that one.
    if summary.fetchAnd(~1, .relaxed) & 1 != 0 { p.pointee.share.baseWaits = true }
    let wheel = p.pointee.wheel!
    var touched: UInt64 = 0
    locked(wheel.lock) {
      touched = wheel.wheel.pointee.advance(to: now)
      p.pointee.nextDue = wheel.wheel.pointee.nextDeadline()
      p.pointee.nextDueShared = p.pointee.nextDue
    }
    while touched != 0 {
      let index = touched.trailingZeroBitCount
      touched &= touched &- 1
      system.object.calloutHandler(Level(raw: UInt8(index / 4)), WayIn(rawValue: UInt8(index & 3))!)
        .schedule(on: cpu)
    }
  }

  /// Runs the due callouts of this CPU at a level and way in: the body of the core's own handler for them.
  @inlinable func runCallouts(_ level: Level, _ way: WayIn) {
    let wheel = p.pointee.wheel!
    let index = Wheel<M>.dueIndex(level, way)
    var budget = system.configuration.dispatchBudget
    while true {
      var generation: UInt32 = 0
      var isExact = false
      let popped: UnsafeMutablePointer<CalloutNode<M>>? = locked(wheel.lock) {
        guard let node = wheel.wheel.pointee.due[index].head else { return nil }
        if budget == 0 { return nil }
        wheel.wheel.pointee.remove(node)
        node.pointee.isPopped = true
        node.pointee.isCancelled = false
        generation = node.pointee.generation
        // Here: what never changes of it shares a byte with what others change under the lock.
        isExact = node.pointee.isExact
        return node
      }
      guard let node = popped else { break }
      budget -= 1
      runPopped(node, generation, level, isExact: isExact)
    }
    if budget == 0 { system.object.calloutHandler(level, way).schedule(on: cpu) }
  }

  /// Takes the guard, compares, calls. `level` is the IPL of the dispatch.
  @inlinable func runPopped(
    _ node: UnsafeMutablePointer<CalloutNode<M>>, _ generation: UInt32, _ level: Level, isExact: Bool
  ) {
    let wheel = p.pointee.wheel!
    M.touches(node, .read)
    let guardLevel = node.pointee.rules.guardLevel
    // Read once: names are never moved, and a popped node keeps its own.
    let name = wheel.names[Int(node.pointee.nameIndex)]
    let entered =
      guardLevel == .none
      ? nil
      : enter(
        to: guardLevel, cumulative: !isExact && guardLevel > level, .init(name, 0))
    var body: ((borrowing Here<M>) -> Void)?
    var lateness: UInt64 = 0
    let now = M.now()
    locked(wheel.lock) {
      // Under the guard: whoever cancelled or armed it under the guard is before us or after the body.
      if node.pointee.generation == generation || Mutant.isOn(.noGeneration) {
        node.pointee.isInBody = true
        body = node.pointee.body
        lateness = now > node.pointee.deadline ? now &- node.pointee.deadline : 0
      }
    }
    if let body {
      p.pointee.lateness = lateness
      body(Here(self))
    }
    var last: ((borrowing Here<M>) -> Void)?
    locked(wheel.lock) {
      node.pointee.isPopped = false
      node.pointee.isInBody = false
      if node.pointee.retiring { last = system.object.release(node) }
    }
    if let entered { exit(entered) }
    system.object.giveBack(node, last != nil)
    withExtendedLifetime(last) {}
  }
}

extension InterruptSystem {
  /// The core's own handler that runs the callouts of a level and way in; made at start-up.
  @inlinable func calloutHandler(_ level: Level, _ way: WayIn) -> Handler<M> {
    let index =
      switch way {
      case .bigLock: InternalSlots.bigLockCallouts
      case .mpSafe: InternalSlots.mpSafeCallouts
      case .ordered, .disjoint: InternalSlots.orderedCallouts
      }
    let slot = slots[Int(level.rawValue) * UInt.bitWidth + index]!
    return Handler(slot: slot, generation: slot.pointee.generation.load(.relaxed))
  }

  /// Makes the core's own handlers: callouts at the soft levels, cross-calls at all.
  @inlinable func establishInternals() {
    for level in Level.allCases where level != .none {
      occupyInternal(InternalSlots.crossCalls, "cross-calls", level, .mpSafe) { here in
        here.agent.runCrossCalls(level)
      }
      guard level.isSoft else { continue }
      if configuration.execution == .threads {
        occupyInternal(InternalSlots.mpSafeCallouts, "callouts", level, .mpSafe) { here in
          here.agent.runCallouts(level, .mpSafe)
        }
        continue
      }
      for (index, way) in [
        (InternalSlots.orderedCallouts, WayIn.ordered), (InternalSlots.mpSafeCallouts, .mpSafe),
        (InternalSlots.bigLockCallouts, .bigLock),
      ] {
        occupyInternal(index, "callouts", level, way) { here in here.agent.runCallouts(level, way) }
      }
    }
  }

  @inlinable func occupyInternal(
    _ index: Int, _ name: String, _ level: Level, _ way: WayIn,
    _ body: @escaping (borrowing Here<M>) -> Void
  ) {
    let only: UInt = 1 << UInt(index)
    do {
      _ = try occupy(~only, name, at: level, as: way, .bound, body)
    } catch {
      M.fatal("the core's own handler \"\(name)\" at \(level) could not be made: \(error)")
    }
  }
}
