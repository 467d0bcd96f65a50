// Each rule of the core that a check looks at is switched off, and that check finds it.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests

#if Mutants
  import Exploration
  import SimulatedMachine
  import SoftInterrupts
  import Testing

  @Suite("Mutants, checked", .serialized)
  struct CheckMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let mutant: Mutant
      let rule: Rule
      var recognition = Recognition.points
      var strategy = Strategy.exhaustive(preemptions: 2)
      var configuration = Configuration.exploration
      var overtakes = Int.max
      let program: @Sendable (World) throws -> Void
      var testDescription: String { "\(mutant): \(rule)" }
    }

    static let cases: [Case] = [
      Case(mutant: .takeDescending, rule: .descending, program: Scenario.ascends),
      Case(mutant: .bigLockAlways, rule: .descending, program: Scenario.bigLockUnderGate),
      Case(mutant: .ignoreStamps, rule: .outOfOrder, program: Scenario.firstComeFirstServed),
      Case(mutant: .freshStamp, rule: .outOfOrder, program: Scenario.firstOfAll),
      Case(mutant: .earlyTick, rule: .early, program: Scenario.comesInTime),
      Case(mutant: .noGeneration, rule: .early, program: Scenario.cancelledAndRearmed),
      Case(mutant: .noGeneration, rule: .useAfterEnd, program: Scenario.retired),
      Case(mutant: .haltAtOnce, rule: .takenBack, program: { try Scenario.halted($0, retires: false) }),
      Case(mutant: .haltAtOnce, rule: .useAfterEnd, program: { try Scenario.halted($0, retires: true) }),
      Case(mutant: .noArmRing, rule: .lostWork, program: Scenario.armedFromOutside),
      Case(mutant: .silentDrop, rule: .lostWork, program: Scenario.disestablished),
      Case(mutant: .noDrainOnDisestablish, rule: .useAfterEnd, program: Scenario.disestablished),
      Case(mutant: .noDrainOnDisestablish, rule: .takenBack, program: Scenario.suspended),
      Case(mutant: .staleHandles, rule: .unasked, program: Scenario.slotReused),
      Case(mutant: .changeAtOnce, rule: .reentered, program: Scenario.wayChanged),
      Case(mutant: .leaveWithPending, rule: .lostWork, program: Scenario.goesOffline),
      Case(
        mutant: .asideAsleep, rule: .expectation, recognition: .anywhere,
        strategy: .exhaustive(preemptions: 1),
        program: Scenario.staysAway),
      Case(
        mutant: .keepRing, rule: .deadlock, recognition: .anywhere,
        strategy: .exhaustive(preemptions: 2), program: Scenario.goesOffline),
      Case(
        mutant: .noHandOff, rule: .starvation, configuration: overdueAtOnce, overtakes: 2,
        program: Scenario.takesTurns),
      Case(
        mutant: .noBudget, rule: .starvation, strategy: .exhaustive(preemptions: 0),
        configuration: oneAtATime, overtakes: 40, program: Scenario.sharesItsCPU),
    ]

    @Test("is found by its check, and its string finds it again", arguments: cases)
    func found(_ test: Case) throws {
      try Mutant.with(test.mutant) {
        let explorer = Explorer(
          cpus: 2, recognition: test.recognition, configuration: test.configuration, strategy: test.strategy,
          limits: Limits(overtakes: test.overtakes))
        let exploration = try explorer.explore(test.program)
        let finding = try #require(exploration.finding, "\(test.mutant): \(exploration)")
        #expect(finding.rule == test.rule, "\(finding)")
        #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(try explorer.replay(finding.replay, test.program)?.rule == finding.rule)
      }
    }
  }
#endif
