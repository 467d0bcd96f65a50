// The matrix notices a rule that is switched off.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter PairMutantTests

#if Mutants
  import CoreProofs
  import Exploration
  import SimulatedMachine
  import SoftInterrupts
  import Testing

  @Suite("Pairs of a core with a rule switched off", .serialized)
  struct PairMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let mutant: Mutant
      let company: Company
      var testDescription: String { "\(mutant): \(company)" }
    }

    static let cases = Company.refuted.map { Case(mutant: $0.mutant, company: $0.company) }

    @Test("a pair finds it, and its replay string finds it again", arguments: cases)
    func found(_ test: Case) throws {
      try Mutant.with(test.mutant) {
        let verdict = try test.company.explore()
        let finding = try #require(verdict.finding, "\(test.mutant): \(verdict.bound)")
        #expect(try test.company.replay(finding.replay)?.rule == finding.rule)
        print("\(test.mutant), \(test.company): after \(verdict.schedules) schedules, \(finding.rule)")
      }
    }
  }
#endif
