// Scenarios of hazards at gates: each builds the situation by hand and says whether the invariant held.
//
// A scenario is used twice: with every rule on it must hold; with the rule switched off it must not (MutantTests.swift).

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

enum Hazards {
  /// H1: a big-lock handler comes on a CPU that holds a gate, while the holder of `none` waits for that gate.
  static func bigLockUnderGate() throws -> Bool {
    try holds { system in
      let entered = Event()
      let go = Event()
      let bigRan = Event()
      let ended = Event()
      let big = try system.establish("big", at: .softSerial, as: .bigLock) { _ in bigRan.signal() }
      let net = try system.establish("net", at: .softNet, as: .ordered) { here in
        entered.signal()
        go.hold()
        big.schedule()
        here.checkpoint()
      }
      net.schedule(on: 1)
      guard entered.wait() else { return false }
      system.submit(on: 0, as: .bigLock) { here in
        here.raise(to: .softNet) { _ in }
        ended.signal()
      }
      // It takes softClock and softBio, holds `none`, and waits for what CPU 1 holds.
      guard system.someoneWaits(for: .softNet) else { return false }
      go.signal()
      return ended.wait() && bigRan.wait()
    }
  }

  /// H22: an ordered handler runs while another CPU holds the gate.
  static func orderedAlone() throws -> Bool {
    try holds { system in
      let ran = Counter()
      let other = try system.establish("other", at: .softNet, as: .ordered) { _ in ran.add() }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      other.schedule(on: 1)
      system.settle(1)
      let early = ran.count
      blocker.letGo()
      return early == 0 && eventually { ran.count == 1 }
    }
  }

  /// H23: a CPU that waits for a gate still serves what is above the level below it.
  static func servesWhileWaiting() throws -> Bool {
    try holds { system in
      let served = Event()
      let urgent = try system.establish("urgent", at: .softNet, as: .mpSafe) { _ in served.signal() }
      let blocker = try Blocker(system, at: .softNet, on: 1)
      let ended = Event()
      system.submit(on: 0) { here in
        here.raise(to: .softNet) { _ in }
        ended.signal()
      }
      guard system.someoneWaits(for: .softNet) else { return false }
      urgent.schedule(on: 0)
      let isServed = served.wait()
      blocker.letGo()
      return ended.wait() && isServed
    }
  }

  /// H37: the gate is handed to a waiter that is suspended under a handler of the very level.
  static func handOverToSuspended() throws -> Bool {
    try holds(quiet { $0.handOffAfter = 0 }) { system in
      let entered = Event()
      let go = Event()
      let ended = Event()
      let onTop = try system.establish("on top", at: .softNet, as: .mpSafe) { here in
        entered.signal()
        go.hold()
        // Would meet its own CPU, had the gate been given to what it interrupted.
        here.raise(exactly: .softNet) { _ in }
      }
      let blocker = try Blocker(system, at: .softNet, on: 1)
      system.submit(on: 0) { here in
        here.raise(to: .softNet) { _ in }
        ended.signal()
      }
      guard system.someoneWaits(for: .softNet) else { return false }
      onTop.schedule(on: 0)
      guard entered.wait() else { return false }
      blocker.letGo()
      system.settle(1)
      // The gate is free meanwhile: it does not idle with somebody who cannot use it. Below it CPU 0 holds gates.
      let isFree = !system.isHeld(.softNet)
      go.signal()
      return ended.wait() && isFree
    }
  }

  /// H12: who leaves a gate hands it to a waiter that is overdue, and cannot take it again before.
  static func handOff() throws -> Bool {
    try holds(quiet { $0.handOffAfter = 0 }) { system in
      let inside = Event()
      let go = Event()
      let waiter: Visitor = system.raise(exactly: .softNet) { _ in
        let waiter = Visitor {
          system.raise(exactly: .softNet) { _ in
            inside.signal()
            go.hold()
          }
        }
        system.someoneWaits(for: .softNet)
        return waiter
      }
      let handed = system.currentAgent().counters(.softNet).pointee.handedOff
      // It was the waiter's before we returned.
      let again = handed == 0 ? 1 : system.tryRaise(to: .softNet) { _ in 1 } ?? 0
      guard inside.wait() else { return false }
      go.signal()
      return waiter.join() && handed == 1 && again == 0
    }
  }

  /// H42: a waiter sleeps while the gate is free, because nobody looked.
  static func look() throws -> Bool {
    try holds { system in
      let waiter = system.raise(exactly: .softNet) { _ in
        let waiter = Visitor { system.raise(exactly: .softNet) { _ in } }
        system.someoneWaits(for: .softNet)
        return waiter
      }
      return waiter.join()
    }
  }

