// Small programs on the core, each with what it must come to under every schedule.
//
// Each is used twice: with every rule of the core on it holds, and with one rule switched off it does not (MutantTests.swift).

import Exploration
import SimulatedMachine
import SoftInterrupts

/// A configuration in which every waiter is overdue at once: gates are handed over.
var overdueAtOnce: Configuration {
  var configuration = Configuration.exploration
  configuration.handOffAfter = 0
  return configuration
}

enum Scenario {
  /// Two CPUs raise to softNet: one at a time.
  static func raises(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.finally { world.expect(packets.value == 2, "\(packets.value) packets of 2") }
  }

  /// A device schedules a bound handler on a CPU whose gate another holds: it runs after, and never beside.
  static func schedules(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1 && packets.value == 2, "\(packets.value) packets of 2") }
  }

  /// Work that may run anywhere is left to who holds the gate.
  static func delegates(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in packets.value += 1 }
    world.base(on: 0) { _ in net.schedule() }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.finally { world.expect(net.runs == 1 && packets.value == 2, "\(packets.value) packets of 2") }
  }

  /// Who waits for a gate serves what is above it.
  static func servesWhileWaiting(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let urgent = try world.handler("urgent", at: .softSerial, as: .mpSafe) { _ in }
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally { world.expect(urgent.runs == 1 && packets.value == 2) }
  }

  /// A cumulative raise counts from the context's floor, not from its IPL: an MP-safe handler that raises above its level takes its
  /// own level's gate as well (H38).
  static func raisesFromMPSafe(_ world: World) throws {
    let timers = world.shared("timers", guard: .softClock, 0)
    let tick = try world.handler("tick", at: .softClock, as: .mpSafe) { here in
      here.raise(to: .softBio) { _ in timers.value += 1 }
    }
    world.device("clock") { tick.schedule(on: 0) }
    world.base(on: 1) { here in here.raise(exactly: .softClock) { _ in timers.value += 1 } }
    world.finally { world.expect(timers.value == 2, "\(timers.value) of 2") }
  }

  /// A handler of the waited-for level runs on top of the wait and enters its own gate (H37).
  static func handsOver(_ world: World) throws {
    let onTop = try world.handler("on top", at: .softNet, as: .mpSafe) { here in
      here.raise(exactly: .softNet) { _ in world.point() }
    }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.device("line") { onTop.schedule(on: 0) }
  }

  /// A little of everything: handlers of each way in, a callout, a cross-call, a visitor, a condition, a callout that is cancelled.
  static func everything(_ world: World) throws {
    let system = world.system
    nonisolated(unsafe) var ran: [String] = []
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in ran.append("net") }
    let bio = try world.handler("bio", at: .softBio, as: .bigLock) { _ in ran.append("bio") }
    let timer = try system.callout("timer", at: .softClock, guard: .softNet) { _ in ran.append("timer") }
    let other = try system.callout("other", at: .softClock) { _ in ran.append("other") }
    let condition = system.condition(guardedBy: .softNet)
    nonisolated(unsafe) var isReady = false
    world.base(on: 0) { here in
      net.schedule()
      timer.schedule(after: .milliseconds(1))
      other.schedule(after: .milliseconds(2))
      here.raise(to: .softNet) { _ in _ = condition.wait { isReady } }
      _ = other.cancel()
    }
    world.base(on: 1, as: .bigLock) { _ in
      bio.schedule()
      net.schedule()
    }
    world.visitor {
      system.raise(to: .softNet) { _ in
        isReady = true
        condition.broadcast()
      }
      system.crossCallAndWait(on: 1, at: .sched) { _ in ran.append("call") }
    }
    world.finally { world.outcome(ran.sorted().joined(separator: " ")) }
  }

  /// Marked work is not run in the middle of an MP-safe handler of its level (H41).
  static func drains(_ world: World) throws {
    let system = world.system
    let cell = system.perCPU(at: .softNet) { _ in 0 }
    nonisolated(unsafe) var isInside = [false, false]
    let half = try world.handler("half", at: .softNet, as: .mpSafe) { here in
      cell.open { value in
        value = 1
        world.point()
        value = 0
      }
      // The handler's own data, protected by its level from its own CPU, is half-written here.
      isInside[here.cpu!] = true
      here.raise(exactly: .softNet) { _ in world.point() }
      isInside[here.cpu!] = false
    }
    let other = try world.handler("other", at: .softNet, as: .ordered, .anywhere) { here in
      world.expect(!isInside[here.cpu!], "\"other\" runs in the middle of \"half\"")
    }
    world.base(on: 0) { _ in half.schedule() }
    world.base(on: 1) { _ in other.schedule() }
  }

  /// Big-lock work comes on a CPU that holds a gate (H1).
  static func bigLockUnderGate(_ world: World) throws {
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let big = try world.handler("big", at: .softSerial, as: .bigLock) { _ in legacy.value += 1 }
    world.base(on: 0, as: .bigLock) { here in
      legacy.value += 1
      here.raise(to: .softNet) { _ in }
    }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { here in
        big.schedule()
        here.checkpoint()
      }
    }
  }
}
