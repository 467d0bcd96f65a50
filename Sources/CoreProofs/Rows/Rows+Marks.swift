// Rows on work that is pending: marked on gates, delegated, and kept over a CPU's leave.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let marks = [h13, h30, h44bound, h44anywhere, h44stopped, h51mark, h51claim, h51coalesce, h51weak]

  // A handler that uses its CPU's cell finds its gate busy; the holder on the other CPU leaves.
  // Bound work is rung home. Run over there it would open the other CPU's cell.
  static let h13 = Proof(
    "H13 delegated work touches the wrong CPU's data", strategy: .exhaustive(),
    mutants: [.drainBound], finds: [.unasked],
    wrong: [
      WrongProgram("establishes it to run anywhere", reports: .expectation) { world in
        try usesCell(world, .anywhere)
      }
    ]
  ) { world in try usesCell(world, .bound) }

  private static func usesCell(_ world: World, _ placement: Placement) throws {
    let cell = world.system.perCPU(at: .softNet) { $0 }
    let net = try world.handler("net", at: .softNet, as: .ordered, placement) { _ in
      let cpu = cell.open { $0 }
      world.expect(cpu == 1, "it was scheduled on CPU 1 and has the cell of CPU \(cpu ?? -1)")
    }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.base(on: 1) { _ in net.schedule() }
  }

  // A CPU is taken offline while bound work is scheduled there, and while that waits with a mark for its gate.
  // What was accepted has run when the CPU is gone.
  static let h44bound = Proof(
    "H44 a CPU leaves with work marked on a gate", strategy: .exhaustive(preemptions: 2),
    mutants: [.leaveWithPending], finds: [.expectation]
  ) { world in
    let isAccepted = Flag()
    let hasRun = Flag()
    let net = try world.system.establish("net", at: .softNet, as: .ordered) { _ in hasRun.value = 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.device("card") { if net.schedule(on: 1) == .scheduled { isAccepted.value = 1 } }
    world.visitor {
      _ = world.system.offline(1)
      world.expect(isAccepted.value == 0 || hasRun.value == 1, "accepted, and left behind")
      world.system.online(1)
    }
    world.finally { world.expect(hasRun.value == 1) }
  }

  // Work that may run anywhere is scheduled on a CPU that has looked for the last time.
  // A schedule looks at the CPU's flag after it has set its bit, and takes the work elsewhere.
  static let h44anywhere = Proof(
    "H44 a schedule comes after the CPU's last look", strategy: .exhaustive(preemptions: 2),
    mutants: [.noFlagLook], finds: [.lostWork, .expectation]
  ) { world in
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor { _ = world.system.offline(1) }
    world.finally { world.expect(net.runs == 1, "it ran \(net.runs) times") }
  }

  // A schedule is interrupted between its bit and its ring, on another CPU, by who waits until the CPU has gone.
  // Nobody rings then: who takes a CPU offline looks itself at what is pending, after the flag.
  static let h44stopped = Proof(
    "H44 a schedule stops between its bit and its ring", recognition: .anywhere,
    strategy: .exhaustive(preemptions: 1), mutants: [.noOfflineLook], finds: [.livelock]
  ) { world in
    let (isStopped, isGone) = (Flag(), Flag())
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    let waits = try world.handler("waits", at: .softSerial, as: .mpSafe) { _ in
      isStopped.value = 1
      isGone.await()
    }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.device("line") { waits.schedule(on: 0) }
    world.visitor("operator") {
      isStopped.await()
      _ = world.system.offline(1)
      isGone.value = 1
      world.system.online(1)
    }
    world.finally { world.expect(net.runs == 1) }
  }

  // A schedule has seen that its handler lives, and sets its bit later; meanwhile the system is shut down.
  // A shutdown counts what is pending when no schedule is under way any more: none comes to a system that has ended, whose memory
  // may be gone.
  static let h30 = Proof(
    "H30 a schedule is under way when the system ends", strategy: .exhaustive(preemptions: 2),
    mutants: [.noInflightLook], finds: [.expectation]
  ) { world in
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor("operator") { world.shutdown(grace: .zero) }
    world.finally {
      world.expect(world.system.unservedWork().isEmpty, "it was set after the shutdown had returned")
    }
  }

  // Work finds its gate busy and marks it; the gate has been freed in between.
  // Who marks tries again after marking, or nobody would come.
  static let h51mark = Proof(
    "H51 a mark on a gate that has just been freed", strategy: .exhaustive(),
    mutants: [.noTryAfterMark, .noLook], finds: [.lostWork]
  ) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1 && packets.value == 2, "\(packets.value) packets of 2") }
  }

  // Work is taken back from a CPU that leaves, while that CPU is about to run it; and another handler is scheduled beside it.
  // A claim is one step: whoever clears the bit runs it, and nobody's bit is lost.
  static let h51claim = Proof(
    "H51 a mark is collected twice", strategy: .exhaustive(preemptions: 2), mutants: [.claimByStore],
    finds: [.unasked, .lostWork]
  ) { world in
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    let other = try world.handler("other", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.device("card") {
      net.schedule(on: 1)
      other.schedule(on: 1)
    }
    world.visitor { _ = world.system.offline(1) }
    world.finally { world.expect(net.runs == 1 && other.runs == 1, "\(net.runs) and \(other.runs) runs") }
  }

  // Two schedulers of one handler, and the second finds the bit set. Every schedule is a read-modify-write,
  // so the claim that clears the bit has acquired what each of them wrote before.
  static let h51coalesce = Proof(
    "H51 a coalesced schedule's data is not seen", configuration: .exploration,
    strategy: .exhaustive(), coalesces)
  static let h51weak = Proof(
    "H51 the same under C++20's memory", memory: .rc11,
    strategy: .random(seed: 51, schedules: 20_000), mutants: [.coalesceByLoad], finds: [.expectation],
    coalesces)
  private static let coalesces: @Sendable (World) throws -> Void = { world in
    let data = Flag()
    // The last run's.
    nonisolated(unsafe) var seen: UInt = 0
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in seen = data.value }
    world.base(on: 0) { _ in net.schedule() }
    world.device("card") {
      data.value = 1
      net.schedule(on: 0)
    }
    world.finally {
      world.expect(seen == 1, "the last run has not seen what was written before the schedule")
    }
  }
}
