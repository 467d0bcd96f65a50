// Start, offline and online, shutdown.
//
// Law: nothing that was accepted is lost in silence: it is run, handed to another CPU, kept until its CPU is back, or counted
// in a report.

/// What a shutdown could not run.
public struct ShutdownReport: Sendable, Equatable {
  /// Handlers that were pending and were not run: name and on how many CPUs.
  public var pending: [(name: String, cpus: Int)] = []
  /// Callouts that were armed.
  public var armedCallouts = 0
  /// Base code and cross-calls that were accepted and not run.
  public var jobs = 0
  public var crossCalls = 0

  @usableFromInline init() {}

  /// Whether everything that was accepted has run (armed callouts do not count: their time has not come).
  @inlinable public var isComplete: Bool { pending.isEmpty && jobs == 0 && crossCalls == 0 }

  @inlinable public static func == (a: Self, b: Self) -> Bool {
    a.armedCallouts == b.armedCallouts && a.jobs == b.jobs && a.crossCalls == b.crossCalls
      && a.pending.elementsEqual(b.pending) { $0.name == $1.name && $0.cpus == $1.cpus }
  }
}

extension InterruptSystem {
  @inlinable func startUp() throws(MachineError) {
    establishInternals()
    var started = 0
    var failure: MachineError?
    if configuration.execution == .threads {
      do throws(MachineError) { try startLevelThreads() } catch { failure = error }
    }
    for cpu in 0..<cpuCount where failure == nil {
      do throws(MachineError) {
        try machine.start(cpu: cpu) { self.cpuMain(cpu) }
        started += 1
      } catch { failure = error }
    }
    if let failure {
      stopping.fetchOr(1 | Self.cpusMayLeave | Self.levelThreadsMayRun, .sequentiallyConsistent)
      joinLevelThreads()
      endLevelThreads()
      for cpu in 0..<started {
        M.unpark(machine.seat(ofCPU: cpu))
        machine.join(cpu: cpu)
      }
      throw failure
    }
  }

  /// Stops the CPUs after what was accepted has run, or `grace` has passed; says what was not run. Later calls return an empty
  /// report. For a thread that is no CPU of this system and holds nothing; it waits.
  @inlinable @discardableResult public func shutdown(grace: Duration = .seconds(5)) -> ShutdownReport {
    if let agent = existingAgent() {
      precondition(!agent.isCPU, "shutdown() is called from a thread that is no CPU of the system")
      precondition(agent.held.isEmpty, "shutdown() is called outside of every raise")
    }
    var isFirst = false
    lockedTable {
      isFirst = !isShutDown
      isShutDown = true
    }
    guard isFirst else { return ShutdownReport() }
    for cpu in 0..<cpuCount { lockedJobs(jobs + cpu) { closed[cpu] = true } }
    let (deadline, overflow) = M.now().addingReportingOverflow(grace.clampedNanoseconds)
    core.p.pointee.stopBy = overflow ? .max : deadline
    stopping.fetchOr(1, .acquireRelease)
    for cpu in 0..<cpuCount { M.unpark(machine.seat(ofCPU: cpu)) }
    // Together: a CPU that left first would leave what the others ask of it.
    waitForRest(until: core.p.pointee.stopBy)
    stopping.fetchOr(Self.cpusMayLeave, .acquireRelease)
    for cpu in 0..<cpuCount { M.unpark(machine.seat(ofCPU: cpu)) }
    for cpu in 0..<cpuCount { machine.join(cpu: cpu) }
    joinLevelThreads()
    finishPending()
    endLevelThreads()
    // The CPUs are gone. New schedules are refused from here on; what is pending now is counted.
    var report = ShutdownReport()
    for level in Level.allCases {
      for index in 0..<Int(PendingWord.half) {
        guard let slot = slots[Int(level.rawValue) * UInt.bitWidth + index] else { continue }
        if slot.pointee.generation.load(.acquire) & 1 != 0 {
          slot.pointee.generation.fetchAdd(1, .acquireRelease)
        }
      }
    }
    M.heavyFence()
    for level in Level.allCases {
      for index in 0..<Int(PendingWord.half) {
        guard let slot = slots[Int(level.rawValue) * UInt.bitWidth + index] else { continue }
        let cpus = clearPending(slot)
        if cpus > 0 && index >= InternalSlots.count {
          report.pending.append((slot.pointee.name, cpus))
        }
        slot.pointee.body = { _ in }
      }
    }
    releaseCallouts()
    for cpu in 0..<cpuCount {
      report.armedCallouts += agents[cpu].wheel!.wheel.pointee.armed
      while jobs[cpu].list.pointee.pop() != nil { report.jobs += 1 }
      for level in Level.allCases { report.crossCalls += dropCalls(cpu, level) }
    }
    return report
  }

