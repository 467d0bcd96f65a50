// What a result means, in words: the same in text, JSON and on the page.
//
// Law: a bound is always said with the result, and a sample is called one.

import ComparisonReport
import Exploration
import SimulatedMachine

extension ScenarioResult {
  /// What was found: "all 12,480 schedules up to 2 preemptions: no violation".
  public var meaning: String {
    let count = exploration.schedules
    let runs = count == 1 ? "1 schedule" : "\(NumberText.grouped(UInt64(count))) schedules"
    switch (exploration.verdict, scenario.strategy) {
    case (.violation(let finding), _):
      if finding.steps == 0 { return "refused when the program is made: \(finding.rule)" }
      return "after \(runs): \(finding.rule)"
    case (.holds, .exhaustive(.some(let bound))), (.holds, .everyChoice(.some(let bound))):
      return "all \(runs) up to \(Strategy.words(preemptions: bound)): no violation"
    case (.holds, _): return "all \(runs): no violation"
    case (.bounded, .exhaustive), (.bounded, .everyChoice):
      let end = isInterrupted ? "interrupted" : "the limit"
      return "\(runs), then \(end): no violation in these; there are more"
    case (.bounded, _):
      return "a sample of \(runs)\(isInterrupted ? ", interrupted" : ""): no violation in these"
    }
  }

  /// How that is to what was expected; nil where nothing is.
  public var comparedToExpectation: String? {
    guard let expected = scenario.expectation else { return nil }
    let wanted =
      expected.isViolation ? expected.rule.map { "a violation of \($0)" } ?? "a violation" : "that it holds"
    switch judgement {
    case .asExpected: return "as expected"
    case .bounded: return "expected is \(wanted); that is neither shown nor refuted"
    default: return "NOT AS EXPECTED, which is \(wanted)"
    }
  }

  /// What was run: machine, strategy, discipline.
  public var setting: String {
    let cpus = scenario.cpus == 1 ? "1 CPU" : "\(scenario.cpus) CPUs"
    let recognition = scenario.recognition == .points ? "interrupts at points" : "interrupts anywhere"
    let memory = scenario.memory == .rc11 ? "memory RC11" : "memory sequentially consistent"
    let discipline = scenario.discipline.map { ", discipline \($0.rawValue)" } ?? ""
    return "\(cpus), \(recognition), \(memory)\(discipline); \(scenario.strategy.words)"
  }
}

extension Strategy {
  static func words(preemptions count: Int) -> String {
    "\(NumberText.grouped(UInt64(count))) \(count == 1 ? "preemption" : "preemptions")"
  }

  var words: String {
    func bound(_ preemptions: Int?) -> String {
      preemptions.map { " up to \(Self.words(preemptions: $0))" } ?? ""
    }
    return switch self {
    case .exhaustive(let preemptions): "exhaustive\(bound(preemptions))"
    case .everyChoice(let preemptions): "every choice\(bound(preemptions))"
    case .random(let seed, let schedules): "\(schedules) random schedules of seed \(seed)"
    case .priorities(let seed, let schedules, let depth):
      "\(schedules) schedules of random priorities, depth \(depth), seed \(seed)"
    }
  }
}
