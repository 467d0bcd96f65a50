// Many programs of the theorem, one seed after the other, and what they came to together.

public import Exploration
import SimulatedMachine
import SoftInterrupts

/// A correct program that failed.
public struct TheoremFailure: Sendable {
  public var seed: UInt64
  public var flavour: Flavour
  public var program: RandomProgram
  public var finding: Finding
}

/// What many programs came to.
public struct TheoremSummary: Sendable {
  public var flavour: Flavour
  public var cpus: Int
  public var programs = 0
  /// How many programs were explored how far.
  public var extents: [Extent: Int] = [:]
  public var schedules = 0
  public var steps = 0
  /// Programs whose outcomes were compared; their outcomes that were reached, and those of one processor.
  public var compared = 0
  public var reached = 0
  public var possible = 0
  /// Compared programs with one outcome only.
  public var trivial = 0
  /// Programs whose outcomes on one processor were too many to enumerate.
  public var tooLarge = 0
  public var failures: [TheoremFailure] = []

  /// Runs the programs of `count` seeds from `seed` on.
  public static func run(
    seed: UInt64, count: Int, cpus: Int, _ flavour: Flavour, _ effort: TheoremEffort = TheoremEffort(),
    failures: Int = 3, progress: (TheoremSummary) -> Void = { _ in }
  ) throws -> TheoremSummary {
    var summary = TheoremSummary(flavour: flavour, cpus: cpus)
    for seed in seed..<seed + UInt64(count) {
      let program = ProgramGenerator.program(seed: seed, cpus: cpus, flavour)
      let report = try TheoremCheck.check(program, TheoremSetting(seed: seed), seed: seed, effort)
      summary.programs += 1
      summary.extents[report.extent, default: 0] += 1
      summary.schedules += report.schedules
      summary.steps += report.steps
      if let possible = report.possible {
        summary.compared += 1
        summary.reached += report.reached
        summary.possible += possible
        if possible == 1 { summary.trivial += 1 }
      } else if program.isCumulative {
        summary.tooLarge += 1
      }
      if let finding = report.finding {
        summary.failures.append(
          TheoremFailure(seed: seed, flavour: flavour, program: program, finding: finding))
        if summary.failures.count >= failures { break }
      }
      progress(summary)
    }
    return summary
  }
}

extension TheoremSummary {
  /// The first seed whose program, of either flavour, fails with whatever mutant is selected now; nil if none of `within` does.
  public static func seedThatFinds(
    cpus: Int, from first: UInt64 = 1, within: Int, _ effort: TheoremEffort = TheoremEffort()
  ) throws -> (seed: UInt64, flavour: Flavour, finding: Finding)? {
    var effort = effort
    effort.shrinking = 0
    for seed in first..<first + UInt64(within) {
      for flavour in Flavour.allCases {
        let program = ProgramGenerator.program(seed: seed, cpus: cpus, flavour)
        let report = try TheoremCheck.check(program, TheoremSetting(seed: seed), seed: seed, effort)
        if let finding = report.finding { return (seed, flavour, finding) }
      }
    }
    return nil
  }
}

/// What became of broken programs.
public struct BreakerSummary: Sendable {
  public struct Row: Sendable {
    public var broken = 0
    public var caught = 0
    /// Schedules until they were caught, of all of them.
    public var schedules = 0
    /// By which rule.
    public var rules: [Rule: Int] = [:]
    public init() {}
  }
  public var rows: [Breaker: Row] = [:]
  /// Those that were not caught.
  public var missed: [(seed: UInt64, program: BrokenProgram)] = []

  /// Breaks the programs of `count` seeds from `seed` on, each by every breaker that finds a place in it.
  public static func run(
    seed: UInt64, count: Int, cpus: Int, _ effort: TheoremEffort = TheoremEffort(),
    breakers: [Breaker] = Breaker.allCases,
    progress: (BreakerSummary) -> Void = { _ in }
  ) throws -> BreakerSummary {
    var summary = BreakerSummary()
    for seed in seed..<seed + UInt64(count) {
      for flavour in Flavour.allCases {
        let program = ProgramGenerator.program(seed: seed, cpus: cpus, flavour)
        for breaker in breakers {
          guard let broken = program.broken(by: breaker, seed: seed) else { continue }
          let (finding, schedules) = try find(broken, seed: seed, effort)
          summary.rows[breaker, default: Row()].broken += 1
          summary.rows[breaker, default: Row()].schedules += schedules
          if let finding {
            summary.rows[breaker, default: Row()].caught += 1
            summary.rows[breaker, default: Row()].rules[finding.rule, default: 0] += 1
          } else {
            summary.missed.append((seed, broken))
          }
        }
        progress(summary)
      }
    }
    return summary
  }

  /// Explores a broken program by one strategy after the other, each with more schedules, until one finds it.
  public static func find(
    _ broken: BrokenProgram, seed: UInt64, _ effort: TheoremEffort = TheoremEffort()
  ) throws -> (finding: Finding?, schedules: Int) {
    let allowed =
      broken.correct.isCumulative ? OneProcessor(broken.correct, limit: effort.states).outcomes : nil
    var schedules = 0
    let hunts: [(anywhere: Bool, strategy: Strategy, limit: Int)] = [
      (false, .exhaustive(preemptions: 0), effort.samples),
      (false, .priorities(seed: seed, schedules: effort.samples), .max),
      (true, .priorities(seed: seed, schedules: 2 * effort.samples), .max),
      (false, .exhaustive(preemptions: 2), effort.schedules),
      (true, .random(seed: seed, schedules: 2 * effort.schedules), .max),
      (true, .priorities(seed: seed, schedules: 8 * effort.schedules, depth: 6), .max),
    ]
    for hunt in hunts {
      var setting = TheoremSetting(seed: seed)
      if hunt.anywhere { setting.recognition = .anywhere }
      let explorer = Explorer(
        cpus: broken.broken.cpus, recognition: setting.recognition, configuration: setting.configuration,
        strategy: hunt.strategy, limits: Limits(schedules: hunt.limit, shrinking: 0))
      let exploration = try explorer.explore { world in
        try broken.broken.build(world, checking: allowed.map { allowed in { allowed.contains($0) } })
      }
      schedules += exploration.schedules
      if let finding = exploration.finding { return (finding, schedules) }
    }
    return (nil, schedules)
  }
}
