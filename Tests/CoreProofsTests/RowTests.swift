// What has gone wrong in other systems, row by row (`prove rows` runs the same programs within larger bounds, in release builds).
//
// With the trait Mutants each rule is switched off too. The selection is process-wide, so these run alone and one after the other:
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests

import CoreProofs
import Exploration
import SoftInterrupts
import Testing

/// Bounds for debug builds, which explore ten times slower: where a row's own would take more than some seconds.
private let smaller: [String: Strategy] = [
  "H20 attributes change in the middle of a run": .exhaustive(preemptions: 1),
  "H29 big-lock work is overtaken for ever": .exhaustive(preemptions: 3),
  "H39 big-lock work bounces between its two gates": .exhaustive(preemptions: 3),
  "H44 a CPU leaves with work marked on a gate": .exhaustive(preemptions: 1),
  "H49 a cell is opened from above its level": .exhaustive(preemptions: 2),
  "H51 a mark is collected twice": .exhaustive(preemptions: 1),
  "H51 the same under C++20's memory": .random(seed: 51, schedules: 1_000),
  "H52 the woken waiter serves, and the next one sleeps on": .exhaustive(preemptions: 1),
  "H53 a gate is kept for who does not come": .exhaustive(preemptions: 1),
  "H57 the way in changes during a run elsewhere": .exhaustive(preemptions: 1),
]

private func quick(_ proof: Proof) -> Proof {
  var proof = proof
  if let strategy = smaller[proof.name] { proof.strategy = strategy }
  return proof
}

/// A finding that a person can read, and that can be had again.
private func check(_ finding: Finding, _ explorer: Explorer, _ program: (World) throws -> Void) throws {
  #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(finding)")
  #expect(try explorer.replay(finding.replay, program)?.rule == finding.rule)
}

@Suite("The hazards, row by row")
struct RowTests {
  @Test("with its rule on a row holds under every schedule of its bound", arguments: Rows.all.map(quick))
  func holds(_ row: Proof) throws {
    let result = try row.check(refuting: false)
    #expect(result.holds, "\(result.exploration)")
    #expect(result.exploration.schedules > 1)
  }

  @Test("a program that breaks the rule itself is reported", arguments: Rows.all.filter { !$0.wrong.isEmpty })
  func reported(_ row: Proof) throws {
    for wrong in row.wrong {
      let exploration = try row.explorer.explore(wrong.program)
      let finding = try #require(exploration.finding, "\(wrong.name): \(exploration)")
      #expect(finding.rule == wrong.reports, "\(wrong.name): \(finding)")
      try check(finding, row.explorer, wrong.program)
    }
  }

  @Test("every hazard that is to be explored has a row, and every row a way to be without its rule")
  func all() {
    let explored = [
      1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 18, 20, 22, 23, 27, 29, 37, 38, 39, 40, 41, 42, 43, 44, 45, 47, 49,
      50, 51, 52, 53, 54, 56, 57,
    ]
    let rows = Set(Rows.all.map { $0.name.prefix { $0 != " " } })
    #expect(rows == Set(explored.map { "H\($0)" }))
    #expect(Set(Rows.all.map(\.name)).count == Rows.all.count)
    let without = Dictionary(grouping: Rows.all) { $0.name.prefix { $0 != " " } }
    for (row, proofs) in without {
      #expect(proofs.contains { !$0.mutants.isEmpty || !$0.wrong.isEmpty }, "\(row)")
    }
    let names = Set(Rows.all.map(\.name))
    #expect(smaller.keys.allSatisfy(names.contains))
  }
}

#if Mutants
  @Suite("The hazards, with their rules off", .serialized)
  struct RowMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let row: Proof
      let mutant: Mutant
      var testDescription: String { "\(row.name): \(mutant)" }
    }

    static let cases = Rows.all.flatMap { row in row.mutants.map { Case(row: row, mutant: $0) } }

    @Test("a rule that is off is missed, with a story", arguments: cases)
    func found(_ test: Case) throws {
      try Mutant.with(test.mutant) {
        let exploration = try test.row.explore()
        let finding = try #require(exploration.finding, "\(test.mutant): \(exploration)")
        #expect(test.row.finds.isEmpty || test.row.finds.contains(finding.rule), "\(finding)")
        try check(finding, test.row.explorer, test.row.program)
      }
    }

    @Test("a wrong program that nobody reports goes wrong", arguments: Rows.all.filter { !$0.wrong.isEmpty })
    func unreported(_ row: Proof) throws {
      for wrong in row.wrong {
        guard let mutant = wrong.mutant else { continue }
        try Mutant.with(mutant) {
          let exploration = try row.explorer.explore(wrong.program)
          let finding = try #require(exploration.finding, "\(wrong.name): \(exploration)")
          #expect(finding.rule == wrong.becomes, "\(wrong.name): \(finding)")
          try check(finding, row.explorer, wrong.program)
        }
      }
    }

  }
#endif
