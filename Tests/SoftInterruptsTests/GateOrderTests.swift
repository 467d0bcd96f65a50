// The order, checked against a second statement of its laws, for every standing of a small set of levels.
//
// The restatement works on lists of levels and says of each wish which laws it would break; the verdict under test must admit
// exactly the wishes that break none, take exactly the gates that are missing, and name a law that is in fact broken.

import Testing

@testable import SoftInterrupts

/// A law of the order that a wish can break.
private enum Law: CaseIterable {
  case ascending, aboveIPL, disjoint, levelLock
}

@Suite("The order of the gates")
struct GateOrderTests {
  private static let kinds: [ContextKind] = [
    .base, .bigLockBase, .visitor, .ordered, .bigLock, .disjoint, .mpSafe,
  ]
  private static let levels: [Level] = [.none, .softBio, .softNet, .vm]

  /// All standings in which what is held is at or below the IPL, as the core keeps it (fact 1).
  private static func standings(_ kind: ContextKind) -> [Standing] {
    var all: [Standing] = []
    for entry in levels where kind.isHandler == (entry != .none) {
      for ipl in levels where ipl >= entry {
        for floor in levels where floor <= ipl {
          for locked in levels where locked <= ipl {
            for held in subsets(upTo: ipl) {
              for own in subsets(upTo: ipl) where own.isSubset(of: held) {
                all.append(
                  Standing(
                    kind: kind, entry: entry, ipl: ipl, floor: floor, own: own, held: held,
                    lockedThrough: locked))
              }
            }
          }
        }
      }
    }
    return all
  }

  private static func subsets(upTo top: Level) -> [GateSet] {
    let usable = levels.filter { $0 <= top }
    return (0..<(1 << usable.count)).map { bits in
      var set = GateSet()
      for (index, level) in usable.enumerated() where bits >> index & 1 == 1 { set.insert(level.gate) }
      return set
    }
  }

  private static func list(_ set: GateSet) -> [Level] { Level.allCases.filter { set.contains($0.gate) } }

  /// The laws that taking `wanted` would break.
  private static func broken(_ s: Standing, _ wanted: [Level], to level: Level) -> Set<Law> {
    var laws = Set<Law>()
    guard let first = wanted.first else { return laws }
    if list(s.held).contains(where: { $0 >= first }) { laws.insert(.ascending) }
    let isOwnGate = s.kind == .mpSafe && first == s.entry && s.ipl == s.entry && s.lockedThrough == .none
    if first <= s.ipl && !isOwnGate { laws.insert(.aboveIPL) }
    if s.lockedThrough > .none && first <= s.lockedThrough { laws.insert(.levelLock) }
    if s.kind == .disjoint && level != s.entry
      && [.softClock, .softBio, .softNet, .softSerial].contains(level)
    {
      laws.insert(.disjoint)
    }
    return laws
  }

  /// The law that a reported rule is about.
  private static func law(_ rule: Violation.Rule) -> Set<Law> {
    switch rule {
    case .cumulativeInsideExact: [.ascending]
    case .downward: [.ascending, .aboveIPL]
    case .raiseUnderMask: [.aboveIPL]
    case .gateUnderLevelLock: [.levelLock]
    case .disjointRaises: [.disjoint]
    default: []
    }
  }

  private static func check(_ verdict: RaiseVerdict, _ s: Standing, _ wanted: [Level]?, to level: Level)
    -> Bool
  {
    switch (verdict, wanted) {
    case (.nothing, nil): return true
    case (.take(let gates), .some(let wanted)):
      return list(gates) == wanted && broken(s, wanted, to: level).isEmpty
    case (.violation(let rule), .some(let wanted)):
      return !broken(s, wanted, to: level).isDisjoint(with: law(rule))
    default: return false
    }
  }

