// The rules of the witness in words. What to do instead is the witness's own sentence.

import SoftInterrupts

extension Violation.Rule {
  var text: RuleText {
    RuleText(what: what, protects: protects, mend: remedy.prefix(1).uppercased() + remedy.dropFirst() + ".")
  }

  private var what: String {
    switch self {
    case .cumulativeInsideExact:
      "A cumulative raise inside an exact one would take a gate below the exact one."
    case .downward: "A context asked for a gate below one that it holds."
    case .raiseUnderMask: "A raise inside a mask asked for a gate that is not above the mask."
    case .gateUnderLevelLock: "A gate at or below a LevelLock's level was asked for under it."
    case .disjointRaises:
      "A disjoint handler raises to another soft level, or a disjoint callout has one as its guard."
    case .bigLockInHandler: "A handler asked for the big lock in its middle."
    case .bigLockTooLate: "The big lock was asked for by who holds a gate, a mask or a LevelLock."
    case .waitOutOfOrder:
      "A wait for CPUs at a level by who holds a gate at or above it, or stands at or above it."
    case .levelLockAboveLevel: "A LevelLock was taken above its level."
    case .levelLockRank: "Two LevelLocks of one level were taken in descending or equal rank."
    case .maskByVisitor: "A thread that is no CPU masked."
    case .cellByVisitor: "A thread that is no CPU opened a per-CPU cell."
    case .cellLevel: "A per-CPU cell was opened below its level, or by a context that started above it."
    case .cellOpenTwice: "A per-CPU cell was opened inside of its opening."
    case .cellUnderThreads: "A per-CPU cell was opened where levels run in threads."
    case .levelLockTwice: "A thread took a LevelLock that it has."
    case .parkUnderGate: "Somebody slept who holds a gate, a mask or a LevelLock."
    case .conditionInHandler: "A handler waited for a condition."
    case .conditionWithoutGuard: "A condition was waited for, or signalled, without its guard's gate."
    case .leaveUnderGate: "Base code left its CPU above level none, or holding something."
    case .twoSystems: "A thread that holds gates of one system entered another."
    case .changeFromInside: "A handler disestablished, suspended or changed itself in its own run."
    case .guardOpenTwice: "A guarded value was opened inside of its opening."
    case .guardOfOtherSystem: "A guarded value was opened through a token of another system."
    case .assumedInVain: "Typed code assumed a gate, or bare base code, where there is none."
    }
  }

  private var protects: String {
    switch self {
    case .cumulativeInsideExact, .downward, .bigLockTooLate:
      "Gates are acquired along the order only, so no circle of waiting can close: two CPUs that go opposite ways are the classical deadlock."
    case .raiseUnderMask:
      "A mask keeps this CPU's handlers out, but who waits for a gate serves: served below the mask, a handler would run in the middle of "
        + "what the mask protects."
    case .gateUnderLevelLock, .levelLockAboveLevel, .levelLockRank:
      "A LevelLock stands in the order at its level, after the gate, by rank: taken elsewhere it closes a circle with the gates."
    case .disjointRaises:
      "Disjoint levels are cheap because no handler ever needs a second gate; networking, whose timeouts run at softClock and touch softNet, "
        + "is not so."
    case .bigLockInHandler:
      "A handler came on top of somebody who may hold any gate; the big lock is below all of them."
    case .waitOutOfOrder:
      "Who waits for a CPU waits for what that CPU waits for: such a wait stands just below the gate of its level, or two CPUs wait for each "
        + "other."
    case .maskByVisitor, .cellByVisitor:
      "A foreign thread runs beside every CPU: a mask would keep nobody out, and no CPU's data are its own."
    case .cellLevel, .cellOpenTwice:
      "A cell has no lock: it is whole only because nobody who may open it can come on top of who has it open."
    case .cellUnderThreads:
      "In threads the levels of a CPU run beside each other, so a level protects nothing there."
    case .levelLockTwice: "It would wait for itself for ever."
    case .parkUnderGate, .conditionInHandler:
      "Who sleeps holding something keeps everybody from it for as long as it sleeps; kernels that drop the lock meanwhile lose atomicity in "
        + "silence."
    case .conditionWithoutGuard:
      "The waiter tests and registers under the guard; a signal outside of it can fall between the two and is lost."
    case .leaveUnderGate: "A system call may take for ever, and nobody could take what is held."
    case .twoSystems:
      "Each system has its own order; two threads that enter two systems in both orders wait for each other."
    case .changeFromInside: "The change waits for the run's end, which waits for the change."
    case .guardOpenTwice:
      "The gate keeps other contexts out, not the same one: two openings inside each other would both have the value to themselves."
    case .guardOfOtherSystem:
      "Each system has gates of its own: the gate of one keeps nobody out of what another guards."
    case .assumedInVain: "What a token says is never looked at again, so what is assumed is looked at once."
    }
  }
}
