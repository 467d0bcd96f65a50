// Execution by threads: a thread for each CPU and level, as the "revolution" of 2005 had it.
//
// Law: a level's thread runs the handlers of its CPU and level, all MP-safe, one after the other. No gate is taken and no IPL
// means anything: every context stands as if it had raised to `high` already, so raises and masks do nothing. The CPU's own
// thread runs base code, looks at clock and devices, and dispatches nothing.

extension InterruptSystem {
  /// Makes the CPUs' own threads stand above everything and starts the threads of their levels.
  @inlinable func startLevelThreads() throws(MachineError) {
    for cpu in 0..<cpuCount {
      let home = agents + cpu
      home.pointee.ipl = .high
      home.pointee.base.pointee.floor = .high
      home.pointee.base.pointee.own = .above(.none, through: .high).union(Level.none.gate)
      let seats = UnsafeMutablePointer<M.Seat>.allocate(capacity: Level.count)
      seats.initialize(repeating: home.pointee.seat, count: Level.count)
      home.pointee.levelSeats = seats
    }
    for cpu in 0..<cpuCount {
      for level in Level.allCases where level != .none {
        let agent = UnsafeMutablePointer<Agent<M>>.allocate(capacity: 1)
        let ref = AgentRef(agent)
        let (seat, join) = try machine.startLevelThread(cpu: cpu, level: level) {
          self.levelMain(ref, level)
        }
        agent.initialize(to: Agent(system: core, cpu: cpu, seat: seat))
        agent.pointee.role = .levelThread
        agent.pointee.base.pointee.floor = .high
        agent.pointee.base.pointee.own = .above(.none, through: .high).union(Level.none.gate)
        agent.pointee.wheel = agents[cpu].wheel
        agents[cpu].levelSeats![Int(level.rawValue)] = seat
        levelThreads.append((agent, join))
      }
    }
    // Only now are all seats known: the threads have waited for this. Release: what they are made of.
    stopping.fetchOr(Self.levelThreadsMayRun, .release)
    for thread in levelThreads { M.unpark(thread.agent.pointee.seat) }
  }

  /// A round of a wait from which on every look is followed by what a machine does when it has waited for long.
  @inlinable static var lateRound: Int { 1 << 16 | 63 }
  @inlinable static var levelThreadsMayRun: UInt { 2 }
  /// Set when the CPUs' own threads have ended and the levels' were seen at rest, or the grace is over.
  @inlinable static var levelThreadsMayStop: UInt { 4 }

  /// The life of a level's thread.
  @inlinable func levelMain(_ agent: AgentRef<M>, _ level: Level) {
    // Acquire: pairs with the release after every agent was made.
    while stopping.load(.acquire) & Self.levelThreadsMayRun == 0 {
      // As in a late round of a wait, where the machine really sleeps: we have a real-time priority by now and who still makes
      // the other threads has none, so looks without a sleep in between would keep every processor from him.
      M.pause(Self.lateRound)
    }
    M.setCurrent(UnsafeMutableRawPointer(agent.p))
    agent.p.pointee.servedLevel = level
    while true {
      if runLevel(agent) { continue }
      // Relaxed: there is nothing to be seen with it, and the join orders the rest.
      if stopping.load(.relaxed) & Self.levelThreadsMayStop != 0 { break }
      agent.rest()
    }
    M.setCurrent(nil)
  }

  /// Runs what is pending at the level of a level's thread; whether anything ran.
  @inlinable func runLevel(_ agent: AgentRef<M>) -> Bool {
    let level = agent.p.pointee.servedLevel
    let home = self.agent(ofCPU: agent.cpu)
    let ways = ways(level)
    let all = GateSet.above(.none, through: .high).union(Level.none.gate)
    // Clear, then look: a schedule that comes later rings again.
    let old = home.summary.fetchAnd(~AgentRef<M>.bit(level), .acquire)
    M.looks(home.summary, old & AgentRef<M>.bit(level))
    var ran = false
    home.enterEpoch(level)
    while !agent.p.pointee.isAbandoned {
      let bits = ways.runnable(by: ways.mpSafe, of: home.pending(level))
      if bits == 0 { break }
      let slot = core.oldest(of: bits, at: level, home: home)
      if agent.claim(slot, home: home) { agent.run(slot, as: .thread, own: all, home: home) }
      ran = true
      if stopping.load(.acquire) & 1 != 0 {
        M.touches(core.p, .read)
        if M.now() >= core.stopBy { agent.p.pointee.isAbandoned = true }
      }
    }
    home.leaveEpoch(level)
    return ran && !agent.p.pointee.isAbandoned
  }

  /// Waits for the level threads, which may run: until all have been seen at rest with nothing pending, or the grace is over.
  @inlinable func joinLevelThreads() {
    // Without any nobody would run what is pending now: `finishPending` does.
    if levelThreads.isEmpty { return }
    waitForRest(of: levelThreads.map { $0.agent }, until: core.stopBy)
    stopping.fetchOr(Self.levelThreadsMayStop, .relaxed)
    for thread in levelThreads { M.unpark(thread.agent.pointee.seat) }
    for thread in levelThreads { thread.join() }
  }

  /// Gives the memory of the level threads back; they have ended. Their seats stay for as long as the system: a schedule in flight, or who
  /// leaves a gate, may ring one yet.
  @inlinable func endLevelThreads() {
    for thread in levelThreads {
      for level in 0..<Level.count {
        agents[thread.agent.pointee.cpu].statistics[level].add(thread.agent.pointee.statistics[level])
      }
      thread.agent.pointee.deallocate()
      thread.agent.deallocate()
    }
    // Who looks for schedules in flight reads it there.
    lockedTable { levelThreads = [] }
  }
}
