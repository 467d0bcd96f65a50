// What happened: counts by handler and by level, gathered on demand.
//
// Law: each CPU counts for itself; a reading asks each CPU (or reads what a stopped one left), so it is exact for each CPU and
// for all of them together only when they stand still.

/// What one handler did, on all CPUs.
public struct HandlerStatistics: Sendable {
  /// As it was established.
  public var name: String
  /// The level at which it runs.
  public var level: Level
  /// How it is let in, now.
  public var way: WayIn
  /// Schedules, and how many of them found it pending already.
  public var scheduled: UInt64 = 0
  /// Schedules that found it pending.
  public var coalesced: UInt64 = 0
  /// Runs, and how many of them another CPU ran when it left the gate.
  public var runs: UInt64 = 0
  /// Runs that a leaver of the gate made for another CPU.
  public var drained: UInt64 = 0
  /// From mark to run, and running: nanoseconds in all; 0 without ``Configuration/timing``.
  public var queueing: UInt64 = 0
  /// Time in its body, in nanoseconds; 0 without `Configuration.timing`.
  public var running: UInt64 = 0
}

/// What a level did on one CPU, or for visitors together (`cpu` nil).
public struct LevelStatistics: Sendable {
  /// The CPU; nil for all visitors together.
  public var cpu: Int?
  /// The level.
  public var level: Level
  /// What was counted.
  public var counters: LevelCounters
}

/// A reading of all counts.
public struct SystemStatistics: Sendable {
  /// One for each handler that is established.
  public var handlers: [HandlerStatistics] = []
  /// One for each CPU and level.
  public var levels: [LevelStatistics] = []

  /// The counts of a level on all CPUs and visitors.
  public func total(_ level: Level) -> LevelCounters {
    var sum = LevelCounters()
    for entry in levels where entry.level == level { sum.add(entry.counters) }
    return sum
  }
}

extension SystemStatistics {
  /// How often a level's gate was taken, at most: a cumulative raise is counted for every gate up to its level, also for those that
  /// its context had already.
  public func timesTaken(_ gate: Level) -> UInt64 {
    if gate == .none { return total(.none).taken }
    return Level.allCases.filter { $0 >= gate }.reduce(total(gate).taken) { $0 &+ total($1).raisedThrough }
  }
}

extension LevelCounters {
  @usableFromInline mutating func add(_ other: LevelCounters) {
    taken &+= other.taken
    raisedThrough &+= other.raisedThrough
    contended &+= other.contended
    delegated &+= other.delegated
    handedOff &+= other.handedOff
    passedOver &+= other.passedOver
    drained &+= other.drained
    runs &+= other.runs
    waitTime &+= other.waitTime
    runTime &+= other.runTime
    throttled &+= other.throttled
    suspect &+= other.suspect
  }
}

extension InterruptSystem {
  /// Reads all counts. From a visitor that holds nothing; asks each CPU by cross-call, so it waits; after ``shutdown(grace:)`` it
  /// reads what is left, and during one CPUs that have left are missing. Visitors' counts are those of threads that are not inside
  /// now.
  public func statistics() -> SystemStatistics {
    var result = SystemStatistics()
    // Acquire: the counts that stand still then.
    let isOver = stopping.load(.acquire) & Self.isOver != 0
    if isOver { M.touches(agents[0].statistics, .read) }
    // With threads for levels each counts for itself; a shutdown has added them up.
    let asked = configuration.execution == .threads ? Level.allCases.filter { $0 != .none } : [.high]
    for cpu in 0..<cpuCount {
      nonisolated(unsafe) var sums = Array(repeating: LevelCounters(), count: Level.count)
      if isOver {
        for level in 0..<Level.count { sums[level] = agents[cpu].statistics[level] }
      } else {
        let answered = asked.allSatisfy { level in
          crossCallAndWait(on: cpu, at: level) { here in
            for level in 0..<Level.count { sums[level].add(here.agent.p.pointee.statistics[level]) }
          }
        }
        if !answered { continue }
      }
      for level in Level.allCases {
        result.levels.append(.init(cpu: cpu, level: level, counters: sums[Int(level.rawValue)]))
      }
    }
    lockedVisitors {
      for visitor in idleVisitors() {
        for level in Level.allCases {
          result.levels.append(
            .init(cpu: nil, level: level, counters: visitor.pointee.statistics[Int(level.rawValue)]))
        }
      }
    }
    lockedTable {
      for level in Level.allCases where level != .none {
        for index in InternalSlots.count..<Int(PendingWord.half) {
          guard let slot = slots[Int(level.rawValue) * UInt.bitWidth + index],
            ways(level).used.load(.relaxed) & slot.pointee.bit != 0
          else { continue }
          result.handlers.append(handlerStatistics(slot))
        }
      }
    }
    return result
  }

  private func handlerStatistics(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) -> HandlerStatistics {
    var entry = HandlerStatistics(
      name: slot.pointee.name, level: slot.pointee.level,
      way: ways(slot.pointee.level).way(of: slot.pointee.bit))
    for cpu in 0..<cpuCount {
      let home = slot.pointee.home(cpu)
      let coalesced = UInt64(home.coalesced.load(.relaxed)) &+ UInt64(home.coalescedByOthers.load(.relaxed))
      entry.coalesced &+= coalesced
      entry.scheduled &+=
        UInt64(home.marked.load(.relaxed)) &+ UInt64(home.markedByOthers.load(.relaxed)) &+ coalesced
      entry.drained &+= UInt64(home.drainedRuns.load(.relaxed))
      entry.runs &+= UInt64(home.runs.load(.relaxed)) &+ UInt64(home.drainedRuns.load(.relaxed))
      entry.queueing &+= UInt64(home.queueing.load(.relaxed))
      entry.running &+= UInt64(home.runTime.load(.relaxed))
    }
    return entry
  }
}
