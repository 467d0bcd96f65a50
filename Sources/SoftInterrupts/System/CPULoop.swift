// What a CPU does: serve, run base code, poll, sleep.
//
// Law: the loop stands at IPL `none` with no gate. Before it sleeps it has looked at everything that could have been asked of
// it; whoever asks later rings its seat.

/// Base code waiting for a CPU; under `lock`.
@usableFromInline struct JobQueue<M: Machine> {
  @usableFromInline let lock: UnsafeMutablePointer<M.Word>
  /// In memory of its own: a change of it is an access to all of what its pointer points to.
  @usableFromInline let list: UnsafeMutablePointer<List>

  @usableFromInline struct Job {
    @usableFromInline let isBigLock: Bool
    @usableFromInline let body: @Sendable (borrowing Here<M>) -> Void
    @inlinable init(isBigLock: Bool, body: @escaping @Sendable (borrowing Here<M>) -> Void) {
      self.isBigLock = isBigLock
      self.body = body
    }
  }

  @inlinable init() {
    lock = .words(1)
    list = .allocate(capacity: 1)
    list.initialize(to: List())
  }
  @inlinable func deallocate() {
    lock.deallocate()
    list.deinitialize(count: 1)
    list.deallocate()
  }

  @usableFromInline struct List {
    @usableFromInline var jobs: [Job] = []
    @usableFromInline var next = 0
    @inlinable init() {}

    @inlinable mutating func pop() -> Job? {
      guard next < jobs.count else { return nil }
      let job = jobs[next]
      next += 1
      if next == jobs.count {
        jobs.removeAll(keepingCapacity: true)
        next = 0
      }
      return job
    }
  }
}

/// How base code is let in.
public enum BaseWay: Sendable {
  /// Under the big lock, as it ran before: the first step of a migration.
  case bigLock
  /// On its CPU only, beside base code of other CPUs.
  case mpSafe
}

