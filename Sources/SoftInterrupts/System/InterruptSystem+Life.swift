// Start and shutdown.
//
// Law: nothing that was accepted is lost in silence: it is run, or counted in a report.

/// What a shutdown could not run.
public struct ShutdownReport: Sendable, Equatable {
  /// Handlers that were pending and were not run: name and on how many CPUs.
  public var pending: [(name: String, cpus: Int)] = []
  /// Callouts that were armed.
  public var armedCallouts = 0
  /// Base code and cross-calls that were accepted and not run.
  public var jobs = 0
  /// Cross-calls that were accepted and not run.
  public var crossCalls = 0

  @usableFromInline init() {}

  /// Whether everything that was accepted has run (armed callouts do not count: their time has not come).
  @inlinable public var isComplete: Bool { pending.isEmpty && jobs == 0 && crossCalls == 0 }

  @inlinable public static func == (a: Self, b: Self) -> Bool {
    a.armedCallouts == b.armedCallouts && a.jobs == b.jobs && a.crossCalls == b.crossCalls
      && a.pending.elementsEqual(b.pending) { $0.name == $1.name && $0.cpus == $1.cpus }
  }
}

/// Why a CPU takes no more base code. Under its job lock.
@frozen @usableFromInline struct Closing: OptionSet {
  @usableFromInline let rawValue: UInt8
  @inlinable init(rawValue: UInt8) { self.rawValue = rawValue }
  @inlinable static var forOffline: Self { Self(rawValue: 1) }
  @inlinable static var forShutdown: Self { Self(rawValue: 2) }
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
      // Release: what the level threads that were started are made of.
      stopping.fetchOr(1 | Self.cpusMayLeave | Self.levelThreadsMayRun, .release)
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
    for cpu in 0..<cpuCount { lockedJobs(jobs + cpu) { closed[cpu].insert(.forShutdown) } }
    let (deadline, overflow) = M.now().addingReportingOverflow(grace.clampedNanoseconds)
    M.touches(core.p, .write)
    core.p.pointee.stopBy = overflow ? .max : deadline
    // Release: `stopBy`.
    stopping.fetchOr(1, .release)
    for cpu in 0..<cpuCount { M.unpark(machine.seat(ofCPU: cpu)) }
    // Together: a CPU that left first would leave what the others ask of it.
    waitForRest(of: (0..<cpuCount).map { agents + $0 }, until: core.p.pointee.stopBy)
    // Relaxed: who sees it looks for nothing that was written before, and the joins order the rest.
    stopping.fetchOr(Self.cpusMayLeave, .relaxed)
    for cpu in 0..<cpuCount { M.unpark(machine.seat(ofCPU: cpu)) }
    // Who takes a CPU offline, or waits for a call, does not wait for one that has left.
    lockedVisitors { for visitor in visitors { M.unpark(visitor.pointee.seat) } }
    for cpu in 0..<cpuCount { machine.join(cpu: cpu) }
    joinLevelThreads()
    finishPending()
    endLevelThreads()
    // The CPUs are gone. New schedules are refused from here on; what is pending now is counted.
    var report = ShutdownReport()
    for level in Level.allCases {
      for index in 0..<Int(PendingWord.half) {
        guard let slot = slots[Int(level.rawValue) * UInt.bitWidth + index] else { continue }
        // Relaxed: the heavy fence below, and the claims, come after it.
        if slot.pointee.generation.load(.relaxed) & 1 != 0 {
          slot.pointee.generation.fetchAdd(1, .relaxed)
        }
      }
    }
    M.heavy()
    // A schedule that has seen the old generation marks, and is counted. It waits for nothing, so neither do we for long.
    var round = 0
    while !Mutant.isOn(.noInflightLook) && !noScheduleInFlight() {
      M.pause(round)
      round += 1
    }
    for level in Level.allCases {
      for index in 0..<Int(PendingWord.half) {
        guard let slot = slots[Int(level.rawValue) * UInt.bitWidth + index] else { continue }
        let cpus = clearPending(slot)
        // In quarantine: its handler had ended, and what was pending then was counted then. A mark is of a schedule that was refused.
        let isOwned =
          ways(level).quarantined.load(.relaxed) & slot.pointee.bit == 0 || Mutant.isOn(.countEnded)
        if cpus > 0 && isOwned && index >= InternalSlots.count {
          report.pending.append((slot.pointee.name, cpus))
        }
        M.touches(slot, part: 1, .write)
        _ = slot.replaceBody()
      }
    }
    releaseCallouts()
    for cpu in 0..<cpuCount {
      report.armedCallouts += agents[cpu].wheel!.wheel.pointee.armed
      while jobs[cpu].list.pointee.pop() != nil { report.jobs += 1 }
      for level in Level.allCases { dropCalls(cpu, level) }
    }
    report.crossCalls = Int(droppedCalls.load(.relaxed))
    // Release: the counts that stand still now.
    M.touches(agents[0].statistics, .write)
    stopping.fetchOr(Self.isOver, .release)
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

  /// Drops the calls of a CPU that has left, and counts them; whoever waits for one is let go.
  @inlinable func dropCalls(_ cpu: Int, _ level: Level) {
    // Acquire: pairs with the release in `post`.
    var address = (agents[cpu].calls + Int(level.rawValue)).exchange(0, .acquire)
    while let call = UnsafeMutablePointer<CrossCall<M>>(bitPattern: address) {
      M.touches(address, .write)
      address = call.pointee.next
      // Relaxed: a count.
      droppedCalls.fetchAdd(1, .relaxed)
      CrossCall<M>.end(call, as: CrossCallState.dropped) { _ in }
    }
  }
}
