// Taking a CPU out of use, and back.
//
// Law: what was accepted for a CPU is run there, handed to another CPU, or kept until it is back. The flag goes up first; the CPU
// leaves when it has seen every mark whose maker has not seen the flag, and has run what may run.

/// The states of a CPU's `offline` word.
@usableFromInline enum OfflineState {
  @inlinable static var inUse: UInt { 0 }
  /// New work is refused; who has not seen that may still be marking.
  @inlinable static var refusing: UInt { 1 }
  /// Every mark that was not refused can be seen: the CPU goes when it has run them.
  @inlinable static var leaving: UInt { 2 }
  /// It stands aside.
  @inlinable static var away: UInt { 3 }
}

extension InterruptSystem {
  /// Takes a CPU out of use: what is pending there is run, new bound work waits until ``online(_:)``, `.anywhere` work and base
  /// code go elsewhere or are refused. Returns when the CPU is quiet; base code of its that has left it comes back first. From a
  /// visitor that holds nothing; CPU 0 stays, and so does every CPU with execution by threads, whose levels nothing could hold up.
  ///
  /// - Returns: false if the CPU stays, is offline already, or the system is shut down.
  @inlinable @discardableResult public func offline(_ cpu: Int) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "offline: no such CPU")
    let agent = currentAgent()
    precondition(!agent.isCPU && agent.held.isEmpty, "offline() is called by a visitor that holds nothing")
    guard cpu != 0, configuration.execution == .inline else { return false }
    let home = self.agent(ofCPU: cpu)
    var accepted = false
    lockedJobs(jobs + cpu) {
      guard closed[cpu].isEmpty else { return }
      closed[cpu] = .forOffline
      // Relaxed: the heavy fence below puts it before what is looked at.
      home.p.pointee.offline.store(OfflineState.refusing, .relaxed)
      accepted = true
    }
    guard accepted else { return false }
    // Flag, then look: pairs with bit, then flag, of schedule; store–load on two words, so the heavy fence. The CPU leaves only
    // once it sees that the fence has been: so it sees each mark whose maker has seen no flag. (Relaxed: the fence, which is one of
    // ours as well, releases what it has brought.)
    M.heavy()
    home.p.pointee.offline.store(OfflineState.leaving, .relaxed)
    if !Mutant.isOn(.noOfflineLook) {
      for level in Level.allCases where level != .none {
        if home.pending(level).load(.relaxed) & PendingWord.handlers != 0 { home.ring(level) }
      }
    }
    // The loop says that it is quiet by the last state. Relaxed: the ring brings it.
    home.summary.fetchOr(1, .relaxed)
    M.unpark(home.p.pointee.seat)
    lockedVisitors { quiescing.append(agent.p.pointee.seat) }
    quiescers.fetchAdd(1, .relaxed)
    // Register, then look: pairs with the CPU's last state, light fence, look for who waits.
    M.heavy()
    agent.serveUntil {
      let state = home.p.pointee.offline.load(.acquire)
      // In use: it was away, and somebody has put it back before we looked.
      return state == OfflineState.away || (state == OfflineState.inUse && !Mutant.isOn(.awaitAway))
        || self.stopping.load(.relaxed) & Self.cpusMayLeave != 0
    }
    quiescers.fetchAdd(0 &- 1, .relaxed)
    lockedVisitors {
      let seat = agent.p.pointee.seat
      if let mine = quiescing.lastIndex(where: { M.isSame($0, seat) }) { quiescing.remove(at: mine) }
    }
    return true
  }

  /// Puts a CPU back into use; what waited for it is run. False if it was not offline.
  @inlinable @discardableResult public func online(_ cpu: Int) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "online: no such CPU")
    let home = agent(ofCPU: cpu)
    var accepted = false
    lockedJobs(jobs + cpu) {
      // Relaxed: of what the CPU did nothing is looked at.
      guard closed[cpu] == .forOffline, home.p.pointee.offline.load(.relaxed) == OfflineState.away else {
        return
      }
      closed[cpu] = []
      // Release: what was done with the CPU's own data meanwhile is visible to it.
      home.p.pointee.offline.store(OfflineState.inUse, .release)
      accepted = true
    }
    guard accepted else { return false }
    // The CPU looks at all that is pending when it is back (`standAside`). What is marked later is rung for, as always: a schedule
    // rings first, and looks then whether the CPU is away.
    M.unpark(home.p.pointee.seat)
    return true
  }

  /// A mark stands on a CPU that is offline or about to be: `.anywhere` work goes to a CPU that is online, bound work stays.
  ///
  /// Who coalesced with the mark is served as well: the new mark comes after the taking back.
  @inlinable func reroute(_ handler: Handler<M>, from home: AgentRef<M>) -> ScheduleResult {
    let slot = handler.slot
    if slot.pointee.isBound { return .offline }
    guard PendingWord.claim(home.pending(slot.pointee.level), slot.pointee.bit) != nil else {
      return .scheduled
    }
    home.ringIfLeaving()
    // CPU 0 never goes offline.
    return handler.schedule(on: 0)
  }
}

extension AgentRef {
  /// An offline CPU between two rings: answers cross-calls, so that nobody waits for it for ever, and sleeps. What else is
  /// pending stays so, until the CPU is put back or the system stops.
  @inlinable func standAside() {
    var ran = true
    while ran {
      // Until a look finds nothing: a call that ran may have waited, and used up the ring of one that came meanwhile.
      ran = false
      saysItParks()
      for level in Level.allCases.reversed() where level != .none {
        let slot = system.slot(level, bit: Self.crossCalls)
        guard claim(slot, home: self) else { continue }
        ran = true
        ipl = level
        enterEpoch(level)
        run(slot, as: .mpSafe, own: [], home: self)
        leaveEpoch(level)
        ipl = .none
      }
    }
    poll(force: true)
    // Whoever marks a call, or ends this, rings afterwards: so one that comes after the look ends this sleep.
    if isAway { system.object.machine.park(p.pointee.seat, until: .max) }
    p.pointee.parking.store(0, .relaxed)
    if Mutant.isOn(.asideAsleep) { p.pointee.isAside = false }
    if isAway { return }
    p.pointee.isAside = false
    // Who looked at what is pending meanwhile, an interrupt or a call's own wait, has left it.
    for level in Level.allCases where level != .none {
      if pending(level).load(.relaxed) & PendingWord.handlers != 0 {
        summary.fetchOr(Self.bit(level), .relaxed)
      }
    }
  }

  /// Whether this CPU is offline and the system not told to stop. Acquire: who is back sees what was done in its stead.
  @inlinable var isAway: Bool {
    p.pointee.offline.load(.acquire) == OfflineState.away && system.stopping.load(.relaxed) & 1 == 0
  }

  @inlinable static var crossCalls: UInt { 1 << UInt(InternalSlots.crossCalls) }
}
