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

  init(_ explorer: Explorer, _ runner: Runner, _ counter: PrefixCounter? = nil) throws {
    self.explorer = explorer
    self.runner = runner
    if explorer.memory == .rc11, case .exhaustive = explorer.strategy { throw StrategyError() }
    let part = explorer.partition
    if let part, !part.isValid { throw SearchError.noPart(part) }
    result = Exploration(verdict: .holds, strategy: explorer.strategy, memory: explorer.memory)
    result.partition = part
    let split = part.map { Split($0, counter) }
    func ofSample(_ schedules: Int) -> Int {
      guard let part else { return schedules }
      return max(0, schedules - part.index + part.count - 1) / part.count
    }
    switch explorer.strategy {
    case .exhaustive(nil):
      (pilot, spins, sample) = (TreePilot(.sourceSets, bound: nil, split: split), .await, 0)
    case .exhaustive(let bound):
      (pilot, spins, sample) = (TreePilot(.persistentSets, bound: bound, split: split), .wake, 0)
    case .everyChoice(let bound):
      (pilot, spins, sample) = (TreePilot(.none, bound: bound, split: split), .wake, 0)
    case .random(let seed, let schedules):
      (pilot, spins, sample) = (RandomPilot(seed: seed), .wake, ofSample(schedules))
    case .priorities(let seed, let schedules, let depth):
      (pilot, spins, sample) = (PriorityPilot(seed: seed, depth: depth), .wake, ofSample(schedules))
    }
    tree = pilot as? TreePilot
  }

  /// Runs the next schedule; false if the search is over.
  mutating func run(_ program: (World) throws -> Void) throws -> Bool {
    if tree == nil {
      if result.schedules >= sample {
        result.verdict = .bounded
        return false
      }
      (pilot as? Sampler)?.number =
        result.schedules * (result.partition?.count ?? 1) + (result.partition?.index ?? 0)
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
    if let broken = run.broken {
      result.verdict = .violation(
        try Shrinker(explorer: explorer, runner: runner, spins: spins).finding(run, broken.rule, program))
      return false
    }
    let runs = result.schedules + result.redundant
    if let progress = explorer.progress, (runs + result.passed) & 0xfff == 0 { progress(runs) }
    if let tree, !tree.advance(runner.machine) {
      result.prefixes = tree.split?.prefixes ?? 0
      return false
    }
    if runs >= explorer.limits.schedules || runs & 0xff == 0 && explorer.isStopped?() == true {
      result.verdict = .bounded
      return false
    }
    return true
  }
}
