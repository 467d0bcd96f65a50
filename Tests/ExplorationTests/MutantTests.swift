// Each rule of the core that is switched off is found by an exploration, with a story.
//
// The selection is process-wide, so these run alone and one after the other:
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests

#if Mutants
  import Exploration
  import SimulatedMachine
  import SoftInterrupts
  import Testing

  @Suite("Mutants, explored", .serialized)
  struct ExploredMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let mutant: Mutant
      var strategy = Strategy.exhaustive(preemptions: 2)
      var recognition = Recognition.points
      var configuration = Configuration.exploration
      let program: @Sendable (World) throws -> Void
      var testDescription: String { "\(mutant)" }
    }

    static let cases: [Case] = [
      Case(mutant: .countFromIPL, program: Scenario.raisesFromMPSafe),
      Case(mutant: .noLook, program: Scenario.schedules),
      Case(mutant: .handToServing, configuration: overdueAtOnce, program: Scenario.handsOver),
      Case(mutant: .drainInsideMask, program: Scenario.drains),
      Case(mutant: .bigLockAlways, program: Scenario.bigLockUnderGate),
      Case(mutant: .noGate, program: Scenario.schedules),
    ]

    @Test("with the rule off a schedule breaks it, and its string breaks it again", arguments: cases)
    func found(_ test: Case) throws {
      try Mutant.with(test.mutant) {
        let explorer = Explorer(
          cpus: 2, recognition: test.recognition, configuration: test.configuration, strategy: test.strategy)
        let exploration = try explorer.explore(test.program)
        let finding = try #require(exploration.finding, "\(test.mutant): \(exploration)")
        #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(try explorer.replay(finding.replay, test.program)?.rule == finding.rule)
        print("\(test.mutant), \(exploration.description)")
      }
    }
  }
#endif
