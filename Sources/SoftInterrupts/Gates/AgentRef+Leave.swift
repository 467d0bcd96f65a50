// Leaving gates: run what is marked, hand over or free, then look.
//
// Law: highest gate first; a gate is freed before the IPL falls below it; whoever frees a gate whose ATTN bit was set looks
// at its queue and marks afterwards. Work is run for others only if the IPL that is returned to is below the gate's level:
// inside a mask, or inside an MP-safe handler of the level, it would run in the middle of what is protected.

extension AgentRef {
  /// Frees `gates` above `none`, which the agent's top context took, on the way back to `saved`; `kept` are those that it holds then.
  @inlinable @inline(__always) func leave(_ gates: GateSet, keeping kept: GateSet, returningTo saved: Level) {
    if gates.isEmpty { return }
    let word = p.pointee.gateWord
    if word.wantsCare(gates) {
      leaveSlowly(gates, returningTo: saved)
      return
    }
    let wanted = word.free(gates)
    held = kept
    if !wanted.isEmpty { look(wanted) }
  }

  /// As ``leave(_:keeping:returningTo:)``, for sets with the big lock in them: it is struck off and freed without an interruption.
  @inlinable func leaveWithBigLock(_ gates: GateSet, returningTo saved: Level) {
    if system.gateWord.wantsCare(gates) {
      leaveSlowly(gates, returningTo: saved)
      return
    }
    let wanted = uninterrupted {
      strike(Level.none.gate)
      return system.gateWord.free(gates)
    }
    strike(gates)
    if !wanted.isEmpty { look(wanted) }
  }

  /// One gate after the other, highest first.
  @inlinable @inline(never)
  func leaveSlowly(_ gates: GateSet, returningTo saved: Level) {
    var left = gates
    while !left.isEmpty {
      let level = left.highest
      left.remove(level.gate)
      let next = max(saved, level.below)
      leaveOne(system.queue(level), returningTo: next)
      context.pointee.own.remove(level.gate)
      if level != .none { ipl = next }
    }
  }

  /// Frees a gate whose queue is known to be calm: nothing was announced, and nobody in it is due yet. Whether it did.
  ///
  /// Who waits is not forgotten: one of them was told that the gate is free and will try (AgentRef+Acquire.swift), and what is announced
  /// in between is seen by the freeing.
  @inlinable func leaveCalmly(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    let (word, gate) = (queue.pointee.word, queue.pointee.gate)
    guard word.attention(gate).isEmpty, !isBig(queue) else { return false }
    if word.isAwaited(gate) {
      if queue.pointee.calmLeavings > 0 {
        // Written so: an operator that modifies is an access to the whole queue, of which waiters read what is constant.
        queue.pointee.calmLeavings = queue.pointee.calmLeavings &- 1
      } else {
        if M.now() >= queue.pointee.calmUntil && !Mutant.isOn(.calmForEver) { return false }
        queue.pointee.calmLeavings = system.configuration.turnCheck &- 1
      }
    }
    let wanted = word.free(gate)
    if isSystems(queue) { strike(gate) }
    if !wanted.isEmpty { look(queue) }
    return true
  }

  /// Leaves one gate that wants attention, or is awaited.
  @inlinable @inline(never)
  func leaveOne(_ queue: UnsafeMutablePointer<GateQueue<M>>, returningTo next: Level) {
    if leaveCalmly(queue) { return }
    let level = queue.pointee.level
    if isCPU && (next < level || Mutant.isOn(.drainInsideMask)) { drain(queue) }
    let isBig = self.isBig(queue)
    let now = M.now()
    ringing(level) {
      var woken: M.Seat?
      var marks: UInt = 0
      locked(queue) { queue in
        if isBig { strike(Level.none.gate) }
        if let next = handOver(queue, now) {
          woken = next
          // Nobody drains the big lock: who marked on it tries again, and so ages, also where the gate is never free because it is
          // always handed on.
          if isBig && !Mutant.isOn(.noRingOnHandOver) {
            // Relaxed: a mark only says who is to be rung, and its maker has seen its own work.
            marks = queue.pointee.marks.exchange(0, .relaxed)
          }
          return
        }
        // A reservation lapses by the time since the gate became free.
        if queue.pointee.reservedFor != nil { queue.pointee.freeSince = M.now() }
        expectCalm(queue, now)
        _ = queue.pointee.word.free(queue.pointee.gate)
        (woken, marks) = lookLocked(queue)
      }
      if !isBig && isSystems(queue) { strike(level.gate) }
      return (woken, marks)
    }
  }

  /// Notes until when who leaves the gate need not look at the queue, unless something is announced. Queue lock held, gate held: before it
  /// is freed.
  @inlinable func expectCalm(_ queue: UnsafeMutablePointer<GateQueue<M>>, _ now: UInt64) {
    // Nobody behind the first is due earlier, by more than it came late to the queue.
    let due = queue.pointee.head.map { $0.pointee.since &+ system.configuration.handOffAfter } ?? 0
    queue.pointee.calmUntil = max(due, queue.pointee.turnEnds)
    queue.pointee.calmLeavings = now < queue.pointee.calmUntil ? system.configuration.turnCheck &- 1 : 0
  }

