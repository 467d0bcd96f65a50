// Each rule switched off must be noticed: the scenario that holds with it fails without it.
//
// The selection is process-wide, so these run alone and one after the other:
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter MutantTests
//
// Every mutant is explored besides, most of them only so (CoreProofsTests): they need what this machine has not, or too exact a moment.
//
// A scenario under its mutant may leave threads behind that wait for each other for ever; they sleep.

#if Mutants
  import Testing

  @testable import HostedMachine
  @testable import SoftInterrupts

  @Suite("Mutants", .serialized)
  struct MutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let mutant: Mutant
      let rows: String
      let scenario: @Sendable () throws -> Bool
      var testDescription: String { "\(rows): \(mutant)" }
    }

    static let cases: [Case] = [
      Case(mutant: .bigLockAlways, rows: "H1", scenario: Hazards.bigLockUnderGate),
      Case(mutant: .noDrainOnDisestablish, rows: "H3", scenario: Hazards.disestablishDrains),
      Case(mutant: .staleHandles, rows: "H6", scenario: Hazards.staleHandle),
      Case(mutant: .noSecondLook, rows: "H6", scenario: Hazards.schedulesLookAgain),
      Case(mutant: .clearAfterRun, rows: "H8, H9", scenario: Hazards.onceMoreAfter),
      Case(mutant: .noBudget, rows: "H10", scenario: Hazards.share),
      Case(mutant: .noHandOff, rows: "H12", scenario: Hazards.handOff),
      Case(mutant: .changeAtOnce, rows: "H20, H57", scenario: Hazards.changeBetweenRuns),
      Case(mutant: .noGate, rows: "H22", scenario: Hazards.orderedAlone),
      Case(mutant: .deafWait, rows: "H23", scenario: Hazards.servesWhileWaiting),
      Case(mutant: .noAgeing, rows: "H29, H39", scenario: Hazards.ageing),
      Case(mutant: .handToServing, rows: "H37", scenario: Hazards.handOverToSuspended),
      Case(mutant: .countFromIPL, rows: "H38", scenario: Hazards.raiseInsideMask),
      Case(mutant: .drainInsideMask, rows: "H41", scenario: Hazards.drainInside),
      Case(mutant: .noLook, rows: "H42", scenario: Hazards.look),
      Case(mutant: .noLook, rows: "H42", scenario: Hazards.lookAtMarks),
      Case(mutant: .noGeneration, rows: "H4, H43", scenario: Hazards.cancelAndRearm),
      Case(mutant: .staysWanted, rows: "callouts", scenario: Hazards.guardBetweenCallouts),
      Case(mutant: .staysWanted, rows: "callouts", scenario: Hazards.handlerBetweenCallouts),
      Case(mutant: .noOfflineLook, rows: "H30, H44", scenario: Hazards.offlineLooks),
      Case(mutant: .noInflightLook, rows: "H30", scenario: Hazards.shutdownAwaitsSchedules),
      Case(mutant: .countInterrupted, rows: "H47", scenario: Hazards.interruptedHolds),
      Case(mutant: .cellAnyEntry, rows: "H49", scenario: Hazards.cellFromAbove),
      Case(mutant: .noWakeNext, rows: "H52", scenario: Hazards.wakeNext),
      Case(mutant: .noLapse, rows: "H53", scenario: Hazards.reservationLapses),
      Case(mutant: .keepLowerGates, rows: "H54", scenario: Hazards.conditionLeavesAll),
    ]

    @Test("with the rule on it holds, with the rule off it does not", arguments: cases)
    func detected(_ test: Case) throws {
      #expect(try test.scenario())
      let before = patience.exchange(1_500_000_000, ordering: .relaxed)
      defer { patience.store(before, ordering: .relaxed) }
      let held = try Mutant.with(test.mutant) { try test.scenario() }
      #expect(!held, "\(test.mutant) was not noticed")
    }
  }
#endif
