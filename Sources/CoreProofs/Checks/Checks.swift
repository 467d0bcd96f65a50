// The checks that are always on, and what the core was mended of: each as a program, and the rule without which a check refutes it.
//
// Law: as for rows (Rows.swift). These have no number among the hazards: they are rules that a check of the explorer looks at, and
// mends of the core, each of which can be taken away again by a mutant.

import Exploration
import SimulatedMachine
public import SoftInterrupts

public enum Checks {
  /// A configuration in which a level serves one run at a time, so that its budget of time is looked at.
  public static var oneAtATime: Configuration {
    var configuration = Configuration.exploration
    configuration.dispatchBudget = 1
    configuration.levelBudget = 1_000_000
    return configuration
  }

  /// A rule each: switched off, it is found by one check.
  public static let all: [Proof] = rules + turns + betweenCPUs + ownMarks

  private static let rules: [Proof] = [
    Proof("gates are taken in ascending order", mutants: [.takeDescending], finds: [.descending], ascends),
    Proof(
      "big-lock work waits while its CPU holds a gate", mutants: [.bigLockAlways], finds: [.descending],
      bigLockUnderGate),
    Proof(
      "bound ordered handlers run as they were scheduled", mutants: [.ignoreStamps], finds: [.outOfOrder],
      firstComeFirstServed),
    Proof(
      "a handler that was never scheduled is not first", mutants: [.freshStamp], finds: [.outOfOrder],
      firstOfAll),
    Proof("a callout does not come early", mutants: [.earlyTick], finds: [.early], comesInTime),
    Proof(
      "a callout that was put off does not come early", mutants: [.dueWithSlot], finds: [.early], putOff),
    Proof(
      "a callout that was put forward is not late", mutants: [.staysInSlot], finds: [.expectation],
      putForward),
    Proof(
      "what was armed with a retired callout comes", mutants: [.staysRetired], finds: [.lostWork],
      retiredAmongOthers),
    Proof(
      "a callout that is armed again comes in its time", mutants: [.noGeneration], finds: [.early],
      cancelledAndRearmed),
    Proof("a retired callout does not run", mutants: [.noGeneration], finds: [.useAfterEnd], retired),
    Proof("a halted callout does not run", mutants: [.haltAtOnce], finds: [.takenBack]) { world in
      try halted(world, retires: false)
    },
    Proof("a callout retired elsewhere does not run", mutants: [.haltAtOnce], finds: [.useAfterEnd]) {
      world in try halted(world, retires: true)
    },
    Proof(
      "callouts that are due together run under their own guards each", mutants: [.anyGuard],
      finds: [.unguarded], dueTogether),
    Proof(
      "between two callouts of one guard comes what is pending above them", mutants: [.staysWanted],
      finds: [.expectation], handlerBetween),
    Proof(
      "who arms an earlier deadline tells the CPU", mutants: [.noArmRing], finds: [.lostWork],
      armedFromOutside),
    Proof(
      "what a disestablish drops is counted", mutants: [.silentDrop], finds: [.lostWork], disestablished),
    Proof(
      "a disestablish waits for the run", mutants: [.noDrainOnDisestablish], finds: [.useAfterEnd],
      disestablished),
    Proof(
      "a suspension waits for the run", mutants: [.noDrainOnDisestablish], finds: [.takenBack], suspended),
    Proof("an old handle schedules nobody", mutants: [.staleHandles], finds: [.unasked], slotReused),
    Proof("a way in changes between runs", mutants: [.changeAtOnce], finds: [.reentered], wayChanged),
    Proof(
      "a CPU goes offline with nothing that may run", mutants: [.leaveWithPending], finds: [.lostWork],
      goesOffline),
    Proof(
      "a CPU that is away takes no work", recognition: .anywhere, strategy: .exhaustive(preemptions: 1),
      mutants: [.asideAsleep], finds: [.expectation], staysAway),
    Proof(
      "a waiter is overtaken so often at most", configuration: Rows.overdueAtOnce,
      limits: Limits(overtakes: 2), mutants: [.noHandOff], finds: [.starvation], takesTurns),
    Proof(
      "a level has a budget", configuration: oneAtATime, strategy: .exhaustive(preemptions: 0),
      limits: Limits(overtakes: 40), mutants: [.noBudget], finds: [.starvation], sharesItsCPU),
  ]
}
