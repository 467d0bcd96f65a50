// Rows on handlers' lives: how they are entered, changed and ended.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let handlers = [h3, h3safe, h6, h7, h8, h9, h20, h57]

  // A handler that raises is disestablished on another CPU, and what it used is given away.
  // When that returns no run is under way: entering the handler's gate is the wait.
  static let h3 = Proof(
    "H3 a handler is drained while it runs", strategy: .exhaustive(),
    mutants: [.noDrainOnDisestablish], finds: [.dataRace, .expectation],
    wrong: [
      WrongProgram(
        "disestablishes while it holds what the handler needs", reports: .witness(.downward),
        without: .anyOrder, becomes: .descending
      ) { world in
        let bio = try world.handler("bio", at: .softBio, as: .ordered) { here in
          here.raise(exactly: .softNet) { _ in }
        }
        world.base(on: 0) { _ in bio.schedule() }
        world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in _ = bio.disestablish() } }
      }
    ]
  ) { world in try drained(world, .ordered) }

  // The same for an MP-safe handler, for which it is a wait for the CPUs.
  static let h3safe = Proof(
    "H3 the same, MP-safe", strategy: .exhaustive(), mutants: [.noWaitForCPUs],
    finds: [.dataRace, .expectation]
  ) { world in try drained(world, .mpSafe) }

  private static func drained(_ world: World, _ way: WayIn) throws {
    let resource = world.shared("resource", 0)
    let bio = try world.handler("bio", at: .softBio, as: way) { here in
      here.raise(exactly: .softNet) { _ in }
      world.expect(resource.value >= 0, "the handler uses what was given away")
    }
    world.base(on: 0) { _ in bio.schedule() }
    world.base(on: 1) { _ in
      bio.disestablish()
      resource.value = -1
    }
  }

  // A handler is disestablished and its slot given to another, while two old handles are being used.
  // Neither may reach the new owner: handles carry generations, and a slot waits for the schedules in flight.
  static let h6 = Proof(
    "H6 a stale handle reaches the slot's next owner", strategy: .exhaustive(preemptions: 3),
    mutants: [.staleHandles, .reuseAtOnce], finds: [.expectation, .unasked, .lostWork]
  ) { world in
    let first = try world.handler("first", at: .softNet, as: .ordered) { _ in }
    // The end of the run looks.
    nonisolated(unsafe) var second: WatchedHandler?
    world.base(on: 1) { _ in
      first.disestablish()
      second = try! world.handler("second", at: .softNet, as: .ordered) { _ in }
    }
    world.base(on: 0) { _ in first.schedule() }
    world.device("card") { first.schedule(on: 1) }
    world.finally { world.expect(second?.runs == 0, "\"second\" ran, and nobody scheduled it") }
  }

  // An MP-safe handler that runs on two CPUs ends itself; the slot's next owner is an ordered handler.
  // The slot waits until no CPU can be in the old one, or it would let the new one in without its gate.
  static let h7 = Proof(
    "H7 a handler ends itself", strategy: .exhaustive(preemptions: 3), mutants: [.reuseAtOnce],
    finds: [.unguarded, .dataRace, .lostWork, .reentered],
    wrong: [
      WrongProgram(
        "disestablishes itself", reports: .witness(.changeFromInside), without: .changeInside,
        becomes: .useAfterEnd
      ) { world in
        let handlers = Flag()
        nonisolated(unsafe) var net: WatchedHandler?
        net = try world.handler("net", at: .softNet, as: .ordered) { _ in
          handlers.value = 1
          let result = net!.disestablish()
          world.expect(result == .refused, "it is told that it does not run")
        }
        world.base(on: 0) { _ in net!.schedule() }
      },
      WrongProgram(
        "has a callout without a guard halt itself", reports: .witness(.waitOutOfOrder),
        without: .waitAnywhere,
        becomes: .livelock
      ) { world in
        nonisolated(unsafe) var tick: Callout<SimulatedMachine>?
        tick = try world.system.callout("tick", at: .softClock, as: .mpSafe) { _ in tick!.halt() }
        world.base(on: 0) { _ in tick!.schedule(at: 0) }
      },
    ]
  ) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    // With an order: who has not heard of the end may still find the mark.
    let isOver = Flags(1)
    let once = try world.system.establish("once", at: .softNet, as: .mpSafe) { here in
      here.retire()
      isOver.release(0)
    }
    world.base(on: 1) { _ in once.schedule() }
    world.base(on: 0) { here in
      once.schedule()
      here.checkpoint()
      let wasOver = isOver.acquire(0)
      let result = once.schedule()
      world.expect(!wasOver || result == .notEstablished, "it was scheduled after its end")
      let next = try! world.handler("next", at: .softNet, as: .ordered) { _ in packets.value += 1 }
      next.schedule()
      next.schedule(on: 1)
    }
  }

  // An ordered handler that waits in the middle of its run is scheduled again, on its CPU and on another.
  static let h8 = Proof(
    "H8 a handler runs beside itself", strategy: .exhaustive(preemptions: 2),
    mutants: [.noGate], finds: [.reentered, .twoHolders]
  ) { world in
    let bytes = world.shared("bytes", guard: .softSerial, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { here in
      here.raise(exactly: .softSerial) { _ in bytes.value += 1 }
    }
    world.base(on: 1) { _ in net.schedule() }
    world.device("card") { net.schedule(on: 0) }
    world.device("line") { net.schedule(on: 0) }
    world.finally { world.expect(bytes.value == net.runs) }
  }

  // Two devices schedule one handler: whoever comes last is followed by a whole run.
  // What asks is cleared before the look at what is asked, and pending before the run.
  static let h9 = Proof(
    "H9 a wakeup is lost", strategy: .exhaustive(), mutants: [.clearAfterRun, .clearHintLate],
    finds: [.lostWork]
  ) { world in
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    for name in ["card", "line"] { world.device(name) { net.schedule(on: 0) } }
  }

  // The way in of a live handler goes from big lock to ordered to MP-safe, while it is scheduled on two CPUs.
  // A run keeps to its end the way by which it came in, and what that way promises.
  static let h20 = Proof(
    "H20 attributes change in the middle of a run", strategy: .exhaustive(preemptions: 2),
    mutants: [.changeAtOnce], finds: [.expectation]
  ) { world in try flips(world, from: .bigLock, through: [.ordered, .mpSafe]) }

  // Ordered to MP-safe and back, while a run is on another CPU.
  static let h57 = Proof(
    "H57 the way in changes during a run elsewhere", strategy: .exhaustive(preemptions: 2),
    mutants: [.changeAtOnce], finds: [.expectation]
  ) { world in try flips(world, from: .ordered, through: [.mpSafe, .ordered]) }

  private static func flips(_ world: World, from first: WayIn, through ways: [WayIn]) throws {
    // How many runs are under way, and how many of these have a gate.
    let (all, gated) = (Flag(), Flag())
    let net = try world.system.establish("net", at: .softNet, as: first) { here in
      let gates = here.gates
      let count = all.add(1)
      let alone = gates.isEmpty ? gated.value == 0 : count == 1
      if !gates.isEmpty { gated.add(1) }
      world.expect(alone, "a run under the gate is not alone")
      world.point()
      world.expect(here.gates == gates, "the gates of a run change")
      if !gates.isEmpty { gated.add(-1) }
      all.add(-1)
    }
    world.base(on: 0) { _ in net.schedule() }
    world.device("card") { net.schedule(on: 1) }
    world.visitor { for way in ways { _ = world.system.setWay(way, of: net) } }
  }
}
