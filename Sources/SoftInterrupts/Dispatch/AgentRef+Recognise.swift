// Recognition points: where a CPU looks whether something above its IPL is pending.
//
// Law: nothing starts at or below the IPL; the highest level goes first; the IPL is the same before and after, except that a
// CPU that finds the gate it waits for granted owns it first (its IPL is then the gate's) and dispatches afterwards.

extension AgentRef {
  /// The recognition point: one load and one compare when there is nothing to do.
  @inlinable @inline(__always) func recognise() {
    // One branch, and shifts that ask for no bound: this is in every lowering.
    if (summary.load(.relaxed) &>> 1) &>> UInt(ipl.rawValue) | UInt(asks) != 0 {
      recogniseSlowly()
    }
  }

  /// Something asks. With nothing noticed that is the summary, above the IPL: what `recogniseNoticed` looks for is known.
  @inlinable @inline(never) func recogniseSlowly() {
    if asks == Self.ownMarkAsks { return recogniseOwnMark() }
    if notices == 0 && p.pointee.waiting == nil { return dispatch() }
    recogniseNoticed()
  }

  @inlinable @inline(never) func recogniseNoticed() {
    guard isCPU else { return }
    sayOwnMark()
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

  /// Serves every level above the IPL that asks for it, highest first. What each kind of serving does is inlined: this is one frame, and
  /// what is rare is in others.
  @inlinable @inline(never) func dispatch() {
    let entry = ipl
    enterShare()
    while true {
      var open = Self.bits(above: entry)
      if notices != 0 {
        // What a look at the devices has scheduled, between two servings.
        sayOwnMark()
        readmitThrottled()
        if p.pointee.isAbandoned { break }
        open &= ~UInt(p.pointee.throttled)
      }
      // Relaxed: it only chooses the level; the clearing below acquires.
      let asked = summary.load(.relaxed) & open
      if asked == 0 {
        // What was deferred inside a run that held a gate: nobody else looks at it before this CPU sleeps.
        if notices != 0 && readmitDeferred() { continue }
        break
      }
      let level = GateSet(rawValue: asked).highest
      // Clear, then look at `pending`: a schedule that comes later sets the bit again. Acquire: pairs with the release of ring and
      // schedule.
      if !Mutant.isOn(.clearHintLate) {
        let old = summary.fetchAnd(~Self.bit(level), .acquire)
        M.looks(summary, old & Self.bit(level))
      }
      serve(level, returningTo: entry)
      if Mutant.isOn(.clearHintLate) { summary.fetchAnd(~Self.bit(level), .relaxed) }
      chargeShare(level)
    }
    leaveShare(at: entry)
  }

  /// Runs what is pending at a level on this CPU, as far as gates and budgets allow; the IPL is as before after each of the ways in. A CPU
  /// that stands aside answers cross-calls only, also inside one: who made it may wait for us at a higher level.
  @inlinable @inline(__always) func serve(_ level: Level, returningTo saved: Level) {
    let ways = system.ways(level)
    if p.pointee.isAside { return serveAside(level, ways) }
    // Relaxed: this only chooses. What was rung for is seen since the bit of the summary was cleared.
    let bits = pending(level).load(.relaxed) & PendingWord.handlers & ~ways.suspended.load(.relaxed)
    if bits == 0 { return }
    if bits & ways.mpSafe.load(.relaxed) != 0 { serveMPSafe(level, ways, returningTo: saved) }
    if bits & ways.ordered.load(.relaxed) != 0 { serveOrdered(level, ways, returningTo: saved) }
    if bits & ways.bigLock.load(.relaxed) != 0 { serveBigLock(level, ways) }
  }

  @inlinable @inline(never) func serveAside(_ level: Level, _ ways: Ways<M>) {
    let calls = Self.crossCalls
    if pending(level).load(.relaxed) & calls != 0 { serveMPSafe(level, ways, among: calls, returningTo: ipl) }
  }

  /// MP-safe handlers: no gate. The epoch is odd meanwhile, so that `waitForCPUs` knows whom to wait for; the IPL is the level's
  /// all that time, so that no other serving of the level makes it even in between.
  @inlinable @inline(__always) func serveMPSafe(
    _ level: Level, _ ways: Ways<M>, among asked: UInt = .max, returningTo saved: Level
  ) {
    ipl = level
    enterEpoch(level)
    var budget = system.configuration.dispatchBudget
    // Read inside the epoch: pairs with the heavy fence of who changed them and then waits.
    var bits = ways.runnable(by: ways.mpSafe, of: pending(level)) & asked
    while bits != 0 {
      if budget == 0 || pauses(level) {
        // Relaxed: this CPU's own, for itself; here and below.
        summary.fetchOr(Self.bit(level), .relaxed)
        break
      }
      budget -= 1
      let slot = system.oldest(of: bits, at: level, home: self)
      if claim(slot, home: self) { runHere(slot, as: .mpSafe, at: level, own: []) }
      if !mayHaveMore(level) { break }
      bits = ways.runnable(by: ways.mpSafe, of: pending(level)) & asked
    }
    leaveEpoch(level)
    ipl = saved
  }

  /// Ordered and disjoint handlers: gate X exactly, all that is pending under one hold of it.
  @inlinable @inline(__always) func serveOrdered(
    _ level: Level, _ ways: Ways<M>, returningTo saved: Level
  ) {
    // A wait of this CPU for this gate is under way below us: it will run all that is pending here.
    if UInt(p.pointee.queued) & Self.bit(level) != 0 { return }
    guard Mutant.isOn(.noGate) || takeForDispatch(level, returningTo: saved) else { return }
    runOrdered(level, ways)
    if Mutant.isOn(.noGate) {
      strike(level.gate)
    } else {
      leave(level.gate, keeping: held.subtracting(level.gate), returningTo: saved)
    }
    ipl = saved
  }

  /// Runs this CPU's ordered work at a level, oldest first, within the budget. The gate is held, the IPL is its.
  @inlinable @inline(__always) func runOrdered(_ level: Level, _ ways: Ways<M>) {
    var budget = system.configuration.dispatchBudget
    // Read under the gate: who suspends or changes a handler enters the gate after it has said so.
    var bits = ways.runnable(by: ways.ordered, of: pending(level))
    while bits != 0 {
      if (budget == 0 && !Mutant.isOn(.noRunBudget)) || pauses(level) {
        summary.fetchOr(Self.bit(level), .relaxed)
        return
      }
      budget -= 1
      let slot = system.oldest(of: bits, at: level, home: self)
      if claim(slot, home: self) {
        let disjoint = ways.disjoint.load(.relaxed) & slot.pointee.bit != 0
        runHere(slot, as: disjoint ? .disjoint : .ordered, at: level, own: level.gate)
      }
      if !mayHaveMore(level) { return }
      bits = ways.runnable(by: ways.ordered, of: pending(level))
    }
  }

  /// Whether anything is pending at a level: after a run mostly nothing is, and then nobody has to be asked who may run. Relaxed: who marks
  /// later asks for another look.
  @inlinable @inline(__always) func mayHaveMore(_ level: Level) -> Bool {
    pending(level).load(.relaxed) & PendingWord.handlers != 0
  }

  /// Takes a level's gate for asynchronous work, or leaves a mark on it. On success IPL and note are the gate's.
  @inlinable @inline(__always) func takeForDispatch(_ level: Level, returningTo saved: Level) -> Bool {
    ipl = level
    note(level.gate)
    #if Witness
      p.pointee.takings[Int(level.rawValue)].gatesAndLine = 0
    #endif
    // The queue is asked only if the word refuses.
    guard p.pointee.gateWord.take(level.gate) else { return takeRefused(level, returningTo: saved) }
    p.pointee.tries[Int(level.rawValue)] = 0
    counters(level).pointee.taken &+= 1
    return true
  }

  /// The word has refused: the gate is reserved, perhaps for this CPU or for too long, or it is busy.
  @inlinable @inline(never) func takeRefused(_ level: Level, returningTo saved: Level) -> Bool {
    let queue = system.queue(level)
    if queue.pointee.word.isOnlyReserved(level.gate) && takeReserved(queue) {
      p.pointee.tries[Int(level.rawValue)] = 0
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