  /// Runs, as each stopped CPU in turn, what others have made pending there after it had stopped; within the grace.
  @inlinable func finishPending() {
    var ran = true
    while ran && M.now() < core.stopBy {
      ran = false
      for cpu in 0..<cpuCount {
        let agent = agent(ofCPU: cpu)
        guard hasPending(agent) || hasJobsLeft(cpu) else { continue }
        ran = true
        let before = M.current
        M.setCurrent(UnsafeMutableRawPointer(agent.p))
        if configuration.execution == .threads {
          for thread in levelThreads where thread.agent.pointee.cpu == cpu {
            M.setCurrent(UnsafeMutableRawPointer(thread.agent))
            _ = runLevel(AgentRef(thread.agent))
          }
        } else {
          loop(agent) { true }
        }
        M.setCurrent(before)
      }
    }
  }

  @inlinable func hasJobsLeft(_ cpu: Int) -> Bool {
    var left = false
    lockedJobs(jobs + cpu) { left = jobs[cpu].list.pointee.next < jobs[cpu].list.pointee.jobs.count }
    return left
  }

  /// Drops the calls of a stopped CPU; whoever waits for one is let go.
  @inlinable func dropCalls(_ cpu: Int, _ level: Level) -> Int {
    var address = (agents[cpu].calls + Int(level.rawValue)).exchange(0, .acquireRelease)
    var count = 0
    while let pointer = UnsafeRawPointer(bitPattern: address) {
      let call = Unmanaged<CrossCall<M>>.fromOpaque(pointer).takeRetainedValue()
      address = call.next
      count += 1
      if let done = call.done {
        let waiter = call.waiter
        done.store(1, .release)
        if let waiter { M.unpark(waiter) }
      }
    }
    return count
  }

  /// Whether a CPU takes no more base code. Its job lock is held.
  @inlinable func isClosed(_ cpu: Int) -> Bool { closed[cpu] }

  // MARK: Offline

  /// Takes a CPU out of use: what is pending there is run, new bound work waits until ``online(_:)``, `.anywhere` work and base
  /// code go elsewhere or are refused. Returns when the CPU is quiet. From a visitor that holds nothing; CPU 0 stays.
  ///
  /// - Returns: false if it is CPU 0, offline already, or the system is shut down.
  @inlinable @discardableResult public func offline(_ cpu: Int) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "offline: no such CPU")
    let agent = currentAgent()
    precondition(!agent.isCPU && agent.held.isEmpty, "offline() is called by a visitor that holds nothing")
    guard cpu != 0 else { return false }
    var accepted = false
    lockedJobs(jobs + cpu) {
      guard !closed[cpu] else { return }
      closed[cpu] = true
      accepted = true
    }
    guard accepted else { return false }
    let home = self.agent(ofCPU: cpu)
    // Flag, then look: pairs with bit, then flag, of schedule; store–load on two words, so the heavy fence.
    home.p.pointee.offline.store(1, .sequentiallyConsistent)
    M.heavyFence()
    if !Mutant.isOn(.noOfflineLook) {
      for level in Level.allCases where level != .none {
        if home.pending(level).load(.acquire) & PendingWord.handlers != 0 { home.ring(level) }
      }
    }
    // The loop says that it is quiet by taking the flag to 2.
    home.summary.fetchOr(1, .acquireRelease)
    M.unpark(home.p.pointee.seat)
    lockedVisitors { quiescing.append(agent.p.pointee.seat) }
    quiescers.fetchAdd(1, .sequentiallyConsistent)
    agent.serveUntil { home.p.pointee.offline.load(.acquire) == 2 }
    quiescers.fetchAdd(0 &- 1, .sequentiallyConsistent)
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
    guard home.p.pointee.offline.load(.acquire) == 2, stopping.load(.acquire) & 1 == 0 else { return false }
    lockedJobs(jobs + cpu) { closed[cpu] = false }
    home.p.pointee.offline.store(0, .sequentiallyConsistent)
    M.heavyFence()
    for level in Level.allCases where level != .none {
      if home.pending(level).fetchOr(0, .acquireRelease) & PendingWord.handlers != 0 { home.ring(level) }
    }
    M.unpark(home.p.pointee.seat)
    return true
  }

  /// A schedule found its CPU offline after it had set the bit: `.anywhere` work goes to a CPU that is online, bound work stays.
  ///
  /// Who coalesced with the mark is served as well: the new mark comes after the taking back.
  @inlinable func reroute(_ handler: Handler<M>, from home: AgentRef<M>) -> ScheduleResult {
    let slot = handler.slot
    if slot.pointee.isBound { return .offline }
    guard PendingWord.claim(home.pending(slot.pointee.level), slot.pointee.bit) != nil else {
      return .scheduled
    }
    // CPU 0 never goes offline.
    return handler.schedule(on: 0)
  }
}
