// `prove speed`: how fast one core explores.
//
// Law: a program is explored to its end or for a fixed number of runs, construction, checks and reduction included, and time is the
// processor time of the thread, so that neighbours disturb little. Medians of several rounds.

import ArgumentParser
import Exploration
import Glibc
import Scenarios
import SimulatedMachine
import SoftInterrupts

struct SpeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speed", abstract: "Measure schedules and scheduling points per second on one core.")

  @Option(help: "Rounds; the median is told.") var rounds = 5
  @Option(help: "The most runs of a round.") var runs = 50_000
  @Option(help: "Only programs whose name contains this.") var only = ""
  @Flag(help: "Exhaustive exploration only.") var exhaustive = false
  @Option(help: "Files of scenarios, to be measured instead of the programs that are part of this.")
  var scenario: [String] = []

  /// The search that a scenario's bound of points is about.
  private static let own = "sc exhaustive"

  struct Row: Sendable {
    var name: String
    var cpus: Int
    var recognition = Recognition.points
    var configuration = Configuration.exploration
    var limits = Limits()
    var program: @Sendable (World) throws -> Void
  }

  func run() throws {
    print("program, strategy: points a schedule; complete schedules/s, points/s (medians of \(rounds))")
    let rows = scenario.isEmpty ? Self.rows : try scenario.map(Self.row)
    for row in rows where only.isEmpty || row.name.contains(only) {
      try measure(row, Self.own, .sequentiallyConsistent, .exhaustive())
      if row.recognition == .points {
        try measure(row, "rc11 exhaustive", .rc11, .exhaustive(), limit: max(1, runs / 10))
      }
      if exhaustive { continue }
      try measure(row, "sc random", .sequentiallyConsistent, .random(seed: 1, schedules: runs))
      try measure(row, "rc11 random", .rc11, .random(seed: 1, schedules: max(1, runs / 10)))
      try measure(row, "rc11 every choice", .rc11, .everyChoice(), limit: max(1, runs / 10))
    }
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    print("at most \(usage.ru_maxrss / 1_024) MiB of memory")
  }

  private func measure(
    _ row: Row, _ name: String, _ memory: MemoryModel, _ strategy: Strategy, limit: Int? = nil
  ) throws {
    var explorer = Explorer(
      cpus: row.cpus, recognition: row.recognition, memory: memory, configuration: row.configuration,
      strategy: strategy, limits: row.limits)
    explorer.limits.schedules = limit ?? runs
    // A scenario's bound is of its own search. Elsewhere a run is longer: under RC11 a heavy fence is several points, and in a
    // sample each round of a spin wait is one.
    if name != Self.own { explorer.limits.steps = Limits().steps }
    try measure(row, name, explorer)
  }

  private func measure(_ row: Row, _ name: String, _ explorer: Explorer) throws {
    var rates: [(schedules: Double, points: Double)] = []
    var last: Exploration?
    for _ in 0..<rounds {
      // A small tree is explored again and again, each time from nothing.
      var (schedules, redundant, steps) = (0, 0, 0)
      let begin = Self.processorTime()
      repeat {
        let exploration = try explorer.explore(row.program)
        if let finding = exploration.finding { throw ValidationError("\(row.name): \(finding)") }
        schedules += exploration.schedules
        redundant += exploration.redundant
        steps += exploration.steps
        last = exploration
      } while schedules + redundant < explorer.limits.schedules
      let time = Self.processorTime() - begin
      rates.append((Double(schedules) / time, Double(steps) / time))
    }
    let middle = rates.count / 2
    let schedules = rates.map(\.schedules).sorted()[middle]
    let points = rates.map(\.points).sorted()[middle]
    let length = Double(last!.steps) / Double(last!.schedules + last!.redundant)
    let complete: String
    if case .holds = last!.verdict {
      complete = "all \(last!.schedules) schedules, \(last!.redundant) redundant"
    } else {
      complete = "a part"
    }
    print(
      "\(row.name), \(name): \((length * 10).rounded() / 10) points; "
        + "\(Int(schedules)) schedules/s, \(Int(points)) points/s (\(complete))")
    fflush(nil)
  }

  /// A scenario's program, on the machine and within the limits of a run that it states.
  private static func row(_ file: String) throws -> Row {
    let scenario = try Scenario(bytes(of: file), file: file)
    return Row(
      name: file, cpus: scenario.cpus, recognition: scenario.recognition,
      configuration: scenario.configuration, limits: scenario.limits, program: scenario.program)
  }

  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static let rows: [Row] = [
    // At most 40 points: the goal of 100,000 schedules/s is about these.
    Row(name: "a CPU and a visitor try one gate", cpus: 1) { world in
      let system = world.system
      let packets = world.shared("packets", guard: .softClock, 0)
      world.base(on: 0) { _ in _ = system.tryRaise(to: .softClock) { _ in packets.value += 1 } }
      world.visitor { _ = system.tryRaise(to: .softClock) { _ in packets.value += 1 } }
    },
    Row(name: "two visitors try one gate", cpus: 1) { world in
      let system = world.system
      let packets = world.shared("packets", guard: .softClock, 0)
      for _ in 0..<2 {
        world.visitor { _ = system.tryRaise(to: .softClock) { _ in packets.value += 1 } }
      }
    },
    Row(name: "a device and a raise, interrupts anywhere", cpus: 1, recognition: .anywhere) { world in
      let packets = world.shared("packets", guard: .softNet, 0)
      let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
      world.device("card") { net.schedule(on: 0) }
      world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
      world.finally { world.expect(packets.value == 2) }
    },
    Row(name: "two devices, one handler", cpus: 1) { world in
      let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
      world.device("card") { net.schedule(on: 0) }
      world.device("line") { net.schedule(on: 0) }
    },
    Row(name: "two exact raises", cpus: 2) { world in
      let packets = world.shared("packets", guard: .softNet, 0)
      for cpu in 0..<2 {
        world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
      }
      world.finally { world.expect(packets.value == 2) }
    },
    Row(name: "delegation, interrupts anywhere", cpus: 2, recognition: .anywhere) { world in
      let packets = world.shared("packets", guard: .softNet, 0)
      let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in packets.value += 1 }
      world.base(on: 0) { _ in net.schedule() }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
      world.finally { world.expect(packets.value == 2) }
    },
  ]
}
