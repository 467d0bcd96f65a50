// What `softint explore` says without running anything: the bundled scenarios, and the rules.

import ComparisonReport
import Exploration
import Scenarios

enum ScenarioList {
  /// Each bundled scenario, what it is, and what it is to come to.
  static var text: String {
    var lines: [String] = []
    for file in ScenarioFile.bundled {
      // They are tested: none that cannot be read is part of a release.
      guard let scenario = try? file.scenario() else { continue }
      var about = scenario.name
      if let expected = scenario.expectation {
        about += expected.isViolation ? ": a violation" : ": holds"
        if let rule = expected.rule { about += " of \(rule)" }
      }
      let under = scenario.expectationsUnder.sorted { $0.key.rawValue < $1.key.rawValue }.map {
        "\($0.key.rawValue) \($0.value.isViolation ? "breaks it" : "holds")"
      }
      if !under.isEmpty { about += "; " + under.joined(separator: ", ") }
      lines += TerminalText.wrap("\(file.name)", columns: 80)
      lines += TerminalText.wrap(about, columns: 80, first: "  ", rest: "  ")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

enum RuleList {
  /// A rule in words, or every rule.
  static func text(_ name: String) -> String {
    let rules = name == "all" ? Rule.all : ExploreValue.rule(name).map { [$0] } ?? []
    return rules.map(text).joined(separator: "\n")
  }

  private static func text(_ rule: Rule) -> String {
    let words = rule.text
    var lines = TerminalText.wrap("\(rule.identifier)", columns: 80)
    lines += TerminalText.wrap(words.what, columns: 80, first: "  what      ", rest: "            ")
    lines += TerminalText.wrap(words.protects, columns: 80, first: "  protects  ", rest: "            ")
    lines += TerminalText.wrap(words.mend, columns: 80, first: "  mend      ", rest: "            ")
    return lines.joined(separator: "\n") + "\n"
  }
}
