// Correct programs made wrong, one rule at a time.
//
// Law: what is broken is something that matters: the datum is shared with somebody who may be running at the same time on another
// CPU. The data of a broken program have no guard to be checked against, so it is found by what comes of it: a data race, a lost
// update, a deadlock, an outcome that one processor does not have; or by the core's own witness.

import SoftInterrupts

/// A way to make a program wrong.
public enum Breaker: String, Sendable, CaseIterable {
  /// A raise around shared data is left out.
  case dropRaise
  /// A raise goes to the level below the guard.
  case raiseTooLow
  /// A raise that has to take two gates takes the upper one only.
  case exactForCumulative
  /// The outer of two nested raises is exact: the inner would have to take gates below it.
  case cumulativeInExact
  /// A mask where a raise is needed.
  case maskForRaise
  /// A raise inside of a raise, to a level below the one held.
  case downward
  /// An ordered handler that touches shared data is declared MP-safe.
  case claimMPSafe
  /// A handler that raises is declared disjoint.
  case claimDisjoint
  /// Base code that shares un-raised data leaves the big lock out.
  case noBigLock
  /// A cell is opened by a handler that starts above its level.
  case cellFromAbove
  /// A cell is opened below its level.
  case cellTooLow
  /// A callout's guard is its own level, below what its body touches.
  case calloutGuardTooLow
  /// A handler that updates a higher datum in two sections meets a raise that is exact.
  case exactTearsAtomicity
  /// A LevelLock's section is left out.
  case dropLock
  /// A LevelLock is taken from above its level.
  case lockFromAbove
  /// Under a LevelLock the gate of its level is entered.
  case gateUnderLock
  /// Two LevelLocks of one level are taken in descending rank.
  case lockOutOfRank
}

extension Breaker {
  /// Whether data lose their gate by it; the others break the order, or atomicity.
  var takesGates: Bool {
    switch self {
    case .dropRaise, .raiseTooLow, .exactForCumulative, .maskForRaise, .claimMPSafe, .noBigLock,
      .calloutGuardTooLow, .dropLock:
      true
    case .cumulativeInExact, .downward, .claimDisjoint, .cellFromAbove, .cellTooLow, .exactTearsAtomicity,
      .lockFromAbove, .gateUnderLock, .lockOutOfRank:
      false
    }
  }
}

/// A program and what was made of it.
public struct BrokenProgram: Sendable {
  public var breaker: Breaker
  public var correct: RandomProgram
  public var broken: RandomProgram
}

extension RandomProgram {
  /// This program broken in one place, chosen by `seed`; nil if it has none for this breaker.
  public func broken(by breaker: Breaker, seed: UInt64) -> BrokenProgram? {
    var random = SplitMix64(seed &* 31 &+ UInt64(Breaker.allCases.firstIndex(of: breaker)!))
    var choices = places(for: breaker)
    // What takes a gate away from data matters where two accesses are left without a common one.
    if breaker.takesGates { choices = choices.filter { $0.broken.unguarded != nil } }
    guard !choices.isEmpty else { return nil }
    var (correct, broken) = random.pick(choices)
    for datum in correct.data.indices {
      correct.data[datum].isChecked = false
      broken.data[datum].isChecked = false
    }
    return BrokenProgram(breaker: breaker, correct: correct, broken: broken)
  }

  private typealias Pair = (correct: RandomProgram, broken: RandomProgram)

