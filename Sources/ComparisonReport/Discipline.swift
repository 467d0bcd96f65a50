// The names that a report uses: disciplines, levels, ways in and idle modes, spelled as users type them.
//
// Invariant: the raw values are part of the published schema. They do not change within a schema version.

/// One way to keep the data of soft interrupts consistent; what `softint compare` compares.
public enum Discipline: String, Sendable, CaseIterable {
  /// Plain spl on one CPU: the reference that everybody comes from.
  case oneCPU
  /// Several CPUs, everything under the gate of level `none`.
  case bigLock
  /// A gate for each level, in strict order.
  case ordered
  /// A gate for each level, and no handler may raise to another soft level.
  case disjoint
  /// No gates: explicit locks and a sharded table.
  case mpSafe
  /// A thread for each level and CPU, spl a no-op, explicit locks.
  case threads
  /// The middle ground: each handler has the way in that suits it.
  case mixed
}

/// The eight levels, lowest first.
public enum LevelName: String, Sendable, CaseIterable, Comparable {
  /// A level, as the core calls it.
  case none, softClock, softBio, softNet, softSerial, vm, sched, high

  /// Whether the level is one of the four soft ones, at which ordered handlers take a gate.
  public var isSoft: Bool { self >= .softClock && self <= .softSerial }

  /// The place in the order, from 0.
  public var rank: Int { LevelName.allCases.firstIndex(of: self) ?? 0 }

  public static func < (left: LevelName, right: LevelName) -> Bool { left.rank < right.rank }
}

/// The way in with which a handler was established.
public enum WayInName: String, Sendable, CaseIterable {
  /// A way in, as the core calls it.
  case bigLock, ordered, disjoint, mpSafe
}

/// What a CPU does that has nothing to do.
public enum IdleMode: String, Sendable, CaseIterable {
  /// It looks for work all the time.
  case poll
  /// It sleeps until its doorbell rings.
  case park
}
