// How a document says which schedules are run, and what is taken where it says nothing.

import ComparisonReport
public import Exploration
import SimulatedMachine

enum StrategyReader {
  /// Where nothing is said: exhaustive up to two preemptions, since most defects need no more (Musuvathi and Qadeer, PLDI 2007); under
  /// RC11, where the bounded search is refused, a sample.
  static let preemptions = 2
  static let schedules = 1_000_000
  static let sample = 100_000

  static func read(
    _ strategy: Value?, _ limits: Value?, _ memory: MemoryModel
  ) throws(ScenarioError) -> (Strategy, Limits) {
    (try self.strategy(strategy, memory), try self.limits(limits))
  }

  static func fallback(_ memory: MemoryModel) -> Strategy {
    memory == .rc11
      ? .random(seed: 1, schedules: sample) : .exhaustive(preemptions: preemptions)
  }

  private static func strategy(_ value: Value?, _ memory: MemoryModel) throws(ScenarioError) -> Strategy {
    guard let value else { return fallback(memory) }
    var fields = try value.fields()
    let kind = try fields.need("kind").choice(StrategyKind.allCases.map { ($0.rawValue, $0) })
    let strategy: Strategy
    switch kind {
    case .exhaustive:
      let bound = fields.take("preemptions")
      if memory == .rc11, let bound {
        throw bound.wrong("under rc11 exhaustive takes no bound: leave it out")
      }
      strategy = .exhaustive(preemptions: try bound?.integer(0...1_000))
    case .every: strategy = .everyChoice(preemptions: try fields.take("preemptions")?.integer(0...1_000))
    case .random, .priorities:
      let seed = UInt64(try fields.take("seed")?.integer(0...Scenario.Limit.number) ?? 1)
      let schedules = try fields.take("schedules")?.integer(1...1_000_000_000) ?? sample
      strategy =
        kind == .random
        ? .random(seed: seed, schedules: schedules)
        : .priorities(seed: seed, schedules: schedules, depth: try fields.take("depth")?.integer(1...20) ?? 3)
    }
    try fields.end()
    return strategy
  }

  private static func limits(_ value: Value?) throws(ScenarioError) -> Limits {
    var limits = Limits(schedules: schedules)
    guard let value else { return limits }
    var fields = try value.fields()
    if let count = fields.take("schedules") { limits.schedules = try count.integer(1...1_000_000_000) }
    if let count = fields.take("steps") { limits.steps = try count.integer(1...1_000_000) }
    if let count = fields.take("time") { limits.time = UInt64(try count.integer(1...1_000_000_000_000_000)) }
    if let count = fields.take("shrinking") { limits.shrinking = try count.integer(1...1_000_000) }
    try fields.end()
    return limits
  }
}

extension Scenario {
  /// The bound on preemptions and the size of a sample where nothing is said.
  public static var usualPreemptions: Int { StrategyReader.preemptions }
  public static var usualSample: Int { StrategyReader.sample }
  /// The most bytes that a scenario's text may have.
  public static var longest: Int { JSONText.Limit.bytes }
}

/// The names of the strategies.
public enum StrategyKind: String, Sendable, CaseIterable {
  case exhaustive, every, random, priorities

  public init(_ strategy: Strategy) {
    self =
      switch strategy {
      case .exhaustive: .exhaustive
      case .everyChoice: .every
      case .random: .random
      case .priorities: .priorities
      }
  }
}
