// Places in a program: who does what where, who can run without whom, and on which CPUs.

import SoftInterrupts

/// Somebody who has steps.
public enum Actor: Sendable, Hashable {
  case base(Int)
  case handler(Int)
  case callout(Int)
}

/// A step, where it is, and what has been raised around it.
struct Site {
  var actor: Actor
  /// Indices from the outside to the inside.
  var path: [Int]
  var step: Step
  /// The raises around it, the outermost first.
  var around: [Step]
}

extension RandomProgram {
  var actors: [Actor] {
    bases.indices.map { .base($0) } + handlers.indices.map { .handler($0) }
      + callouts.indices.map { .callout($0) }
  }

  subscript(steps actor: Actor) -> [Step] {
    get {
      switch actor {
      case .base(let index): bases[index].steps
      case .handler(let index): handlers[index].steps
      case .callout(let index): callouts[index].steps
      }
    }
    set {
      switch actor {
      case .base(let index): bases[index].steps = newValue
      case .handler(let index): handlers[index].steps = newValue
      case .callout(let index): callouts[index].steps = newValue
      }
    }
  }

  /// The level at which an actor starts.
  func entry(_ actor: Actor) -> Level {
    switch actor {
    case .base: .none
    case .handler(let index): handlers[index].level
    case .callout(let index): callouts[index].level
    }
  }
  /// The level that it needs no raise for: a callout's guard, a handler's own, unless it is MP-safe.
  func covered(_ actor: Actor) -> Level {
    switch actor {
    case .base: .none
    case .handler(let index): handlers[index].way == .mpSafe ? .none : handlers[index].level
    case .callout(let index): callouts[index].guardLevel
    }
  }

  /// Every step, with its place.
  var sites: [Site] {
    var sites: [Site] = []
    func visit(_ steps: [Step], _ actor: Actor, _ path: [Int], _ around: [Step]) {
      for (index, step) in steps.enumerated() {
        sites.append(Site(actor: actor, path: path + [index], step: step, around: around))
        if let inner = step.inner { visit(inner, actor, path + [index], around + [step]) }
      }
    }
    for actor in actors { visit(self[steps: actor], actor, [], []) }
    return sites
  }

  /// The program with other steps in one's place.
  func replacing(_ site: Site, with steps: [Step]) -> RandomProgram {
    func replace(_ list: [Step], _ path: ArraySlice<Int>) -> [Step] {
      var list = list
      let index = path.first!
      if path.count == 1 {
        list.replaceSubrange(index...index, with: steps)
      } else {
        list[index] = list[index].with(replace(list[index].inner!, path.dropFirst()))
      }
      return list
    }
    var program = self
    program[steps: site.actor] = replace(self[steps: site.actor], site.path[...])
    return program
  }

  // MARK: Data

  /// The data that a step touches, inside of it too.
  func touched(_ step: Step) -> Set<Int> {
    switch step {
    case .update(let datum, _): [datum]
    case .mix(let datum, let from): [datum, from]
    case .cancel(_, let datum, _): [datum]
    default: (step.inner ?? []).reduce(into: []) { $0.formUnion(touched($1)) }
    }
  }
  func touched(by actor: Actor) -> Set<Int> {
    self[steps: actor].reduce(into: []) { $0.formUnion(touched($1)) }
  }

  // MARK: Who runs

  /// Who runs at all if `absent` does nothing.
  func running(without absent: Actor? = nil) -> Set<Actor> {
    var set: Set<Actor> = []
    var open = bases.indices.map { Actor.base($0) } + devices.map { Actor.handler($0.handler) }
    while let actor = open.popLast() {
      if actor == absent || !set.insert(actor).inserted { continue }
      for site in sites where site.actor == actor {
        switch site.step {
        case .schedule(let handler): open.append(.handler(handler))
        case .arm(let callout): open.append(.callout(callout))
        default: break
        }
      }
    }
    return set
  }

