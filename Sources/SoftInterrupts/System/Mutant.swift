// Deliberate defects: each switches one rule off, so that a test can show that it would notice. They exist in builds with
// the `Mutants` trait only; without it `Mutant.is` is the constant false and leaves no code.

#if Mutants
  import Synchronization

  // Test builds only: one process-wide selection.
  @usableFromInline let selectedMutant = Atomic<UInt8>(0)
#endif

/// A rule that a test build can switch off.
public enum Mutant: UInt8, CaseIterable, Sendable {
  /// No defect: the program as it is.
  case none
  /// H1: a big-lock handler is dispatched although the CPU holds a gate above `none`.
  case bigLockAlways
  /// H8: pending is cleared after the run instead of before.
  case clearAfterRun
  /// H23: a raise waits at the level it wants, deaf to what is above it before.
  case deafWait
  /// H37: a gate is handed to a waiter that is serving.
  case handToServing
  /// H38: a cumulative raise counts from the IPL.
  case countFromIPL
  /// H41: marked work is run inside a mask.
  case drainInsideMask
  /// H42: who leaves does not look at queue and marks.
  case noLook
  /// H43: a callout compares a mark instead of its generation.
  case noGeneration
  /// H44: an offline CPU does not look at its pending bits after its flag.
  case noOfflineLook
  /// H30: a shutdown counts what is pending while schedules are in flight.
  case noInflightLook
  /// H6: generations are not compared.
  case staleHandles
  /// H6: a schedule does not look again whether its handler has ended.
  case noSecondLook
  /// H10: levels have no budget.
  case noBudget
  /// H47: a raise is a no-op if an interrupted context holds the gate.
  case countInterrupted
  /// H49: a cell opens for a context that started above its level.
  case cellAnyEntry
  /// A guarded value is opened although it is open.
  case openTwice
  /// H20, H57: a way in changes in the middle of a run.
  case changeAtOnce
  /// H3: an ordered handler is disestablished without entering its gate.
  case noDrainOnDisestablish
  /// H12: no hand-off, ever.
  case noHandOff
  /// H54: a condition wait keeps its lower gates.
  case keepLowerGates
  /// H29, H39: big-lock work never ages.
  case noAgeing
  /// H22: an ordered dispatch takes no gate.
  case noGate
  /// H52: a woken waiter that serves first does not wake the next one.
  case noWakeNext
  /// H53: a reservation never lapses.
  case noLapse
  /// H2, H50: gates are taken in any order.
  case anyOrder
  /// H3: who waits for CPUs does not wait.
  case noWaitForCPUs
  /// H4: a callout is halted without its guard.
  case haltAtOnce
  /// H5: a callout that was retired is armed.
  case armRetired
  /// H6, H7: a slot is used again at once.
  case reuseAtOnce
  /// H7: a handler may be changed from inside of its run.
  case changeInside
  /// H8: who waits for a gate is at `none` meanwhile.
  case lowWait
  /// H9: the summary's bit is cleared after the look at what is pending.
  case clearHintLate
  /// H12: who leaves a gate runs all that is marked.
  case noDrainBudget
  /// H13: who leaves a gate runs bound work too.
  case drainBound
  /// H29: big-lock work that was deferred is not looked at again.
  case noReadmit
  /// H40, H50: a wait for CPUs has no place in the order.
  case waitAnywhere
  /// H42: who waits does not try after it has said so.
  case noTry
  /// H44: a CPU goes offline with work that may run.
  case leaveWithPending
  /// H44: a CPU that is away stands aside only until something wakes it.
  case asideAsleep
  /// H44: a schedule does not look at the CPU's flag after its bit.
  case noFlagLook
  /// H50: LevelLocks have no place in the order.
  case noLockOrder
  /// H51: who marks a gate does not try it after that.
  case noTryAfterMark
  /// H51: a claim reads and writes in two steps.
  case claimByStore
  /// H51: a schedule that finds the bit set writes nothing.
  case coalesceByLoad
  /// H52: a woken waiter that says that it waits again owes no try.
  case noOwedTry
  /// H56: a thread that holds gates of one system enters another.
  case manySystems
  /// A raise that has to wait takes the highest gate first.
  case takeDescending
  /// Bound ordered handlers run as their bits stand, not as they were scheduled.
  case ignoreStamps
  /// A callout's tick is rounded down.
  case earlyTick
  /// A callout that is moved to an earlier time stays in the slot of the later one.
  case staysInSlot
  /// What hangs in a slot that time has reached is due, also if it was cancelled or moved to a later time meanwhile.
  case dueWithSlot
  /// What a retired callout left in its slot stays there, with the node's next owner.
  case staysRetired
  /// Callouts that are due together run under the guard of the first one.
  case anyGuard
  /// Callouts of one guard run one after the other under it, whoever waits for it.
  case staysWanted
  /// H9: arming an earlier deadline does not tell the CPU that sleeps.
  case noArmRing
  /// H6: what a disestablish drops is not counted.
  case silentDrop
  /// An interrupt that has slept keeps the ring that it used up, and one of somebody who falls asleep does not wake it again.
  case keepRing
  /// Who leaves passes over a waiter that was woken and is about to try.
  case passOverTrying
  /// Asynchronous work never queues for its gate, however often it has failed.
  case noQueueing
  /// A dispatch and a leaver run all that there is.
  case noRunBudget
  /// A handler that was never scheduled seems to have been, first of all.
  case freshStamp
  /// Who hands the big lock on leaves the marks on it as they are.
  case noRingOnHandOver
  /// Who takes a CPU offline does not see that it was put back meanwhile.
  case awaitAway
  /// A CPU goes offline with base code that was accepted before.
  case leaveWithJobs
  /// A callout's body that retires its handler ends the core's own, for all callouts of the level.
  case retireInternals
  /// A shutdown counts what was marked for handlers that had ended.
  case countEnded
  /// Who was refused a reserved gate sleeps until just before the reservation has lapsed.
  case sleepToLapse
  /// Who gets a gate by its own try from the queue does not see to it that the others there are told when it leaves.
  case tookInSilence
  /// Who found nobody due when it left a gate does not look at the clock again.
  case calmForEver
  /// A waiter does not say that its gate is awaited.
  case notAwaited
  /// A gate that was handed over is handed on at once.
  case noTurns
  /// Who spins for a gate in the turn of lower work does not look whether that is over.
  case spinThroughTurn
  /// Who takes a gate past others that wait begins a turn.
  case turnsForAll
  /// A dispatch looks who is suspended only before it looks who has its way in.
  case suspensionsOnce
  /// Who asks something of a CPU does not look whether it sleeps.
  case noParkLook
  /// A CPU says that it sleeps after its last look.
  case parkUnsaid
  /// Who waits for a cross-call sleeps without saying so.
  case awaitUnsaid
  /// A schedule that is delayed while it stamps its mark writes over the stamp of a later one.
  case stampOver
  /// A mark is stamped after the ring, so that who looks because of it may miss the stamp.
  case stampLate
  /// A raise of several gates holds the lower ones while it waits for a higher one.
  case holdLowerGates
  /// A raise of several gates that found one busy again waits for that alone again, and so for ever.
  case waitForAllAgain

  /// An own mark is dropped where something else asks too.
  case ownUnsaid
  /// An own mark is served before what the summary asks.
  case ownFirst
  /// Who serves an own mark does not look who may run.
  case ownUnlooked

  /// Whether this mutant is switched on.
  @inlinable @inline(__always) static func isOn(_ mutant: Mutant) -> Bool {
    #if Mutants
      selectedMutant.load(ordering: .relaxed) == mutant.rawValue
    #else
      false
    #endif
  }

  #if Mutants
    /// Runs `body` with one rule switched off, process-wide.
    public static func with<R>(_ mutant: Mutant, _ body: () throws -> R) rethrows -> R {
      selectedMutant.store(mutant.rawValue, ordering: .relaxed)
      defer { selectedMutant.store(0, ordering: .relaxed) }
      return try body()
    }
  #endif
}
