// The model's checks: the same small programs on the hosted machine and on the simulated one.
//
// Law: one source for both; a check's figure is the nanoseconds of one round of it.

import Dispatch
import Gauges
import HostedMachine
import HotPaths
import SimulatedMachine
import SoftInterrupts

/// A program that was run on both machines.
struct Check {
  var hosted: Measured
  var simulated: Double
}

/// What a program does on a system; each says when it is done by calling `done` once with its nanoseconds for a round.
private typealias Program<M: Machine> = (
  _ system: InterruptSystem<M>, _ count: Int, _ done: @escaping @Sendable (Double) -> Void
) throws -> Void

/// What the handlers of a program pass on; one of them runs at a time.
private final class Baton<M: Machine>: @unchecked Sendable {
  // Sendable: what is written before a schedule is read in the run after it.
  var left: Int
  var start: UInt64 = 0
  var there: Handler<M>?
  var back: Handler<M>?
  init(_ count: Int) { left = count }
}

private func pairs<M: Machine>(
  exactly: Bool
) -> Program<M> {
  { system, count, done in
    system.submit(on: 0) { here in
      let start = M.now()
      if exactly {
        for _ in 0..<count { here.raise(exactly: .softNet) { _ in } }
      } else {
        for _ in 0..<count { here.raise(to: .softNet) { _ in } }
      }
      done(Double(M.now() - start) / Double(count))
    }
  }
}

private func dispatch<M: Machine>(_ way: WayIn) -> Program<M> {
  { system, count, done in
    let handler = try system.establish("dispatch", at: .softNet, as: way) { _ in }
    system.submit(on: 0) { here in
      let start = M.now()
      for _ in 0..<count {
        handler.schedule()
        here.checkpoint()
      }
      done(Double(M.now() - start) / Double(count))
    }
  }
}

/// A handler of each CPU schedules the other's: there and back.
private func across<M: Machine>(_ way: WayIn) -> Program<M> {
  { system, count, done in
    let baton = Baton<M>(count)
    baton.there = try system.establish("there", at: .softNet, as: way) { _ in baton.back!.schedule(on: 0) }
    baton.back = try system.establish("back", at: .softSerial, as: way) { _ in
      if baton.start == 0 { baton.start = M.now() }
      baton.left -= 1
      if baton.left >= 0 {
        baton.there!.schedule(on: 1)
      } else {
        done(Double(M.now() - baton.start) / Double(count))
      }
    }
    baton.back!.schedule(on: 0)
  }
}

/// Two CPUs raise to one level again and again; nanoseconds for one section of either, from when both have begun until both are done.
private func contended<M: Machine>(_ work: @escaping @Sendable () -> Void) -> Program<M> {
  { system, count, done in
    // Words on lines of their own: who has begun, who is done, and when the first began.
    nonisolated(unsafe) let words = UnsafeMutableRawPointer.allocate(
      byteCount: 32 * MemoryLayout<M.Word>.stride, alignment: 128
    ).bindMemory(to: M.Word.self, capacity: 32)
    words.initialize(repeating: M.Word(0), count: 32)
    for cpu in 0..<2 {
      system.submit(on: cpu) { here in
        _ = M.Word.fetchAdd(words, 1, .acquireRelease)
        while M.Word.load(words, .acquire) != 2 { M.pause(0) }
        // From when the first of them begins.
        _ = M.Word.compareExchange(words + 24, 0, UInt(M.now()), .acquireRelease)
        for _ in 0..<count { here.raise(exactly: .softNet) { _ in work() } }
        if M.Word.fetchAdd(words + 16, 1, .acquireRelease) == 1 {
          let start = UInt64(M.Word.load(words + 24, .acquire))
          done(Double(M.now() - start) / Double(2 * count))
        }
      }
    }
  }
}

private func configuration(parks: Bool) -> Configuration {
  var configuration = Configuration()
  configuration.onViolation = .collect
  configuration.pollInterval = 1_000
  configuration.idleRounds = parks ? 0 : .max
  configuration.spinRounds = 100_000
  return configuration
}

