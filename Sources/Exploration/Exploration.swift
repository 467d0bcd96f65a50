// What an exploration found, and what that means.

public import SimulatedMachine
public import SoftInterrupts

/// Which rule was broken.
public enum Rule: Sendable, Hashable, CustomStringConvertible {
  /// The core's witness reported a violation of the order.
  case witness(Violation.Rule)
  /// A report that cannot be survived, or a trap.
  case fatal
  /// A context entered a gate that another agent owns.
  case twoHolders
  /// An agent held a gate above its IPL.
  case gateAboveIPL
  /// Nobody can go on, and not everything is finished.
  case deadlock
  /// Nothing is ever finished: processes that spin for ever, or too many steps.
  case livelock
  /// Two accesses to declared data of which one is a write, and nothing orders them.
  case dataRace
  /// Declared data was touched without its guard's gate.
  case unguarded
  /// A handler ran twice at once.
  case reentered
  /// Work that was accepted is never run.
  case lostWork
  /// Bound ordered handlers of one level and CPU ran in another order than they were scheduled.
  case outOfOrder
  /// What the program expects of itself.
  case expectation
  /// A gate was acquired by who owns one at or above it.
  case descending
  /// A handler or callout ran, or was asked to, after it had ended.
  case useAfterEnd
  /// A body ran although an answer had said that it would not: it was cancelled, halted or suspended.
  case takenBack
  /// A handler ran that nobody had scheduled.
  case unasked
  /// A callout ran before its time.
  case early
  /// Others went first more often than ``Limits/overtakes``.
  case starvation
  /// No order of a history's operations explains their results.
  case notLinearizable

  public var description: String {
    switch self {
    case .witness(let rule): "witness: \(rule)"
    case .fatal: "fatal"
    case .twoHolders: "two holders of a gate"
    case .gateAboveIPL: "gate above the IPL"
    case .deadlock: "deadlock"
    case .livelock: "livelock"
    case .dataRace: "data race"
    case .unguarded: "access without the guard"
    case .reentered: "handler twice at once"
    case .lostWork: "lost work"
    case .outOfOrder: "out of order"
    case .takenBack: "ran after it was taken back"
    case .expectation: "expectation"
    case .descending: "gates out of order"
    case .useAfterEnd: "use after the end"
    case .unasked: "run that was not asked for"
    case .early: "callout before its time"
    case .starvation: "starvation"
    case .notLinearizable: "not linearizable"
    }
  }
}

/// A schedule that breaks a rule, shrunk, and told.
public struct Finding: Sendable, CustomStringConvertible {
  /// What was broken.
  public var rule: Rule
  /// What was broken, in one or a few lines.
  public var message: String
  /// Gives the same run again: ``Explorer/replay(_:_:)``.
  public var replay: String
  /// Who ran when, at which level, holding and waiting for what: one column a CPU, at most 80 columns.
  public var story: String
  /// The same, for drawing.
  public var timeline: Timeline
  /// Switches away from a process that could go on, interrupts included.
  public var preemptions: Int
  /// Scheduling points.
  public var steps: Int

  /// A finding, told.
  public init(
    rule: Rule, message: String, replay: String, story: String, timeline: Timeline = Timeline(),
    preemptions: Int, steps: Int
  ) {
    (self.rule, self.message, self.replay, self.story) = (rule, message, replay, story)
    (self.timeline, self.preemptions, self.steps) = (timeline, preemptions, steps)
  }

  public var description: String { "\(rule): \(message)\n\n\(story)\nreplay: \(replay)" }
}

/// What running many schedules came to.
public struct Exploration: Sendable, CustomStringConvertible {
  /// What it came to.
  public enum Verdict: Sendable {
    /// All schedules (that do not commute, up to the bound) hold.
    case holds
    /// A schedule broke a rule.
    case violation(Finding)
    /// No violation in the schedules that were run, which are not all.
    case bounded
  }

  /// What it came to.
  public var verdict: Verdict
  /// Which schedules were run.
  public var strategy: Strategy
  /// The memory that they were run with.
  public var memory: MemoryModel
  /// Complete schedules that were run.
  public var schedules = 0
  /// Runs that turned out to repeat others.
  public var redundant = 0
  /// Scheduling points, of all these runs.
  public var steps = 0
  /// Which part of the search this is; nil for all of it.
  public var partition: Partition?
  /// The prefixes that the split has; the same in each part that is complete.
  public var prefixes = 0
  /// Runs to the prefixes of other parts. They are not among the other numbers.
  public var passed = 0
  /// Where the search stopped, if it stopped before its end: ``Explorer/explore(resuming:_:)`` goes on from there.
  public var checkpoint: String?
  /// What the program said it came to (``World/outcome(_:)``), and in how many schedules.
  public var outcomes: [String: Int] = [:]

  /// A result; what it counts is 0 but for the schedules.
  public init(verdict: Verdict, strategy: Strategy, memory: MemoryModel, schedules: Int = 0) {
    (self.verdict, self.strategy, self.memory, self.schedules) = (verdict, strategy, memory, schedules)
  }

  /// The broken rule and its story; nil if there is none.
  public var finding: Finding? {
    if case .violation(let finding) = verdict { finding } else { nil }
  }

  /// Says what the result is, and what it is not.
  public var description: String {
    let runs = schedules == 1 ? "1 schedule" : "\(schedules) schedules"
    switch (verdict, strategy) {
    case (.violation(let finding), _): return "after \(runs): \(finding)"
    case (.holds, .exhaustive(.some(let bound))), (.holds, .everyChoice(.some(let bound))):
      return "all \(runs) up to \(bound) preemptions: no violation"
    case (.holds, _): return "all \(runs): no violation"
    case (.bounded, .exhaustive), (.bounded, .everyChoice):
      return "\(runs), then the limit: no violation in these; there are more"
    case (.bounded, _): return "a sample of \(runs): no violation in these"
    }
  }
}

/// A violation, as an error: its text holds the story and the replay string.
public struct ExplorationFailure: Error, Sendable, CustomStringConvertible {
  /// What was found.
  public var exploration: Exploration
  public var description: String { "\(exploration)" }
}