  /// Whether a queue is one of the system's gates, not a LevelLock's; whether it is the big lock's.
  @inlinable func isSystems(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    queue == system.queue(queue.pointee.level)
  }
  @inlinable func isBig(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool { queue == system.queue(.none) }

  /// Rings whom `body` says, before an interrupt can come on top: nobody else wakes a waiter that is `woken` or `granted`, nor the
  /// marked, and what comes on top may wait for one of them, or for the gate behind one. (Found by an exploration; no program that is
  /// run finds it now: Documentation/Proofs.md.)
  @inlinable func ringing(_ level: Level, _ body: () -> (M.Seat?, UInt)) {
    uninterrupted {
      let (woken, marks) = body()
      wake(woken, marks, level)
    }
  }

  /// Gives the gate to the first overdue waiter that is at the top of its CPU, if there is one; else counts the pass-overs
  /// and keeps the gate for one that has been passed over too often. Queue lock held, gate held.
  @inlinable func handOver(_ queue: UnsafeMutablePointer<GateQueue<M>>, _ now: UInt64) -> M.Seat? {
    if Mutant.isOn(.noHandOff) { return nil }
    let bound = system.configuration.handOffAfter
    let patience = system.configuration.patience
    let counters = self.counters(queue.pointee.level)
    if now < queue.pointee.turnEnds && !Mutant.isOn(.noTurns) { return nil }
    var at = queue.pointee.head
    while let waiter = at {
      at = waiter.pointee.next
      if now < waiter.pointee.since &+ bound { continue }
      // `waiting` again: between the first two it may have gone from `woken` to `waiting`, to try. Nobody can wake it under the lock,
      // so who fails all three was serving.
      if waiter.pointee.state.compareExchange(WaiterState.waiting, WaiterState.granted, .relaxed)
        || waiter.pointee.state.compareExchange(WaiterState.woken, WaiterState.granted, .relaxed)
        || (!Mutant.isOn(.passOverTrying)
          && waiter.pointee.state.compareExchange(WaiterState.waiting, WaiterState.granted, .relaxed))
        || (Mutant.isOn(.handToServing)
          && waiter.pointee.state.compareExchange(WaiterState.serving, WaiterState.granted, .relaxed))
      {
        let seat = waiter.pointee.agent!.pointee.seat
        queue.remove(waiter)
        queue.pointee.turnEnds = now &+ system.configuration.turn
        queue.pointee.calmUntil = queue.pointee.turnEnds
        queue.pointee.calmLeavings = 0
        counters.pointee.handedOff &+= 1
        // Clear, then look: marks and waiters that are there keep the bit set. Relaxed: the clearing has acquired the marks. The gate
        // stays awaited while the turn lasts, also with nobody else there: who comes, we ourselves above all, is not to cut it short.
        queue.pointee.word.clearAttention(queue.pointee.gate, isAwaited: true)
        if queue.pointee.head != nil || queue.pointee.marks.load(.relaxed) != 0 {
          queue.pointee.word.setAttention(queue.pointee.gate)
        }
        return seat
      }
      waiter.pointee.passes = waiter.pointee.passes &+ 1
      counters.pointee.passedOver &+= 1
      if waiter.pointee.passes >= patience && queue.pointee.reservedFor == nil {
        waiter.pointee.passes = 0
        queue.pointee.reservedFor = waiter
        queue.pointee.freeSince = now
        queue.pointee.word.setReserved(queue.pointee.gate)
      }
    }
    return nil
  }

  /// Looks at queues and marks of gates that have just been freed, or whose woken waiter cannot try now.
  @inlinable @inline(never) func look(_ gates: GateSet) {
    var left = gates
    while !left.isEmpty {
      let level = left.lowest
      left.remove(level.gate)
      look(system.queue(level))
    }
  }

  @inlinable func look(_ queue: UnsafeMutablePointer<GateQueue<M>>) {
    ringing(queue.pointee.level) { locked(queue) { lookLocked($0) } }
  }

  /// Whom to wake and whose work was marked. Clears the attention bit first, so that what is announced later sets it again.
  @inlinable func lookLocked(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> (M.Seat?, UInt) {
    if Mutant.isOn(.noLook) { return (nil, 0) }
    queue.pointee.word.clearAttention(queue.pointee.gate, isAwaited: queue.pointee.head != nil)
    // Relaxed: the clearing has acquired every mark that was announced.
    let marks = queue.pointee.marks.exchange(0, .relaxed)
    var seat: M.Seat?
    // The others need no attention of a leaver: who was told tries, and says so before it sleeps or has the gate, or looks itself when it
    // cannot; who serves says that it waits again.
    if let first = queue.pointee.wakeFirst() { seat = first.pointee.agent!.pointee.seat }
    return (seat, marks)
  }

  /// Wakes a waiter and rings the marked CPUs. The seat may belong to a thread that has gone meanwhile: seats stay valid.
  @inlinable func wake(_ seat: M.Seat?, _ marks: UInt, _ level: Level) {
    if let seat { M.unpark(seat) }
    var left = marks
    while left != 0 {
      let place = left.trailingZeroBitCount
      left &= left &- 1
      for cpu in system.cpus(marked: place) { ringMarked(cpu, level) }
    }
  }

  /// Rings a CPU whose work was marked on a gate: at that level, or for the big lock at each level it may have such work at.
  @inlinable func ringMarked(_ cpu: Int, _ level: Level) {
    let home = system.agent(ofCPU: cpu)
    if level == .none {
      M.announces(home.summary, system.bigLockLevels())
      // Release: as ``ring(_:)``.
      home.summary.fetchOr(system.bigLockLevels(), .release)
      if home.p != p { M.unpark(home.p.pointee.seat) }
    } else if home.p == p {
      // Relaxed: our own mark, that we look at ourselves.
      summary.fetchOr(Self.bit(level), .relaxed)
    } else {
      home.ring(level)
    }
  }
}
