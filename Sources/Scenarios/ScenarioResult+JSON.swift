// A result as JSON of the schema softint.explore/1.
//
// Law: it holds nothing that differs between two runs of one scenario: no time, no place on a disk but the name that was given.

import ComparisonReport
import Exploration
import SimulatedMachine
import SoftInterrupts

extension ScenarioResult {
  /// The name and version of the format.
  public static let schema = "softint.explore/1"

  /// The result as JSON.
  public var json: String { jsonValue.text }

  private var jsonValue: JSONValue {
    let isBounded = if case .bounded = exploration.verdict { true } else { false }
    return .object([
      ("schema", .string(Self.schema)),
      ("scenario", .string(scenario.name)),
      ("digest", .string(scenario.digest)),
      ("file", .string(file)),
      ("discipline", .optional(scenario.discipline?.rawValue)),
      ("cpus", .integer(scenario.cpus)),
      ("recognition", .string(scenario.recognition == .points ? "points" : "anywhere")),
      ("memory", .string(scenario.memory == .rc11 ? "rc11" : "sc")),
      ("strategy", scenario.strategy.jsonValue),
      ("limits", scenario.limits.jsonValue),
      ("partition", exploration.partition.map { $0.jsonValue(exploration) } ?? .null),
      ("schedules", .integer(exploration.schedules)),
      ("redundant", .integer(exploration.redundant)),
      ("steps", .integer(exploration.steps)),
      ("complete", .bool(isComplete)),
      ("interrupted", .bool(isInterrupted)),
      ("verdict", .string(exploration.finding != nil ? "violation" : isBounded ? "bounded" : "holds")),
      ("meaning", .string(meaning)),
      ("expected", scenario.expectation?.jsonValue ?? .null),
      ("asExpected", asExpected.map(JSONValue.bool) ?? .null),
      (
        "outcomes",
        .array(
          exploration.outcomes.sorted { $0.key < $1.key }.map {
            .object([("outcome", .string($0.key)), ("schedules", .integer($0.value))])
          })
      ),
      ("violations", .array(exploration.finding.map { [$0.jsonValue] } ?? [])),
    ])
  }

  /// Whether every schedule of the strategy, up to its bound, was run.
  var isComplete: Bool { if case .holds = exploration.verdict { true } else { false } }

  private var asExpected: Bool? {
    switch judgement {
    case .asExpected: true
    case .notAsExpected: false
    case .holds, .violation, .bounded: nil
    }
  }
}

extension Expectation {
  fileprivate var jsonValue: JSONValue {
    .object([("verdict", .string(isViolation ? "violation" : "holds")), ("rule", .optional(rule))])
  }
}

extension Finding {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("rule", .string(rule.identifier)), ("message", .string(message)), ("replay", .string(replay)),
      ("preemptions", .integer(preemptions)), ("steps", .integer(steps)),
      (
        "story",
        .array(story.split(separator: "\n", omittingEmptySubsequences: false).map { .string(String($0)) })
      ),
    ])
  }
}

extension Partition {
  fileprivate func jsonValue(_ exploration: Exploration) -> JSONValue {
    .object([
      ("depth", .integer(depth)), ("index", .integer(index)), ("count", .integer(count)),
      ("prefixes", .integer(exploration.prefixes)), ("passed", .integer(exploration.passed)),
    ])
  }
}

extension Limits {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("schedules", schedules == .max ? .null : .integer(schedules)), ("steps", .integer(steps)),
      ("time", time == .max ? .null : .unsigned(time)), ("shrinking", .integer(shrinking)),
    ])
  }
}

extension Strategy {
  fileprivate var jsonValue: JSONValue {
    let kind = ("kind", JSONValue.string(StrategyKind(self).rawValue))
    func bound(_ preemptions: Int?) -> JSONValue { preemptions.map(JSONValue.integer) ?? .null }
    switch self {
    case .exhaustive(let preemptions), .everyChoice(let preemptions):
      return .object([kind, ("preemptions", bound(preemptions))])
    case .random(let seed, let schedules):
      return .object([kind, ("seed", .unsigned(seed)), ("schedules", .integer(schedules))])
    case .priorities(let seed, let schedules, let depth):
      return .object([
        kind, ("seed", .unsigned(seed)), ("schedules", .integer(schedules)), ("depth", .integer(depth)),
      ])
    }
  }
}
