// Running a program under many schedules.

public import SimulatedMachine
public import SoftInterrupts

/// Explores programs: which machine, which schedules, which limits.
///
/// ```swift
/// let exploration = try Explorer(cpus: 2).explore { world in
///   let packets = world.shared("packets", guard: .softNet, 0)
///   let input = try world.handler("input", at: .softNet, as: .ordered) { _ in packets.value += 1 }
///   world.device("card") { input.schedule(on: 1) }
///   world.base(on: 0) { here in here.raise(to: .softNet) { _ in packets.value += 1 } }
///   world.finally { world.expect(packets.value == 2, "a packet was lost") }
/// }
/// ```
public struct Explorer: Sendable {
  public var cpus: Int
  public var recognition: Recognition
  public var memory: MemoryModel
  public var configuration: Configuration
  public var strategy: Strategy
  public var limits: Limits
  /// Whether data races on the core's own plain memory are looked for: in builds with the `Mutants` trait, where the core says what
  /// it accesses. Reduction then keeps the order of every two operations of which one may release something.
  public var watchesCore = false
  /// Called now and then with how many schedules have been run.
  public var progress: (@Sendable (Int) -> Void)?

  public init(
    cpus: Int, recognition: Recognition = .points, memory: MemoryModel = .sequentiallyConsistent,
    configuration: Configuration = .exploration, strategy: Strategy = .exhaustive(), limits: Limits = Limits()
  ) {
    self.cpus = cpus
    self.memory = memory
    self.recognition = recognition
    self.configuration = configuration
    self.strategy = strategy
    self.limits = limits
  }

  /// Runs the program that `program` builds under the schedules of the strategy, until one breaks a rule.
  ///
  /// `program` is called once for each schedule, on the calling thread, and builds the same each time. What it throws is thrown.
  public func explore(_ program: (World) throws -> Void) throws -> Exploration {
    if memory == .rc11, case .exhaustive(let bound) = strategy, bound != nil || recognition == .anywhere {
      throw StrategyError()
    }
    let runner = Runner(
      cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, limits: limits)
    runner.watchesCore = watchesCore
    return try explore(runner, program)
  }

  func explore(_ runner: Runner, _ program: (World) throws -> Void) throws -> Exploration {
    var result = Exploration(verdict: .holds, strategy: strategy, memory: memory)
    let (pilot, spins, sample) = makePilot()
    while true {
      let run = try runner.run(pilot, spins: spins, program)
      result.steps += run.steps
      let isRedundant = (pilot as? TreePilot)?.isRedundantRun ?? false
      if isRedundant { result.redundant += 1 } else { result.schedules += 1 }
      if let broken = run.broken {
        result.verdict = .violation(
          try Shrinker(explorer: self, runner: runner, spins: spins).finding(run, broken.rule, program))
        return result
      }
      if !isRedundant, let outcome = run.outcome { result.outcomes[outcome, default: 0] += 1 }
      let runs = result.schedules + result.redundant
      if let progress, runs & 0xfff == 0 { progress(runs) }
      if let tree = pilot as? TreePilot {
        if !tree.advance(runner.machine) { return result }
      } else if runs >= sample {
        result.verdict = .bounded
        return result
      }
      if runs >= limits.schedules {
        result.verdict = .bounded
        return result
      }
    }
  }

  private func makePilot() -> (pilot: Watcher, spins: SpinPolicy, sample: Int) {
    switch strategy {
    case .exhaustive(nil) where memory == .rc11: (TreePilot(.sleepSets, bound: nil), .wake, 0)
    case .exhaustive(nil): (TreePilot(.sourceSets, bound: nil), .await, 0)
    case .exhaustive(let bound): (TreePilot(.persistentSets, bound: bound), .wake, 0)
    case .everyChoice(let bound): (TreePilot(.none, bound: bound), .wake, 0)
    case .random(let seed, let schedules): (RandomPilot(seed: seed), .wake, schedules)
    case .priorities(let seed, let schedules, let depth):
      (PriorityPilot(seed: seed, depth: depth), .wake, schedules)
    }
  }

  /// Runs a program under one schedule, by the string of a ``Finding``.
  ///
  /// - Returns: what was broken, told again; nil if nothing was.
  /// - Throws: ``ReplayError`` if the string is none, or is not of this program.
  public func replay(_ string: String, _ program: (World) throws -> Void) throws -> Finding? {
    guard let schedule = Schedule(string) else { throw ReplayError.malformed(string) }
    let runner = Runner(
      cpus: cpus, recognition: schedule.recognition, memory: schedule.memory, configuration: configuration,
      limits: limits)
    let shrinker = Shrinker(explorer: self, runner: runner, spins: schedule.spins)
    let (run, isLost) = try shrinker.follow(schedule.deviations, program)
    if isLost { throw ReplayError.lost(string) }
    guard let broken = run.broken else { return nil }
    return try shrinker.told(run, broken.rule, program)
  }
}

/// A strategy that would miss schedules under a memory model.
public struct StrategyError: Error, Sendable, CustomStringConvertible {
  public var description: String {
    "under RC11 exhaustive takes no bound, and interrupts at recognition points only: else use everyChoice, random or priorities"
  }
}

/// Why a schedule could not be replayed.
public enum ReplayError: Error, Sendable, CustomStringConvertible {
  case malformed(String)
  case lost(String)
  public var description: String {
    switch self {
    case .malformed(let text):
      "\"\(text)\" is no replay string: it begins with p, a, q or b, or with w and one of them"
    case .lost(let text): "\"\(text)\" is no schedule of this program: has the program changed since?"
    }
  }
}

/// Explores a program, and throws ``ExplorationFailure`` if a schedule breaks a rule: for tests.
@discardableResult
public func explore(
  cpus: Int, recognition: Recognition = .points, memory: MemoryModel = .sequentiallyConsistent,
  configuration: Configuration = .exploration, strategy: Strategy = .exhaustive(), limits: Limits = Limits(),
  _ program: (World) throws -> Void
) throws -> Exploration {
  let explorer = Explorer(
    cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, strategy: strategy,
    limits: limits)
  let exploration = try explorer.explore(program)
  if exploration.finding != nil { throw ExplorationFailure(exploration: exploration) }
  return exploration
}

/// Runs a program under one schedule, and throws ``ExplorationFailure`` if it breaks a rule: for tests.
public func replay(
  _ string: String, cpus: Int, configuration: Configuration = .exploration,
  limits: Limits = Limits(), _ program: (World) throws -> Void
) throws {
  let explorer = Explorer(cpus: cpus, configuration: configuration, limits: limits)
  if let finding = try explorer.replay(string, program) {
    throw ExplorationFailure(
      exploration: Exploration(
        verdict: .violation(finding), strategy: explorer.strategy, memory: explorer.memory, schedules: 1))
  }
}