/// Rounds on the hosted machine, each on a system of its own.
private func hosted(
  _ name: String, cpus: Int, parks: Bool, rounds: Int, _ count: Int, _ program: Program<HostedMachine>
) throws -> Measured {
  var times: [Double] = []
  for _ in 0..<rounds {
    let system = try System(on: .hosted(cpus: cpus), configuration(parks: parks))
    let ended = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var time = 0.0
    try program(system, count) {
      time = $0
      ended.signal()
    }
    ended.wait()
    system.shutdown()
    times.append(time)
  }
  return Measured(name: name, rounds: times)
}

/// The same under a model, and how many operations a round has.
private func simulated(
  _ model: CostModel, cpus: Int, parks: Bool, _ count: Int, _ program: Program<SimulatedMachine>
) throws -> (nanoseconds: Double, operations: Double) {
  let machine = SimulatedMachine(cpus: cpus)
  let system = try InterruptSystem<SimulatedMachine>(on: machine, configuration(parks: parks))
  nonisolated(unsafe) var time = 0.0
  try program(system, count) { time = $0 }
  let pilot = TimedPilot(model)
  // Long enough for anything, and CPUs that poll have no end.
  _ = machine.run(timed: pilot, until: 20_000_000)
  let operations = Double(pilot.operations) / Double(count)
  system.shutdown()
  return (time, operations)
}

/// The plain instructions between two operations on words: what an ordered dispatch takes beyond its operations, for each of them.
func plainStep(_ model: inout CostModel) -> Measured {
  model.plainStep = 0
  do {
    // Parked: a CPU that is done does nothing more, so its operations are the program's.
    let count = 1_000
    let (bare, operations) = try simulated(model, cpus: 1, parks: true, count, dispatch(.ordered))
    let real = try hosted("plainStep", cpus: 1, parks: true, rounds: 40, 20_000, dispatch(.ordered))
    let figure = Measured(name: "plainStep", rounds: real.rounds.map { max($0 - bare, 0) / operations })
    model.plainStep = figure.value
    return figure
  } catch { return Measured(name: "plainStep", rounds: [0]) }
}

/// Some nanoseconds of work that no compiler removes.
@inline(never) @Sendable private func spinFor(_ nanoseconds: UInt64) {
  let end = HostedMachine.now() + nanoseconds
  while HostedMachine.now() < end {}
}

func measureChecks(_ model: CostModel) throws -> [Check] {
  func check(
    _ name: String, cpus: Int, parks: Bool, rounds: Int, _ count: Int, _ real: Program<HostedMachine>,
    _ copy: Program<SimulatedMachine>
  ) throws -> Check {
    Check(
      hosted: try hosted(name, cpus: cpus, parks: parks, rounds: rounds, count, real),
      simulated: try simulated(model, cpus: cpus, parks: parks, 200, copy).nanoseconds)
  }
  return [
    try check(
      "ordered dispatch", cpus: 1, parks: true, rounds: 20, 20_000, dispatch(.ordered), dispatch(.ordered)),
    try check(
      "mpSafe dispatch", cpus: 1, parks: true, rounds: 20, 20_000, dispatch(.mpSafe), dispatch(.mpSafe)),
    try check(
      "exact raise pair", cpus: 1, parks: true, rounds: 20, 20_000, pairs(exactly: true), pairs(exactly: true)
    ),
    try check(
      "cumulative raise pair", cpus: 1, parks: true, rounds: 20, 20_000, pairs(exactly: false),
      pairs(exactly: false)),
    try check(
      "there and back, polling", cpus: 2, parks: false, rounds: 40, 500, across(.mpSafe), across(.mpSafe)),
    try check(
      "there and back, parked", cpus: 2, parks: true, rounds: 40, 50, across(.mpSafe), across(.mpSafe)),
    try check(
      "contended section of 1 us", cpus: 2, parks: false, rounds: 40, 500, contended { spinFor(1_000) },
      contended { SimulatedMachine.work(1_000) }),
    try check(
      "contended section of 10 us", cpus: 2, parks: false, rounds: 40, 200, contended { spinFor(10_000) },
      contended { SimulatedMachine.work(10_000) }),

  ]
}
