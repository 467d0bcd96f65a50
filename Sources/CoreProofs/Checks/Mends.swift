// What explorations found in the core and was mended, each as a small program.
//
// Law: the program holds, and without its mend (a mutant) it breaks: a mend that is lost is noticed. Mends whose program is a row's, a
// pair's, an order's or a bound's are not here.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// The mends.
  public static let mends: [Proof] = [
    ringGivenBack, ringsOnHandOver, putBackMeanwhile, baseCodeInBetween, retiresInCallout, endedBefore,
  ]

  // An interrupt that sleeps uses up a ring that was for what it interrupted: a CPU that is to go offline sleeps for ever.
  static let ringGivenBack = Proof(
    "an interrupt gives back the ring that it used up", recognition: .anywhere,
    strategy: .exhaustive(preemptions: 2), mutants: [.keepRing], finds: [.deadlock], goesOffline)

  // Two visitors always hand the big lock on to each other, so nobody ever frees it; big-lock work is marked on it.
  // Who hands it on rings for the marks, so the work tries again, ages and waits in order. Each section lasts until nobody else can
  // go on, so what is rung has had its turn before the next one: K + 1 tries and one section that was before it in the queue.
  static let ringsOnHandOver = Proof(
    "marked big-lock work ages while the big lock is handed on", cpus: 1, configuration: Rows.overdueAtOnce,
    strategy: .exhaustive(preemptions: 2), mutants: [.noRingOnHandOver], finds: [.expectation]
  ) { world in
    let patience = Configuration.exploration.patience
    let sections = world.shared("sections", guard: Level.none, 0)
    let big = try world.handler("big", at: .softNet, as: .bigLock) { _ in
      let count = sections.value
      world.expect(count <= patience + 2, "\(count) sections were before it")
    }
    for name in ["one", "other"] {
      world.visitor(name) {
        let seat = world.machine.makeVisitorSeat()
        for _ in 0..<4 {
          world.system.bigLock { _ in
            let count = sections.value
            if count == 0 { big.schedule(on: 0) }
            sections.value = count + 1
            world.machine.park(seat, until: SimulatedMachine.now() + 1_000)
          }
        }
      }
    }
    world.finally { world.expect(big.runs == 1) }
  }

  // A CPU is taken offline and put back before who took it has looked: the state that it waits for is gone.
  static let putBackMeanwhile = Proof(
    "a CPU is put back before who took it offline has looked", mutants: [.awaitAway], finds: [.deadlock]
  ) { world in
    let system = world.system
    world.visitor("takes") { _ = system.offline(1) }
    world.visitor("puts back") { _ = system.online(1) }
  }

  // Base code is accepted after a CPU's last look at its queue, and before it is told to leave.
  static let baseCodeInBetween = Proof(
    "base code comes before a CPU is told to leave", mutants: [.leaveWithJobs], finds: [.expectation]
  ) { world in
    let system = world.system
    let (accepted, runs) = (Rows.Flag(), Rows.Flag())
    world.visitor("submits") {
      // The first one wakes the CPU, the second comes after its look.
      for _ in 0..<2 where system.submit(on: 1, { _ in runs.add(1) }) { accepted.add(1) }
    }
    world.visitor("takes") {
      guard system.offline(1) else { return }
      world.expect(runs.value >= accepted.value, "accepted, and left behind")
      system.online(1)
    }
  }

  // A callout's body asks that its handler end: that is the core's own, for all callouts of the level.
  static let retiresInCallout = Proof(
    "a callout's body cannot end the core's own handler", mutants: [.retireInternals],
    finds: [.lostWork, .expectation]
  ) { world in
    let first = try world.callout("first", at: .softClock, cpu: 0) { here in here.retire() }
    let second = try world.callout("second", at: .softClock, cpu: 0) { _ in }
    world.base(on: 0) { _ in
      first.schedule(after: .zero)
      second.schedule(after: .milliseconds(1))
    }
    world.finally { world.expect(first.runs == 1 && second.runs == 1) }
  }

  // A schedule marks when its handler has ended, and says so; the shutdown finds the mark, which is nobody's work.
  static let endedBefore = Proof(
    "a shutdown does not count what was refused", mutants: [.countEnded], finds: [.expectation]
  ) { world in
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor("operator") {
      net.disestablish()
      let report = world.shutdown(grace: .zero)
      world.expect(report.pending.isEmpty, "counted twice, or not accepted at all")
    }
  }
}
