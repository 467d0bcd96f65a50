// A discipline, said of the stack: how its handlers are let in, and what its guard is. Nothing else asks for the discipline.

import SoftInterrupts

/// One way to keep the stack's data consistent; the names of `softint compare`.
public enum StackDiscipline: String, Sendable, CaseIterable {
  /// One CPU, where the order of the levels alone excludes.
  case oneCPU
  /// Everything under the big lock.
  case bigLock
  /// A gate for each level, in strict order.
  case ordered
  /// No handler raises to another soft level: refuted by the stack's own timers, which say so while it goes on.
  case disjoint
  /// No gates: the stack under one explicit lock.
  case mpSafe
  /// A thread for each level and CPU, and that lock.
  case threads
  /// The stack ordered, and old code that works for it under the big lock.
  case mixed
}

/// What excludes the stack's users from each other.
enum Guarding {
  /// The gate of softNet.
  case gate
  /// A lock at softNet, for MP-safe handlers.
  case lock
  /// lwIP's own, in the baseline.
  case coreLock
}

/// The stack under one discipline.
struct StackPlan {
  let discipline: StackDiscipline
  /// The level whose gate or lock guards the stack.
  let level: Level
  let cpus: Int
  let guarding: Guarding
  /// The way in of the stack's handlers at softNet and of its callouts.
  let way: WayIn
  /// The way in of handlers that work for it below.
  let helpers: WayIn
  let execution: Execution
  /// The mutant: the handlers are let in without any guard, and nobody raises. For the test that the assertions notice.
  var isGateOff = false

  /// As reports name it.
  var name: String { guarding == .coreLock ? "coreLock" : discipline.rawValue }

  /// The baseline. One CPU, for slow requests alone: a worker's thread, which takes lwIP's lock for the answer.
  init(coreLockAt level: Level) {
    discipline = .mpSafe
    self.level = level
    cpus = 1
    execution = .inline
    (guarding, way, helpers) = (.coreLock, .mpSafe, .mpSafe)
  }

  init(_ discipline: StackDiscipline, cpus: Int, level: Level = .softNet) {
    self.discipline = discipline
    self.level = level
    self.cpus = discipline == .oneCPU ? 1 : cpus
    execution = discipline == .threads ? .threads : .inline
    switch discipline {
    case .oneCPU, .ordered: (guarding, way, helpers) = (.gate, .ordered, .ordered)
    case .mixed: (guarding, way, helpers) = (.gate, .ordered, .bigLock)
    case .bigLock: (guarding, way, helpers) = (.gate, .bigLock, .bigLock)
    case .disjoint: (guarding, way, helpers) = (.gate, .disjoint, .disjoint)
    case .mpSafe, .threads: (guarding, way, helpers) = (.lock, .mpSafe, .mpSafe)
    }
  }

  var configuration: Configuration {
    var configuration = Configuration()
    configuration.execution = execution
    // Disjoint is refuted by its violations, and goes on as ordered.
    configuration.onViolation = discipline == .disjoint ? .collect : .trap
    return configuration
  }
}
