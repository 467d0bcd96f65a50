// The search of an exploration, run after run.
//
// Law: between two runs its state is the path of the tree (or how many schedules of a sample were run) and the numbers so far;
// nothing else that a later run depends on is kept.

import SimulatedMachine

struct Search {
  let explorer: Explorer
  let runner: Runner
  private(set) var result: Exploration
  private let pilot: Watcher
  private let tree: TreePilot?
  private let spins: SpinPolicy
  /// Of a sample: how many schedules are this part's.
  private let sample: Int

  init(
    _ explorer: Explorer, _ runner: Runner, _ counter: PrefixCounter? = nil, resuming text: String? = nil
  ) throws {
    self.explorer = explorer
    self.runner = runner
    if explorer.memory == .rc11, case .exhaustive(let bound) = explorer.strategy,
      bound != nil || explorer.recognition == .anywhere
    {
      throw StrategyError()
    }
    let part = explorer.partition
    if let part, !part.isValid { throw SearchError.noPart(part) }
    result = Exploration(verdict: .holds, strategy: explorer.strategy, memory: explorer.memory)
    result.partition = part
    let checkpoint = try text.map { try Checkpoint($0) }
    if let checkpoint { try checkpoint.expect(explorer.identity) }
    let path = checkpoint?.nodes ?? []
    let split = part.map {
      Split($0, counter, prefixes: checkpoint?.numbers[4] ?? 0, isInside: path.count > $0.depth)
    }
    func ofSample(_ schedules: Int) -> Int {
      guard let part else { return schedules }
      return max(0, schedules - part.index + part.count - 1) / part.count
    }
    switch explorer.strategy {
    case .exhaustive(nil) where explorer.memory == .rc11:
      (pilot, spins, sample) = (TreePilot(.sleepSets, bound: nil, split: split, path: path), .wake, 0)
    case .exhaustive(nil):
      (pilot, spins, sample) = (TreePilot(.sourceSets, bound: nil, split: split, path: path), .await, 0)
    case .exhaustive(let bound):
      (pilot, spins, sample) = (TreePilot(.persistentSets, bound: bound, split: split, path: path), .wake, 0)
    case .everyChoice(let bound):
      (pilot, spins, sample) = (TreePilot(.none, bound: bound, split: split, path: path), .wake, 0)
    case .random(let seed, let schedules):
      (pilot, spins, sample) = (RandomPilot(seed: seed), .wake, ofSample(schedules))
    case .priorities(let seed, let schedules, let depth):
      (pilot, spins, sample) = (PriorityPilot(seed: seed, depth: depth), .wake, ofSample(schedules))
    }
    tree = pilot as? TreePilot
    if let checkpoint {
      if (tree == nil) != path.isEmpty { throw CheckpointError.damaged("path") }
      (result.schedules, result.redundant, result.steps) =
        (checkpoint.numbers[0], checkpoint.numbers[1], checkpoint.numbers[2])
      result.passed = checkpoint.numbers[3]
      result.outcomes = checkpoint.outcomes
      (pilot as? PriorityPilot)?.length = checkpoint.numbers[5]
    }
  }

  /// Runs the next schedule; false if the search is over.
  mutating func run(_ program: (World) throws -> Void) throws -> Bool {
    if tree == nil {
      if result.schedules >= sample {
        result.verdict = .bounded
        return false
      }
      let part = result.partition ?? Partition(depth: 0)
      (pilot as? Sampler)?.number = result.schedules * part.count + part.index
    }
    let run = try runner.run(pilot, spins: spins, program)
    switch tree?.ended() ?? .new {
    case .new:
      result.schedules += 1
      result.steps += run.steps
      if run.broken == nil, let outcome = run.outcome { result.outcomes[outcome, default: 0] += 1 }
    case .redundant:
      result.redundant += 1
      result.steps += run.steps
    case .others: result.passed += 1
    case .different(let step): throw SearchError.different(step: step)
    }
    return try run.broken == nil ? goOn() : violation(run, program)
  }

  private mutating func violation(_ run: RunResult, _ program: (World) throws -> Void) throws -> Bool {
    guard let broken = run.broken else { return true }
    result.verdict = .violation(
      try Shrinker(explorer: explorer, runner: runner, spins: spins).finding(run, broken.rule, program))
    return false
  }

  private mutating func goOn() -> Bool {
    if let tree, !tree.advance(runner.machine) {
      result.prefixes = tree.split?.prefixes ?? 0
      return false
    }
    let runs = result.schedules + result.redundant
    if runs >= explorer.limits.schedules {
      stop()
      return false
    }
    if let progress = explorer.progress, (runs + result.passed) % max(1, explorer.progressInterval) == 0,
      !progress(self.progress)
    {
      stop()
      return false
    }
    return true
  }

  /// Ends the search before it is over.
  mutating func stop() {
    result.verdict = .bounded
    if tree?.split?.isShared != true { result.checkpoint = checkpoint.text }
  }

  /// An estimate; see ``Progress/share``.
  var share: Double { tree?.share ?? (sample == 0 ? 1 : Double(result.schedules) / Double(sample)) }

  private var progress: Progress {
    let state = self
    return Progress(
      schedules: result.schedules, redundant: result.redundant, steps: result.steps, share: share,
      checkpoint: { state.tree?.split?.isShared == true ? nil : state.checkpoint.text })
  }

  private var checkpoint: Checkpoint {
    var checkpoint = Checkpoint()
    checkpoint.search = explorer.identity
    checkpoint.numbers = [
      result.schedules, result.redundant, result.steps, result.passed, tree?.split?.prefixes ?? 0,
      (pilot as? PriorityPilot)?.longest ?? 0,
    ]
    checkpoint.outcomes = result.outcomes
    checkpoint.nodes = tree?.path ?? []
    return checkpoint
  }
}
