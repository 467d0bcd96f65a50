// The core under every schedule of small programs.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("The core, explored")
struct CoreTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var recognition = Recognition.points
    let strategy: Strategy
    var configuration = Configuration.exploration
    let program: @Sendable (World) throws -> Void
    var testDescription: String { "\(name), \(recognition), \(strategy)" }
  }

  static let cases: [Case] = [
    Case(name: "schedules", strategy: .exhaustive(), program: Scenario.schedules),
    Case(name: "delegates", strategy: .exhaustive(), program: Scenario.delegates),
    Case(
      name: "serves while waiting", strategy: .exhaustive(preemptions: 2),
      program: Scenario.servesWhileWaiting),
    Case(
      name: "schedules", recognition: .anywhere, strategy: .exhaustive(preemptions: 2),
      program: Scenario.schedules),
    Case(
      name: "delegates", recognition: .anywhere, strategy: .exhaustive(preemptions: 2),
      program: Scenario.delegates),
    Case(
      name: "serves while waiting", recognition: .anywhere, strategy: .exhaustive(preemptions: 2),
      program: Scenario.servesWhileWaiting),
  ]

  @Test("holds under every schedule of the strategy", arguments: cases)
  func holds(_ test: Case) throws {
    let exploration = try explore(
      cpus: 2, recognition: test.recognition, configuration: test.configuration, strategy: test.strategy,
      test.program)
    guard case .holds = exploration.verdict else {
      Issue.record("not complete: \(exploration)")
      return
    }
  }

  @Test("holds in a sample under C++20's memory", arguments: [Recognition.points, .anywhere])
  func weakMemory(_ recognition: Recognition) throws {
    for program in [
      Scenario.schedules, Scenario.delegates, Scenario.servesWhileWaiting, Scenario.everything,
    ] {
      try explore(
        cpus: 2, recognition: recognition, memory: .rc11, configuration: overdueAtOnce,
        strategy: .random(seed: 11, schedules: 150), program)
    }
  }

  @Test("an access without its guard's gate is told with its schedule")
  func unguarded() throws {
    let exploration = try explored(cpus: 2) { world in
      let packets = world.shared("packets", guard: .softNet, 0)
      world.base(on: 0) { here in here.raise(exactly: .softBio) { _ in packets.value += 1 } }
    }
    #expect(exploration.finding?.rule == .unguarded)
  }

  @Test("two base codes that raise to different levels race on what they share")
  func race() throws {
    let exploration = try explored(cpus: 2) { world in
      let packets = world.shared("packets", 0)
      world.base(on: 0) { here in here.raise(exactly: .softBio) { _ in packets.value += 1 } }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    #expect(exploration.finding?.rule == .dataRace)
  }

  @Test("the witness's reports are findings")
  func witness() throws {
    let exploration = try explored(cpus: 2) { world in
      world.base(on: 0) { here in
        here.raise(exactly: .softNet) { here in here.raise(exactly: .softBio) { _ in } }
      }
    }
    #expect(exploration.finding?.rule == .witness(.downward))
  }

  @Test("base code that waits for what never comes is a deadlock, and says what it waits for")
  func deadlock() throws {
    let exploration = try explored(cpus: 2) { world in
      let condition = world.system.condition(guardedBy: .softNet)
      world.base(on: 0) { here in
        here.raise(to: .softNet) { _ in _ = condition.wait { false } }
      }
    }
    let finding = try #require(exploration.finding)
    #expect(finding.rule == .deadlock && finding.message.contains("CPU 0"), "\(finding)")
  }
}
