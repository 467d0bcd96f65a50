// The terminal table: it fits 80 columns and cannot disturb a terminal, whatever the figures and names are.

import Testing

@testable import ComparisonReport

@Suite("The terminal table")
struct TableTests {
  private func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("fits 80 columns in every state of a run", arguments: ComparisonCases.all)
  func fits(_ example: ComparisonCase) {
    for line in lines(example.comparison.table()) {
      #expect(TerminalText.width(String(line)) <= Comparison.tableColumns, "\(line)")
    }
  }

  @Test("holds no escape code and no control character when plain", arguments: ComparisonCases.all)
  func isHarmless(_ example: ComparisonCase) {
    let harmful = example.comparison.table().unicodeScalars.filter {
      $0 != "\n" && !TerminalText.isHarmless($0)
    }
    #expect(harmful.isEmpty)
  }

  @Test("is the same in colour, but for the escape codes", arguments: ComparisonCases.all)
  func colorAddsCodesOnly(_ example: ComparisonCase) {
    let colored = example.comparison.table(style: .color)
    #expect(colored.contains("\u{1B}["))
    #expect(colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == example.comparison.table())
  }

  @Test("has a line for each discipline, with its figures")
  func rows() throws {
    let table = Comparison.sample().table()
    #expect(
      lines(table).contains(
        "ordered  3.86M 3.83M–3.89M    1.56   1.48  2.42    30.2       8.57     0   same"))
    for discipline in Discipline.allCases {
      #expect(lines(table).contains { $0.hasPrefix(discipline.rawValue) })
    }
    #expect(table.contains("disjoint infeasible: callout \"age flows\" at softClock"))
    #expect(table.contains("parallel limit S: 1.92 (1.91–1.93)"))
    #expect(table.contains("gates contended, bigLock: none 44 % of 120k"))
    #expect(table.contains("violations: none"))
    #expect(table.contains("parse and count (softNet) 56 %"))
  }

  @Test("shows parked latencies apart, and in the main table only if nobody polled")
  func idleModes() {
    #expect(Comparison.sample().table().contains("p99 µs, polling"))
    #expect(Comparison.sample().table().contains("\nparked "))
    var parked = Comparison.sample()
    for discipline in Discipline.allCases { parked = parked.changing(discipline) { $0.polling = nil } }
    #expect(parked.table().contains("p99 µs, parked"))
    var polling = Comparison.sample()
    for discipline in Discipline.allCases { polling = polling.changing(discipline) { $0.parked = nil } }
    #expect(!polling.table().contains("parked"))
  }

  @Test("says that no gate was contended, and nothing where gates were not counted")
  func gates() {
    var quiet = Comparison.sample()
    var uncounted = Comparison.sample()
    for discipline in Discipline.allCases {
      quiet = quiet.changing(discipline) { $0.gates = [GateFigures(level: .softNet, taken: 5, contended: 0)] }
      uncounted = uncounted.changing(discipline) { $0.gates = [] }
    }
    #expect(lines(quiet.table()).contains("gates contended: none"))
    #expect(!uncounted.table().contains("gates"))
  }

  @Test("names differing digests, noise, violations and interruption")
  func warnings() throws {
    let differing = Comparison.sample().changing(.mixed) { $0.digest = "0bad" }.table()
    #expect(differing.contains("0 DIFFER\n"))
    #expect(differing.contains("digest: 0bad (mixed)"))
    let cases = Dictionary(uniqueKeysWithValues: ComparisonCases.all.map { ($0.name, $0.comparison.table()) })
    #expect(try #require(cases["too noisy"]).contains("too noisy to compare (S below 1.60)"))
    #expect(try #require(cases["interrupted after four rounds"]).contains("interrupted after 4 of 9 rounds"))
    let violations = try #require(cases["violations"])
    #expect(violations.contains("violations, ordered: 22"))
    #expect(violations.contains("and 3 more kinds, listed by --json"))
    #expect(try #require(cases["witness off"]).contains("not looked for"))
  }

  @Test(
    "writes numbers in few columns",
    arguments: [
      (0, "0"), (0.004, "0.00"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (999.4, "999"),
      (999.6, "1.00k"),
      (123_456, "123k"), (1e9, "1.00G"), (9.996e14, "1e15"), (9.6e15, "1e16"), (1e300, "1e300"), (.nan, "–"),
    ])
  func compact(number: Double, text: String) {
    #expect(NumberText.compact(number) == text)
    #expect(TerminalText.width(NumberText.microseconds(number)) <= 6)
    #expect(TerminalText.width(NumberText.ratio(number)) <= 5)
  }

  @Test("wraps at blanks, cuts what is too long, and keeps every word")
  func wrapping() {
    let lines = TerminalText.wrap("one two three 漢字漢字漢字 endless-word", columns: 10, first: "> ", rest: "  ")
    #expect(lines == ["> one two", "  three", "  漢字漢字", "  漢字", "  endless-", "  word"])
    #expect(TerminalText.wrap("", columns: 10, first: "> ") == ["> "])
  }
}
