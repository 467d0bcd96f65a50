// What random programs have besides data and raises: cells, LevelLocks, conditions, and who schedules and arms what.
//
// Law: as in ProgramGenerator.swift.

import SoftInterrupts

extension ProgramGenerator {
  /// Per-CPU cells: opened by bound handlers and base code, under a mask or a raise, or where the entry level is enough.
  mutating func addCells() {
    guard random.chance(60) else { return }
    let level = random.pick(Self.soft)
    program.cells.append(level)
    let users = everybody.filter { who in
      if case .handler(let index) = who, program.handlers[index].placement == .anywhere { return false }
      return entry(who) <= level && !isVisitor(who)
    }
    for _ in 0..<2 + random.below(2) where !users.isEmpty {
      let who = random.pick(users)
      if ipl(who) >= level {
        append([.open(0)], who)
      } else if mayRaise(who) && !isExactCallout(who) && random.chance(30) {
        append([.raise(level, [.open(0)])], who)
      } else {
        append(
          [.mask(random.chance(70) ? level : random.pick(Self.soft.filter { $0 >= level }), [.open(0)])], who)
      }
    }
  }

  /// LevelLocks, and data that they guard instead of gates: for whoever starts at or below their level.
  mutating func addLocks() {
    guard random.chance(50) else { return }
    let level = random.pick(Self.soft)
    program.locks = [.init(level: level)]
    if random.chance(40) { program.locks.append(.init(level: level, rank: 1)) }
    // Names and digits are for four data.
    let data = program.locks.indices.prefix(4 - program.data.count).map { lock in
      program.data.append(.init(lock: lock))
      return program.data.count - 1
    }
    let users = everybody.filter { ipl($0) <= level && mayRaise($0) }
    guard let first = data.first, !users.isEmpty else { return }
    for _ in 0..<2 + random.below(2) {
      let who = random.pick(users)
      constant += 1
      var inner: [Step] = [.update(first, constant)]
      if data.count > 1 && random.chance(50) {
        constant += 1
        inner.append(.lock(1, [.update(data[1], constant)]))
      }
      // What is above may be entered under it, exactly.
      let above = program.data.indices.filter {
        program.data[$0].lock == nil && program.data[$0].guardLevel > level
      }
      if !above.isEmpty && random.chance(40) {
        let datum = random.pick(above)
        constant += 1
        inner.append(.exactly(program.data[datum].guardLevel, [.update(datum, constant)]))
      }
      // Now and then in a raise that is there.
      if case .raise(let other, let steps)? = self.steps(of: who).last, other <= level, random.chance(40) {
        replaceLast(.raise(other, steps + [.lock(0, inner)]), who)
      } else {
        append([.lock(0, inner)], who)
      }
    }
  }

  /// Base code or a visitor waits for what somebody else makes true: who runs whatever others do, and does not wait.
  mutating func addCondition() {
    guard random.chance(30) else { return }
    let level = random.pick(Self.soft)
    let waiter = random.pick(program.bases.indices.map { Who.base($0) })
    let signallers = everybody.filter { who in
      switch who {
      case .base: who != waiter && canTouch(level, who)
      case .handler(let index):
        entry(who) <= level && canTouch(level, who) && program.devices.contains { $0.handler == index }
      case .callout: false
      }
    }
    guard !signallers.isEmpty else { return }
    program.conditions = [level]
    add([.wait(0)], level, waiter, mayBeExact: true)
    add([.signal(0)], level, random.pick(signallers), mayBeExact: true)
  }

  // MARK: What makes them run

  mutating func addRequests() {
    for handler in program.handlers.indices {
      let level = program.handlers[handler].level
      if random.chance(70) {
        program.devices.append(.init(handler: handler, cpu: random.below(program.cpus)))
        if random.chance(70) { continue }
      }
      // By a handler that comes before it, so that the program ends, or by base code or a callout.
      let askers = everybody.filter { who in
        if case .handler(let index) = who, index >= handler { return false }
        return mayAsk(level, who)
      }
      guard !askers.isEmpty else { continue }
      ask(.schedule(handler), level, random.pick(askers))
    }
    for callout in program.callouts.indices {
      let (level, guardLevel) = (program.callouts[callout].level, program.callouts[callout].guardLevel)
      let schedules = program.sites.contains { site in
        if site.actor == .callout(callout), case .schedule = site.step { true } else { false }
      }
      let askers = everybody.filter { who in
        if case .callout = who { return false }
        // What it schedules must not arm it again.
        if schedules, case .handler = who { return false }
        return entry(who) <= level && mayAsk(guardLevel, who)
      }
      guard !askers.isEmpty else { continue }
      ask(.arm(callout), guardLevel, random.pick(askers))
      if random.chance(60), let (datum, who) = canceller(guardLevel, askers) {
        constant += 2
        ask(.cancel(callout, into: datum, constant - 1), guardLevel, who)
      }
    }
  }

  /// Who may be asked to request something of a level: from below it he raises first.
  func mayAsk(_ level: Level, _ who: Who) -> Bool {
    if entry(who) > level { return true }
    if flavour == .mixed { return mayRaise(who) && !isExactCallout(who) }
    return mayRaise(who) || floor(who) >= level
  }

  mutating func ask(_ step: Step, _ level: Level, _ who: Who) {
    if entry(who) > level {
      append([step], who)
    } else {
      add([step], level, who, mayBeExact: false)
    }
  }

  /// A datum that the callout's guard covers, and who may touch it when he cancels.
  mutating func canceller(_ guardLevel: Level, _ askers: [Who]) -> (Int, Who)? {
    let who = random.pick(askers)
    let data = program.data.indices.filter { datum in
      let level = program.data[datum].guardLevel
      return level != .none && level >= entry(who) && level <= guardLevel
    }
    return data.isEmpty ? nil : (random.pick(data), who)
  }
}