  /// H42: bound work that found the gate busy sleeps on its mark.
  static func lookAtMarks() throws -> Bool {
    try holds { system in
      let ran = Event()
      let net = try system.establish("net", at: .softNet, as: .ordered) { _ in ran.signal() }
      system.raise(exactly: .softNet) { _ in
        net.schedule(on: 0)
        system.isMarked(.softNet, by: 0)
      }
      return ran.wait()
    }
  }

  /// H41: work that is run for others in the middle of an MP-safe handler of its level.
  static func drainInside() throws -> Bool {
    try holds { system in
      let entered = Event()
      let go = Event()
      let place = Log()
      let ran = Event()
      let inside = Counter()
      let mpSafe = try system.establish("mp-safe", at: .softNet, as: .mpSafe) { here in
        here.raise(exactly: .softNet) { _ in
          entered.signal()
          go.hold()
        }
        // Still in the handler: what it protects by its level from its own CPU may be half-written.
        inside.count = 0
      }
      let other = try system.establish("other", at: .softNet, as: .ordered, .anywhere) { here in
        if inside.count != 0 && here.cpu == 0 { place.note("inside") }
        ran.signal()
      }
      inside.count = 1
      mpSafe.schedule(on: 0)
      guard entered.wait() else { return false }
      other.schedule(on: 1)
      guard system.isMarked(.softNet, by: 1) else { return false }
      go.signal()
      return ran.wait() && place.all.isEmpty
    }
  }

  /// H52: the one woken waiter serves before it tries; the next one must be woken in its stead.
  static func wakeNext() throws -> Bool {
    try holds { system in
      let queued = Event()
      let go = Event()
      let served = Event()
      let done = Event()
      let above = try system.establish("above", at: .softSerial, as: .mpSafe) { _ in served.signal() }
      // The wait of CPU 0, step by step, as far as being woken and then interrupted before its try.
      let blocker = try Blocker(system, at: .softNet, on: 1)
      system.submit(on: 0) { here in
        let agent = here.agent
        let node = agent.p.pointee.waiters
        let queue = system.core.queue(.softNet)
        node.pointee.agent = agent.p
        node.pointee.since = .max / 2
        node.pointee.queue = queue
        node.pointee.state.store(WaiterState.waiting, .relaxed)
        agent.locked(queue) { $0.append(node) }
        _ = queue.pointee.word.announce(queue.pointee.gate)
        queued.signal()
        go.hold()
        agent.p.pointee.waiting = node
        above.schedule()
        agent.recognise()
        agent.p.pointee.waiting = nil
        done.signal()
        go.hold()
        agent.locked(queue) { $0.remove(node) }
      }
      guard queued.wait() else { return false }
      let next = Visitor { system.raise(exactly: .softNet) { _ in } }
      guard system.someoneWaits(for: .softNet, 2) else { return false }
      blocker.letGo()
      system.settle(1)
      go.signal()
      guard done.wait(), served.wait() else { return false }
      let isWoken = next.join()
      go.signal()
      return isWoken
    }
  }

  /// H53: a gate that is kept for a CPU that does not come back is lost.
  static func reservationLapses() throws -> Bool {
    let configuration = quiet {
      $0.handOffAfter = 0
      $0.patience = 1
      $0.reservationLapse = 1_000_000
    }
    return try holds(configuration) { system in
      let entered = Event()
      let go = Event()
      let ended = Event()
      let onTop = try system.establish("on top", at: .softNet, as: .mpSafe) { _ in
        entered.signal()
        go.hold()
      }
      let blocker = try Blocker(system, at: .softNet, on: 1)
      system.submit(on: 0) { here in
        here.raise(exactly: .softNet) { _ in }
        ended.signal()
      }
      guard system.someoneWaits(for: .softNet) else { return false }
      onTop.schedule(on: 0)
      guard entered.wait() else { return false }
      blocker.letGo()
      system.settle(1)
      // It is free, and kept for CPU 0, whose thread is stuck in `on top`.
      guard system.core.gateWord.isOnlyReserved(Level.softNet.gate) else { return false }
      let other = Visitor { system.raise(exactly: .softNet) { _ in } }
      let cameIn = other.join()
      go.signal()
      return cameIn && ended.wait()
    }
  }

  /// H29, H39: big-lock work that finds one of its gates busy again and again waits in order in the end.
  static func ageing() throws -> Bool {
    try holds(quiet { $0.patience = 1 }) { system in
      let ran = Event()
      let inside = Event()
      let go = Event()
      let big = try system.establish("big", at: .softNet, as: .bigLock) { _ in ran.signal() }
      system.submit(on: 0, as: .bigLock) { _ in
        inside.signal()
        go.hold()
      }
      guard inside.wait() else { return false }
      big.schedule(on: 1)
      // Each ring is one more try that finds `none` busy.
      let isQueued = eventually {
        system.agent(ofCPU: 1).ring(.softNet)
        return system.queueLength(.none) == 1
      }
      go.signal()
      return isQueued && ran.wait()
    }
  }
}
