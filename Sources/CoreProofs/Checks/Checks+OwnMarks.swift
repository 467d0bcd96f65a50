// What base code schedules on its own CPU: served by a shorter way, and by no other order.
//
// Law: as for the other checks (Checks.swift).

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// A rule each.
  static let ownMarks: [Proof] = [
    Proof(
      "an own mark is not lost where something else asks too", mutants: [.ownUnsaid],
      finds: [.lostWork, .deadlock], amongOthers),
    Proof(
      "an own mark does not come before what is higher", mutants: [.ownFirst], finds: [.expectation],
      amongOthers),
    Proof(
      "an own mark does not come before what was scheduled before", mutants: [.ownUnlooked],
      finds: [.outOfOrder], behindADelegatedOne),
    Proof(
      "an own mark of who is suspended is not served, ordered", mutants: [.ownUnlooked],
      finds: [.takenBack, .expectation]
    ) { world in try suspendedMeanwhile(world, as: .ordered) },
    Proof(
      "an own mark of who is suspended is not served, MP-safe", mutants: [.ownUnlooked],
      finds: [.takenBack, .expectation]
    ) { world in try suspendedMeanwhile(world, as: .mpSafe) },
    Proof(
      "an own mark whose slot has got another owner is served in its order", mutants: [.ownUnlooked],
      finds: [.outOfOrder], reestablished),
  ]

  // Base code schedules one handler, and before it looks another one of a higher level.
  static func amongOthers(_ world: World) throws {
    let order = world.shared("order", guard: Level.softSerial, 0)
    let high = try world.handler("high", at: .softSerial, as: .ordered) { _ in order.value = 1 }
    let low = try world.handler("low", at: .softBio, as: .ordered) { here in
      here.raise(exactly: .softSerial) { _ in world.expect(order.value == 1) }
    }
    world.base(on: 0) { here in
      low.schedule()
      high.schedule()
      here.checkpoint()
    }
    world.finally { world.expect(low.runs == 1 && high.runs == 1) }
  }

  // The first one's gate is busy, so it is marked there and the CPU's summary is clear; the holder leaves, and then the second is scheduled.
  static func behindADelegatedOne(_ world: World) throws {
    let first = try world.handler("first", at: .softNet, as: .ordered) { _ in }
    let second = try world.handler("second", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { here in
      first.schedule()
      here.checkpoint()
      second.schedule()
      here.checkpoint()
    }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
    world.finally { world.expect(first.runs == 1 && second.runs == 1) }
  }

  // It ends before its own mark is served, and its slot is another's, who is scheduled after a second one.
  static func reestablished(_ world: World) throws {
    let old = try world.handler("old", at: .softNet, as: .ordered) { _ in }
    let second = try world.handler("second", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { here in
      old.schedule()
      here.checkpoint()
    }
    world.base(on: 1) { _ in
      old.disestablish()
      let next = try? world.handler("next", at: .softNet, as: .ordered) { _ in }
      second.schedule(on: 0)
      next?.schedule(on: 0)
    }
    world.finally { world.expect(second.runs == 1) }
  }

  // It is scheduled by the base code of its CPU, and suspended by another, before it is served or after.
  static func suspendedMeanwhile(_ world: World, as way: WayIn) throws {
    let net = try world.handler("net", at: .softNet, as: way) { _ in world.point() }
    world.base(on: 0) { here in
      net.schedule()
      here.checkpoint()
    }
    world.base(on: 1) { _ in
      net.suspend()
      world.point()
      net.resume()
    }
    world.finally { world.expect(net.runs == 1) }
  }
}
