// Rows on waiting: at which level, who is served meanwhile, and who is woken.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let waits = [h8wait, h23, h40, h42raises, h42anywhere, h52, h53, h54]

  // An MP-safe handler waits, in the middle of its run, for the gate above; its CPU is rung for the same handler again.
  // Were the wait at a lower level than the handler's, it would run on top of itself.
  static let h8wait = Proof(
    "H8 a handler that waits is entered again", strategy: .exhaustive(preemptions: 3), mutants: [.lowWait],
    finds: [.reentered]
  ) { world in
    let bytes = world.shared("bytes", guard: .softSerial, 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { here in
      here.raise(exactly: .softSerial) { _ in bytes.value += 1 }
    }
    world.base(on: 1) { here in here.raise(exactly: .softSerial) { _ in bytes.value += 1 } }
    for name in ["card", "line"] { world.device(name) { net.schedule(on: 0) } }
    world.finally { world.expect(bytes.value == net.runs + 1) }
  }

  // CPU 1 leaves gate softNet when an MP-safe handler of softNet has run on CPU 0, which waits for that gate.
  // CPU 0 waits one level below, so the handler runs; a wait at softNet is deaf to it, and neither goes on.
  static let h23 = Proof(
    "H23 a CPU that waits is deaf to what is above", strategy: .exhaustive(),
    mutants: [.deafWait], finds: [.livelock]
  ) { world in
    let hasRun = Flag()
    let packets = world.shared("packets", guard: .softNet, 0)
    let urgent = try world.handler("urgent", at: .softNet, as: .mpSafe) { _ in hasRun.value = 1 }
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in packets.value += 1 } }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in
        packets.value += 1
        hasRun.await()
      }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally { world.expect(packets.value == 2) }
  }

  // Two CPUs make cross-calls to each other and wait; a handler is disestablished by who holds what it raises to.
  // Both waits stand below the gate of their level, so they are refused where the other could not serve.
  static let h40 = Proof(
    "H40 two CPUs wait for each other", strategy: .exhaustive(),
    wrong: [
      WrongProgram(
        "makes cross-calls inside of masks", reports: .witness(.waitOutOfOrder), without: .waitAnywhere,
        becomes: .deadlock
      ) { world in
        for cpu in 0..<2 {
          world.base(on: cpu) { here in
            here.mask(to: .softNet) { _ in
              _ = world.system.crossCallAndWait(on: 1 - cpu, at: .softNet) { _ in }
            }
          }
        }
      },
      WrongProgram(
        "disestablishes under the gate", reports: .witness(.waitOutOfOrder), without: .waitAnywhere,
        becomes: .deadlock
      ) { world in
        let bio = try world.handler("bio", at: .softBio, as: .mpSafe) { here in
          here.raise(exactly: .softNet) { _ in }
        }
        world.base(on: 0) { _ in bio.schedule() }
        world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in _ = bio.disestablish() } }
      },
    ]
  ) { world in
    let calls = Flag()
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in
        let isDone = world.system.crossCallAndWait(on: 1 - cpu, at: .softNet) { _ in calls.add(1) }
        world.expect(isDone)
      }
    }
    world.finally { world.expect(calls.value == 2) }
  }

  // A waiter puts itself into the queue while the holder leaves: the gate is free, the waiter goes to sleep.
  // It tries after it has said so, and who leaves looks after it has freed: one of the two sees the other.
  static let h42raises = Proof(
    "H42 a gate is free and its waiter asleep", strategy: .exhaustive(), mutants: [.noTry, .noLook],
    finds: [.deadlock], raises)
  static let h42anywhere = Proof(
    "H42 the same, with a handler on top of the wait", recognition: .anywhere,
    strategy: .exhaustive(preemptions: 2), mutants: [.noTry, .noLook], finds: [.deadlock, .lostWork]
  ) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    let urgent = try world.handler("urgent", at: .softSerial, as: .mpSafe) { _ in }
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally { world.expect(urgent.runs == 1 && packets.value == 2) }
  }
  private static let raises: @Sendable (World) throws -> Void = { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.finally { world.expect(packets.value == 2, "\(packets.value) packets of 2") }
  }

  // CPU 0 is woken for a free gate, and is interrupted before it tries; the handler on top needs what the next waiter does.
  // Who was woken and serves wakes the next one, or the gate is free and nobody comes.
  static let h52 = Proof(
    "H52 the woken waiter serves, and the next one sleeps on", cpus: 1, recognition: .anywhere,
    strategy: .exhaustive(preemptions: 2), mutants: [.noWakeNext, .noOwedTry], finds: [.livelock]
  ) { world in
    let isDone = Flag()
    let packets = world.shared("packets", guard: .softNet, 0)
    let needs = try world.handler("needs", at: .softNet, as: .mpSafe) { _ in isDone.await() }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.visitor("holder") {
      world.system.raise(exactly: .softNet) { _ in packets.value += 1 }
      needs.schedule(on: 0)
    }
    world.visitor("next") {
      world.system.raise(exactly: .softNet) { _ in
        packets.value += 1
        isDone.value = 1
      }
    }
    world.finally { world.expect(packets.value == 3) }
  }

  // A gate is kept for CPU 0, which was passed over and does not come: a handler on top of its wait needs what another waiter does.
  // The reservation lapses by the clock.
  static let h53 = Proof(
    "H53 a gate is kept for who does not come", cpus: 1, configuration: overdueAtOnce,
    strategy: .exhaustive(preemptions: 2), mutants: [.noLapse], finds: [.livelock]
  ) { world in
    let isDone = Flag()
    let packets = world.shared("packets", guard: .softNet, 0)
    let needs = try world.handler("needs", at: .softNet, as: .mpSafe) { _ in isDone.await() }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.visitor("holder") {
      world.system.raise(exactly: .softNet) { _ in
        packets.value += 1
        needs.schedule(on: 0)
      }
    }
    world.visitor("other") {
      world.system.raise(exactly: .softNet) { _ in
        packets.value += 1
        isDone.value = 1
      }
    }
    world.finally { world.expect(packets.value == 3) }
  }

  // Base code waits under softNet for a condition, with the gates below taken on the way; the signaller takes the same way.
  // A wait that kept the lower gates would keep the signaller out.
  static let h54 = Proof(
    "H54 a condition wait keeps lower gates", strategy: .exhaustive(preemptions: 4),
    mutants: [.keepLowerGates], finds: [.gateAboveIPL],
    wrong: [
      WrongProgram("waits in a handler", reports: .witness(.conditionInHandler)) { world in
        let condition = world.system.condition(guardedBy: .softNet)
        let net = try world.handler("net", at: .softNet, as: .ordered) { _ in condition.wait { false } }
        world.base(on: 0) { _ in net.schedule() }
      }
    ]
  ) { world in
    let isReady = world.shared("is ready", guard: .softNet, false)
    let condition = world.system.condition(guardedBy: .softNet)
    world.base(on: 0) { here in
      here.raise(to: .softNet) { _ in
        condition.wait { isReady.value }
        world.expect(isReady.value)
      }
    }
    world.base(on: 1) { here in
      here.raise(to: .softNet) { _ in
        isReady.value = true
        condition.broadcast()
      }
    }
  }
}
