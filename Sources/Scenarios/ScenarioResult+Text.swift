// A result as text for a terminal: what was run, what it came to, and the story if there is one.
//
// Law: at most 80 columns, and nothing that could move a cursor: names and messages come from a file.

import ComparisonReport
import Exploration

extension ScenarioResult {
  /// The result as text.
  ///
  /// - Parameter seconds: how long it took; nil where that is not to be said.
  public func text(seconds: Double? = nil) -> String {
    var lines = TerminalText.wrap(scenario.name, columns: 80)
    if !scenario.history.isEmpty {
      let history = scenario.history.joined(separator: " ")
      lines += TerminalText.wrap(history, columns: 80, first: "  ", rest: "  ")
    }
    lines += TerminalText.wrap(setting, columns: 80)
    var found = meaning
    if let compared = comparedToExpectation { found += " (\(compared))" }
    lines += TerminalText.wrap(found, columns: 80)
    // A rate of nothing says nothing.
    if let seconds, seconds >= 0.1, exploration.steps > 0 {
      lines += TerminalText.wrap(costs(seconds), columns: 80)
    }
    for (outcome, count) in exploration.outcomes.sorted(by: { $0.key < $1.key }) {
      let share = count == 1 ? "1 schedule" : "\(NumberText.grouped(UInt64(count))) schedules"
      lines += TerminalText.wrap("\(outcome): \(share)", columns: 80, first: "  ", rest: "    ")
    }
    if let finding = exploration.finding { lines += Self.lines(of: finding, file: file, scenario.discipline) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A finding as text.
  public static func text(
    of finding: Finding, file: String, under discipline: ScenarioDiscipline?
  ) -> String {
    lines(of: finding, file: file, discipline).joined(separator: "\n") + "\n"
  }

  private static func lines(
    of finding: Finding, file: String, _ discipline: ScenarioDiscipline?
  ) -> [String] {
    var lines = [""]
    // The story is in columns already; its words come from the file.
    for line in finding.story.split(separator: "\n", omittingEmptySubsequences: false) where !line.isEmpty {
      lines.append(TerminalText.harmless(String(line)))
    }
    lines.append("")
    lines += TerminalText.wrap(finding.rule.text.mend, columns: 80)
    lines.append("Why: softint explore --explain \(finding.rule.identifier)")
    // A command to copy stays one line.
    let under = discipline.map { " --discipline \($0.rawValue)" } ?? ""
    lines.append(TerminalText.harmless("Again: softint explore --replay \(finding.replay)\(under) \(file)"))
    return lines
  }

  private func costs(_ seconds: Double) -> String {
    let rate = seconds > 0 ? UInt64(Double(exploration.schedules + exploration.redundant) / seconds) : 0
    let points = NumberText.grouped(UInt64(exploration.steps))
    let took = "\(Int(seconds)).\(Int(seconds * 10) % 10) s"
    return "\(points) scheduling points in \(took), \(NumberText.grouped(rate)) runs/s"
  }
}
