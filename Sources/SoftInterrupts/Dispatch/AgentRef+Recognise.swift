// Recognition points: where a CPU looks whether something above its IPL is pending.
//
// Law: nothing starts at or below the IPL; the highest level goes first; the IPL is the same before and after, except that a
// CPU that finds the gate it waits for granted owns it first (its IPL is then the gate's) and dispatches afterwards.

extension AgentRef {
  /// The recognition point: one load and one compare when there is nothing to do.
  @inlinable @inline(__always) func recognise() {
    // One branch, and shifts that ask for no bound: this is in every lowering.
    if (summary.load(.relaxed) &>> 1) &>> UInt(ipl.rawValue) | UInt(p.pointee.bigLockNotes) != 0 {
      recogniseSlowly()
    }
  }

  @inlinable @inline(never) func recogniseSlowly() {
    guard isCPU else { return }
    readmitBigLockWork()
    readmitThrottled()
    guard hasWork(above: ipl) else { return }
    if p.pointee.waiting == nil { dispatch() } else { recogniseInWait() }
  }

  /// As `recogniseSlowly`, if the top context of this CPU is in a wait: it is suspended now, not to be given the gate.
  @inlinable @inline(never) func recogniseInWait() {
    var node = p.pointee.waiting
    if let waiter = node, waiter.pointee.state.load(.relaxed) == WaiterState.serving {
      // What we interrupt is about to serve, or about to wait again: it says so itself.
      node = nil
    }
    if let node {
      let queue = node.pointee.queue!
      // Who fails both was granted the gate, and takes it over in the wait's own loop.
      var wakesNext = node.pointee.owesTry && !Mutant.isOn(.noOwedTry)
      if !node.pointee.state.compareExchange(WaiterState.waiting, WaiterState.serving, .relaxed) {
        if node.pointee.state.compareExchange(WaiterState.woken, WaiterState.serving, .relaxed) {
          wakesNext = true
        } else {
          ipl = max(ipl, queue.pointee.level)
          return
        }
      }
      p.pointee.waiting = nil
      // It was woken to try, and does not: look, so that the next one is woken instead (H52).
      if wakesNext && !Mutant.isOn(.noWakeNext) { look(queue) }
    }
    dispatch()
    if let node {
      p.pointee.waiting = node
      // What interrupts from here on finds the wait.
      M.localFence()
      // Publish. The wait's own loop announces and tries; if this interrupted it just before its sleep, or a wait inside has
      // used up its ring, this ring makes the sleep end.
      node.pointee.state.store(WaiterState.waiting, .relaxed)
      M.unpark(p.pointee.seat)
    }
  }

  /// Serves every level above the IPL that asks for it, highest first.
  @inlinable func dispatch() {
    let entry = ipl
    enterShare()
    while true {
      if p.pointee.throttled != 0 { readmitThrottled() }
      let open = Self.bits(above: entry) & ~UInt(p.pointee.throttled)
      // Relaxed: it only chooses the level; the clearing below acquires.
      let asked = summary.load(.relaxed) & open
      if p.pointee.isAbandoned { break }
      if asked == 0 {
        // What was deferred inside a run that held a gate: nobody else looks at it before this CPU sleeps.
        if readmitDeferred() { continue }
        break
      }
      let level = GateSet(rawValue: asked).highest
      // Clear, then look at `pending`: a schedule that comes later sets the bit again. Acquire: pairs with the release of ring and
      // schedule.
      if !Mutant.isOn(.clearHintLate) {
        let old = summary.fetchAnd(~Self.bit(level), .acquire)
        M.looks(summary, old & Self.bit(level))
      }
      serve(level)
      if Mutant.isOn(.clearHintLate) { summary.fetchAnd(~Self.bit(level), .relaxed) }
      ipl = entry
      chargeShare(level)
    }
    leaveShare()
  }

  /// Runs what is pending at a level on this CPU, as far as gates and budgets allow. A CPU that stands aside answers cross-calls
  /// only, also inside one: who made it may wait for us at a higher level.
  @inlinable func serve(_ level: Level) {
    let ways = system.ways(level)
    if p.pointee.isAside {
      let calls = Self.crossCalls
      if pending(level).load(.relaxed) & calls != 0 { serveMPSafe(level, ways, among: calls) }
      return
    }
    // Relaxed: this only chooses. What was rung for is seen since the bit of the summary was cleared.
    let bits = pending(level).load(.relaxed) & PendingWord.handlers & ~ways.suspended.load(.relaxed)
    if bits == 0 { return }
    if bits & ways.mpSafe.load(.relaxed) != 0 { serveMPSafe(level, ways) }
    if bits & ways.ordered.load(.relaxed) != 0 { serveOrdered(level, ways) }
    if bits & ways.bigLock.load(.relaxed) != 0 { serveBigLock(level, ways) }
  }

