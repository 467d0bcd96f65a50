// The published schemas: all examples and all results are valid; what the reader refuses for its form the schema refuses too.

import Exploration
import Foundation
import Scenarios
import TestSupport
import Testing

@Suite("Schemas of scenarios and results")
struct SchemaTests {
  @Test("Each example is valid", arguments: Examples.names)
  func examples(name: String) throws {
    let schema = try SchemaValidator(published: "softint.scenario-1.schema.json")
    #expect(try schema.findings(in: Data(Examples.text(name))).isEmpty)
  }

  @Test("Each result is valid: holds, violation, bounded, under a discipline, of each strategy")
  func results() throws {
    let schema = try SchemaValidator(published: "softint.explore-1.schema.json")
    var scenarios = try ["smallest", "unraised-read", "lost-wake-up"].map(Examples.scenario)
    scenarios.append(try Examples.scenario("timeout-raises").under(.disjoint))
    let strategies: [Strategy] = [
      .exhaustive(), .everyChoice(preemptions: 1), .random(seed: 3, schedules: 20),
      .priorities(seed: 3, schedules: 20, depth: 2),
    ]
    for strategy in strategies {
      var scenario = try Examples.scenario("smallest")
      scenario.strategy = strategy
      scenarios.append(scenario)
      scenario.limits.schedules = 1
      scenarios.append(scenario)
    }
    var verdicts: Set<Bool?> = []
    for scenario in scenarios {
      let result = try scenario.explore(file: "a \"file\"")
      #expect(try schema.findings(in: Data(result.json.utf8)).isEmpty, "\(result.json)")
      if case .bounded = result.exploration.verdict { verdicts.insert(nil) }
      if case .holds = result.exploration.verdict { verdicts.insert(true) }
      if case .violation = result.exploration.verdict { verdicts.insert(false) }
    }
    #expect(verdicts.count == 3)
  }

  @Test("The schemas list the rules that there are")
  func rules() throws {
    for name in ["softint.scenario-1.schema.json", "softint.explore-1.schema.json"] {
      let text = try String(contentsOf: repositoryFile("Documentation/Schemas/\(name)"), encoding: .utf8)
      for rule in Rule.all { #expect(text.contains("\"\(rule.identifier)\""), "\(name): \(rule)") }
    }
  }

  @Test("What has a wrong form is refused by schema and reader", arguments: Wrong.forms)
  func refusedByBoth(form: WrongForm) throws {
    let schema = try SchemaValidator(published: "softint.scenario-1.schema.json")
    #expect(try !schema.findings(in: Data(form.text.utf8)).isEmpty)
    #expect(throws: ScenarioError.self) { try Scenario(Array(form.text.utf8), file: "f") }
  }
}
