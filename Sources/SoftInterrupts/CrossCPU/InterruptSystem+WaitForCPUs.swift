// Waiting for other CPUs: for those that run MP-safe handlers of a level, and for cross-calls.
//
// Law: a wait for CPUs at level X stands just below gate X in the order: it is refused unless X is above every gate held and
// above the IPL; the waiter serves everything above its IPL meanwhile.

extension AgentRef {
  /// This CPU runs MP-safe handlers of a level from here on. The light fence pairs with the heavy one of `waitForCPUs`: either
  /// that sees the odd epoch, or what is read inside (ways in, suspensions) is what the waiter has written.
  @inlinable func enterEpoch(_ level: Level) {
    let epoch = p.pointee.epochs + Int(level.rawValue)
    epoch.store(epoch.load(.relaxed) &+ 1, .relaxed)
    M.light()
  }

  /// And no longer. Release: what the handlers did is visible to who sees the epoch even.
  @inlinable func leaveEpoch(_ level: Level) {
    let epoch = p.pointee.epochs + Int(level.rawValue)
    epoch.store(epoch.load(.relaxed) &+ 1, .release)
    // Even, then look for waiters: pairs with register, heavy fence, look at epochs.
    M.light()
    if system.quiescers.load(.relaxed) != 0 { system.object.wakeQuiescers() }
  }

  /// Waits, serving, until `isDone`. Whoever makes it true rings this agent's seat afterwards, or does if it finds what `willSleep` has said.
  @inlinable func serveUntil(_ isDone: () -> Bool, _ willSleep: () -> Void = {}) {
    let level = ipl
    var round = 0
    while !isDone() {
      recognise()
      if round < system.configuration.spinRounds {
        M.pause(round, unless: isDone)
        round &+= 1
      } else {
        willSleep()
        // What interrupted us may have used up a ring: look again before each sleep. (The ring after `isDone` became true
        // comes after the look, or the look sees it.)
        if isDone() { break }
        sleep(above: level)
      }
    }
  }
}

extension InterruptSystem {
  /// Waits until every MP-safe run at `level` that is under way on another CPU has ended. The verdict was asked before.
  @inlinable func waitForCPUs(at level: Level, _ agent: AgentRef<M>) {
    if Mutant.isOn(.noWaitForCPUs) { return }
    let index = Int(level.rawValue)
    lockedVisitors { quiescing.append(agent.p.pointee.seat) }
    // Register, then look: the heavy fence pairs with the light one between the CPU's even epoch and its look at the count, so the
    // count itself is relaxed.
    quiescers.fetchAdd(1, .relaxed)
    M.heavy()
    for cpu in 0..<cpuCount where !(agent.isCPU && !agent.p.pointee.isLevelThread && agent.cpu == cpu) {
      let epochs = self.agent(ofCPU: cpu).p.pointee.epochs
      let (isOdd, value) = epochs[index]
      if isOdd { agent.serveUntil { epochs[index].value != value } }
    }
    quiescers.fetchAdd(0 &- 1, .relaxed)
    lockedVisitors {
      // One registration for each wait; which of several equal seats goes is the same.
      let seat = agent.p.pointee.seat
      if let mine = quiescing.lastIndex(where: { M.isSame($0, seat) }) { quiescing.remove(at: mine) }
    }
  }

  // For machines of this package; an Embedded port is none.
  #if !hasFeature(Embedded)
    /// Whether the calling thread may wait for base code of a CPU, which may itself wait for any gate: only who holds nothing may. The
    /// witness says so if not.
    package func mayWaitForBaseCode(file: StaticString, line: UInt) -> Bool {
      guard let agent = existingAgent() else { return true }
      if agent.held.isEmpty && agent.context.pointee.lockedThrough == .none { return true }
      report(.waitOutOfOrder, agent, .none, "base code of a CPU", .init(file, line))
      return false
    }
  #endif

  @inlinable @inline(never) func wakeQuiescers() {
    var seats: [M.Seat] = []
    lockedVisitors { seats = quiescing }
    for seat in seats { M.unpark(seat) }
  }
}