  /// MP-safe handlers: no gate. The epoch is odd meanwhile, so that `waitForCPUs` knows whom to wait for; the IPL is the level's
  /// all that time, so that no other serving of the level makes it even in between.
  @inlinable func serveMPSafe(_ level: Level, _ ways: Ways<M>, among asked: UInt = .max) {
    let saved = ipl
    ipl = level
    enterEpoch(level)
    var budget = system.configuration.dispatchBudget
    while true {
      // Read inside the epoch: pairs with the heavy fence of who changed them and then waits.
      let bits = ways.runnable(by: ways.mpSafe, of: pending(level)) & asked
      if bits == 0 { break }
      if budget == 0 || pauses(level) {
        // Relaxed: this CPU's own, for itself; here and below.
        summary.fetchOr(Self.bit(level), .relaxed)
        break
      }
      budget -= 1
      let slot = system.oldest(of: bits, at: level, home: self)
      if claim(slot, home: self) { run(slot, as: .mpSafe, own: [], home: self) }
    }
    leaveEpoch(level)
    ipl = saved
  }

  /// Ordered and disjoint handlers: gate X exactly, all that is pending under one hold of it.
  @inlinable func serveOrdered(_ level: Level, _ ways: Ways<M>) {
    let saved = ipl
    let queue = system.queue(level)
    // A wait of this CPU for this gate is under way below us: it will run all that is pending here.
    if UInt(p.pointee.queued) & Self.bit(level) != 0 { return }
    guard Mutant.isOn(.noGate) || takeForDispatch(queue, returningTo: saved) else { return }
    runOrdered(queue, ways)
    if Mutant.isOn(.noGate) {
      strike(level.gate)
    } else {
      leave(level.gate, keeping: held.subtracting(level.gate), returningTo: saved)
    }
    ipl = saved
  }

  /// Runs this CPU's ordered work at the queue's level, oldest first, within the budget. The gate is held, the IPL is its.
  @inlinable @inline(__always) func runOrdered(_ queue: UnsafeMutablePointer<GateQueue<M>>, _ ways: Ways<M>) {
    let level = queue.pointee.level
    var budget = system.configuration.dispatchBudget
    while true {
      // Read under the gate: who suspends or changes a handler enters the gate after it has said so.
      let bits = ways.runnable(by: ways.ordered, of: pending(level))
      if bits == 0 { return }
      if (budget == 0 && !Mutant.isOn(.noRunBudget)) || pauses(level) {
        summary.fetchOr(Self.bit(level), .relaxed)
        return
      }
      budget -= 1
      let slot = system.oldest(of: bits, at: level, home: self)
      if claim(slot, home: self) {
        let disjoint = ways.disjoint.load(.relaxed) & slot.pointee.bit != 0
        run(slot, as: disjoint ? .disjoint : .ordered, own: level.gate, home: self)
      }
    }
  }

  /// Takes a gate for asynchronous work, or leaves a mark on it. On success IPL and note are the gate's.
  @inlinable @inline(__always) func takeForDispatch(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, returningTo saved: Level
  ) -> Bool {
    let level = queue.pointee.level
    let tries = p.pointee.tries + Int(level.rawValue)
    ipl = level
    note(level.gate)
    #if Witness
      p.pointee.takings[Int(level.rawValue)].gatesAndLine = 0
    #endif
    if tryTake(queue) {
      tries.pointee = 0
      counters(level).pointee.taken &+= 1
      return true
    }
    return markForDispatch(queue, returningTo: saved)
  }

  /// The gate was busy. Never spins: after K failures it waits like a raiser, in the place that this entry has for all of the CPU's work
  /// at the level.
  @inlinable @inline(never) func markForDispatch(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, returningTo saved: Level
  ) -> Bool {
    let level = queue.pointee.level
    let tries = p.pointee.tries + Int(level.rawValue)
    // Publish the mark, then announce. If the gate was free by then we try once more; if that fails, whoever has it now
    // took it with ATTN set (or somebody looked meanwhile and rang us), or it is kept for a waiter that will take it.
    // Release: who drains the mark sees the work.
    queue.pointee.marks.fetchOr(system.mark(ofCPU: cpu), .release)
    if !Mutant.isOn(.noTryAfterMark), queue.pointee.word.announce(queue.pointee.gate), tryTake(queue) {
      tries.pointee = 0
      return true
    }
    if queue.pointee.word.isOnlyReserved(queue.pointee.gate) { retryLater(level) }
    counters(level).pointee.delegated &+= 1
    tries.pointee += 1
    if tries.pointee > system.configuration.patience && !Mutant.isOn(.noQueueing) {
      tries.pointee = 0
      strike(level.gate)
      ipl = saved
      p.pointee.queued |= UInt8(1 << level.rawValue)
      acquire(queue, waitingAt: max(saved, level.below), noting: level.gate)
      p.pointee.queued &= ~UInt8(1 << level.rawValue)
      // Whatever way in waited, dispatches of the others may have come to nothing meanwhile.
      summary.fetchOr(Self.bit(level), .relaxed)
      return true
    }
    strike(level.gate)
    ipl = saved
    return false
  }
}
