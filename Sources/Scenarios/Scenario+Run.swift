// Exploring a scenario, and what that came to.

import ComparisonReport
public import Exploration
import SimulatedMachine
import Synchronization

/// What exploring a scenario came to.
public struct ScenarioResult: Sendable {
  /// The scenario as it was run: its strategy and limits too.
  public var scenario: Scenario
  /// What the file is called.
  public var file: String
  public var exploration: Exploration
  /// Somebody asked to end before the strategy had.
  public var isInterrupted = false

  /// What the result is, held against what the scenario expects.
  public enum Judgement: Sendable {
    case asExpected, notAsExpected
    /// Nothing is expected.
    case holds, violation
    /// Neither shown to hold nor broken.
    case bounded
  }

  public var judgement: Judgement {
    switch (exploration.verdict, scenario.expectation) {
    case (.bounded, _): .bounded
    case (.holds, nil): .holds
    case (.violation, nil): .violation
    case (.holds, let expected?): expected.isViolation ? .notAsExpected : .asExpected
    case (.violation(let finding), let expected?):
      expected.isViolation && (expected.rule ?? finding.rule.identifier) == finding.rule.identifier
        ? .asExpected : .notAsExpected
    }
  }
}

extension Scenario {
  /// The program that the scenario is. It may be called on any thread, for any number of schedules.
  public var program: @Sendable (World) throws -> Void {
    let plan = Plan(self)
    return { world in try Player(plan, world).build() }
  }

  /// Who explores it.
  public var explorer: Explorer {
    Explorer(
      cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, strategy: strategy,
      limits: limits)
  }

  /// Explores it.
  ///
  /// - Parameters:
  ///   - file: what the text was called, for the result and for errors.
  ///   - plan: how the search is done.
  ///   - progress: called now and then; false ends the search with what there is.
  /// - Throws: ``ScenarioError`` if the core cannot make what the scenario declares.
  public func explore(
    file: String = "", _ plan: SearchPlan = SearchPlan(), progress: (@Sendable (Progress) -> Bool)? = nil
  ) throws -> ScenarioResult {
    var explorer = explorer
    let wasEnded = Flag()
    if let progress {
      explorer.progress = { state in
        let goesOn = progress(state)
        if !goesOn { wasEnded.raise() }
        return goesOn
      }
    }
    explorer.progressInterval = 256
    do {
      let exploration = try plan.explore(explorer, program)
      var result = ScenarioResult(scenario: self, file: file, exploration: exploration)
      if case .bounded = exploration.verdict { result.isInterrupted = wasEnded.isRaised }
      return result
    } catch let refusal as Refusal {
      let exploration = Exploration(
        verdict: .violation(finding(refusal)), strategy: strategy, memory: memory, schedules: 0)
      return ScenarioResult(scenario: self, file: file, exploration: exploration)
    } catch var error as ScenarioError {
      error.file = file
      throw error
    }
  }

  /// Runs it under one schedule.
  ///
  /// - Returns: the rule that the schedule breaks, told; nil if it breaks none.
  /// - Throws: ``Exploration/ReplayError`` if the string is none of this scenario.
  public func replay(_ string: String, file: String = "") throws -> Finding? {
    do {
      return try explorer.replay(string, program)
    } catch let refusal as Refusal {
      return finding(refusal)
    } catch var error as ScenarioError {
      error.file = file
      throw error
    }
  }

  /// A program that cannot be made: nothing ran, so there is nothing to tell but why.
  private func finding(_ refusal: Refusal) -> Finding {
    let told = TerminalText.wrap(refusal.message, columns: 79, first: "   ", rest: "   ").joined(
      separator: "\n")
    return Finding(
      rule: refusal.rule, message: refusal.message, replay: recognition == .points ? "p" : "a",
      story:
        "Nothing ran: the program was refused when it was made.\n=> \(refusal.rule)\n\(told)\n",
      timeline: Timeline(), preemptions: 0, steps: 0)
  }
}

/// Raised once, by whichever thread.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  // Relaxed: it is read after the threads that raise it have been joined.
  func raise() { value.store(true, ordering: .relaxed) }
  var isRaised: Bool { value.load(ordering: .relaxed) }
}
