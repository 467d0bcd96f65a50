// What an exploration finds, shrinks, tells and repeats.

import SimulatedMachine
import SoftInterrupts
import Testing

@testable import Exploration

@Suite("Findings")
struct FindingTests {
  @Test("a lost update is found, with one preemption")
  func lostUpdate() throws {
    let exploration = try explored { world in
      let x = Place()
      for name in ["a", "b"] { world.visitor(name) { x.store(x.load() + 1) } }
      world.finally { world.expect(x.load() == 2, "an update was lost") }
    }
    let finding = try #require(exploration.finding)
    #expect(finding.rule == .expectation && finding.preemptions == 1)
    #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  static func twoLocks(_ world: World) {
    let (a, b) = (SpinLock(), SpinLock())
    for (name, first, second) in [("one", a, b), ("two", b, a)] {
      world.visitor(name) {
        first.lock()
        second.lock()
        second.unlock()
        first.unlock()
      }
    }
  }

  @Test("two locks in two orders: who spins for ever is named")
  func deadlock() throws {
    for strategy in [
      Strategy.exhaustive(), .exhaustive(preemptions: 1), .priorities(seed: 1, schedules: 10_000),
    ] {
      let finding = try #require(try explored(strategy, Self.twoLocks).finding)
      #expect(finding.rule == .livelock && finding.message.contains("spins"))
      #expect(finding.preemptions == 1)
    }
  }

  @Test("the replay string gives the same story, and a wrong one is refused")
  func replays() throws {
    let explorer = Explorer(cpus: 1)
    let finding = try #require(try explorer.explore(Self.twoLocks).finding)
    #expect(finding.replay.count < 40)
    let again = try #require(try explorer.replay(finding.replay, Self.twoLocks))
    #expect(again.story == finding.story && again.replay == finding.replay)
    #expect(throws: ReplayError.self) { try explorer.replay("x1.2", Self.twoLocks) }
    #expect(throws: ReplayError.self) { try explorer.replay("p1.z", Self.twoLocks) }
    #expect(throws: ExplorationFailure.self) {
      try replay(finding.replay, cpus: 1, Self.twoLocks)
    }
  }

  @Test("declared data that nothing orders races; ordered by a release and an acquire it does not")
  func races() throws {
    for order in [MemoryOrder.relaxed, .release] {
      let exploration = try explored { world in
        let data = world.shared("data", 0)
        let flag = Place()
        world.visitor("w") {
          data.value = 1
          flag.store(1, order)
        }
        world.visitor("r") {
          if flag.load(order == .release ? .acquire : .relaxed) == 1 { _ = data.value }
        }
      }
      #expect(exploration.finding?.rule == (order == .relaxed ? .dataRace : nil), "\(exploration)")
    }
  }

  @Test("a sleeper that nobody rings is a deadlock")
  func asleep() throws {
    let exploration = try explored { world in
      let flag = Place()
      let seat = world.machine.makeVisitorSeat()
      // Looks, and then sleeps; the ringer rings before it sets.
      world.visitor("sleeper") { while flag.load() == 0 { world.machine.park(seat, until: .max) } }
      world.visitor("ringer") {
        SimulatedMachine.unpark(seat)
        flag.store(1)
      }
    }
    #expect(exploration.finding?.rule == .deadlock)
  }

  @Test("what a result says is what it is")
  func wording() throws {
    let program: (World) -> Void = { world in
      let x = Place()
      for name in ["a", "b"] { world.visitor(name) { x.add(1) } }
    }
    #expect("\(try explored(.exhaustive(), program))" == "all 2 schedules: no violation")
    #expect(
      "\(try explored(.exhaustive(preemptions: 0), program))"
        == "all 2 schedules up to 0 preemptions: no violation")
    #expect(
      "\(try explored(.random(seed: 1, schedules: 10), program))"
        == "a sample of 10 schedules: no violation in these")
    #expect(
      "\(try explored(.exhaustive(), limits: Limits(schedules: 1), program))"
        == "1 schedule, then the limit: no violation in these; there are more")
  }

  @Test("a system that is used again is like a new one")
  func reuse() throws {
    for program in [Scenario.schedules, Scenario.delegates, Scenario.servesWhileWaiting, Scenario.everything]
    {
      let explorer = Explorer(
        cpus: 2, recognition: .anywhere, strategy: .random(seed: 5, schedules: 200))
      func run(_ reuses: Bool) throws -> Exploration {
        let runner = Runner(
          cpus: 2, recognition: .anywhere, configuration: explorer.configuration, limits: explorer.limits)
        runner.reusesSystems = reuses
        return try explorer.explore(runner, program)
      }
      let (again, new) = (try run(true), try run(false))
      #expect(again.steps == new.steps && again.outcomes == new.outcomes)
      #expect(again.finding == nil, "\(again)")
    }
  }

  @Test("two explorations of one program are the same to the bit")
  func deterministic() throws {
    func run() throws -> Exploration {
      try explored(cpus: 2) { world in
        let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
        world.base(on: 0) { here in here.raise(to: .softNet) { _ in } }
        world.device { net.schedule(on: 1) }
      }
    }
    let (a, b) = (try run(), try run())
    #expect(a.schedules == b.schedules && a.steps == b.steps && a.redundant == b.redundant)
    #expect(a.finding == nil, "\(a)")
  }
}
