// What stands below the table: stages, parallel limit, gates, violations, digests, notes.

extension Comparison {
  func footing(_ ink: Ink) -> [String] {
    var lines = stageLines
    lines += limitLines.map { machine.tooNoisy ? ink.alarm($0) : $0 }
    lines += gateLines
    lines += violationLines(ink)
    lines += digestLines.map(ink.alarm)
    for note in notes { lines += wrapped(note, first: "note: ", rest: "  ") }
    return lines
  }

  private var stageLines: [String] {
    guard !stages.isEmpty else { return [] }
    let shares = stages.map { "\($0.name) (\($0.level)) \(NumberText.percent($0.share))" }
    return wrapped(shares.joined(separator: ", "), first: "stages: ", rest: "  ")
  }

  private var limitLines: [String] {
    guard let limit = machine.parallelLimit else {
      return machine.cpus == 1
        ? wrapped("parallel limit S: none on one CPU") : wrapped("parallel limit S: not measured")
    }
    let needed = MachineFigures.quietShare * Double(machine.cpus)
    let verdict =
      machine.tooNoisy ? ": too noisy to compare (S below \(NumberText.ratio(needed)))" : ""
    return wrapped(
      "parallel limit S: \(NumberText.ratio(limit.median)) "
        + "(\(NumberText.range(limit, NumberText.ratio)))" + verdict)
  }

  private var gateLines: [String] {
    guard results.contains(where: { $0.measurements?.gates.isEmpty == false }) else { return [] }
    let lines = results.flatMap { result -> [String] in
      let gates = (result.measurements?.gates ?? []).filter { $0.taken > 0 && $0.contended > 0 }
      guard !gates.isEmpty else { return [] }
      let shares = gates.map {
        "\($0.level) \(NumberText.percent(Double($0.contended) / Double($0.taken)))"
          + " of \(NumberText.count($0.taken))"
      }
      return wrapped(
        shares.joined(separator: ", "), first: "gates contended, \(result.discipline): ", rest: "  ")
    }
    return lines.isEmpty ? ["gates contended: none"] : lines
  }

  /// The table lists so many kinds for each discipline; the rest is counted, and in the JSON.
  private static let listedViolations = 8

  private func violationLines(_ ink: Ink) -> [String] {
    var lines: [String] = []
    if !results.contains(where: { $0.reason == nil && $0.violationCount > 0 }) {
      lines = [settings.witness ? "violations: none" : "violations: not looked for, the witness is off"]
    }
    for result in results where result.violationCount > 0 {
      let title =
        (result.reason == nil ? "violations, " : "what rules out ") + "\(result.discipline): "
        + NumberText.count(result.violationCount)
      lines.append(result.reason == nil ? ink.alarm(title) : title)
      for violation in result.violations.prefix(Comparison.listedViolations) {
        lines += wrapped(
          "\(NumberText.count(violation.count)) × \(violation.rule): \(violation.text)", first: "  ",
          rest: "    ")
      }
      let unlisted = result.violations.count - Comparison.listedViolations
      if unlisted > 0 { lines.append("  and \(unlisted) more kinds, listed by --json") }
    }
    return lines
  }

  private var digestLines: [String] {
    guard !digestsAgree, let expected = expectedDigest else { return [] }
    let origin = referenceDigest == nil ? "first discipline" : "plain pass"
    return wrapped("\(expected) (\(origin))", first: "digest: ", rest: "  ")
      + results.filter { digestAgrees($0.discipline) == false }.flatMap {
        wrapped("\($0.measurements?.digest ?? "") (\($0.discipline))", first: "digest: ", rest: "  ")
      }
  }
}
