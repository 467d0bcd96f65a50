// Every bound of the mechanism, by name. Nothing in the core is a bare number.

/// The bounds and policies of an ``InterruptSystem``. The defaults suit a server of a few cores.
///
/// - Bounded barging: a free gate goes to whoever comes, but a waiter is overtaken for at most ``handOffAfter`` while its
///   CPU is at its wait; then the next leaving hands the gate over. A waiter that is serving a higher handler is passed
///   over at most ``patience`` times once overdue, then the gate is kept for it for ``reservationLapse``.
/// - Asynchronous work tries a busy gate ``patience`` times, then waits in the queue.
/// - Who leaves a gate runs at most ``drainBudget`` handlers for others.
/// - When a CPU has run handlers for ``levelBudget`` while lower work waited, each lower level that was not served, and base code, has a
///   turn of one part in ``lowerShare`` of that time, and what is above pauses.
public struct Configuration: Sendable {
  /// K: failed tries of a gate before work queues for it, and pass-overs before a gate is reserved. At least 1.
  public var patience: Int = 8
  /// How long a waiter is overtaken before a gate is handed to it, in nanoseconds.
  public var handOffAfter: UInt64 = 100_000
  /// How long a *turn* lasts, in nanoseconds: while others wait, who got a gate from its queue may come back to it for so long before
  /// it is handed on. 0 hands it on at each leaving.
  public var turn: UInt64 = 50_000
  /// How many leavings of a gate that others wait for go by from one look at the clock to the next, at least 1: by so many sections less
  /// one a turn may be longer.
  public var turnCheck: Int = 8
  /// How long a free gate is kept for one waiter, in nanoseconds.
  public var reservationLapse: UInt64 = 200_000
  /// How many handlers of other CPUs the holder of a gate runs when it leaves.
  public var drainBudget: Int = 16
  /// How many handlers one dispatch of a level runs before it lets go of the gate; and how many callouts of a level in a row.
  public var dispatchBudget: Int = 64
  /// How long a CPU may run handlers while lower work waits, before that has its turns, in nanoseconds.
  public var levelBudget: UInt64 = 2_000_000
  /// The turn that each lower level, and base code, has after that time: one part in this many of it; 0 is strict priority, under which
  /// starvation of lower levels is promised.
  public var lowerShare: Int = 16
  /// How many rounds a raise spins for a busy gate before it parks. Where others wait already base code, and a thread that is no CPU, spins
  /// for none.
  public var spinRounds: Int = 256
  /// How many rounds the waiter that was told that it is next polls before it parks (none if ``spinRounds`` is 0): longer than a turn.
  public var pollRounds: Int = 4_096
  /// How many rounds (of some half a microsecond) an idle CPU polls at most before it parks; 0 parks at once, `Int.max` always polls.
  /// It polls for half as long after each time that nothing came meanwhile, and for all of it again once something has come while it
  /// polled, or it had parked for less than ``shortSleep``.
  public var idleRounds: Int = 64
  /// An idle CPU that parked for less than this would better have polled, in nanoseconds: about twice what a wake-up takes.
  public var shortSleep: UInt64 = 50_000
  /// The least time between two looks at the devices while a CPU is busy, in nanoseconds. What the clock makes due is looked for whenever the
  /// clock is read, at one in 16 servings and one in 32 checkpoints.
  public var pollInterval: UInt64 = 20_000
  /// Measure queueing, gate-wait and run times (some 50 ns for each run of a handler). Counts are always kept.
  public var timing: Bool = false
  /// On which stack handlers run.
  public var execution: Execution = .inline
  /// What a violation does.
  public var onViolation: ViolationPolicy = .trap

  /// The defaults.
  public init() {}
}

/// On which stack handlers run.
public enum Execution: Sendable {
  /// At recognition points of the CPU's own thread: the ordered mechanism.
  case inline
  /// In a thread for each CPU and level, with a real-time priority where the system permits: the "revolution". Raise and mask
  /// do nothing; handlers and callouts are `.mpSafe` and bring explicit locks. Priority is promised with real-time
  /// scheduling only (``Machine/schedulingNote``).
  case threads
}

/// What the witness does with a violation.
public enum ViolationPolicy: Sendable {
  /// Stop the program with one line.
  case trap
  /// Collect it (``InterruptSystem/violations``) and go on without what was asked for.
  case collect
}
