// Programs on dispatches that read, twice in one hold or epoch, what admits a handler: its way in and its suspensions.
//
// Law: a handler that is suspended is not run, also by a dispatch of another way in that it is given meanwhile; and who runs one that
// was admitted again sees what was done before. The dispatch is kept in a run of `other` until the change has been, without a ring.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  /// A way that a dispatch runs, and one from which a change to it excludes no such dispatch.
  private static var pairs: [(to: WayIn, from: WayIn)] {
    [(.ordered, .mpSafe), (.disjoint, .mpSafe), (.bigLock, .mpSafe), (.mpSafe, .ordered)]
  }

  static var ways: [OrderingProgram] {
    pairs.flatMap { to, from in
      OrderingProgram.both("suspended, then let in as \(to)") { try suspendedAndLetIn($0, from, to) }
        + OrderingProgram.both("suspended, then let in as \(to), on the way") {
          try letInOnTheWay($0, from, to)
        }
    }
      + OrderingProgram.both(
        "suspended, then let in as ordered, drained", configuration: drains, suspendedAndDrained)
      + OrderingProgram.both("resumed for a drain", configuration: drains, resumedForDrain)
      + [WayIn.mpSafe, .ordered, .bigLock].flatMap { way in
        OrderingProgram.both("resumed for a dispatch under way, \(way)") { try resumedForDispatch($0, way) }
      }
      + OrderingProgram.both(
        "resumed for a dispatch under way, threads", configuration: threads, preemptions: 1
      ) {
        try resumedForDispatch($0, .mpSafe)
      }
  }

  private static var drains: Configuration {
    var configuration = overdueAtOnce
    configuration.drainBudget = 16
    return configuration
  }

  /// The dispatch looks again when the handler has its new way, and is suspended.
  static func suspendedAndLetIn(_ world: World, _ from: WayIn, _ to: WayIn) throws {
    let table = world.shared("table", 0)
    let flags = Flags(2)
    let net = try world.handler("net", at: .softNet, as: from) { _ in _ = table.value }
    let other = try world.handler("other", at: .softNet, as: to) { _ in
      flags[0] = true
      flags.wait(1)
    }
    world.base(on: 1) { _ in other.schedule(on: 1) }
    world.visitor("changer") {
      flags.wait(0)
      net.schedule(on: 1)
      if case .done = net.suspend() {
        net.setWay(to)
        table.value = 1
      }
      flags[1] = true
    }
  }

  /// The dispatch is between its looks while the change is made.
  static func letInOnTheWay(_ world: World, _ from: WayIn, _ to: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: from) { _ in _ = table.value }
    let other = try world.handler("other", at: .softNet, as: to) { _ in }
    world.base(on: 1) { _ in other.schedule() }
    world.device("card") { net.schedule(on: 1) }
    world.visitor("changer") {
      guard case .done = net.suspend() else { return }
      net.setWay(to)
      table.value = 1
      net.resume()
    }
  }

  @Sendable static func suspendedAndDrained(_ world: World) throws {
    let table = world.shared("table", 0)
    let flags = Flags(4)
    let net = try world.handler("net", at: .softNet, as: .mpSafe, .anywhere) { _ in _ = table.value }
    let other = try world.handler("other", at: .softNet, as: .ordered, .anywhere) { _ in
      flags[0] = true
      flags.wait(1)
    }
    holdsUntilMarked(world, other, flags)
    world.visitor("changer") {
      flags.wait(0)
      net.schedule(on: 1)
      if case .done = net.suspend() {
        net.setWay(.ordered)
        table.value = 1
      }
      flags[1] = true
    }
  }

  @Sendable static func resumedForDrain(_ world: World) throws {
    let system = world.system
    let table = world.shared("table", 0)
    let flags = Flags(4)
    let net = try system.establish("net", at: .softNet, as: .ordered, .anywhere) { _ in _ = table.value }
    let other = try world.handler("other", at: .softNet, as: .ordered, .anywhere) { _ in
      flags[0] = true
      flags.wait(1)
    }
    system.suspend(net)
    net.schedule(on: 1)
    holdsUntilMarked(world, other, flags)
    world.visitor("changer") {
      flags.wait(0)
      table.value = 1
      system.resume(net)
      flags[1] = true
    }
  }

  static func resumedForDispatch(_ world: World, _ way: WayIn) throws {
    let system = world.system
    let table = world.shared("table", 0)
    let flags = Flags(2)
    let net = try system.establish("net", at: .softNet, as: way) { _ in _ = table.value }
    let other = try world.handler("other", at: .softNet, as: way) { _ in
      flags[0] = true
      flags.wait(1)
    }
    system.suspend(net)
    net.schedule(on: 1)
    world.device("card") { other.schedule(on: 1) }
    world.visitor("changer") {
      flags.wait(0)
      table.value = 1
      system.resume(net)
      flags[1] = true
    }
  }

  /// CPU 0 holds the gate until CPU 1 has found it busy for `other`, and runs that when it leaves (or, if it does not see the mark in
  /// time, rings CPU 1).
  private static func holdsUntilMarked(_ world: World, _ other: WatchedHandler, _ flags: Flags) {
    world.base(on: 0) { here in
      here.raise(exactly: .softNet) { _ in
        flags[3] = true
        flags.wait(2)
      }
    }
    world.base(on: 1) { here in
      flags.wait(3)
      other.schedule()
      here.checkpoint()
      flags[2] = true
    }
  }
}
