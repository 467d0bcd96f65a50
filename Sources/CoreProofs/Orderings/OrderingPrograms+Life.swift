// Programs on the lives of CPUs and systems.
//
// Law: what was accepted is run, or said not to; what is a CPU's own is touched by others only while it is away.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  static var life: [OrderingProgram] {
    OrderingProgram.both("offline", offline)
      + OrderingProgram.both("offline, work for anywhere", offlineAnywhere)
      + OrderingProgram.both("offline for good") { try offlineForGood($0, from: 0) }
      + OrderingProgram.both("offline for good, scheduled by a device") { try offlineForGood($0, from: nil) }
      + OrderingProgram.both("offline for good, busy", schedules: 20_000) {
        try offlineForGood($0, from: nil, isBusy: true)
      }
      + OrderingProgram.both("offline while a handler is resumed", offlineResumed)
      + OrderingProgram.both("offline, its work taken by another", offlineTaken)
      + OrderingProgram.both("offline and online", offlineOnline)
      + OrderingProgram.both(
        "offline, its work dropped by another", preemptions: 1, schedules: 10_000, offlineDropped)
      + OrderingProgram.both("leaving the CPU", leaves)
  }

  /// What is the CPU's own is others' while it is offline.
  @Sendable static func offline(_ world: World) throws {
    let system = world.system
    let cell = world.shared("cell of CPU 1", 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in cell.value += 1 }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.visitor("operator") {
      guard system.offline(1) else { return }
      cell.value += 1
      system.online(1)
    }
    world.finally { world.expect(cell.value == 2) }
  }

  @Sendable static func offlineAnywhere(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  /// What was scheduled, and not refused, is run before the CPU leaves.
  static func offlineForGood(_ world: World, from cpu: Int?, isBusy: Bool = false) throws {
    let system = world.system
    nonisolated(unsafe) var runs = 0
    nonisolated(unsafe) var isScheduled = false
    let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in runs += 1 }
    let schedule = { if case .scheduled = net.schedule(on: 1) { isScheduled = true } }
    nonisolated(unsafe) let body = schedule
    if let cpu { world.base(on: cpu) { _ in body() } } else { world.device("card") { body() } }
    // A CPU that is at work is told by the words alone.
    if isBusy { world.base(on: 1) { _ in for _ in 0..<6 { world.point() } } }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(!isScheduled || runs == 1, "accepted work stayed on a CPU that left") }
  }

  @Sendable static func offlineResumed(_ world: World) throws {
    let system = world.system
    nonisolated(unsafe) var runs = 0
    let net = try system.establish("net", at: .softNet, as: .ordered, .anywhere) { _ in runs += 1 }
    system.suspend(net)
    net.schedule(on: 1)
    world.base(on: 0) { _ in system.resume(net) }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(runs == 1, "the work was lost") }
  }

  /// The CPU waits for work that another takes off it.
  @Sendable static func offlineTaken(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.base(on: 1) { _ in net.schedule() }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  @Sendable static func offlineOnline(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.visitor("operator") {
      system.offline(1)
      system.online(1)
    }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  @Sendable static func leaves(_ world: World) throws {
    let cell = world.shared("cell of CPU 0", 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in cell.value += 1 }
    world.base(on: 0) { here in
      cell.value += 1
      here.leaveCPU { SimulatedMachine.point() }
      cell.value += 1
    }
    world.device("card") { net.schedule(on: 0) }
    world.finally { world.expect(cell.value == 3) }
  }

  /// The CPU that is to leave waits for work that it cannot run, and another takes it back.
  @Sendable static func offlineDropped(_ world: World) throws {
    let system = world.system
    let flags = Flags(1)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.base(on: 1) { _ in
      net.schedule()
      flags[0] = true
    }
    world.base(on: 0) { here in
      here.raise(exactly: .softNet) { _ in
        flags.wait(0)
        net.disestablish()
      }
    }
    world.visitor("operator") { system.offline(1) }
  }
}
