// What `prove pairs` prints.
//
// Law: a bound is said as it was run: what is complete, to how many preemptions, and what is a sample.

import CoreProofs
import Exploration
import Foundation
import SimulatedMachine

struct PairsReport {
  var verdicts: [CompanyVerdict]
  var written: [(proof: Proof, exploration: Exploration)]
  var preemptions: Int
  var limit: Int

  var violations: Int {
    verdicts.count { $0.finding != nil } + written.count { $0.exploration.finding != nil }
  }

  /// Violations first, then those of which least is complete, then the most schedules.
  private var worstFirst: [CompanyVerdict] {
    verdicts.sorted { a, b in
      if (a.finding != nil) != (b.finding != nil) { return a.finding != nil }
      let (x, y) = (rank(a), rank(b))
      return x != y ? x < y : a.schedules > b.schedules
    }
  }

  private func rank(_ verdict: CompanyVerdict) -> Int {
    verdict.isComplete ? .max : (verdict.completeTo ?? -1)
  }

  /// "all", "≤ 2, and a sample", …
  private func kind(_ verdict: CompanyVerdict) -> String {
    if verdict.finding != nil { return "violation" }
    if verdict.isComplete { return "all schedules" }
    let complete = verdict.completeTo.map { "all with ≤ \($0) preemptions" } ?? "none"
    return verdict.sampled == 0 ? complete : complete + ", a sample of ≤ \((verdict.completeTo ?? -1) + 1)"
  }

  // MARK: Text

  func text(isMarkdown: Bool, listsAll: Bool) -> String {
    var lines: [String] = []
    func row(_ cells: [String]) {
      lines.append(isMarkdown ? "| " + cells.joined(separator: " | ") + " |" : cells.joined(separator: "  "))
    }
    func head(_ cells: [String]) {
      row(cells)
      if isMarkdown { row(cells.map { _ in "---" }) }
    }
    for size in [2, 3] {
      for recognition in [Recognition.points, .anywhere] {
        let some = verdicts.filter {
          $0.company.recognition == recognition && $0.company.operations.count == size
        }
        if some.isEmpty { continue }
        lines.append(
          "\(size == 2 ? "pairs" : "triples"), interrupts recognised \(spelled(recognition)): \(some.count)")
        lines.append("")
        head(["explored", "how many", "schedules", "scheduling points"])
        for (kind, group) in Dictionary(grouping: some, by: kind).sorted(by: { $0.key < $1.key }) {
          row([kind, "\(group.count)", "\(group.sum(\.schedules))", "\(group.sum(\.steps))"])
        }
        row(["in all", "\(some.count)", "\(some.sum(\.schedules))", "\(some.sum(\.steps))"])
        lines.append("")
      }
    }
    if !verdicts.isEmpty {
      lines.append(listsAll ? "each, the worst first:" : "the worst:")
      lines.append("")
      head(["operations", "recognition", "explored", "schedules"])
      for verdict in worstFirst.prefix(listsAll ? .max : 12) {
        let broken = verdict.finding.map { "\($0.rule), \($0.replay)" }
        row([
          verdict.company.name, "\(verdict.company.recognition)", broken ?? verdict.bound,
          "\(verdict.schedules)",
        ])
      }
      lines.append("")
    }
    for (proof, exploration) in written {
      lines.append("\(proof.name), \(spelled(proof.recognition)): \(exploration)")
    }
    lines.append(violations == 0 ? "no violation" : "\(violations) with a violation")
    return lines.joined(separator: "\n")
  }

  private func spelled(_ recognition: Recognition) -> String {
    recognition == .points ? "at points" : "anywhere"
  }

  // MARK: JSON

  private struct Object: Encodable {
    struct Company: Encodable {
      var operations: [String]
      var recognition: String
      var complete: Bool
      var completeTo: Int?
      var sampled: Int
      var schedules: Int
      var redundant: Int
      var steps: Int
      var violation: Violation?
    }
    struct Violation: Encodable {
      var rule: String
      var message: String
      var story: String
      var replay: String
    }
    var format = "softint.prove.pairs/1"
    var preemptions: Int
    var limit: Int
    var violations: Int
    var companies: [Company]
  }

  func json() throws -> String {
    func violation(_ finding: Finding?) -> Object.Violation? {
      finding.map { .init(rule: "\($0.rule)", message: $0.message, story: $0.story, replay: $0.replay) }
    }
    var companies = verdicts.map { verdict in
      Object.Company(
        operations: verdict.company.operations.map(\.name), recognition: "\(verdict.company.recognition)",
        complete: verdict.isComplete, completeTo: verdict.completeTo, sampled: verdict.sampled,
        schedules: verdict.schedules, redundant: verdict.redundant, steps: verdict.steps,
        violation: violation(verdict.finding))
    }
    for (proof, exploration) in written {
      var isComplete = false
      if case .holds = exploration.verdict { isComplete = true }
      companies.append(
        .init(
          operations: [proof.name], recognition: "\(proof.recognition)", complete: false,
          completeTo: isComplete ? preemptions : nil, sampled: isComplete ? 0 : exploration.schedules,
          schedules: exploration.schedules, redundant: exploration.redundant, steps: exploration.steps,
          violation: violation(exploration.finding)))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let object = Object(
      preemptions: preemptions, limit: limit, violations: violations, companies: companies)
    return String(decoding: try encoder.encode(object), as: UTF8.self)
  }
}

extension Array where Element == CompanyVerdict {
  fileprivate func sum(_ count: KeyPath<CompanyVerdict, Int>) -> Int { reduce(0) { $0 + $1[keyPath: count] } }
}
