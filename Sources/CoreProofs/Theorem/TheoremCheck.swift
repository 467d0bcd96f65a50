// One program of the theorem: explored on the core, and held against one processor.
//
// Law: what a report says was run was run. A program is *complete* when every schedule that differs was run, *bounded* when every
// schedule up to so many preemptions was, and *cut* when the limit came first; then random schedules are added, which are a sample.

public import Exploration
public import SimulatedMachine
import SoftInterrupts

/// How much is spent on a program.
public struct TheoremEffort: Sendable {
  /// Preemptions of the exhaustive exploration.
  public var preemptions = 2
  /// Its schedules, at most.
  public var schedules = 1_500
  /// Random schedules by priorities, where the limit came first.
  public var samples = 300
  /// States of the reference.
  public var states = 200_000
  /// Runs for shrinking a violation's schedule.
  public var shrinking = 400
  public init() {}
}

/// How far a program was explored.
public enum Extent: Sendable, Hashable, CustomStringConvertible {
  case complete
  case bounded(Int)
  case cut
  public var description: String {
    switch self {
    case .complete: "complete"
    case .bounded(let preemptions): "up to \(preemptions) preemptions"
    case .cut: "cut and sampled"
    }
  }
}

/// What checking one program came to.
public struct TheoremReport: Sendable {
  public var extent = Extent.cut
  public var schedules = 0
  public var steps = 0
  /// Outcomes that were reached, and those of one processor; nil where they are not compared.
  public var reached = 0
  public var possible: Int?
  public var finding: Finding?
}

/// How a seed's program is run: which machine, which bounds of the core.
public struct TheoremSetting: Sendable {
  public var recognition: Recognition
  public var configuration: Configuration

  /// Varies with the seed, so that all of them come up.
  public init(seed: UInt64) {
    recognition = seed & 1 == 0 ? .points : .anywhere
    configuration = .exploration
    configuration.patience = seed & 2 == 0 ? 1 : 2
    if seed & 4 != 0 { configuration.handOffAfter = 0 }
    if seed & 8 != 0 {
      configuration.dispatchBudget = 1
      configuration.drainBudget = 1
    }
  }
  public init(recognition: Recognition = .points, configuration: Configuration = .exploration) {
    self.recognition = recognition
    self.configuration = configuration
  }
}

public enum TheoremCheck {
  /// Explores `program`. Its outcomes are compared with those of `reference` if it is cumulative (and with nothing otherwise).
  public static func check(
    _ program: RandomProgram, against reference: RandomProgram? = nil, _ setting: TheoremSetting,
    seed: UInt64,
    _ effort: TheoremEffort = TheoremEffort()
  ) throws -> TheoremReport {
    var report = TheoremReport()
    var allowed: Set<String>?
    let reference = reference ?? program
    if reference.isCumulative {
      allowed = OneProcessor(reference, limit: effort.states).outcomes
      report.possible = allowed?.count
    }
    var reached: Set<String> = []
    func explore(_ strategy: Strategy, _ schedules: Int) throws -> Exploration {
      var limits = Limits()
      limits.schedules = schedules
      limits.shrinking = effort.shrinking
      let explorer = Explorer(
        cpus: program.cpus, recognition: setting.recognition, configuration: setting.configuration,
        strategy: strategy, limits: limits)
      let exploration = try explorer.explore { world in
        try program.build(world, checking: allowed.map { allowed in { allowed.contains($0) } })
      }
      report.schedules += exploration.schedules
      report.steps += exploration.steps
      reached.formUnion(exploration.outcomes.keys)
      if let finding = exploration.finding { report.finding = finding }
      return exploration
    }
    defer { report.reached = reached.count }
    for bound in 0...effort.preemptions {
      let exploration = try explore(.exhaustive(preemptions: bound), effort.schedules)
      if exploration.finding != nil { break }
      if case .bounded = exploration.verdict {
        _ = try explore(.priorities(seed: seed, schedules: effort.samples), .max)
        break
      }
      report.extent = .bounded(bound)
    }
    report.reached = reached.count
    return report
  }
}
