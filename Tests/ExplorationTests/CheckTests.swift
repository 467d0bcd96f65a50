// The checks that are always on: what is right passes them, and what is wrong is named.

import CoreProofs
import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("Checks")
struct CheckTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var recognitions: [Recognition] = [.points, .anywhere]
    var strategy = Strategy.exhaustive(preemptions: 2)
    var configuration = Configuration.exploration
    var overtakes = Int.max
    let program: @Sendable (World) throws -> Void
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "ascends", strategy: .exhaustive(), program: Checks.ascends),
    Case(name: "first come, first served", program: Checks.firstComeFirstServed),
    Case(name: "first of all", recognitions: [.points], program: Checks.firstOfAll),
    Case(name: "comes in time", program: Checks.comesInTime),
    Case(name: "cancelled and re-armed", program: Checks.cancelledAndRearmed),
    Case(name: "halted", program: { try Checks.halted($0, retires: false) }),
    Case(name: "retired meanwhile", program: { try Checks.halted($0, retires: true) }),
    Case(name: "armed from outside", program: Checks.armedFromOutside),
    Case(name: "retired", program: Checks.retired),
    Case(name: "disestablished", program: Checks.disestablished),
    Case(name: "slot reused", program: Checks.slotReused),
    Case(name: "suspended", program: Checks.suspended),
    Case(name: "way changed", recognitions: [.points], program: Checks.wayChanged),
    Case(
      name: "way changed", recognitions: [.anywhere], strategy: .exhaustive(preemptions: 1),
      program: Checks.wayChanged),
    Case(name: "goes offline", strategy: .exhaustive(preemptions: 1), program: Checks.goesOffline),
    Case(name: "stays away", strategy: .exhaustive(preemptions: 1), program: Checks.staysAway),
    Case(name: "comes back", strategy: .exhaustive(preemptions: 1), program: Checks.comesBack),
    Case(name: "stops", strategy: .exhaustive(preemptions: 1), program: Checks.stops),
    Case(
      name: "takes turns", configuration: overdueAtOnce, overtakes: 2, program: Checks.takesTurns),
    Case(
      name: "shares its CPU", strategy: .exhaustive(preemptions: 0), configuration: Checks.oneAtATime,
      overtakes: 40,
      program: Checks.sharesItsCPU),
  ]

  @Test("what is right holds under every schedule of the strategy", arguments: cases)
  func holds(_ test: Case) throws {
    for recognition in test.recognitions {
      let exploration = try explore(
        cpus: 2, recognition: recognition, configuration: test.configuration, strategy: test.strategy,
        limits: Limits(overtakes: test.overtakes), test.program)
      guard case .holds = exploration.verdict else {
        Issue.record("not complete: \(exploration)")
        return
      }
    }
  }

  @Test(
    "programs made at random, with all that can be done to handlers and callouts, hold in samples",
    arguments: 0..<24)
  func generated(_ seed: Int) throws {
    for recognition in [Recognition.points, .anywhere] {
      try explore(
        cpus: 2, recognition: recognition,
        configuration: seed % 2 == 0 ? .exploration : overdueAtOnce,
        strategy: .random(seed: UInt64(seed), schedules: 60), GeneratedProgram(seed: seed).build)
    }
  }

  @Test(
    "an interrupt that has slept gives back the ring that it used up (a sample; the mutant is found in it)")
  func ringIsGivenBack() throws {
    try explore(
      cpus: 2, recognition: .anywhere, strategy: .priorities(seed: 1, schedules: 600), Checks.goesOffline)
  }

  @Test("without a hand-off a waiter is overtaken: starvation, but only where a bound is stated")
  func overtaken() throws {
    let limits = Limits(overtakes: 2)
    let finding = try #require(
      try explored(cpus: 2, .exhaustive(preemptions: 2), limits: limits, Checks.takesTurns).finding)
    #expect(finding.rule == .starvation && finding.message.contains("CPU 1 waits for gate softNet"))
    #expect(try explored(cpus: 2, .exhaustive(preemptions: 2), Checks.takesTurns).finding == nil)
  }

  @Test(
    "what is said to be lost is: a callout that nobody runs, base code that waits for a level that is suspended"
  )
  func suspendedForEver() throws {
    // Suspended and never resumed: its schedules are kept, and nothing is lost.
    try explore(cpus: 2) { world in
      let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
      world.base(on: 0) { _ in
        net.suspend()
        net.schedule()
      }
      world.finally { world.expect(net.runs == 0) }
    }
  }

  @Test("a handler that ends itself loses nothing, and is not run again")
  func retiresItself() throws {
    for recognition in [Recognition.points, .anywhere] {
      try explore(cpus: 2, recognition: recognition, strategy: .exhaustive(preemptions: 1)) { world in
        let once = try world.handler("once", at: .softNet, as: .ordered) { here in
          here.retire()
          world.point()
        }
        world.device("card") {
          once.schedule(on: 0)
          once.schedule(on: 1)
        }
        world.base(on: 1) { _ in once.schedule() }
        world.finally { world.expect(once.runs == 1, "\(once.runs) runs") }
      }
    }
  }

  // MARK: Circles of waits

  func finding(
    _ strategy: Strategy = .exhaustive(preemptions: 2), _ program: (World) throws -> Void
  ) throws -> Finding {
    try #require(try explored(cpus: 2, strategy, program).finding)
  }

  @Test("a gate and a plain lock: the circle is named, from each to the next")
  func gateAndLock() throws {
    let finding = try finding { world in
      let lock = SpinLock()
      world.base(on: 0) { here in
        here.raise(exactly: .softNet) { _ in
          lock.lock()
          lock.unlock()
        }
      }
      world.base(on: 1) { here in
        lock.lock()
        here.raise(exactly: .softNet) { _ in }
        lock.unlock()
      }
    }
    #expect(finding.rule == .livelock)
    #expect(finding.message.contains("A circle of waits:"), "\(finding)")
    #expect(finding.message.contains("CPU 0 holds softNet, spins on what CPU 1 wrote last"), "\(finding)")
    #expect(finding.message.contains("CPU 1 waits for gate softNet of CPU 0"), "\(finding)")
  }

  @Test("a LevelLock's holder is named")
  func levelLock() throws {
    let finding = try finding { world in
      let (lock, plain) = (world.system.levelLock(at: .softNet, 0), SpinLock())
      world.base(on: 0) { _ in
        lock.withLock { _ in
          plain.lock()
          plain.unlock()
        }
      }
      world.base(on: 1) { _ in
        plain.lock()
        lock.withLock { _ in }
        plain.unlock()
      }
    }
    #expect(finding.message.contains("waits for a LevelLock at softNet of CPU 0"), "\(finding)")
    #expect(finding.message.contains("A circle of waits:"), "\(finding)")
  }

  @Test("a cross-call that is not answered is named")
  func crossCall() throws {
    let finding = try finding { world in
      let lock = SpinLock()
      world.base(on: 0) { _ in
        lock.lock()
        world.system.crossCallAndWait(on: 1, at: .sched) { _ in }
        lock.unlock()
      }
      world.base(on: 1) { here in
        here.mask(to: .high) { _ in
          lock.lock()
          lock.unlock()
        }
      }
    }
    #expect(finding.message.contains("CPU 0 waits for CPU 1 to answer its cross-call at sched"), "\(finding)")
    #expect(finding.message.contains("A circle of waits:"), "\(finding)")
  }

  @Test("a sleeper that nobody rings is in no circle, and is said to sleep")
  func sleeper() throws {
    let finding = try finding(.exhaustive()) { world in
      let condition = world.system.condition(guardedBy: .softNet)
      world.base(on: 0) { here in here.raise(to: .softNet) { _ in _ = condition.wait { false } } }
    }
    #expect(finding.rule == .deadlock && finding.message.contains("CPU 0 sleeps: nobody rings it"))
    #expect(!finding.message.contains("circle"), "\(finding)")
  }
}
