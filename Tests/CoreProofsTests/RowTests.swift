// What has gone wrong in other systems, row by row (`prove rows` runs the same programs within larger bounds, in release builds).
//
// With the trait Mutants each rule is switched off too. The selection is process-wide, so these run alone and one after the other:
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests

import CoreProofs
import Exploration
import SoftInterrupts
import Testing

/// Bounds for debug builds, which explore ten times slower: one preemption less than the row's own; and some for rows of their own size.
func quick(_ row: Proof) -> Proof {
  var row = row
  #if DEBUG
    let large = [
      "H5 a timer is armed again after it was cancelled", "H23 a CPU that waits is deaf to what is above",
      "H27 an un-raised reader sees the middle of a handler",
      "H56 two systems are entered in both orders",
    ]
    switch row.strategy {
    case .exhaustive(.some(let bound)): row.strategy = .exhaustive(preemptions: bound - 1)
    case .exhaustive(.none) where large.contains(row.name): row.strategy = .exhaustive(preemptions: 1)
    case .random(let seed, _): row.strategy = .random(seed: seed, schedules: 1_000)
    default: break
    }
  #endif
  return row
}

/// A finding that a person can read, and that can be had again.
func check(_ finding: Finding, _ explorer: Explorer, _ program: (World) throws -> Void) throws {
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

  @Test("a row holds in a sample under C++20's memory", arguments: Rows.all)
  func weakMemory(_ row: Proof) throws {
    var row = row
    (row.memory, row.strategy) = (.rc11, .random(seed: 11, schedules: 50))
    let result = try row.check(refuting: false)
    #expect(result.holds, "\(result.exploration)")
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
      1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 18, 20, 22, 23, 27, 29, 30, 37, 38, 39, 40, 41, 42, 43, 44, 45, 47,
      49,
      50, 51, 52, 53, 54, 56, 57,
    ]
    let rows = Set(Rows.all.map { $0.name.prefix { $0 != " " } })
    #expect(rows == Set(explored.map { "H\($0)" }))
    #expect(Set(Rows.all.map(\.name)).count == Rows.all.count)
    let without = Dictionary(grouping: Rows.all) { $0.name.prefix { $0 != " " } }
    for (row, proofs) in without {
      #expect(proofs.contains { !$0.mutants.isEmpty || !$0.wrong.isEmpty }, "\(row)")
    }
  }
}

#if Mutants
  /// Up to the proof's own bound, with few preemptions first: defects mostly need few (Musuvathi and Qadeer, PLDI 2007).
  func fewestFirst(_ row: Proof) throws -> Exploration {
    guard case .exhaustive(.some(let last)) = row.strategy else { return try row.explore() }
    var row = row
    for bound in 0..<last {
      row.strategy = .exhaustive(preemptions: bound)
      let exploration = try row.explore()
      if exploration.finding != nil { return exploration }
    }
    row.strategy = .exhaustive(preemptions: last)
    return try row.explore()
  }

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
        let exploration = try fewestFirst(test.row)
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
