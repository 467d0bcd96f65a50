// Running a program under many schedules.
//
//   var explorer = Explorer(cpus: 2, strategy: .exhaustive(preemptions: 2))
//   let all = try explorer.explore(program)                                  // one thread
//   let same = try explorer.exploreInParallel(jobs: 2, program)              // several; the first violation ends all
//
//   explorer.partition = Partition(depth: 12, index: 0, count: 4)            // `--shard 1/4 --split-depth 12`: somewhere else 1, 2, 3
//   let part = try explorer.explore(program)                                 // `explorer.splitDepth(program)` finds a depth
//   let whole = try Exploration.merged([part, …])                            // or says which parts are missing
//
//   explorer.progress = { progress in print(progress.share); return !isInterrupted }
//   let some = try explorer.explore(program)                                 // stopped: bounded, with a checkpoint
//   if let text = some.checkpoint { try explorer.explore(resuming: text, program) }
//
// Law: what an exploration comes to depends on the program and on what is set here, and on nothing else; with several jobs that is so
// unless it is ended early.

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
  /// How many CPUs the machine has.
  public var cpus: Int
  /// Where interrupts come.
  public var recognition: Recognition
  /// The memory that words have.
  public var memory: MemoryModel
  /// The bounds and policies of the system.
  public var configuration: Configuration
  /// Which schedules are run.
  public var strategy: Strategy
  /// When it ends early.
  public var limits: Limits
  /// Which part of the search is run; nil for all of it.
  public var partition: Partition?
  /// Called after so many runs each, on the thread that explores (with several jobs: on theirs, one at a time). False ends the search;
  /// what it came to then has a ``Exploration/checkpoint`` to go on from.
  public var progress: (@Sendable (Progress) -> Bool)?
  /// Schedules between two calls of ``progress``.
  public var progressInterval = 4_096
  /// Whether data races on the core's own plain memory are looked for: in builds with the `Mutants` trait, where the core says what
  /// it accesses. Reduction then keeps the order of every two operations of which one may release something.
  public var watchesCore = false

  /// An explorer; every part can be changed before it runs.
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
    try explore(runner(), program)
  }

  /// Goes on from a checkpoint of a search that stopped: the totals are those of a search that did not.
  ///
  /// The program, the strategy, the machine, the part and the limits of a run must be the same; what can be compared is. The limit of
  /// ``Limits/schedules`` counts those before the checkpoint too.
  ///
  /// - Parameters:
  ///   - text: of ``Exploration/checkpoint`` or ``Progress/checkpoint``.
  ///   - program: builds the world of one schedule.
  /// - Throws: ``CheckpointError`` if the text is none, or one of another search; ``SearchError/different(step:)`` if the program
  ///   does not do what it did; and what the program throws.
  public func explore(resuming text: String, _ program: (World) throws -> Void) throws -> Exploration {
    var search = try Search(self, runner(), resuming: text)
    while try search.run(program) {}
    return search.result
  }

  func runner() -> Runner {
    let runner = Runner(
      cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, limits: limits)
    runner.watchesCore = watchesCore
    return runner
  }

  func explore(_ runner: Runner, _ program: (World) throws -> Void) throws -> Exploration {
    var search = try Search(self, runner)
    while try search.run(program) {}
    return search.result
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
    runner.watchesCore = watchesCore
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

/// Why a search could not be made.
public enum SearchError: Error, Sendable, CustomStringConvertible {
  /// The partition is none.
  case noPart(Partition)
  /// In the same schedule the program did something else, at this scheduling point.
  case different(step: Int)

  public var description: String {
    switch self {
    case .noPart(let part):
      "there is no part \(part.index) of \(part.count) at depth \(part.depth): "
        + "the index is from 0 to the count, which is at least 1, and the depth is not negative"
    case .different(let step):
      "the program does not do the same in the same schedule, at scheduling point \(step): "
        + "it must build the same each time and depend on nothing outside"
    }
  }
}

/// Why a schedule could not be replayed.
public enum ReplayError: Error, Sendable, CustomStringConvertible {
  /// The string is no replay string.
  case malformed(String)
  /// The program does not do what the string says: it has changed.
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
