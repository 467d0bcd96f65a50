// `prove rows`: every hazard with its rule on, and off.
//
// Law: what is printed of a row is what was run just now; the exit status is 1 if a row does not hold, or if something that
// switches its rule off was not found.

import ArgumentParser
import CoreProofs

struct RowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rows",
    abstract: "What has gone wrong in other systems, row by row, with its rule on and off.",
    discussion:
      "In builds with the trait Mutants each rule of the core is switched off too, and must be missed.")

  @Argument(help: "Rows, by number (H37) or by the beginning of their name; all without.")
  var names: [String] = []
  @Flag(help: "What the core was mended of, instead of the hazards.") var mends = false
  @Flag(help: "The checks that are always on, instead of the hazards.") var checks = false
  @Flag(help: "Print the results as JSON.") var json = false
  @Flag(help: "Print the table of Documentation/Proofs.md.") var markdown = false
  @Flag(help: "Tell how each missing rule was found.") var story = false
  @Option(help: "Another bound than the rows' own: a number, or all.") var preemptions: String?
  @Option(help: "So many schedules at most.") var schedules: Int?
  @Option(help: "A sample of so many schedules under C++20's memory instead.") var weak: Int?

  func run() throws {
    let list = mends ? Checks.mends : checks ? Checks.all : Rows.all
    let proofs = list.filter { proof in
      names.isEmpty
        || names.contains { proof.name.hasPrefix($0 + " ") || ($0.contains(" ") && proof.name.hasPrefix($0)) }
    }
    if proofs.isEmpty {
      throw ValidationError("no row is called \(names.joined(separator: " or ")): see `prove rows`")
    }
    var results: [RowResult] = []
    for proof in proofs {
      let result = try bounded(proof).check()
      if !json && !markdown { print(Self.text(result, story: story)) }
      results.append(result)
    }
    if json { print(Self.json(results)) }
    if markdown { print(Self.table(results)) }
    let bad = results.filter { !$0.isGood }
    if !json && !markdown {
      print("\(results.count - bad.count) of \(results.count) as they should be")
    }
    if !bad.isEmpty { throw ExitCode(1) }
  }

  /// The row within the bounds that were asked for.
  private func bounded(_ proof: Proof) throws -> Proof {
    var proof = proof
    if let preemptions {
      if preemptions != "all" && Int(preemptions) == nil {
        throw ValidationError("--preemptions takes a number, or all; not \(preemptions)")
      }
      if proof.memory == .sequentiallyConsistent {
        proof.strategy = .exhaustive(preemptions: Int(preemptions))
      }
    }
    if let schedules { proof.limits.schedules = schedules }
    if let weak {
      (proof.memory, proof.strategy) = (.rc11, .random(seed: 11, schedules: weak))
    }
    return proof
  }

  // MARK: Text

  private static func text(_ result: RowResult, story: Bool) -> String {
    var text = result.proof.name + "\n"
    text += "    \(result.proof.bound); \(tenths(result.time)) s\n"
    if let finding = result.exploration.finding {
      text += "    FAILS: \(result.exploration)\n"
      return text + "    \(finding.replay)\n"
    }
    text += "    \(result.exploration)\n"
    for refutation in result.refutations {
      text += "    \(without(refutation)):\n"
      text += "      \(refutation.isGood ? "" : "NOT AS IT SHOULD BE: ")\(found(refutation))\n"
      if story || !refutation.isGood, let finding = refutation.finding {
        text += "\(finding.story)replay: \(finding.replay)\n"
      }
    }
    text.removeLast()
    return text
  }

  private static func without(_ refutation: Refutation) -> String {
    switch (refutation.wrong, refutation.mutant) {
    case (let wrong, nil): "the program \(wrong)"
    case ("", let mutant?): "with \(mutant)"
    case (_, let mutant?): "the same with \(mutant)"
    }
  }

  private static func found(_ refutation: Refutation) -> String {
    guard let finding = refutation.finding else { return "\(refutation.exploration)" }
    let schedules = refutation.exploration.schedules
    return "\(finding.rule) after \(schedules) schedule\(schedules == 1 ? "" : "s"), "
      + "by \(finding.preemptions) preemption\(finding.preemptions == 1 ? "" : "s")"
  }

  private static func tenths(_ time: Duration) -> String {
    let (seconds, attoseconds) = time.components
    return "\(seconds).\(attoseconds / 100_000_000_000_000_000)"
  }

  // MARK: Markdown

  private static func table(_ results: [RowResult]) -> String {
    var lines = [
      "| row | situation | bound | schedules with the rule | without it | found after | reported as | preemptions |",
      "| --- | --- | --- | ---: | --- | ---: | --- | ---: |",
    ]
    for result in results {
      let count = result.holds ? grouped(result.exploration.schedules) : "FAILS"
      var head = "| \(result.number) | \(result.situation) | \(result.proof.bound) | \(count) |"
      if result.refutations.isEmpty { lines.append(head + " | | | |") }
      for refutation in result.refutations {
        let finding = refutation.isGood ? refutation.finding : nil
        let without =
          switch (refutation.wrong, refutation.mutant) {
          case (let wrong, nil): "the program \(wrong)"
          case ("", let mutant?): "`\(mutant)`"
          case (_, let mutant?): "the same, `\(mutant)`"
          }
        lines.append(
          head + " \(without) | "
            + (finding == nil ? "NOT FOUND | | |" : "")
            + (finding.map {
              "\(grouped(refutation.exploration.schedules)) | \($0.rule) | \($0.preemptions) |"
            } ?? ""))
        head = "| | | | |"
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func grouped(_ number: Int) -> String {
    var digits = Array(String(number))
    var at = digits.count - 3
    while at > 0 {
      digits.insert(",", at: at)
      at -= 3
    }
    return String(digits)
  }

  // MARK: JSON

  private static func json(_ results: [RowResult]) -> String {
    let rows = results.map { result in
      let refutations = result.refutations.map { refutation in
        object([
          ("without", string(without(refutation))), ("asItShouldBe", "\(refutation.isGood)"),
          ("schedules", "\(refutation.exploration.schedules)"),
          ("rule", refutation.finding.map { string("\($0.rule)") } ?? "null"),
          ("preemptions", refutation.finding.map { "\($0.preemptions)" } ?? "null"),
          ("replay", refutation.finding.map { string($0.replay) } ?? "null"),
          ("story", refutation.finding.map { string($0.story) } ?? "null"),
        ])
      }
      return object([
        ("row", string(result.number)), ("situation", string(result.situation)),
        ("bound", string(result.proof.bound)), ("holds", "\(result.holds)"),
        ("schedules", "\(result.exploration.schedules)"), ("steps", "\(result.exploration.steps)"),
        ("says", string("\(result.exploration)")),
        ("refutations", "[\(refutations.joined(separator: ", "))]"),
      ])
    }
    return "[\n  \(rows.joined(separator: ",\n  "))\n]"
  }

  private static func object(_ members: [(String, String)]) -> String {
    "{\(members.map { "\(string($0.0)): \($0.1)" }.joined(separator: ", "))}"
  }

  private static func string(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case let control where control.value < 0x20:
        let digits = String(control.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
