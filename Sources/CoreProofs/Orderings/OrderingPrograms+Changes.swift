// Programs on handlers that are suspended, changed and ended, and on slots and their next owners.
//
// Law: what one touches before, or after, a change has come back is touched by the handler without a guard.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  static var changes: [OrderingProgram] {
    [WayIn.mpSafe, .ordered].flatMap { way in
      OrderingProgram.both("suspended and resumed, \(way)") { try suspends($0, way) }
        + OrderingProgram.both("disestablished, \(way)") { try disestablishes($0, way) }
        + OrderingProgram.both("way changed from \(way)") { try changes($0, way) }
    }
      + OrderingProgram.both("a slot's next owner") { try nextOwner($0, on: 0) }
      + OrderingProgram.both("a slot's next owner, scheduled by a device") { try nextOwner($0, on: nil) }
      + OrderingProgram.both("a slot's next owner, scheduled by a visitor") {
        try nextOwner($0, on: nil, isVisitor: true)
      }
      + OrderingProgram.both(
        "a slot's next owner, threads", configuration: threads, preemptions: 1, nextOwnerOfThreads)
      + OrderingProgram.both("a handler ends itself", retiresSelf)
      + OrderingProgram.both("scheduled while it is ended") { try accepted($0) }
      + OrderingProgram.both("scheduled by its own CPU while it is ended") { try accepted($0, on: 1) }
      + OrderingProgram.both("scheduled twice while it is ended") { try accepted($0, twice: true) }
      + OrderingProgram.both("two establish", establishTwo)
  }

  /// What a handler reads is written while it is suspended.
  @Sendable static func suspends(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    world.base(on: 1) { here in
      net.schedule()
      here.checkpoint()
    }
    world.visitor("changer") {
      guard case .done = net.suspend() else { return }
      table.value = 1
      net.resume()
    }
    world.device("card") { net.schedule(on: 0) }
  }

  @Sendable static func disestablishes(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.visitor("changer") {
      guard case .done = net.disestablish() else { return }
      table.value = 1
    }
  }

  @Sendable static func changes(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    let other: WayIn = way == .mpSafe ? .ordered : .mpSafe
    world.base(on: 1) { _ in net.schedule() }
    world.base(on: 0) { here in
      net.setWay(other)
      net.schedule(on: 1)
    }
  }

  /// A stale handle is used while its slot gets its next owner.
  @Sendable static func nextOwner(_ world: World, on cpu: Int?, isVisitor: Bool = false) throws {
    let system = world.system
    nonisolated(unsafe) var oldRuns = 0
    nonisolated(unsafe) var newRuns = 0
    let old = try system.establish("old", at: .softNet, as: .mpSafe) { _ in oldRuns += 1 }
    if let cpu {
      world.base(on: cpu) { _ in old.schedule(on: 1) }
    } else if isVisitor {
      world.visitor("sender") {
        // An agent of its own, which counts its schedules in flight.
        system.raise(exactly: .softClock) { _ in }
        old.schedule(on: 1)
      }
    } else {
      world.device("card") { old.schedule(on: 1) }
    }
    world.visitor("changer") {
      guard case .done = system.disestablish(old) else { return }
      let before = oldRuns
      _ = try! system.establish("new", at: .softNet, as: .mpSafe) { _ in newRuns += 1 }
      world.finally {
        world.expect(oldRuns == before, "the old owner ran after it was disestablished")
        world.expect(newRuns == 0, "a stale handle has scheduled the next owner")
      }
    }
  }

  @Sendable static func retiresSelf(_ world: World) throws {
    let system = world.system
    let once = try system.establish("once", at: .softNet, as: .mpSafe) { here in here.retire() }
    world.base(on: 0) { _ in once.schedule() }
    world.base(on: 1) { _ in once.schedule() }
    world.visitor("maker") { _ = try? system.establish("next", at: .softNet, as: .mpSafe) { _ in } }
  }

  /// As ``nextOwner(_:on:isVisitor:)``, scheduled by a level's thread.
  @Sendable static func nextOwnerOfThreads(_ world: World) throws {
    let system = world.system
    nonisolated(unsafe) var newRuns = 0
    let old = try system.establish("old", at: .softNet, as: .mpSafe) { _ in }
    let sender = try world.handler("sender", at: .softBio, as: .mpSafe) { _ in old.schedule(on: 1) }
    world.device("card") { sender.schedule(on: 0) }
    world.visitor("changer") {
      guard case .done = system.disestablish(old) else { return }
      _ = try! system.establish("new", at: .softNet, as: .mpSafe) { _ in newRuns += 1 }
      world.finally { world.expect(newRuns == 0, "a stale handle has scheduled the next owner") }
    }
  }

  /// A mark of which nobody was told that it came too late is run, or counted by who ended the handler.
  static func accepted(_ world: World, on cpu: Int = 0, twice: Bool = false) throws {
    let system = world.system
    nonisolated(unsafe) var runs = 0
    nonisolated(unsafe) var marks = 0
    nonisolated(unsafe) var dropped = 0
    let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in runs += 1 }
    world.base(on: cpu) { _ in
      if case .scheduled = cpu == 1 ? net.schedule() : net.schedule(on: 1) { marks += 1 }
    }
    if twice { world.device("card") { if case .scheduled = net.schedule(on: 1) { marks += 1 } } }
    world.visitor("changer") { if case .done(let count) = system.disestablish(net) { dropped = count } }
    world.finally {
      world.expect(marks <= runs + dropped, "\(marks) accepted, \(runs) run, \(dropped) counted")
    }
  }

  /// Threads that are nobody yet share the table.
  @Sendable static func establishTwo(_ world: World) throws {
    let system = world.system
    for name in ["a", "b"] {
      world.visitor(name) { _ = try! system.establish(name, at: .softNet, as: .mpSafe) { _ in } }
    }
  }
}
