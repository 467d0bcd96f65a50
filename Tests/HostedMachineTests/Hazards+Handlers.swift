// Scenarios of hazards of handlers, callouts, conditions and per-CPU data; see Hazards+Gates.swift.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

extension Hazards {
  /// H3: a handler is disestablished while it runs elsewhere: the call returns after the run.
  static func disestablishDrains() throws -> Bool {
    try holds { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        entered.signal()
        go.hold()
        log.note("ended")
      }
      handler.schedule(on: 0)
      guard entered.wait() else { return false }
      let returned = Counter()
      let visitor = Visitor {
        let result = system.disestablish(handler)
        log.note("\(result)")
        returned.count = 1
      }
      guard eventually({ returned.count == 1 || system.queueLength(.softNet) == 1 }) else { return false }
      go.signal()
      return visitor.join() && eventually { log.all.count == 2 } && log.all == ["ended", "done(dropped: 0)"]
    }
  }

  /// H6: a schedule that had found its handler established, and marks when that has ended, promises a run.
  static func schedulesLookAgain() throws -> Bool {
    try holds { system in
      let handler = try system.establish("gone", at: .softNet, as: .ordered) { _ in }
      // A schedule of a thread without an agent, stopped in the middle.
      handler.enter(nil)
      defer { handler.exit(nil) }
      guard handler.isCurrent, system.disestablish(handler) == .done(dropped: 0) else { return false }
      let first = handler.markCurrent(home: system.agent(ofCPU: 1), from: nil)
      // The bit stays until the slot's next owner; it is not to be coalesced with either.
      let second = handler.markCurrent(home: system.agent(ofCPU: 1), from: nil)
      return first == .notEstablished && second == .notEstablished
    }
  }

  /// H6: a handle of a handler that is gone reaches the next owner of its slot.
  static func staleHandle() throws -> Bool {
    try holds { system in
      let ran = Counter()
      let first = try system.establish("first", at: .softNet, as: .ordered) { _ in }
      system.disestablish(first)
      let second = try system.establish("second", at: .softNet, as: .ordered) { _ in ran.add() }
      guard first.slot == second.slot else { return false }
      let results = [first.schedule(), first.schedule(on: 1), system.on(1) { _ in first.schedule() }]
      system.settle(0)
      system.settle(1)
      return results.allSatisfy { $0 == .notEstablished } && ran.count == 0
    }
  }

  /// H8, H9: a schedule during the run is followed by another whole run.
  static func onceMoreAfter() throws -> Bool {
    try holds { system in
      let entered = Event()
      let go = Event()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        entered.signal()
        go.hold()
      }
      handler.schedule(on: 0)
      guard entered.wait() else { return false }
      handler.schedule(on: 0)
      go.signal()
      let again = entered.wait()
      go.signal()
      return again
    }
  }

  /// H10: handlers that schedule themselves for ever at several levels leave each lower level and base code their share.
  static func share() throws -> Bool {
    let configuration = quiet {
      $0.levelBudget = 100_000
      $0.lowerShare = 4
    }
    return try holds(cpus: 1, configuration) { system in
      let stop = Counter()
      let started = Event()
      let ran = Event()
      nonisolated(unsafe) var again: [Level: HandlerOf] = [:]
      let runs = Level.allCases.map { _ in Counter() }
      // Two that never end, one of them on top of the other, and two below that have always more to do.
      for level in [Level.softNet, .softSerial, .softClock, .softBio] {
        again[level] = try system.establish("livelock", at: level, as: .ordered) { _ in
          runs[Int(level.rawValue)].add()
          if stop.count == 0 { again[level]?.schedule() }
          if stop.count == 0, level == .softNet { started.signal() }
        }
      }
      system.submit(on: 0) { _ in
        for level in again.keys where level != .softSerial { again[level]!.schedule() }
      }
      for _ in 0..<1_000 where !started.wait() { return false }
      again[.softSerial]!.schedule(on: 0)
      system.submit(on: 0) { _ in ran.signal() }
      let hadShare = ran.wait()
      let allHad = eventually {
        runs[Int(Level.softClock.rawValue)].count > 100 && runs[Int(Level.softBio.rawValue)].count > 100
      }
      stop.count = 1
      return hadShare && allHad
    }
  }

  /// H20, H57: the way in changes while a run is on another CPU.
  static func changeBetweenRuns() throws -> Bool {
    try holds { system in
      let entered = Event()
      let go = Event()
      let inside = Counter()
      let most = Counter()
      let runs = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        most.count = max(most.count, inside.add())
        if runs.add() == 1 {
          entered.signal()
          go.hold()
        }
        inside.add(-1)
      }
      handler.schedule(on: 0)
      guard entered.wait() else { return false }
      let returned = Counter()
      let visitor = Visitor {
        _ = system.setWay(.mpSafe, of: handler)
        returned.count = 1
      }
      // Either it waits for the gate, or (a defect) for the CPUs, which only registers.
      guard
        eventually({
          returned.count == 1 || system.queueLength(.softNet) == 1 || system.quiescers.load(.acquire) != 0
        })
      else { return false }
      handler.schedule(on: 1)
      system.settle(1)
      go.signal()
      return visitor.join() && eventually { runs.count == 2 } && most.count == 1
    }
  }

  /// H43: cancel and re-arm while the popped callout waits for its guard: it runs at its new time only.
  static func cancelAndRearm() throws -> Bool {
    try holds { system in
      let ran = Counter()
      let callout = try system.callout("c", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        ran.add()
      }
      let blocker = try Blocker(system, at: .softNet, on: 1)
      callout.schedule(at: 0)
      guard system.someoneWaits(for: .softNet) else { return false }
      guard callout.cancel() == .mayBeRunning, callout.schedule(after: .seconds(3_600)) == .armed else {
        return false
      }
      blocker.letGo()
      system.settle(1)
      guard eventually({ system.queueLength(.softNet) == 0 }) else { return false }
      // Behind whatever the popped one does under its guard.
      system.raise(exactly: .softNet) { _ in }
      system.settle(0)
      return ran.count == 0 && callout.cancel() == .cancelled
    }
  }

  /// H44: a CPU goes offline while a schedule is between its bit and its doorbell.
  static func offlineLooks() throws -> Bool {
    try holds { system in
      let ran = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in ran.add() }
      // The first half of a schedule.
      system.agent(ofCPU: 1).pending(.softNet).fetchOr(handler.slot.pointee.bit, .acquireRelease)
      let visitor = Visitor { system.offline(1) }
      guard visitor.join() else { return false }
      let isRun = ran.count == 1
      return system.online(1) && isRun
    }
  }

  /// H54: a condition wait keeps the lower gates, which the signaller needs.
  static func conditionLeavesAll() throws -> Bool {
    try holds { system in
      let condition = system.condition(guardedBy: .softNet)
      nonisolated(unsafe) var isReady = false
      let ended = Event()
      let waits = Event()
      system.submit(on: 0) { here in
        here.raise(to: .softNet) { _ in
          _ = condition.wait {
            if !isReady { waits.signal() }
            return isReady
          }
        }
        ended.signal()
      }
      guard waits.wait() else { return false }
      _ = Visitor {
        system.raise(to: .softNet) { _ in
          isReady = true
          condition.broadcast()
        }
      }
      return ended.wait()
    }
  }

  /// H38: a cumulative raise inside a mask counts from the floor: it misses gates that it may not take any more.
  static func raiseInsideMask() throws -> Bool {
    try holds(allowing: [.raiseUnderMask]) { system in
      let gates = system.on(0) { here in
        here.mask(to: .softNet) { $0.raise(to: .softSerial) { $0.gates } }
      }
      return gates == [] && system.violations.map(\.rule) == [.raiseUnderMask]
    }
  }

  /// H47: a raise does nothing because the *interrupted* context holds the gate.
  static func interruptedHolds() throws -> Bool {
    try holds(allowing: [.downward]) { system in
      let ran = Event()
      let onTop = try system.establish("on top", at: .softSerial, as: .mpSafe) { here in
        here.raise(exactly: .softNet) { _ in }
        ran.signal()
      }
      system.on(0) { here in
        here.raise(exactly: .softNet) { inside in
          onTop.schedule()
          inside.checkpoint()
        }
      }
      return ran.wait() && system.violations.map(\.rule) == [.downward]
    }
  }

  /// H49: a cell is opened by a handler that starts above its guard, over a half-written one.
  static func cellFromAbove() throws -> Bool {
    try holds(allowing: [.cellLevel]) { system in
      let cell = system.perCPU(at: .softNet) { _ in 0 }
      let ran = Event()
      let above = try system.establish("above", at: .softSerial, as: .mpSafe) { _ in
        cell.open { $0 += 1 }
        ran.signal()
      }
      above.schedule(on: 0)
      return ran.wait() && system.violations.map(\.rule) == [.cellLevel]
        && cell.reduce(0, { $0 + $1 }) == 0
    }
  }

  /// H30: a shutdown that counts waits for a schedule that has looked at the generation and not yet marked.
  static func shutdownAwaitsSchedules() throws -> Bool {
    let system = try System(on: .hosted(cpus: 2), quiet())
    let handler = try system.establish("late", at: .softNet, as: .ordered) { _ in }
    // A schedule of a thread without an agent, stopped in the middle.
    handler.enter(nil)
    guard handler.isCurrent else { return false }
    nonisolated(unsafe) var report = ShutdownReport()
    let visitor = Visitor { report = system.shutdown() }
    // The last generation that the shutdown changes: what it does next is to look for schedules, or (the mutant) to count.
    let last = system.slots[Int(Level.high.rawValue) * UInt.bitWidth + InternalSlots.crossCalls]!
    eventually { last.pointee.generation.load(.acquire) & 1 == 0 }
    for _ in 0..<2_000 { sched_yield() }
    let result = handler.markCurrent(home: system.agent(ofCPU: 1), from: nil)
    handler.exit(nil)
    guard visitor.join() else { return false }
    // It has looked again, and promises nothing; what it marked is counted all the same, because the shutdown waited for it.
    return result == .notEstablished && report.pending.map(\.name) == ["late"]
      && report.pending.first?.cpus == 1
  }
}
