// Programs on the end of a system, and of a visit.
//
// Law: a shutdown lets the CPUs go when all were at rest at one time with nothing asked of any; so what had been accepted has run by
// then, its calls to other CPUs included. Shutdown polls, so these end only in fair schedules: they are samples.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  static var ends: [OrderingProgram] {
    OrderingProgram.samples("shutdown", schedules: 1_000, shutdown)
      + OrderingProgram.samples("shutdown, threads", configuration: threads, schedules: 1_000, shutdown)
      + OrderingProgram.samples("shutdown after a call", schedules: 1_000, rests)
      // By priorities alone: it takes two to be left in the middle, who looks and who has been asked, and the third to go on.
      + [OrderingProgram.samples("shutdown after two", schedules: 30_000, depth: 3, restsInTurn).last!]
      + OrderingProgram.samples("shutdown, and a call", schedules: 1_000, dropsCall)
      + OrderingProgram.samples("counts after a shutdown", schedules: 500, countsAfter)
      + OrderingProgram.both("counts of a visitor that has gone", countsOfVisitor)
  }

  @Sendable static func shutdown(_ world: World) throws {
    let system = world.system
    let message = world.shared("message", 0)
    let result = world.shared("result", 0)
    nonisolated(unsafe) var runs = 0
    nonisolated(unsafe) var accepted = 0
    let other = try system.establish("other", at: .softBio, as: .mpSafe) { _ in runs += 1 }
    let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in
      runs += message.value
      result.value += 1
      if case .scheduled = other.schedule(on: 1) { accepted += 1 }
    }
    world.device("card") {
      message.value = 1
      if case .scheduled = net.schedule(on: 0) { accepted += 1 }
    }
    world.visitor("operator") {
      let report = system.shutdown()
      let left = report.pending.reduce(0) { $0 + $1.cpus }
      // A schedule that was refused may have left its mark, which is counted too.
      world.expect(runs + left >= accepted, "\(accepted) accepted, \(runs) run, \(left) reported")
      result.value += 1
    }
  }

  /// What was pending before the shutdown makes a call, to a CPU that must still be there.
  @Sendable static func rests(_ world: World) throws {
    let system = world.system
    let caller = try world.handler("caller", at: .softNet, as: .mpSafe) { _ in
      for _ in 0..<12 { world.point() }
      let hasRun = system.crossCallAndWait(on: 1, at: .softSerial) { _ in }
      world.expect(hasRun, "a CPU has left while another was at work")
    }
    caller.schedule(on: 0)
    world.visitor("operator") { _ = system.shutdown() }
  }

  /// The same, asked for by a CPU that rests then, of one that does.
  @Sendable static func restsInTurn(_ world: World) throws {
    let system = world.system
    let flags = Flags(1)
    let caller = try world.handler("caller", at: .softNet, as: .mpSafe) { _ in
      for _ in 0..<120 { world.point() }
      let hasRun = system.crossCallAndWait(on: 1, at: .softSerial) { _ in }
      world.expect(hasRun, "a CPU has left while another was at work")
    }
    world.base(on: 1) { _ in
      flags.wait(0)
      for _ in 0..<8 { world.point() }
      caller.schedule(on: 0)
    }
    world.visitor("operator") {
      flags[0] = true
      _ = system.shutdown()
    }
  }

  /// A call that comes too late, and may be dropped by who shuts down.
  @Sendable static func dropsCall(_ world: World) throws {
    let system = world.system
    world.visitor("caller") { system.crossCall(on: 1, at: .softNet) { _ in } }
    world.visitor("operator") { _ = system.shutdown() }
  }

  @Sendable static func countsAfter(_ world: World) throws {
    let system = world.system
    let flags = Flags(1)
    world.visitor("operator") {
      _ = system.shutdown()
      flags[0] = true
    }
    world.visitor("reader") {
      flags.wait(0)
      _ = system.statistics()
    }
  }

  @Sendable static func countsOfVisitor(_ world: World) throws {
    let system = world.system
    let flags = Flags(1)
    world.visitor("guest") {
      system.raise(exactly: .softNet) { _ in }
      System.threadEnded(SimulatedMachine.current!)
      SimulatedMachine.setCurrent(nil)
      flags[0] = true
    }
    world.visitor("reader") {
      flags.wait(0)
      _ = system.statistics()
    }
  }
}
