// Every rule in words: what it is, what it protects, how a program is mended that breaks it.
//
// Law: the switches are complete by the compiler, the list by a test; names do not change within a version of the schemas.

public import Exploration
import SoftInterrupts

/// A rule in words.
public struct RuleText: Sendable {
  /// What is seen when it is broken.
  public var what: String
  /// Why it is a rule.
  public var protects: String
  /// What to do.
  public var mend: String
}

extension Rule {
  /// The name of the rule in scenarios and results.
  public var identifier: String {
    switch self {
    case .witness(let rule): "\(rule)"
    case .fatal: "fatal"
    case .twoHolders: "twoHolders"
    case .gateAboveIPL: "gateAboveIPL"
    case .deadlock: "deadlock"
    case .livelock: "livelock"
    case .dataRace: "dataRace"
    case .unguarded: "unguarded"
    case .reentered: "reentered"
    case .lostWork: "lostWork"
    case .outOfOrder: "outOfOrder"
    case .takenBack: "takenBack"
    case .expectation: "expectation"
    case .descending: "descending"
    case .useAfterEnd: "useAfterEnd"
    case .unasked: "unasked"
    case .early: "early"
    case .starvation: "starvation"
    case .notLinearizable: "notLinearizable"
    }
  }

  /// Those that are found by looking at runs, then those of the witness.
  public static let all: [Rule] =
    [
      .dataRace, .unguarded, .deadlock, .livelock, .lostWork, .takenBack, .useAfterEnd, .unasked,
      .early, .reentered, .outOfOrder, .starvation, .notLinearizable, .twoHolders, .gateAboveIPL, .descending,
      .expectation, .fatal,
    ] + Violation.Rule.allCases.map { .witness($0) }

  /// The rule with a name.
  public static func named(_ name: String) -> Rule? { all.first { $0.identifier == name } }

  /// The rule in words.
  public var text: RuleText {
    switch self {
    case .witness(let rule): rule.text
    case .dataRace:
      RuleText(
        what:
          "Two accesses to declared data, at least one a write, and nothing in the run puts one before the other.",
        protects:
          "Who touches data in the middle of another's change sees what never was. On one CPU a handler is atomic for the base code that "
          + "it interrupts, so an access without a raise often worked there.",
        mend:
          "Make every access under the gate of the data's guard: the highest level at which anybody starts who touches it. Base code and "
          + "lower handlers raise to it; a handler of that level holds it by its dispatch; MP-safe handlers of it enter it, or use a "
          + "LevelLock for all accesses.")
    case .unguarded:
      RuleText(
        what: "Data that declares a guard was touched by a context that does not hold the guard's gate.",
        protects:
          "That every access to a datum holds the one gate of its guard is the whole argument for why there is no race.",
        mend:
          "Raise to the guard before the access. If only one CPU ever touches the data, keep it in a PerCPU cell instead and declare no "
          + "guard.")
    case .deadlock:
      RuleText(
        what: "Nobody can go on, and something is not finished. The message says who waits for what.",
        protects:
          "Every wait has a place in the order of the levels, so the core's own waits form no circle.",
        mend:
          "Look for a wait that is not in the order: a plain lock held across a raise, a condition that nobody signals any more, a run "
          + "that waits for something its own CPU would have to do. Use a LevelLock, signal under the guard after every change, or "
          + "schedule a handler instead of waiting.")
    case .livelock:
      RuleText(
        what: "The run does not end: only spinning is left, or there are more steps than the limit allows.",
        protects: "Work that is accepted is done in the end.",
        mend:
          "Who spins serves no handler: wait for a condition, take a LevelLock, or let the other side schedule a handler. A callout that "
          + "arms itself for ever is no defect: give the scenario a limit of time.")
    case .reentered:
      RuleText(
        what:
          "A handler that is not MP-safe started while it ran, or an MP-safe one started twice on one CPU.",
        protects: "A handler's own data need no lock against itself.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .lostWork:
      RuleText(
        what: "Something was scheduled or armed, and everybody sleeps without a run that started after it.",
        protects: "Every schedule that returns is followed by a whole run that starts after it.",
        mend:
          "If the program suspended, disestablished or took the CPU offline, say so before the schedule or resume after it; otherwise "
          + "this is a defect of the core.")
    case .takenBack:
      RuleText(
        what:
          "A callout's body began although a cancel or halt had answered that it would not, or a handler ran while it was suspended.",
        protects: "What the body uses may be freed once that answer has come.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .outOfOrder:
      RuleText(
        what:
          "Bound ordered handlers of one level and CPU ran in another order than the schedules that made them pending.",
        protects: "A handler may rely on what was scheduled before it at its level and CPU.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .twoHolders:
      RuleText(
        what: "A context is inside a gate that another agent owns.",
        protects: "A gate has one holder: everything else rests on it.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .gateAboveIPL:
      RuleText(
        what: "An agent holds a gate above its IPL.",
        protects:
          "Raise before you acquire, release before you lower: otherwise a handler that needs the gate starts on top of its holder.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .descending:
      RuleText(
        what: "A gate was acquired, or handed, to who owns one at or above it.",
        protects: "Gates are acquired in ascending order only, so no circle of waiting can close.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .useAfterEnd:
      RuleText(
        what:
          "A handler or callout ran, was running or accepted work after its disestablish or retire had returned.",
        protects:
          "What the body uses may be freed once that call has returned, and its slot given to another.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .unasked:
      RuleText(
        what: "A handler ran more often than it was scheduled.",
        protects: "An old handle reaches nobody, and no run is made twice.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .early:
      RuleText(
        what: "A callout's body began before any time for which it was armed.",
        protects: "Who cancels and arms anew has armed for the new time only.",
        mend: "This is the core's promise: it is a defect of the core, to be reported with the replay string."
      )
    case .starvation:
      RuleText(
        what:
          "Others took a gate while somebody waited for it, or ran on a CPU while a handler was pending there, more often than the program's "
          + "bound.",
        protects: "Waiting is bounded by hand-off, reservation and budgets.",
        mend:
          "Hold the gate for a shorter time or less often, lower the budgets, or state the bound that follows from them."
      )
    case .notLinearizable:
      RuleText(
        what: "The answers of operations on one object are those of no order of them.",
        protects: "Who uses an object may think of its operations as coming one after the other.",
        mend:
          "Make each operation one section under the object's guard: what is read before it, or after it, is of another moment."
      )
    case .expectation:
      RuleText(
        what: "An \"expect\" of the program is false.",
        protects:
          "What the program says of itself: a count that must come out, a value that must not be seen.",
        mend:
          "Read the story for what came between. A value read before a wait is stale after it; two raised sections can be seen between."
      )
    case .fatal:
      RuleText(
        what: "The program stopped: a report that cannot be survived, or a trap.",
        protects: "There is nothing to go on with.",
        mend: "The message says what it was; a lock taken twice by one thread is the usual cause.")
    }
  }
}
