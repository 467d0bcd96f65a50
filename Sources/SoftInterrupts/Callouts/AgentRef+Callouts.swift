// Time on a CPU: looking at the clock, expiring callouts, and running those of one level.
//
// Law: a popped callout's body is called only under its guard, and only if its generation there is still the one that was
// popped. Due callouts of one CPU, level and way in run in the order of their deadlines.

extension AgentRef {
  /// Looks at the clock, and at most once in `Configuration/pollInterval` at the rest, unless forced. CPUs only.
  @inlinable @inline(never) func poll(force: Bool) {
    if polls { poll(force: force, at: M.now()) }
  }

  /// Level threads have others for that, and visitors nothing to look for.
  @inlinable var polls: Bool { isCPU && !p.pointee.isLevelThread }

  /// The same by who has looked at the clock anyway. The next checkpoints need not: one in 32 does, counted from the last look of any.
  @inlinable func poll(force: Bool, at now: UInt64) {
    p.pointee.pollTick = 0
    // What is due does not wait for the interval: the clock has been read.
    if now >= p.pointee.nextDue || summary.load(.relaxed) & 1 != 0 { expire(now) }
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
      wheel.wheel.pointee.looksBy = p.pointee.nextDue
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
    let index = Wheel<M>.dueIndex(level, way)
    var budget = system.configuration.dispatchBudget
    while let first = pop(index, budget) {
      budget -= 1
      runPopped(first, level, index, &budget)
    }
    if budget == 0 { system.object.calloutHandler(level, way).schedule(on: cpu) }
  }

  /// Takes the first due callout of a list. It waits for its guard then, and whoever takes it back changes its generation.
  @inlinable func pop(_ index: Int, _ budget: Int) -> Popped<M>? {
    let wheel = p.pointee.wheel!
    return locked(wheel.lock) {
      guard budget > 0, let node = wheel.wheel.pointee.due[index].head else { return nil }
      wheel.wheel.pointee.pop(node, of: index)
      return Popped(node)
    }
  }

  /// Takes the guard, compares, calls; and then those next to it in the list that have the same guard, while nobody waits for it and
  /// nothing above the dispatch is pending: to leave it and take it again would change nothing. `level` is the IPL of the dispatch.
  @inlinable func runPopped(_ first: Popped<M>, _ level: Level, _ index: Int, _ budget: inout Int) {
    let wheel = p.pointee.wheel!
    let guardLevel = first.rules.guardLevel
    let entered =
      guardLevel == .none
      ? nil
      : enter(
        to: guardLevel, cumulative: !first.isExact && guardLevel > level,
        .init(wheel.names[Int(first.nameIndex)], 0))
    let gates = entered?.gates ?? []
    var body: ((borrowing Here<M>) -> Void)?
    var last: ((borrowing Here<M>) -> Void)?
    let outer = p.pointee.calloutDeadline
    var popped = first
    locked(wheel.lock) {
      // Under the guard: whoever cancelled or armed it under the guard is before us or after the body.
      if first.node.pointee.generation == first.generation || Mutant.isOn(.noGeneration) {
        body = begin(first.node)
      }
    }
    while true {
      if let body { body(Here(self)) }
      body = nil
      let stays = budget > 0 && (isUnwanted(gates, above: level) || Mutant.isOn(.staysWanted))
      // One section ends a run and begins the next: what is popped here is at once in its body.
      let isEnd = locked(wheel.lock) {
        let node = popped.node
        node.pointee.isPopped = false
        node.pointee.isInBody = false
        if node.pointee.retiring {
          last = system.object.release(node)
          return true
        }
        guard stays, let next = wheel.wheel.pointee.due[index].head,
          next.pointee.rules.bits == first.rules.bits && next.pointee.isExact == first.isExact
            || Mutant.isOn(.anyGuard)
        else { return true }
        wheel.wheel.pointee.pop(next, of: index)
        body = begin(next)
        popped = Popped(next)
        return false
      }
      if isEnd { break }
      budget -= 1
      #if Witness
        if !gates.isEmpty {
          p.pointee.takings[Int(gates.lowest.rawValue)] = Taking(
            gates, .init(wheel.names[Int(popped.nameIndex)], 0))
        }
      #endif
    }
    p.pointee.calloutDeadline = outer
    if let entered { exit(entered) }
    system.object.giveBack(popped.node, last != nil)
    withExtendedLifetime(last) {}
  }

  /// A popped callout's body, which is running from here on. Under its guard and the wheel's lock.
  @inlinable func begin(_ node: UnsafeMutablePointer<CalloutNode<M>>) -> ((borrowing Here<M>) -> Void)? {
    node.pointee.isInBody = true
    p.pointee.calloutDeadline = node.pointee.deadline
    return node.pointee.body
  }

  /// Whether leaving the gates, which this CPU holds, for an IPL would make nobody go on and nothing run here.
  @inlinable func isUnwanted(_ gates: GateSet, above saved: Level) -> Bool {
    // Relaxed, both: what comes later is seen when the next run has ended. Who is awaited is not wanted yet, perhaps; to leave finds out.
    !p.pointee.gateWord.wantsCare(gates)
      && (summary.load(.relaxed) &>> 1) &>> UInt(saved.rawValue) | UInt(asks) == 0
  }
}

/// A callout that a dispatch has popped, and what it has to know of it without the wheel's lock.
@frozen @usableFromInline struct Popped<M: Machine> {
  @usableFromInline let node: UnsafeMutablePointer<CalloutNode<M>>
  /// It runs only if it is still this.
  @usableFromInline let generation: UInt32
  @usableFromInline let nameIndex: UInt16
  @usableFromInline let rules: CalloutRules
  // What never changes of it shares a byte with what others change under the lock.
  @usableFromInline let isExact: Bool
  /// Under the wheel's lock.
  @inlinable init(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    self.node = node
    generation = node.pointee.generation
    nameIndex = node.pointee.nameIndex
    rules = node.pointee.rules
    isExact = node.pointee.isExact
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
