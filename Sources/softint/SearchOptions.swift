// Which schedules `softint explore` runs, where that is not to be what the scenario says.

import ArgumentParser
import Exploration
import Scenarios
import SimulatedMachine

struct SearchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "exhaustive, every, random or priorities (default: the scenario's, else exhaustive; under rc11 random).",
      valueName: "kind"
    ),
    transform: ExploreValue.strategy)
  var strategy: StrategyKind?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "At most so many preemptions, or none for no bound (default: the scenario's, else 2).", valueName: "n"),
    transform: ExploreValue.preemptions)
  var preemptions: ExploreValue.Bound?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "At most so many schedules; of a sample, so many (default: the scenario's, else 1000000 and 100000).",
      valueName: "n"),
    transform: ArgumentValue.count(1...1_000_000_000_000))
  var schedules: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The seed of a sample (default: 1).", valueName: "n"),
    transform: ArgumentValue.seed)
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "sc or rc11: what loads may read (default: the scenario's, else sc).", valueName: "model"),
    transform: ExploreValue.memory
  )
  var memory: MemoryModel?

  @Option(
    help: ArgumentHelp(
      "points or anywhere: where interrupts come (default: the scenario's, else points).", valueName: "where"),
    transform: ExploreValue.recognition)
  var recognition: Recognition?

  /// Whether one of them was given.
  var isGiven: Bool {
    strategy != nil || preemptions != nil || schedules != nil || seed != nil || memory != nil
      || recognition != nil
  }

  func validate() throws {
    if strategy == .random || strategy == .priorities, preemptions != nil {
      throw ValidationError("--preemptions is for exhaustive and every")
    }
    if strategy == .exhaustive || strategy == .every, seed != nil {
      throw ValidationError("--seed is for random and priorities")
    }
  }

  /// A scenario with these options in the place of its own.
  func applied(to scenario: Scenario) throws(CommandFailure) -> Scenario {
    var scenario = scenario
    if let memory { scenario.memory = memory }
    if let recognition { scenario.recognition = recognition }
    scenario.strategy = try strategy(of: scenario)
    if let schedules, case .exhaustive = scenario.strategy { scenario.limits.schedules = schedules }
    if let schedules, case .everyChoice = scenario.strategy { scenario.limits.schedules = schedules }
    return scenario
  }

  private func strategy(of scenario: Scenario) throws(CommandFailure) -> Strategy {
    let own = scenario.strategy
    var kind = strategy ?? StrategyKind(own)
    if scenario.memory == .rc11, kind == .exhaustive {
      // Without a bound it is complete there too, but seldom feasible: a sample, unless it is asked for.
      if strategy != nil || own == .exhaustive(preemptions: nil) {
        guard preemptions?.count == nil else {
          throw .usage("under rc11 exhaustive takes no bound: --preemptions none")
        }
        return .exhaustive(preemptions: nil)
      }
      kind = .random
    }
    let isSample = kind == .random || kind == .priorities
    if isSample, preemptions != nil { throw .usage("--preemptions is for exhaustive and every") }
    if !isSample, seed != nil { throw .usage("--seed is for random and priorities") }
    switch kind {
    case .exhaustive, .every:
      var bound: Int? = Scenario.usualPreemptions
      if case .exhaustive(let preemptions) = own { bound = preemptions }
      if case .everyChoice(let preemptions) = own { bound = preemptions }
      if let preemptions { bound = preemptions.count }
      return kind == .every ? .everyChoice(preemptions: bound) : .exhaustive(preemptions: bound)
    case .random, .priorities:
      var (ownSeed, count, depth): (UInt64, Int, Int) = (1, Scenario.usualSample, 3)
      if case .random(let seed, let schedules) = own { (ownSeed, count) = (seed, schedules) }
      if case .priorities(let seed, let schedules, let d) = own {
        (ownSeed, count, depth) = (seed, schedules, d)
      }
      if let seed { ownSeed = seed }
      if let schedules { count = schedules }
      return kind == .random
        ? .random(seed: ownSeed, schedules: count)
        : .priorities(seed: ownSeed, schedules: count, depth: depth)
    }
  }
}

/// Values of the options of `softint explore`.
enum ExploreValue {
  /// A bound, or none.
  struct Bound: Sendable { var count: Int? }

  static func discipline(_ text: String) throws -> ScenarioDiscipline {
    guard let discipline = ScenarioDiscipline(rawValue: text) else {
      let known = ScenarioDiscipline.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("the disciplines are \(known)")
    }
    return discipline
  }

  static func strategy(_ text: String) throws -> StrategyKind {
    guard let kind = StrategyKind(rawValue: text) else {
      let known = StrategyKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("the strategies are \(known)")
    }
    return kind
  }

  static func preemptions(_ text: String) throws -> Bound {
    if text == "none" { return Bound(count: nil) }
    guard let count = Int(text), (0...1_000).contains(count) else {
      throw ValidationError("give a whole number from 0 to 1000, or none")
    }
    return Bound(count: count)
  }

  static func memory(_ text: String) throws -> MemoryModel {
    switch text {
    case "sc": .sequentiallyConsistent
    case "rc11": .rc11
    default: throw ValidationError("give sc or rc11")
    }
  }

  static func recognition(_ text: String) throws -> Recognition {
    switch text {
    case "points": .points
    case "anywhere": .anywhere
    default: throw ValidationError("give points or anywhere")
    }
  }

  /// A rule by its name, or as stories write it: "dataRace", "data race", "witness: downward".
  static func rule(_ text: String) -> Rule? {
    Rule.named(text) ?? Rule.all.first { "\($0)" == text }
  }
}
