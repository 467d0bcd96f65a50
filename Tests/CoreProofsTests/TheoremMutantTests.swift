// Rules of the core switched off: random programs find them, and the bounds of fairness do not hold without theirs.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests

#if Mutants
  import CoreProofs
  import Exploration
  import SimulatedMachine
  import SoftInterrupts
  import Testing

  @Suite("Mutants, by random programs", .serialized)
  struct TheoremMutantTests {
    @Test(
      "random programs find it",
      arguments: [Mutant.noGate, .countFromIPL, .noLook, .clearAfterRun])
    func found(_ mutant: Mutant) throws {
      let within = 60
      let found = try Mutant.with(mutant) {
        try TheoremSummary.seedThatFinds(cpus: 2, within: within, RandomProgramTests.effort)
      }
      #expect(found != nil, "\(mutant) was not found within \(within) programs")
      if let found {
        print("\(mutant): found by program \(found.seed), \(found.flavour): \(found.finding.rule)")
      }
    }

    /// With K of 1; with 2 what shows with 2 only.
    static var cases: [(Int, Mutant)] {
      FairnessTests.all.enumerated().flatMap { index, bound in
        bound.mutants.filter { bound.configuration.patience == 1 || $0 == .passOverTrying }.map {
          (index, $0)
        }
      }
    }

    @Test("without its rule a bound does not hold", arguments: cases)
    func unfair(_ index: Int, _ mutant: Mutant) throws {
      var bound = FairnessTests.all[index]
      bound.limits.shrinking = 0
      let result = try Mutant.with(mutant) { try bound.explore() }
      #expect(result.exploration.finding != nil, "\(bound) under \(mutant): \(result.exploration)")
    }
  }
#endif
