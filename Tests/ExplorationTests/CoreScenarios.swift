// Small programs on the core, each with what it must come to under every schedule.
//
// They are here to try the explorer; what is claimed of the core is in CoreProofs.

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
}