  /// The CPUs on which an actor may run.
  func places(of actor: Actor) -> Set<Int> {
    switch actor {
    // A visitor is on no CPU.
    case .base(let index): return [bases[index].isVisitor ? -1 - index : bases[index].cpu]
    case .callout(let index): return [callouts[index].cpu]
    case .handler(let index):
      // Only ordered work is run by others.
      let way = handlers[index].way
      if handlers[index].placement == .anywhere && (way == .ordered || way == .disjoint) {
        return Set(0..<cpus)
      }
      var set = Set(devices.filter { $0.handler == index }.map(\.cpu))
      for site in sites where site.step == .schedule(index) && site.actor != actor {
        if case .base(let base) = site.actor, bases[base].isVisitor {
          set.insert(bases[base].cpu)
        } else {
          set.formUnion(places(of: site.actor))
        }
      }
      return set
    }
  }

  /// Whether two actors may run at one time: on two CPUs, and neither only because of the other.
  func mayMeet(_ a: Actor, _ b: Actor) -> Bool {
    if a == b { return false }
    guard running(without: a).contains(b), running(without: b).contains(a) else { return false }
    return places(of: a).union(places(of: b)).count > 1
  }

  // MARK: Gates

  /// The gates that an actor's steps begin with, and up to where they count for a cumulative raise.
  private func begin(_ actor: Actor) -> (gates: Set<Level>, floor: Level) {
    func between(_ low: Level, _ high: Level) -> Set<Level> {
      Set(Level.allCases.filter { $0 > low && $0 <= high })
    }
    switch actor {
    case .base(let index): return (bases[index].isBigLock ? [.none] : [], .none)
    case .handler(let index):
      let level = handlers[index].level
      switch handlers[index].way {
      case .ordered, .disjoint: return (isUnderBigLock(actor) ? [.none, level] : [level], level)
      case .bigLock: return ([.none, level], level)
      case .mpSafe: return (isUnderBigLock(actor) ? [.none] : [], level.below)
      }
    case .callout(let index):
      let timer = callouts[index]
      let own: Set<Level> =
        timer.way == .bigLock ? [.none, timer.level] : timer.way == .ordered ? [timer.level] : []
      if timer.isExact { return (own.union([timer.guardLevel]), timer.level) }
      let first = timer.way == .mpSafe ? timer.level.below : timer.level
      return (own.union(between(first, timer.guardLevel)), timer.guardLevel)
    }
  }

  /// Whether a handler is scheduled by big-lock base code only, on its own CPU: then it runs inside of it, as a rule.
  private func isUnderBigLock(_ actor: Actor) -> Bool {
    guard case .handler(let index) = actor, !devices.contains(where: { $0.handler == index }) else {
      return false
    }
    return sites.filter { $0.step == .schedule(index) }.allSatisfy { site in
      switch site.actor {
      case .base(let index): bases[index].isBigLock && !bases[index].isVisitor
      case .handler(let other): other != index && isUnderBigLock(site.actor)
      case .callout: false
      }
    }
  }

  /// What keeps others out.
  enum Keeper: Hashable {
    case gate(Level)
    case lock(Int)
  }

  /// The gates and locks that are held at a step.
  func keepers(at site: Site) -> Set<Keeper> {
    var (gates, floor) = begin(site.actor)
    var locks: Set<Keeper> = []
    for step in site.around {
      switch step {
      case .raise(let level, _):
        gates.formUnion(Level.allCases.filter { $0 > floor && $0 <= level })
        floor = max(floor, level)
      case .exactly(let level, _): gates.insert(level)
      case .lock(let lock, _): locks.insert(.lock(lock))
      default: break
      }
    }
    return locks.union(gates.map { .gate($0) })
  }

  /// Two accesses to one datum by actors that may meet, without a gate or lock in common: the program is wrong, and it can be seen.
  var unguarded: (Site, Site)? {
    let accesses = sites.filter { $0.step.inner == nil && !touched($0.step).isEmpty }
    for (index, a) in accesses.enumerated() {
      for b in accesses[..<index] where !touched(a.step).isDisjoint(with: touched(b.step)) {
        if mayMeet(a.actor, b.actor) && keepers(at: a).isDisjoint(with: keepers(at: b)) { return (a, b) }
      }
    }
    return nil
  }

  /// Whether somebody whom `actor` may meet touches `datum`, besides.
  func isShared(_ datum: Int, with actor: Actor) -> Bool {
    actors.contains { mayMeet(actor, $0) && touched(by: $0).contains(datum) }
  }
}
