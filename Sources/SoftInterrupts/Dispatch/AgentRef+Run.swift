// Claiming and running a handler.
//
// Law: the pending bit is cleared before the run starts, by who is going to run it, and only who cleared it runs it; so each
// schedule is followed by a whole run that starts after it. A run is a fresh context: its floor is its own, whatever it
// interrupted.

extension AgentRef {
  /// Takes the handler's pending bit at `home`. The gate that the way in demands is held.
  ///
  /// Each claim counts in the same word, so a `schedule` learns with its mark which claims came before it, and a delayed one
  /// cannot stamp a later mark. The acquire pairs with the release in `schedule`.
  @inlinable func claim(_ slot: UnsafeMutablePointer<HandlerSlot<M>>, home: AgentRef<M>) -> Bool {
    home.claimHere(slot, at: slot.pointee.level)
  }

  /// The same of this CPU's own, where the level is known.
  @inlinable @inline(__always) func claimHere(
    _ slot: UnsafeMutablePointer<HandlerSlot<M>>, at level: Level
  ) -> Bool {
    if Mutant.isOn(.clearAfterRun) { return true }
    guard let claims = PendingWord.claim(pending(level), slot.pointee.bit) else { return false }
    slot.pointee.home(cpu).lastClaim.store(claims, .relaxed)
    return true
  }

  /// Runs a handler's body as a context of its own, at its level. The recognition point after it comes before the next.
  @inlinable @inline(never) func run(
    _ slot: UnsafeMutablePointer<HandlerSlot<M>>, as kind: ContextKind, own: GateSet, home: AgentRef<M>
  ) {
    runBody(
      slot, as: kind, at: slot.pointee.level, own: own, home: home, isTimed: system.configuration.timing)
  }

  /// As `run`, of this CPU's own work, where it is dispatched: what is known there is not asked again.
  @inlinable @inline(__always) func runHere(
    _ slot: UnsafeMutablePointer<HandlerSlot<M>>, as kind: ContextKind, at level: Level, own: GateSet
  ) {
    if system.configuration.timing { return run(slot, as: kind, own: own, home: self) }
    runBody(slot, as: kind, at: level, own: own, home: self, isTimed: false)
  }

  @inlinable @inline(__always) func runBody(
    _ slot: UnsafeMutablePointer<HandlerSlot<M>>, as kind: ContextKind, at level: Level, own: GateSet,
    home: AgentRef<M>, isTimed: Bool
  ) {
    let parent = context
    var frame = Context<M>(
      parent: parent, slot: slot, kind: kind, entry: level,
      floor: kind == .mpSafe ? level.below : kind == .thread ? .high : level,
      own: own)
    ipl = level
    counters(level).pointee.runs &+= 1
    let record = slot.pointee.home(home.cpu)
    let start = isTimed ? record.startRun(now: M.now()) : 0
    // Unprotected: who has the pointer writes fields and no buffer, so a guard on the stack would find nothing.
    _withUnprotectedUnsafeMutablePointer(to: &frame) { frame in
      context = frame
      M.touches(slot, part: 1, .read)
      slot.callBody(Here(self))
      M.touches(slot, part: 1, .read)
      context = parent
    }
    record.countRun(drained: home.p != p && !p.pointee.isLevelThread)
    if start != 0 {
      let time = M.now() &- start
      record.runTime.fetchAdd(UInt(truncatingIfNeeded: time), .relaxed)
      counters(level).pointee.runTime &+= time
    }
    if Mutant.isOn(.clearAfterRun) { _ = PendingWord.claim(home.pending(level), slot.pointee.bit) }
    // Even: it has ended itself, in this run or (MP-safe) in one on another CPU. Relaxed: what is done then is under the table lock.
    if slot.pointee.generation.load(.relaxed) & 1 == 0 { finishRetiring(slot) }
    ipl = level
    recognise()
  }

  /// See `run`. Out of line: only here a run needs the system's object.
  @inlinable @inline(never) func finishRetiring(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) {
    system.object.finishRetiring(slot, self)
  }

  /// Runs the marked `.anywhere` ordered work of other CPUs, under this CPU's hold of the gate and within the budget; what
  /// is left keeps its marks.
  @inlinable @inline(never) func drain(_ queue: UnsafeMutablePointer<GateQueue<M>>) {
    let level = queue.pointee.level
    guard level != .none, queue == system.queue(level) else { return }
    // Acquire: pairs with the release of who marked.
    var marks = queue.pointee.marks.exchange(0, .acquire)
    var ring: UInt = 0
    var budget = system.configuration.drainBudget
    let ways = system.ways(level)
    let saved = ipl
    while marks != 0 {
      let place = marks.trailingZeroBitCount
      marks &= marks &- 1
      for cpu in system.cpus(marked: place) {
        let home = system.agent(ofCPU: cpu)
        while home.p != p {
          // Relaxed: who sees a way in sees where the handler may run.
          let mine =
            ways.runnable(by: ways.ordered, of: home.pending(level))
            & (Mutant.isOn(.drainBound) ? PendingWord.handlers : ways.anywhere.load(.relaxed))
          if mine == 0 || (budget == 0 && !Mutant.isOn(.noDrainBudget) && !Mutant.isOn(.noRunBudget)) {
            break
          }
          budget -= 1
          let slot = system.oldest(of: mine, at: level, home: home)
          if claim(slot, home: home) {
            counters(level).pointee.drained &+= 1
            let disjoint = ways.disjoint.load(.relaxed) & slot.pointee.bit != 0
            run(slot, as: disjoint ? .disjoint : .ordered, own: level.gate, home: home)
          }
        }
        home.ringIfLeaving()
        // Relaxed: what was pending when the mark was made is seen with the mark.
        let left = home.pending(level).load(.relaxed) & PendingWord.handlers
        if left & ~ways.suspended.load(.relaxed) != 0 { ring |= system.mark(ofCPU: cpu) }
      }
    }
    ipl = saved
    // Bound and over-budget work goes home: rung after the gate is free, so that it is not found busy again. Relaxed: the next to
    // drain is a later holder, and the makers' releases go on.
    if ring != 0 { queue.pointee.marks.fetchOr(ring, .relaxed) }
  }
}
