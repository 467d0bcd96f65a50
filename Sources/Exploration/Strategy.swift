// How schedules are chosen, and what a result of each means.

import SimulatedMachine
public import SoftInterrupts

/// Which schedules of a program are run.
public enum Strategy: Sendable, Equatable {
  /// Every schedule that differs in the order of operations that do not commute: depth first, with dynamic partial-order reduction
  /// by source sets and sleep sets (Flanagan and Godefroid, POPL 2005; Abdulla, Aronis, Jonsson and Sagonas, POPL 2014).
  ///
  /// With `preemptions` those only that switch away from a process that could go on at most so often (an interrupt is such a
  /// switch): persistent sets with the conservative backtrack points that a bound needs (Coons, Musuvathi and McKinley,
  /// OOPSLA 2013), and no sleep sets, which are not sound under a bound.
  ///
  /// Under `MemoryModel/rc11` without a bound only: every schedule, with everything that may be read and everywhere that may be
  /// written, that differs in the order of operations that do not commute; by sleep sets alone.
  case exhaustive(preemptions: Int? = nil)
  /// Every choice at every point, commuting or not: the reference for small programs. With a bound as above.
  case everyChoice(preemptions: Int? = nil)
  /// So many schedules, each choice equally likely.
  case random(seed: UInt64, schedules: Int)
  /// So many schedules by random priorities with `depth − 1` changes (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS
  /// 2010): a defect that needs d orderings is found in one schedule with probability at least 1/(n·k^(d−1)).
  case priorities(seed: UInt64, schedules: Int, depth: Int = 3)
}

/// Where an exploration ends although it is not complete.
public struct Limits: Sendable {
  /// Schedules; `Int.max` is none.
  public var schedules: Int
  /// Scheduling points of one schedule: a run beyond it is a livelock.
  public var steps: Int
  /// Virtual time of one schedule, in nanoseconds: what would happen later is not looked at.
  public var time: UInt64
  /// Runs that may be spent on making a violation's schedule smaller.
  public var shrinking: Int
  /// How often others may go first: tenures of a gate while somebody waits for it, other runs on a CPU while a watched handler
  /// is pending there. One more is ``Rule/starvation``. `Int.max` (not checked) unless the program has a bound to state: it
  /// follows from `patience`, `handOffAfter` and the budgets of its configuration.
  public var overtakes: Int

  /// Limits: none but of the steps of a schedule and of the shrinking, unless more is said.
  public init(
    schedules: Int = .max, steps: Int = 20_000, time: UInt64 = .max, shrinking: Int = 2_000,
    overtakes: Int = .max
  ) {
    self.schedules = schedules
    self.steps = steps
    self.time = time
    self.shrinking = shrinking
    self.overtakes = overtakes
  }
}

extension Configuration {
  /// For explorations: nothing spins for a number of rounds (see `SimulatedMachine/pause(_:)`), violations are collected, and
  /// the bounds are as small as they can be, so that what happens beyond them is within reach.
  public static var exploration: Configuration {
    var configuration = Configuration()
    configuration.spinRounds = 0
    configuration.idleRounds = 0
    configuration.patience = 1
    configuration.turn = 0
    configuration.onViolation = .collect
    return configuration
  }
}