  @Test(
    "a cumulative raise takes what lies between floor and level, ascending, or says which law it would break",
    arguments: kinds)
  func cumulative(_ kind: ContextKind) {
    var seen = 0
    var wrong: [String] = []
    for s in Self.standings(kind) {
      for level in Self.levels {
        // A no-op exactly if the floor accounts for the level, whatever the IPL and whoever holds the gate.
        let wanted: [Level]? =
          s.floor >= level
          ? nil
          : Level.allCases.filter { $0 > s.floor && $0 <= level && !s.own.contains($0.gate) }
        seen += 1
        if !Self.check(GateOrder.cumulative(s, to: level), s, wanted, to: level) {
          wrong.append("\(s) to \(level)")
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(3))")
    #expect(seen > 1_000)
  }

  @Test("an exact raise takes one gate, or nothing if the context's own frames hold it", arguments: kinds)
  func exact(_ kind: ContextKind) {
    var wrong: [String] = []
    var noOps = 0
    for s in Self.standings(kind) {
      for level in Self.levels {
        let isOwn = s.own.contains(level.gate)
        if isOwn { noOps += 1 }
        if !Self.check(GateOrder.exact(s, to: level), s, isOwn ? nil : [level], to: level) {
          wrong.append("\(s) to \(level)")
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(3))")
    #expect(noOps > 0)
  }

  @Test(
    "H47: no verdict changes with what an interrupted context holds, but for the order itself",
    arguments: kinds)
  func interrupted(_ kind: ContextKind) {
    for s in Self.standings(kind) where s.own == s.held {
      for level in Self.levels {
        var more = s
        more.held.insert(level.gate)
        // Somebody below holds the very gate: it is never a no-op for this context.
        if s.floor < level, case .nothing = GateOrder.cumulative(more, to: level) {
          Issue.record("\(more) to \(level)")
        }
        if !s.own.contains(level.gate), case .nothing = GateOrder.exact(more, to: level) {
          Issue.record("exactly, \(more) to \(level)")
        }
      }
    }
  }

  @Test("the big lock is for base code and visitors that hold nothing, at level none", arguments: kinds)
  func bigLock(_ kind: ContextKind) {
    for s in Self.standings(kind) {
      let allowed =
        !kind.isHandler && Self.list(s.held).isEmpty && s.ipl == .none && s.lockedThrough == .none
      switch GateOrder.bigLock(s) {
      case .nothing: #expect(s.own.contains(Level.none.gate))
      case .take(let gates):
        if !allowed || gates != Level.none.gate || s.own.contains(Level.none.gate) { Issue.record("\(s)") }
      case .violation(let rule):
        if allowed || s.own.contains(Level.none.gate) { Issue.record("\(s)") }
        if rule != (kind.isHandler ? .bigLockInHandler : .bigLockTooLate) { Issue.record("\(rule): \(s)") }
      }
    }
  }

  @Test(
    "a wait for CPUs stands just below its gate: above every gate held and above the IPL", arguments: kinds)
  func waits(_ kind: ContextKind) {
    for s in Self.standings(kind) {
      for level in Self.levels where level != .none {
        let allowed =
          level > s.ipl && Self.list(s.held).allSatisfy { $0 < level } && s.lockedThrough < level
        if (GateOrder.waitForCPUs(s, at: level) == nil) != allowed { Issue.record("\(s) at \(level)") }
      }
    }
  }

  @Test(
    "H50: a LevelLock is taken at or below its level, and two of a level in ascending rank", arguments: kinds)
  func levelLocks(_ kind: ContextKind) {
    for s in Self.standings(kind) {
      for level in Self.levels where level != .none {
        for rank in 0...2 {
          for highest in 0...2 {
            let verdict = GateOrder.levelLock(s, at: level, rank: rank, highestRank: highest)
            let isLow = s.ipl <= level && s.lockedThrough <= level
            let isRanked = s.lockedThrough < level || rank > highest
            if (verdict == nil) != (isLow && isRanked) { Issue.record("\(s) at \(level)") }
            if verdict == .levelLockRank && !isLow { Issue.record("the worse fault first: \(s)") }
          }
        }
      }
    }
  }

  @Test(
    "big-lock work is dispatched where none is held, or where gate none is held already",
    arguments: 0..<UInt(256))
  func bigLockDispatch(_ held: UInt) {
    let set = GateSet(rawValue: held)
    let expected: BigLockDispatch =
      held == 0 ? .takeBoth : held & 1 == 1 ? .takeOwn : .deferred
    #expect(GateOrder.bigLockDispatch(held: set) == expected)
  }

  @Test("every rule says what to do instead, each in its own words")
  func remedies() {
    let texts = Violation.Rule.allCases.map(\.remedy)
    #expect(texts.allSatisfy { $0.count > 20 && !$0.hasSuffix(".") })
    #expect(Set(texts).count == texts.count)
  }
}
