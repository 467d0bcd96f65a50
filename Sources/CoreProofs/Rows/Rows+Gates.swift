// Rows on gates: who may take one, and to whom it goes.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let gates = [h2, h12drain, h12bypass, h22, h37, h37anywhere, h38, h41, h47]

  // A path at softSerial finds that it needs a lower level's data in the middle (PR kern/53043: softnet_lock in in6_control).
  // It schedules a handler of that level; entering the lower gate there would be a cycle with who raises from it.
  static let h2 = Proof(
    "H2 a lower gate is needed in the middle of a higher path", strategy: .exhaustive(preemptions: 3),
    wrong: [
      WrongProgram(
        "enters it there", reports: .witness(.downward), without: .anyOrder, becomes: .descending
      ) { world in
        world.base(on: 0) { here in
          here.raise(exactly: .softSerial) { here in
            here.raise(exactly: .softNet) { _ in world.point() }
          }
        }
        world.base(on: 1) { here in
          here.raise(exactly: .softNet) { here in
            here.raise(exactly: .softSerial) { _ in }
          }
        }
      }
    ]
  ) { world in
    let routes = world.shared("routes", guard: .softNet, 0)
    let later = try world.handler("later", at: .softNet, as: .ordered) { _ in routes.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softSerial) { _ in _ = later.schedule() } }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { here in
        routes.value += 1
        here.raise(exactly: .softSerial) { _ in }
      }
    }
    world.finally { world.expect(routes.value == 2, "\(routes.value) of 2") }
  }

  // CPU 1 has three handlers to be run by anybody; who leaves their gate runs one for it, and not all.
  // Without the budget the leaver works for others as long as they have work.
  static let h12drain = Proof(
    "H12 who leaves a gate runs others' work for ever", configuration: oneDrain,
    strategy: .exhaustive(), mutants: [.noDrainBudget], finds: [.expectation]
  ) { world in
    // CPU 0 only.
    nonisolated(unsafe) var forOthers = 0
    let handlers = try (0..<3).map { index in
      try world.handler("work \(index)", at: .softNet, as: .ordered, .anywhere) { here in
        if here.cpu == 0 { forOthers += 1 }
        world.expect(forOthers <= 1, "CPU 0 ran \(forOthers) handlers when it left once")
      }
    }
    world.base(on: 1) { _ in for handler in handlers { handler.schedule() } }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.finally { world.expect(handlers.allSatisfy { $0.runs == 1 }) }
  }
  private static var oneDrain: Configuration {
    var configuration = Configuration.exploration
    configuration.drainBudget = 1
    return configuration
  }

  // CPU 1 enters the gate again and again while CPU 0, overdue at once, waits for it.
  // Once CPU 0 has announced itself at most one section of CPU 1's ends before CPU 0 has the gate.
  static let h12bypass = Proof(
    "H12 a waiter is overtaken for ever", configuration: overdueAtOnce, strategy: .exhaustive(preemptions: 3),
    mutants: [.noHandOff], finds: [.expectation]
  ) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    let gates = world.system.gatesWord
    let attention = InterruptSystem<SimulatedMachine>.attentionBit(of: .softNet)
    // Under weak memory one more: the first section's leaving may not see yet what was announced during it.
    let bound = world.machine.memory == .rc11 ? 2 : 1
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.base(on: 1) { here in
      var overtaken = 0
      for _ in 0..<3 {
        here.raise(exactly: .softNet) { _ in
          packets.value += 1
          // Read without a step of its own.
          let isAnnounced = gates.value & attention != 0
          overtaken = isAnnounced && view(world, 0)?.waits.isEmpty == false ? overtaken + 1 : 0
          world.expect(overtaken <= bound, "\(overtaken) sections in a row while CPU 0 waited")
        }
      }
    }
    world.finally { world.expect(packets.value == 4, "\(packets.value) of 4") }
  }

  // A handler claims to be MP-safe and is not: it counts packets that others count too.
  // Dispatched as ordered it is kept apart from the holder of its gate.
  static let h22 = Proof(
    "H22 a claim to be MP-safe is false", strategy: .exhaustive(), mutants: [.noGate],
    finds: [.unguarded, .dataRace, .twoHolders],
    wrong: [
      WrongProgram("establishes it as MP-safe", reports: .dataRace) { world in
        let packets = world.shared("packets", 0)
        let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in packets.value += 1 }
        world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
        world.device("card") { net.schedule(on: 1) }
      }
    ]
  ) { world in
    let packets = world.shared("packets", 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1 && packets.value == 2) }
  }

  // CPU 0 waits for gate softNet, and an MP-safe handler of softNet runs on top of the wait and enters its own gate.
  // Were the gate handed to the wait below, the handler would meet its own CPU.
  static let h37 = Proof(
    "H37 a gate is handed to a suspended waiter", configuration: overdueAtOnce,
    strategy: .exhaustive(preemptions: 3), mutants: [.handToServing], handsOver)
  static let h37anywhere = Proof(
    "H37 the same, interrupts anywhere", recognition: .anywhere, configuration: overdueAtOnce,
    strategy: .exhaustive(preemptions: 3), mutants: [.handToServing], handsOver)
  private static let handsOver: @Sendable (World) throws -> Void = { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    let onTop = try world.handler("on top", at: .softNet, as: .mpSafe) { here in
      here.raise(exactly: .softNet) { _ in packets.value += 1 }
    }
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.device("line") { onTop.schedule(on: 0) }
    world.finally { world.expect(packets.value == 3, "\(packets.value) of 3") }
  }

  // An MP-safe handler at softClock raises cumulatively: its IPL is softClock, its floor is not.
  // Counted from the IPL the raise would miss gate softClock, which guards the timers.
  static let h38 = Proof(
    "H38 a cumulative raise counts from the IPL", strategy: .exhaustive(), mutants: [.countFromIPL],
    finds: [.unguarded, .dataRace]
  ) { world in
    let timers = world.shared("timers", guard: .softClock, 0)
    let tick = try world.handler("tick", at: .softClock, as: .mpSafe) { here in
      here.raise(to: .softBio) { _ in timers.value += 1 }
    }
    world.device("clock") { tick.schedule(on: 0) }
    world.base(on: 1) { here in here.raise(exactly: .softClock) { _ in timers.value += 1 } }
    world.finally { world.expect(timers.value == 2, "\(timers.value) of 2") }
  }

  // An MP-safe handler, in the middle of what its level protects from its own CPU, leaves its level's gate.
  // Work that others marked there must not be run on top of it.
  static let h41 = Proof(
    "H41 marked work runs inside of a mask", strategy: .exhaustive(),
    mutants: [.drainInsideMask],
    finds: [.expectation]
  ) { world in
    // Each CPU its own.
    nonisolated(unsafe) var isInside = [false, false]
    let half = try world.handler("half", at: .softNet, as: .mpSafe) { here in
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

  // A handler at softSerial interrupts a section under gate softNet, and raises there as if it could wait for that gate.
  // That is refused whoever was interrupted; it must not pass as "held already" when its own CPU is in the section.
  static let h47 = Proof(
    "H47 a raise does nothing because the interrupted code has the gate",
    strategy: .exhaustive(preemptions: 3),
    wrong: [
      WrongProgram(
        "raises to below its level", reports: .witness(.downward), without: .countInterrupted,
        becomes: .expectation
      ) { world in
        // One CPU's.
        nonisolated(unsafe) var isInside = false
        let line = try world.handler("line", at: .softSerial, as: .mpSafe) { here in
          here.raise(exactly: .softNet) { _ in
            let isRefused = !world.system.violations.isEmpty
            world.expect(isRefused || !isInside, "let in, it sees the middle of the section below it")
          }
        }
        world.base(on: 0) { here in
          here.raise(exactly: .softNet) { here in
            isInside = true
            line.schedule()
            here.checkpoint()
            isInside = false
          }
        }
      }
    ]
  ) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    let bytes = world.shared("bytes", guard: .softSerial, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
    let line = try world.handler("line", at: .softSerial, as: .mpSafe) { here in
      here.raise(exactly: .softSerial) { _ in bytes.value += 1 }
      net.schedule()
    }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.base(on: 1) { here in here.raise(exactly: .softSerial) { _ in bytes.value += 1 } }
    world.device("uart") { line.schedule(on: 0) }
    world.finally { world.expect(packets.value == 2 && bytes.value == 2) }
  }
}