  private func places(for breaker: Breaker) -> [Pair] {
    switch breaker {
    case .dropRaise: soleRaises { site, inner, _ in replacing(site, with: inner) }
    case .maskForRaise:
      soleRaises { site, inner, level in
        if case .base(let index) = site.actor, bases[index].isVisitor { return nil }
        return replacing(site, with: [.mask(level, inner)])
      }
    case .raiseTooLow:
      soleRaises { site, inner, level in
        let lowest = inner.compactMap { data[touched($0).first ?? 0].guardLevel }.min() ?? level
        if lowest.below <= entry(site.actor) { return nil }
        return replacing(site, with: [.raise(lowest.below, inner)])
      }
    case .exactForCumulative:
      soleRaises { site, inner, level in
        let guards = sharedData(inner, site.actor).map { data[$0].guardLevel }
        guard let lowest = guards.min(), lowest < level, lowest > covered(site.actor) else { return nil }
        return replacing(site, with: [.exactly(level, inner)])
      }
    case .cumulativeInExact:
      sites.compactMap { site in
        guard isReached(site), case .raise(let outer, let inner) = site.step, outer > covered(site.actor),
          outer > entry(site.actor).above, let last = inner.last, case .raise(let to, _) = last, to > outer
        else { return nil }
        return (self, replacing(site, with: [.exactly(outer, inner)]))
      }
    case .downward:
      sites.compactMap { site in
        guard isReached(site), case .raise(let level, let inner) = site.step, level > .softClock,
          // (Exactly to the gate that it has is nothing.)
          site.around.isEmpty, covered(site.actor) < level.below
        else { return nil }
        let around: Step = .exactly(level, [.exactly(level.below, inner)])
        return (self, replacing(site, with: [around]))
      }
    case .claimMPSafe:
      handlers.indices.compactMap { index in
        let work = handlers[index]
        guard work.way == .ordered || work.way == .bigLock || work.way == .disjoint else { return nil }
        let bare = work.steps.filter { $0.inner == nil }
        guard bare.contains(where: { !sharedData([$0], .handler(index)).isEmpty }) else { return nil }
        var program = self
        program.handlers[index].way = .mpSafe
        return (self, program)
      }
    case .claimDisjoint:
      handlers.indices.compactMap { index in
        guard handlers[index].way == .ordered, running().contains(.handler(index)) else { return nil }
        let raises = handlers[index].steps.contains { step in
          switch step {
          case .raise(let level, _), .exactly(let level, _): level > handlers[index].level
          default: false
          }
        }
        guard raises else { return nil }
        var program = self
        program.handlers[index].way = .disjoint
        return (self, program)
      }
    case .noBigLock:
      bases.indices.compactMap { index in
        let bare = bases[index].steps.filter { $0.inner == nil }
        guard bases[index].isBigLock,
          bare.contains(where: { !sharedData([$0], .base(index)).isEmpty })
        else { return nil }
        var program = self
        program.bases[index].isBigLock = false
        return (self, program)
      }
    case .cellFromAbove:
      cells.indices.flatMap { cell in
        handlers.indices.compactMap { index in
          guard handlers[index].level > cells[cell], handlers[index].placement == .bound,
            running().contains(.handler(index))
          else { return nil }
          var program = self
          program.handlers[index].steps.insert(.open(cell), at: 0)
          return (self, program)
        }
      }
    case .cellTooLow:
      sites.compactMap { site in
        guard isReached(site), let inner = site.step.inner, inner.contains(.open(0)),
          entry(site.actor) < cells[0], site.around.isEmpty
        else { return nil }
        return (self, replacing(site, with: inner))
      }
    case .calloutGuardTooLow:
      callouts.indices.compactMap { index in
        let (timer, actor) = (callouts[index], Actor.callout(index))
        let bare = timer.steps.filter { $0.inner == nil }
        guard timer.guardLevel > timer.level, !timer.isExact,
          sharedData(bare, actor).contains(where: { data[$0].guardLevel > timer.level })
        else { return nil }
        var program = self
        program.callouts[index].guardLevel = timer.level
        return (self, program)
      }
    case .exactTearsAtomicity: isCumulative ? tornAtomicity() : []
    case .dropLock: lockSections { site, _, inner in replacing(site, with: inner) }
    case .lockFromAbove:
      lockSections { site, lock, _ in
        guard site.around.isEmpty else { return nil }
        return replacing(site, with: [.exactly(locks[lock].level.above, [site.step])])
      }
    case .gateUnderLock:
      lockSections { site, lock, inner in
        let level = locks[lock].level
        // Not where its gate is held before, and entering it is nothing.
        guard !keepers(at: site).contains(.gate(level)) else { return nil }
        return replacing(site, with: [.lock(lock, [.exactly(level, inner.filter { $0.inner == nil })])])
      }
    case .lockOutOfRank:
      lockSections { site, lock, _ in
        guard lock == 0, locks.count > 1 else { return nil }
        return replacing(site, with: [.lock(1, [site.step])])
      }
    }
  }

  /// The data that steps touch and `actor` shares with somebody whom it may meet.
  private func sharedData(_ steps: [Step], _ actor: Actor) -> [Int] {
    let all = steps.reduce(into: Set<Int>()) { $0.formUnion(touched($1)) }
    return all.sorted().filter { isShared($0, with: actor) }
  }

  private func isReached(_ site: Site) -> Bool { running().contains(site.actor) }

  /// Raises that are not inside of others, with shared data in them that the actor needs the raise for. (An inner raise that is left out
  /// may be covered by the outer.)
  private func soleRaises(_ change: (Site, [Step], Level) -> RandomProgram?) -> [Pair] {
    sites.compactMap { site in
      guard site.around.isEmpty, isReached(site) else { return nil }
      let inner: [Step]
      let level: Level
      switch site.step {
      case .raise(let to, let steps), .exactly(let to, let steps): (level, inner) = (to, steps)
      default: return nil
      }
      let bare = inner.filter { $0.inner == nil }
      let needed = sharedData(bare, site.actor).filter { data[$0].guardLevel > covered(site.actor) }
      guard !needed.isEmpty, let program = change(site, inner, level) else { return nil }
      return (self, program)
    }
  }

  private func lockSections(_ change: (Site, Int, [Step]) -> RandomProgram?) -> [Pair] {
    sites.compactMap { site in
      guard isReached(site), case .lock(let lock, let inner) = site.step,
        let program = change(site, lock, inner)
      else { return nil }
      return (self, program)
    }
  }

  /// R, between Q's level and the datum's, updates it in two sections; Q's raise is made exact.
  private func tornAtomicity() -> [Pair] {
    var pairs: [Pair] = []
    for q in sites where q.around.isEmpty && isReached(q) {
      guard case .raise(let to, let inner) = q.step else { continue }
      for datum in sharedData(inner.filter { $0.inner == nil }, q.actor) where data[datum].guardLevel == to {
        for r in sites where r.around.isEmpty && entry(r.actor) > max(entry(q.actor), covered(q.actor)) {
          guard case .raise(let other, let steps) = r.step, entry(r.actor) < to, covered(r.actor) < to,
            other >= to, mayMeet(q.actor, r.actor),
            case .update(let first, let constant)? = steps.first, first == datum
          else { continue }
          var correct = self
          // Again, in a section of its own, with a constant of its own.
          correct[steps: r.actor].insert(
            .raise(other, [.update(datum, 30 - constant % 8)]), at: r.path[0] + 1)
          pairs.append((correct, correct.replacing(q, with: [.exactly(to, inner)])))
        }
      }
    }
    return pairs
  }
}

extension Level {
  var above: Level { Level(rawValue: rawValue + 1) ?? .high }
}
