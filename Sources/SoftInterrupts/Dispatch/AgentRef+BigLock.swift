// Handlers that have not been migrated: dispatched under gate `none` and the gate of their level.
//
// Law: gate `none` is the lowest, so it is taken by a CPU that holds no gate only; a CPU that holds some other gate keeps the
// work pending until it holds none. Both gates are tried, `none` first; if the second is busy the first is given back and
// the work is marked on the busy one. That can bounce for ever, so it ages, and is then waited for in order.

extension AgentRef {
  @inlinable @inline(never) func serveBigLock(_ level: Level, _ ways: Ways<M>) {
    let saved = ipl
    var how = GateOrder.bigLockDispatch(held: held)
    if Mutant.isOn(.bigLockAlways) && how == .deferred { how = .takeBoth }
    switch how {
    case .deferred:
      uninterrupted { p.pointee.deferred |= UInt8(1 << level.rawValue) }
    case .takeOwn:
      // A wait of this CPU for this gate is under way below us: it will run all that is pending here.
      if p.pointee.queued & UInt8(1 << level.rawValue) != 0 { break }
      if takeForDispatch(level, returningTo: saved) {
        runBigLock(level, ways)
        leave(level.gate, keeping: held.subtracting(level.gate), returningTo: saved)
      }
    case .takeBoth:
      if takeBoth(level, returningTo: saved) {
        runBigLock(level, ways)
        leaveWithBigLock(level.gate.union(Level.none.gate), returningTo: saved)
      }
    }
    ipl = saved
  }

  /// Tries `none` and the level's gate; on failure both are free and the work is marked on the busy one.
  @inlinable func takeBoth(_ level: Level, returningTo saved: Level) -> Bool {
    let big = system.queue(.none)
    let own = system.queue(level)
    let bit = system.mark(ofCPU: cpu)
    if Mutant.isOn(.bigLockAlways) && !held.isEmpty {
      acquire(big, waitingAt: ipl, noting: Level.none.gate)
      return takeForDispatch(level, returningTo: saved)
    }
    ipl = level
    if !tryTake(big) {
      // Relaxed: the announcement releases, and nobody drains big-lock work.
      big.pointee.marks.fetchOr(bit, .relaxed)
      if !(big.pointee.word.announce(big.pointee.gate) && tryTake(big)) {
        return bounced(level, saved)
      }
    }
    note(Level.none.gate)
    #if Witness
      p.pointee.takings[0].gatesAndLine = 0
      p.pointee.takings[Int(level.rawValue)].gatesAndLine = 0
    #endif
    counters(.none).pointee.taken &+= 1
    note(level.gate)
    if tryTake(own) { return true }
    own.pointee.marks.fetchOr(bit, .relaxed)
    if own.pointee.word.announce(own.pointee.gate) && tryTake(own) { return true }
    strike(level.gate)
    leaveWithBigLock(Level.none.gate, returningTo: level)
    return bounced(level, saved)
  }

  @inlinable func bounced(_ level: Level, _ saved: Level) -> Bool {
    if system.gateWord.isOnlyReserved(Level.none.gate) || system.gateWord.isOnlyReserved(level.gate) {
      retryLater(level)
    }
    counters(level).pointee.delegated &+= 1
    let tries = p.pointee.tries + Int(level.rawValue)
    tries.pointee += 1
    if tries.pointee > system.configuration.patience && !Mutant.isOn(.noAgeing) {
      tries.pointee = 0
      uninterrupted { p.pointee.aged |= UInt8(1 << level.rawValue) }
    }
    ipl = saved
    return false
  }

  /// Runs this CPU's big-lock work at a level. Both gates are held.
  @inlinable func runBigLock(_ level: Level, _ ways: Ways<M>) {
    var budget = system.configuration.dispatchBudget
    while true {
      let bits = ways.runnable(by: ways.bigLock, of: pending(level))
      if bits == 0 { return }
      if budget == 0 || pauses(level) {
        // Relaxed: this CPU's own, for itself.
        summary.fetchOr(Self.bit(level), .relaxed)
        return
      }
      budget -= 1
      let slot = system.oldest(of: bits, at: level, home: self)
      if claim(slot, home: self) {
        run(slot, as: .bigLock, own: level.gate.union(Level.none.gate), home: self)
      }
    }
  }

  /// Puts deferred work back where it is looked at, once this CPU holds no gate (or holds `none`); whether it did.
  @inlinable func readmitDeferred() -> Bool {
    if p.pointee.deferred == 0 || GateOrder.bigLockDispatch(held: held) == .deferred { return false }
    if Mutant.isOn(.noReadmit) { return false }
    uninterrupted {
      summary.fetchOr(UInt(p.pointee.deferred), .relaxed)
      p.pointee.deferred = 0
    }
    return true
  }

  /// Readmits deferred work, and runs one aged level.
  @inlinable @inline(__always) func readmitBigLockWork() {
    if p.pointee.bigLockNotes != 0 { readmitNotedBigLockWork() }
  }

  @inlinable @inline(never) func readmitNotedBigLockWork() {
    _ = readmitDeferred()
    // Gate `none` is waited for at IPL `none` only, by a context that holds nothing and is in no wait.
    if p.pointee.aged != 0 && p.pointee.queued & 1 == 0 && held.isEmpty && ipl == .none
      && p.pointee.waiting == nil
      && context.pointee.parent == nil && context.pointee.pins == 0
      && context.pointee.lockedThrough == .none
    {
      let level = GateSet(rawValue: UInt(p.pointee.aged)).highest
      uninterrupted { p.pointee.aged &= ~UInt8(1 << level.rawValue) }
      serveAged(level)
    }
  }

  /// Big-lock work that has bounced too often: waits in order for `none`, then for the level's gate at the level below.
  @inlinable @inline(never) func serveAged(_ level: Level) {
    p.pointee.queued |= 1
    acquire(system.queue(.none), waitingAt: .none, noting: Level.none.gate)
    p.pointee.queued &= ~1
    counters(.none).pointee.taken &+= 1
    #if Witness
      p.pointee.takings[0].gatesAndLine = 0
      p.pointee.takings[Int(level.rawValue)].gatesAndLine = 0
    #endif
    acquire(system.queue(level), waitingAt: level.below, noting: level.gate)
    runBigLock(level, system.ways(level))
    leaveWithBigLock(level.gate.union(Level.none.gate), returningTo: .none)
    ipl = .none
  }
}
