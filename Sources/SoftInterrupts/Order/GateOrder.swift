// The order, in one place: who may take which gate, as pure functions of small values.
//
// Nothing here touches memory, threads or time, so every case can be tested without them. The verdicts depend on the
// asking context alone: the same program gets the same verdict on every run, whatever the other CPUs do.

/// What a context is, as far as the order is concerned.
@frozen public enum ContextKind: UInt8, Sendable {
  /// Base code of a CPU, MP-safe.
  case base
  /// Base code, or a visitor, inside a big-lock section.
  case bigLockBase
  /// A thread that is no CPU.
  case visitor
  /// A run of a handler, by its way in.
  case ordered, bigLock, disjoint, mpSafe
  /// A run in a level's own thread: raise and mask are no-ops.
  case thread

  /// Whether this is a run of a handler.
  @inlinable var isHandler: Bool { rawValue >= ContextKind.ordered.rawValue }
}

/// Where a context stands: all that a verdict may depend on.
@frozen @usableFromInline struct Standing {
  /// Which contexts are asked: base, visitor or handler.
  @usableFromInline var kind: ContextKind
  /// The level at which the context started.
  @usableFromInline var entry: Level
  /// No handler at or below this starts on the CPU.
  @usableFromInline var ipl: Level
  /// Up to which level the gates are accounted for.
  @usableFromInline var floor: Level
  /// The gates that the context's own frames hold.
  @usableFromInline var own: GateSet
  /// The gates that the thread holds: own and those of the contexts it interrupted.
  @usableFromInline var held: GateSet
  /// The highest LevelLock that the context holds; `none` if it holds none.
  @usableFromInline var lockedThrough: Level

  @inlinable init(
    kind: ContextKind, entry: Level, ipl: Level, floor: Level, own: GateSet, held: GateSet,
    lockedThrough: Level
  ) {
    self.kind = kind
    self.entry = entry
    self.ipl = ipl
    self.floor = floor
    self.own = own
    self.held = held
    self.lockedThrough = lockedThrough
  }
}

/// What a raise has to do.
@frozen @usableFromInline enum RaiseVerdict {
  /// Nothing to take: the level's gates are accounted for.
  case nothing
  /// Take these, ascending. May be empty: the IPL and the floor rise all the same.
  case take(GateSet)
  /// Against the order.
  case violation(Violation.Rule)
}

@frozen @usableFromInline enum GateOrder {
  /// A cumulative raise to `level`: the gates `floor+1 … level` that the context's own frames do not hold.
  ///
  /// A no-op if and only if the floor of *this context* is at or above the level: never because an interrupted
  /// context holds the gate, and never because the IPL is high.
  @inlinable static func cumulative(_ s: Standing, to level: Level) -> RaiseVerdict {
    if s.floor >= level { return .nothing }
    let gates = GateSet.above(s.floor, through: level).subtracting(s.own)
    return admit(s, gates, to: level, cumulative: true)
  }

  /// An exact raise to `level`: that gate only; a no-op if the context's own frames hold it.
  @inlinable static func exact(_ s: Standing, to level: Level) -> RaiseVerdict {
    if s.own.contains(level.gate) { return .nothing }
    return admit(s, level.gate, to: level, cumulative: false)
  }

  /// Fact 2: gates are acquired in ascending order only, and gate k only from an IPL below k.
  @inlinable static func admit(
    _ s: Standing, _ gates: GateSet, to level: Level, cumulative: Bool
  ) -> RaiseVerdict {
    if gates.isEmpty || Mutant.isOn(.anyOrder) { return .take(gates) }
    let lowest = gates.lowest
    if lowest > s.ipl && gates.isAbove(s.held) && s.kind != .disjoint { return .take(gates) }
    return admitRarely(s, gates, to: level, cumulative: cumulative)
  }

  @inlinable @inline(never)
  static func admitRarely(
    _ s: Standing, _ gates: GateSet, to level: Level, cumulative: Bool
  ) -> RaiseVerdict {
    let lowest = gates.lowest
    if s.lockedThrough != .none && lowest <= s.lockedThrough { return .violation(.gateUnderLevelLock) }
    if !gates.isAbove(s.held) {
      let heldExactly = !s.own.isDisjoint(with: .above(s.floor, through: .high))
      return .violation(cumulative && heldExactly ? .cumulativeInsideExact : .downward)
    }
    if lowest <= s.ipl {
      // An MP-safe handler at X that holds no LevelLock and has not masked may enter gate X itself.
      let entersOwnGate =
        s.kind == .mpSafe && lowest == s.entry && s.ipl == s.entry && s.lockedThrough == .none
      if !entersOwnGate { return .violation(s.ipl > s.entry ? .raiseUnderMask : .downward) }
    }
    if s.kind == .disjoint && level != s.entry && level.isSoft { return .violation(.disjointRaises) }
    return .take(gates)
  }

  /// A big-lock section: for base code and visitors that hold nothing, at IPL `none`.
  @inlinable static func bigLock(_ s: Standing) -> RaiseVerdict {
    if s.own.contains(Level.none.gate) { return .nothing }
    if s.kind.isHandler { return .violation(.bigLockInHandler) }
    if !s.held.isEmpty || s.ipl != .none || s.lockedThrough != .none { return .violation(.bigLockTooLate) }
    return .take(Level.none.gate)
  }

  /// A wait for CPUs at `level` stands just below its gate: above every gate held *and* above the IPL.
  @inlinable static func waitForCPUs(_ s: Standing, at level: Level) -> Violation.Rule? {
    if Mutant.isOn(.waitAnywhere) { return nil }
    if !level.gate.isAbove(s.held) || level <= s.ipl || s.lockedThrough >= level { return .waitOutOfOrder }
    return nil
  }

  /// A LevelLock of `level` stands at (level, after its gate, rank): taken at IPL ≤ level only.
  @inlinable static func levelLock(
    _ s: Standing, at level: Level, rank: Int, highestRank: Int
  ) -> Violation.Rule? {
    if Mutant.isOn(.noLockOrder) { return nil }
    if level < s.ipl || s.lockedThrough > level { return .levelLockAboveLevel }
    if s.lockedThrough == level && s.lockedThrough != .none && rank <= highestRank { return .levelLockRank }
    if !s.held.isEmpty && s.held.highest > level { return .levelLockAboveLevel }
    return nil
  }

  /// How a big-lock handler at `level` may be dispatched on a CPU that holds `held`.
  @inlinable static func bigLockDispatch(held: GateSet) -> BigLockDispatch {
    if held.isEmpty { return .takeBoth }
    if held.contains(Level.none.gate) { return .takeOwn }
    return .deferred
  }
}

/// See ``GateOrder/bigLockDispatch(held:)``.
@frozen @usableFromInline enum BigLockDispatch {
  /// The CPU holds no gate: take `none`, then the level's.
  case takeBoth
  /// The CPU holds `none` already: take the level's.
  case takeOwn
  /// The CPU holds a gate above `none` only: taking `none` would break the order; wait until it holds no gate.
  case deferred
}
