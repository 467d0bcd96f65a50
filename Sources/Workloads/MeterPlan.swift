// A discipline, said of the flow meter: the way in of each handler, and how data is guarded. Nothing else differs.

import ComparisonReport
import SoftInterrupts

/// How the stages guard the flow table.
enum Guarding {
  /// One table at softNet, by the gates.
  case gates
  /// One table at softNet, by the IPL alone: one CPU.
  case priority
  /// A table for each shard, by an explicit lock.
  case locks
}

/// The flow meter under one discipline.
struct MeterPlan {
  var discipline: Discipline
  var cpus: Int
  var guarding: Guarding
  /// The ways in of the softNet input, the softClock ageing, the softBio export and the softSerial heartbeat.
  var input: WayIn
  var ageing: WayIn
  var export: WayIn
  var heartbeat: WayIn
  /// The softBio handler that keeps the meter's log: old code, which nobody has migrated.
  var journal: WayIn
  var base: BaseWay
  var execution: Execution
  /// Waits as the configuration has them by default, instead of for latency or for power.
  var hasDefaultWaits = false
  /// Whether waiting is timed.
  var isTimed = false
  /// How many tables there are.
  var shards: Int
  private static let mostShards = 16

  /// The plan of a discipline on `cpus` CPUs; oneCPU is always on one.
  init(_ discipline: Discipline, cpus: Int) {
    self.discipline = discipline
    self.cpus = discipline == .oneCPU ? 1 : cpus
    execution = discipline == .threads ? .threads : .inline
    base = discipline == .bigLock ? .bigLock : .mpSafe
    func all(_ way: WayIn) -> (WayIn, WayIn, WayIn, WayIn, WayIn) { (way, way, way, way, way) }
    switch discipline {
    case .oneCPU:
      guarding = .priority
      (input, ageing, export, heartbeat, journal) = all(.mpSafe)
    case .bigLock:
      guarding = .gates
      (input, ageing, export, heartbeat, journal) = all(.bigLock)
    case .ordered:
      guarding = .gates
      (input, ageing, export, heartbeat, journal) = all(.ordered)
    case .disjoint:
      guarding = .gates
      (input, ageing, export, heartbeat, journal) = all(.disjoint)
    case .mpSafe, .threads:
      guarding = .locks
      (input, ageing, export, heartbeat, journal) = all(.mpSafe)
    case .mixed:
      // The busy level has been made MP-safe, with locks of its own; the export is ordered; the journal is as it always was.
      guarding = .locks
      (input, ageing, export, heartbeat, journal) = (.mpSafe, .mpSafe, .ordered, .ordered, .bigLock)
    }
    // Two for each CPU: with queues by the same hash each is one CPU's, and a batch takes few locks. Sixteen on two CPUs cost a tenth (decision 0021).
    shards = guarding == .locks ? min(2 * self.cpus, Self.mostShards) : 1
  }

  /// The budgets and bounds of every discipline, on every machine.
  func configuration(idle: IdleMode) -> Configuration {
    var configuration = Configuration()
    configuration.execution = execution
    configuration.onViolation = .collect
    configuration.pollInterval = 1_000
    // A CPU that holds a gate does little of its own before it looks what others want of it, and then much for them: the
    // frames move to the table, not the table to the frames.
    configuration.dispatchBudget = 2
    configuration.drainBudget = 64
    configuration.timing = isTimed
    if hasDefaultWaits { return configuration }
    // Polling is for latency: nothing sleeps. Parking is for power: an idle CPU sleeps at once.
    if idle == .poll {
      configuration.idleRounds = .max
      configuration.spinRounds = 100_000
    } else {
      configuration.idleRounds = 0
    }
    return configuration
  }
}
