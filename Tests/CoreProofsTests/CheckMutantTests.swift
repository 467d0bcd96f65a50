// Each rule of the core that a check looks at, and each mend, is switched off, and is found; and every mutant has an exploration.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests
//
// The same for all mutants, with figures: `prove mutants`.

#if Mutants
  import CoreProofs
  import Exploration
  import SoftInterrupts
  import Testing

  @Suite("Mutants, checked", .serialized)
  struct CheckMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let proof: Proof
      let mutant: Mutant
      var testDescription: String { "\(proof.name): \(mutant)" }
    }

    static let cases = (Checks.all + Checks.mends).flatMap { proof in
      proof.mutants.map { Case(proof: proof, mutant: $0) }
    }

    @Test("is found as what it should be, and its string finds it again", arguments: cases)
    func found(_ test: Case) throws {
      try Mutant.with(test.mutant) {
        let exploration = try fewestFirst(test.proof)
        let finding = try #require(exploration.finding, "\(test.mutant): \(exploration)")
        #expect(test.proof.finds.contains(finding.rule), "\(finding)")
        try check(finding, test.proof.explorer, test.proof.program)
      }
    }

    @Test("every mutant has an exploration that is to find it")
    func all() {
      for mutant in Mutant.allCases where mutant != .none {
        #expect(!mutant.finders.isEmpty, "\(mutant)")
      }
    }
  }
#endif