extension InterruptSystem {
  /// Gives a CPU base code to run at level `none`, after what it was given before. From any thread but signal handlers.
  ///
  /// Base code is run to its end; handlers interrupt it at its recognition points, so long base code calls ``checkpoint()``.
  /// - Returns: false if the system has been shut down; `body` will not run then.
  @discardableResult
  @inlinable public func submit(
    on cpu: Int, as way: BaseWay = .mpSafe, _ body: @escaping @Sendable (borrowing Here<M>) -> Void
  ) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "submit: no such CPU")
    let queue = jobs + cpu
    let job = JobQueue<M>.Job(isBigLock: way == .bigLock, body: body)
    var accepted = false
    let add = {
      // The flag is set under the same lock before the CPU looks for the last time.
      guard self.closed[cpu].isEmpty else { return }
      queue.pointee.list.pointee.jobs.append(job)
      accepted = true
    }
    lockedJobs(queue, add)
    if accepted {
      let home = agent(ofCPU: cpu)
      // Relaxed: the list is under its lock; the ring wakes who sleeps.
      home.summary.fetchOr(1, .relaxed)
      M.unpark(home.p.pointee.seat)
    }
    return accepted
  }

  @inlinable func lockedJobs(_ queue: UnsafeMutablePointer<JobQueue<M>>, _ body: () -> Void) {
    core.locked(queue.pointee.lock, body)
  }

  /// The life of a CPU, on its own thread of execution.
  @inlinable func cpuMain(_ cpu: Int) {
    let agent = agent(ofCPU: cpu)
    M.setCurrent(UnsafeMutableRawPointer(agent.p))
    // Relaxed: as it is set.
    loop(agent) { self.stopping.load(.relaxed) & Self.cpusMayLeave != 0 }
    M.setCurrent(nil)
  }

  /// Serves, runs base code (unless it stands in for base code that has left) and sleeps until it is over and nothing is left; who
  /// stands in leaves at once, with nothing on its stack: what is left is for the base code's thread.
  @inlinable func loop(_ agent: AgentRef<M>, runsJobs: Bool = true, until isOver: () -> Bool) {
    let cpu = agent.cpu
    var idle = IdlePolling(rounds: configuration.idleRounds)
    while !agent.p.pointee.isAbandoned {
      if !runsJobs && isOver() { break }
      if agent.p.pointee.isAside || Mutant.isOn(.asideAsleep) && agent.isAway {
        agent.standAside()
        continue
      }
      // Until the queue was seen empty: the hint alone is cleared by who looks at the clock, which an interrupt may do here.
      if !runsJobs {
        agent.p.pointee.share.baseWaits = false
      } else if hasJobs(cpu) {
        agent.p.pointee.share.baseWaits = true
      }
      agent.recognise()
      // The clock takes longer to read than a message takes from CPU to CPU, so it is read once in so many turns, as dispatches do.
      if idle.turn & 15 == 0 {
        agent.poll(force: false)
        agent.recognise()
      }
      // Who submits says so after it has added: a stop looks at what was added.
      if runsJobs && (agent.p.pointee.share.baseWaits || isOver()) && runJob(agent) {
        idle.begin()
        continue
      }
      if agent.hasWork(above: agent.ipl) || agent.p.pointee.aged != 0 {
        idle.begin()
        continue
      }
      if agent.p.pointee.throttled != 0 {
        // A level that pauses has work too; nothing lower was found, so the pause is over.
        agent.readmitThrottled()
        continue
      }
      // With threads of their own, handlers are the levels' affair.
      // Acquire: who sees `leaving` sees every mark that was not refused (`offline`).
      let mayLeave = runsJobs && agent.p.pointee.offline.load(.acquire) == OfflineState.leaving
      let isIdle =
        (mayLeave || isOver())
        && (configuration.execution == .threads || Mutant.isOn(.leaveWithPending) || !hasPending(agent))
      if isIdle && isOver() { break }
      if isIdle && mayLeave {
        // Nobody adds base code since before the state said `leaving`; what came in between is run.
        if !Mutant.isOn(.leaveWithJobs) && hasJobsLeft(cpu) {
          agent.p.pointee.share.baseWaits = true
          continue
        }
        // Quiet: nothing is held, nothing is pending that may run. Aside before away: an interrupt that comes once we are away leaves
        // what it finds. Release: what this CPU did is seen by who finds it away.
        agent.p.pointee.isAside = true
        agent.p.pointee.offline.store(OfflineState.away, .release)
        M.light()
        // Relaxed: the light fence pairs with the heavy one between registering and looking at the last state.
        if quiescers.load(.relaxed) != 0 { wakeQuiescers() }
        continue
      }
      if runsJobs && stopping.load(.relaxed) & 1 != 0 {
        // Also with marks on busy gates: who holds them may run the work, and does not ring then.
        agent.rest()
        continue
      }
      // A handler that waited has perhaps used up the ring that told.
      if !runsJobs && isOver() { continue }
      if idle.round < idle.allowed {
        // Mostly looks at what others ask of it; clock, devices and base code once in a while.
        let asked = { self.summary(agent, above: agent.ipl) != 0 || agent.p.pointee.hasOwnMark != 0 }
        var look = 0
        while look < 8 && !asked() {
          M.pause(look == 7 ? min(idle.round, 64) : 0, unless: asked)
          look += 1
        }
        idle.polled(wasAsked: look < 8, configuration)
        if look < 8 { agent.expectDispatch() }
      } else {
        // The sleep reads the clock when it ends; the look before this was at most `pollInterval` ago.
        let before = agent.p.pointee.lastPoll
        agent.sleep(above: agent.ipl)
        idle.slept(agent.p.pointee.lastPoll &- before, configuration)
      }
    }
  }

  @inlinable @inline(__always) func summary(_ agent: AgentRef<M>, above level: Level) -> UInt {
    agent.summary.load(.relaxed) & (AgentRef<M>.bits(above: level) | 1)
  }

  /// Whether anything that is not suspended is pending on a CPU, wherever it is marked. Acquire: who finds that something has been
  /// taken finds its taker at work (`waitForRest`). Relaxed: who admits a handler rings for it.
  @inlinable func hasPending(_ agent: AgentRef<M>) -> Bool {
    for level in Level.allCases where level != .none {
      let ways = ways(level)
      let mine = agent.pending(level).load(.acquire) & PendingWord.handlers & ~ways.suspended.load(.relaxed)
      if mine & ways.admitted != 0 { return true }
    }
    return false
  }

  @inlinable func hasJobs(_ cpu: Int) -> Bool {
    // A hint, read without the lock: `runJob` looks properly.
    agent(ofCPU: cpu).summary.load(.relaxed) & 1 != 0
  }

  @inlinable func runJob(_ agent: AgentRef<M>) -> Bool {
    let queue = jobs + agent.cpu
    var job: JobQueue<M>.Job?
    // Clear, then look: what interrupts us may take bit 0 of the summary for a job that comes after the look (`expire`).
    agent.p.pointee.share.baseWaits = false
    lockedJobs(queue) { job = queue.pointee.list.pointee.pop() }
    guard let job else { return false }
    agent.p.pointee.share.baseWaits = true
    if job.isBigLock {
      let entered = agent.enterBigLock(.init(#fileID, #line))
      job.body(Here(agent))
      if let entered { agent.exitBigLock(entered) }
    } else {
      job.body(Here(agent))
    }
    return true
  }
}

extension InterruptSystem {
  /// In `stopping`: every CPU was seen at rest, with nothing asked of any; or the grace is over.
  @inlinable static var cpusMayLeave: UInt { 8 }
  /// The shutdown has been: the CPUs are gone, and counts stand still.
  @inlinable static var isOver: UInt { 16 }

  /// Waits until the agents, which have been told to stop, are all at rest and nothing is asked of any CPU; or until `deadline`.
  ///
  /// An agent's `rest` counts: odd while it rests. All odd, then nothing pending, then the same counts again: so all rested at one
  /// time, nothing was pending after it, and what rests asks nothing of others. Acquire of a count: pairs with the release in
  /// `countRest`, so what it asked of others before it rested is seen. The second look is ordered by those between: relaxed.
  @inlinable func waitForRest(of agents: [UnsafeMutablePointer<Agent<M>>], until deadline: UInt64) {
    var round = 0
    while M.now() < deadline {
      let counts = agents.map { $0.pointee.rest.load(.acquire) }
      // With threads for levels the CPUs' own threads dispatch nothing: what is pending is asked of the level threads.
      let dispatches = configuration.execution == .inline || agents.first?.pointee.isLevelThread == true
      let isPending = { (cpu: Int) in self.hasPending(self.agent(ofCPU: cpu)) }
      // The job locks last, and only if all else is quiet: a wait that writes in each round is none.
      if counts.allSatisfy({ $0 & 1 == 1 }), !dispatches || !(0..<cpuCount).contains(where: isPending) {
        if dispatches, let busy = (0..<cpuCount).first(where: hasJobsLeft) {
          // Only its CPU runs them, and it has been rung or will be.
          let rest = agent(ofCPU: busy).p.pointee.rest
          while configuration.execution == .inline && rest.load(.relaxed) == counts[busy]
            && M.now() < deadline
          {
            M.pause(round)
            round += 1
          }
        } else if zip(agents, counts).allSatisfy({ $0.pointee.rest.load(.relaxed) == $1 }) {
          return
        }
      }
      M.pause(round)
      round += 1
    }
  }
}

extension AgentRef {
  /// Something was asked of a CPU that polls: the lines that its dispatch changes first come together, and not one after the other.
  @inlinable @inline(__always) func expectDispatch() {
    M.willWrite(summary)
    let asked = GateSet(rawValue: summary.load(.relaxed) & ~1)
    if asked.isEmpty { return }
    let isCall = pending(asked.highest).load(.relaxed) & Self.crossCalls != 0
    M.willWrite(isCall ? p.pointee.calls : p.pointee.gateWord.word)
  }

  /// A CPU that is to stop and has nothing to do, until it is rung. Release: who finds that it has taken what was pending sees
  /// that it rests no longer.
  @inlinable func rest() {
    if p.pointee.isLevelThread {
      countRest()
      system.object.machine.park(p.pointee.seat, until: .max)
      countRest()
    } else {
      sleep(above: ipl, resting: true)
    }
  }

  @inlinable func countRest() { p.pointee.rest.store(p.pointee.rest.load(.relaxed) &+ 1, .release) }
}

extension AgentRef: @unchecked Sendable {}
