// What the witness says when a program breaks the order.

/// A programmer's error against the order, with all that is needed to mend it.
public struct Violation: Sendable, CustomStringConvertible {
  /// Which rule was broken.
  public enum Rule: UInt8, Sendable, CaseIterable {
    /// A raise against the order.
    case cumulativeInsideExact, downward, raiseUnderMask, gateUnderLevelLock, disjointRaises
    /// The big lock, a wait for CPUs or a LevelLock out of its place in the order.
    case bigLockInHandler, bigLockTooLate, waitOutOfOrder, levelLockAboveLevel, levelLockRank
    /// A mask, per-CPU data or a LevelLock where it does not do what it is for.
    case maskByVisitor, cellByVisitor, cellLevel, cellOpenTwice, cellUnderThreads, levelLockTwice
    /// A sleep or a leaving with something held, a condition without its guard, gates of two systems at once.
    case parkUnderGate, conditionInHandler, conditionWithoutGuard, leaveUnderGate, twoSystems
    /// A handler changed from inside of its own run.
    case changeFromInside
    /// A token or a guard that would not stand for what it says.
    case guardOpenTwice, guardOfOtherSystem, assumedInVain

    /// The rule, and what to do instead.
    public var remedy: String {
      switch self {
      case .cumulativeInsideExact:
        "a cumulative raise must not take a gate below one that an exact raise took: raise cumulatively first"
      case .downward: "gates are acquired in ascending order only: raise to the higher level last"
      case .raiseUnderMask: "raise first, then mask: inside a mask no gate at or below it may be taken"
      case .gateUnderLevelLock:
        "no gate at or below a LevelLock's level may be taken under it: raise before locking"
      case .disjointRaises: "a .disjoint handler raises to no other soft level: establish it as .ordered"
      case .bigLockInHandler: "a handler takes the big lock by being established .bigLock only"
      case .bigLockTooLate: "the big lock is the lowest gate: take it before any other, at level none"
      case .waitOutOfOrder:
        "a wait for CPUs at a level needs that level above every gate held and above the IPL: leave the raise first"
      case .levelLockAboveLevel:
        "a LevelLock is taken at or below its level: take it before raising or masking above it"
      case .levelLockRank: "two LevelLocks of one level are taken in ascending rank"
      case .maskByVisitor: "a visitor has no handlers to mask: raise, or run on a CPU"
      case .cellByVisitor: "per-CPU data belongs to a CPU: use a cross-call"
      case .cellLevel:
        "a PerCPU value is opened at its level or masked to it, by a context that started at or below it"
      case .cellOpenTwice: "this PerCPU value is already open on this CPU"
      case .cellUnderThreads:
        "with execution by threads the levels of a CPU run beside each other: guard the value by a LevelLock"
      case .levelLockTwice:
        "this thread has this LevelLock already, and would wait for itself: lock it once, further out"
      case .parkUnderGate: "nothing sleeps while it holds a gate, a mask or a LevelLock"
      case .conditionInHandler: "only base code and visitors wait for a condition: schedule a handler instead"
      case .conditionWithoutGuard: "the signaller of a condition holds its guard's gate"
      case .leaveUnderGate: "base code leaves its CPU at level none, holding nothing"
      case .twoSystems: "a thread holds gates of one system at a time"
      case .changeFromInside:
        "a handler ends itself with here.retire(); others change it from outside its run"
      case .guardOpenTwice:
        "this guarded value is already open in this context: open it once, further out, and pass it on"
      case .guardOfOtherSystem: "a guarded value is opened by one system only: each system guards its own"
      case .assumedInVain:
        "a token says what is so: raise to the level instead of assuming it, or establish the handler there"
      }
    }
  }

  /// A place in the source.
  public struct Site: Sendable, CustomStringConvertible {
    /// The file, as `#fileID` says it.
    public var file: StaticString
    /// The line in it, from 1.
    public var line: UInt
    /// A place.
    @inlinable @inline(__always) public init(_ file: StaticString, _ line: UInt) {
      self.file = file
      self.line = line
    }
    public var description: String { "\(file):\(line)" }
  }

  /// A gate that was held, and where it was taken. Nil where a dispatch took it.
  public struct HeldGate: Sendable {
    /// Whose gate it is.
    public var level: Level
    /// File and line of the raise that took it.
    public var takenAt: String?
  }

  /// What was broken.
  public var rule: Rule
  /// The IPL at which the context stood.
  public var from: Level
  /// The level it asked for.
  public var to: Level
  /// What it was: the handler's name, or "base code", "visitor".
  public var context: String
  /// The handler established at, or the object of, the level asked for; empty if none.
  public var other: String
  /// The gates that the thread held, ascending.
  public var held: [HeldGate]
  /// Where it was asked for.
  public var site: Site

  public var description: String {
    // `none` is a level's name, and in a sentence a word: who asks for its gate asks for the big lock.
    let asksForBigLock = rule == .bigLockInHandler || rule == .bigLockTooLate
    var text = "\(site): \(context) at \(from) asked for \(asksForBigLock ? "the big lock" : "\(to)")"
    if !other.isEmpty { text += " (\(other))" }
    for gate in held {
      text += gate.level == .none ? "; holds the big lock" : "; holds gate \(gate.level)"
      if let taken = gate.takenAt { text += " taken at \(taken)" } else { text += " taken by its dispatch" }
    }
    return text + ". \(rule.remedy)."
  }
}
