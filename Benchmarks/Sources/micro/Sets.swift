// Cumulative raises of two CPUs' base code that find some of their gates busy: how many, how long the longest waits, and how late the
// ordered handlers beside them are.
//
// Law: every way runs the same loops in turn, each time on a new system. A section takes as long as the work outside of it; the handlers take
// the section's time at softNet and 1 µs at softClock. A thread that is no CPU schedules them, on each CPU in turn, and waits for each one's
// run before the next, so no schedule is coalesced.

import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// Work that takes a time: instructions that depend on each other.
enum TimedWork {
  static let stepsPerNanosecond: Double = {
    var best = 0.0
    for _ in 0..<50 {
      let start = HostedMachine.now()
      steps(20_000)
      best = max(best, 20_000 / Double(HostedMachine.now() - start))
    }
    return best
  }()
  @inline(never) static func steps(_ count: Int) {
    var state = UInt64(truncatingIfNeeded: count) | 1
    for _ in 0..<count { state = state &* 0x9e37_79b9_7f4a_7c15 ^ (state >> 29) }
    if state == 0 { fatalError() }
  }
  static func take(_ nanoseconds: Double) { steps(Int(nanoseconds * stepsPerNanosecond)) }
}

private final class Samples: @unchecked Sendable {
  // Sendable: one thread's, read once all stand still.
  var values: [UInt64] = []
  init() { values.reserveCapacity(1 << 20) }
  func add(_ value: UInt64) { if values.count < 1 << 20 { values.append(value) } }
}
private func part(_ all: [UInt64], _ fraction: Double) -> Double {
  if all.isEmpty { return .nan }
  return Double(all[min(all.count - 1, Int(fraction * Double(all.count)))]) / 1e3
}

/// Who raises and how: cumulatively, or exactly to one level.
enum SetRaise {
  case through
  case exactly(Level)
}

struct SetCase {
  var name: String
  /// Of a section, and of the work outside, in nanoseconds.
  var hold: Double
  var cpus: [SetRaise]
  var threads: [SetRaise] = []
}

private let setNames = [
  "raises/s", "exact/s", "wait p50", "wait p99", "wait max", "clock n", "clock p50", "clock p99", "clock max",
  "net n", "net p50", "net p99", "net max", "failed", "fallen", "given",
]

/// One raiser's loop.
@inline(__always) private func raiseAgain(
  _ raise: SetRaise, hold: Double, until over: HostedWord, _ waits: Samples,
  through: (() -> Void) -> Void, exactly: (Level, () -> Void) -> Void
) {
  while HostedMachine.Word.load(over, .relaxed) == 0 {
    let start = HostedMachine.now()
    var inside: UInt64 = 0
    let section = {
      inside = HostedMachine.now()
      TimedWork.take(hold)
    }
    switch raise {
    case .through: through(section)
    case .exactly(let level): exactly(level, section)
    }
    waits.add(inside &- start)
    TimedWork.take(hold)
  }
}

private func measureSets(_ of: SetCase, _ configuration: Configuration, milliseconds: Int) throws -> [Double] {
  let system = try System(on: .hosted(cpus: 2), configuration)
  nonisolated(unsafe) let over = hostedWords(8)
  nonisolated(unsafe) let ended = hostedWords(8)
  nonisolated(unsafe) let due = hostedWords(8)
  let raisers = of.cpus + of.threads
  let waits = raisers.map { _ in Samples() }
  let late = (0..<4).map { _ in Samples() }
  let hold = of.hold
  // For each CPU one at softClock and one at softNet. When it was scheduled; 0 once it has run.
  let handlers = try (0..<4).map { index in
    let level: Level = index & 1 == 0 ? .softClock : .softNet
    let time = index & 1 == 0 ? 1_000 : hold
    return try system.establish("\(level) \(index >> 1)", at: level, as: .ordered) { _ in
      late[index].add(HostedMachine.now() &- UInt64(HostedMachine.Word.load(due + index, .acquire)))
      TimedWork.take(time)
      HostedMachine.Word.store(due + index, 0, .release)
    }
  }
  for (cpu, raise) in of.cpus.enumerated() {
    let mine = waits[cpu]
    system.submit(on: cpu) { here in
      raiseAgain(
        raise, hold: hold, until: over, mine, through: { body in here.raise(to: .softNet) { _ in body() } },
        exactly: { level, body in here.raise(exactly: level) { _ in body() } })
      _ = HostedMachine.Word.fetchAdd(ended, 1, .release)
    }
  }
  let threads = of.threads.enumerated().map { index, raise in
    let mine = waits[of.cpus.count + index]
    return OwnThread {
      raiseAgain(
        raise, hold: hold, until: over, mine, through: { body in system.raise(to: .softNet) { _ in body() } },
        exactly: { level, body in system.raise(exactly: level) { _ in body() } })
    }
  }
  let start = HostedMachine.now()
  let end = start + UInt64(milliseconds) * 1_000_000
  var tick = 0
  while HostedMachine.now() < end {
    usleep(50)
    let index = tick & 3
    tick += 1
    if HostedMachine.Word.load(due + index, .acquire) != 0 { continue }
    HostedMachine.Word.store(due + index, UInt(HostedMachine.now()), .release)
    handlers[index].schedule(on: index >> 1)
  }
  HostedMachine.Word.store(over, 1, .relaxed)
  let time = Double(HostedMachine.now() - start)
  for thread in threads { thread.join() }
  while HostedMachine.Word.load(ended, .acquire) < UInt(of.cpus.count) { usleep(100) }
  let counters = system.statistics().total(.none)
  system.shutdown()
  func isThrough(_ index: Int) -> Bool { if case .through = raisers[index] { true } else { false } }
  let all = raisers.indices.filter(isThrough).flatMap { waits[$0].values }.sorted()
  let exact = raisers.indices.filter { !isThrough($0) }.map { waits[$0].values.count }.reduce(0, +)
  let (clocks, nets) = ((late[0].values + late[2].values).sorted(), (late[1].values + late[3].values).sorted())
  for word in [over, ended, due] { word.deallocate() }
  return [
    Double(all.count) / time * 1e9, Double(exact) / time * 1e9, part(all, 0.5), part(all, 0.99), part(all, 1),
    Double(clocks.count), part(clocks, 0.5), part(clocks, 0.99), part(clocks, 1),
    Double(nets.count), part(nets, 0.5), part(nets, 0.99), part(nets, 1),
    Double(counters.setFailures), Double(counters.setFallbacks), Double(counters.setGivenBack),
  ]
}

func compareSets(rounds: Int, milliseconds: Int, only: String?, _ chosen: [String]) throws {
  let one: [SetRaise] = [.through, .exactly(.softNet)]
  let each: [SetRaise] = [.exactly(.softClock), .exactly(.softBio), .exactly(.softNet)]
  let cases = [1_000.0, 30_000].flatMap { hold in
    [
      SetCase(name: "through", hold: hold, cpus: [.through, .through]),
      SetCase(name: "through+2", hold: hold, cpus: [.through, .through], threads: [.through, .through]),
      SetCase(name: "mixed", hold: hold, cpus: one),
      SetCase(name: "mixed+2", hold: hold, cpus: one, threads: one),
      SetCase(name: "many", hold: hold, cpus: [.through, .exactly(.softNet)], threads: each),
    ]
  }.filter { only == nil || only == "all" || $0.name == only! }
  var ways: [(String, Configuration)] = []
  func way(_ name: String, _ change: (inout Configuration) -> Void) {
    if !chosen.isEmpty && !chosen.contains(name) { return }
    var configuration = Configuration()
    change(&configuration)
    ways.append((name, configuration))
  }
  way("ordered") { _ in }
  for rounds in [1, 2, 4, 8, 1_000_000] {
    way("lowest\(rounds)") {
      $0.setRounds = rounds
      $0.setLowest = true
    }
  }
  for rounds in [1, 4] {
    for isLowest in [true, false] {
      way("pass\(rounds)\(isLowest ? "l" : "h")") {
        $0.setRounds = rounds
        $0.setPasses = true
        $0.setLowest = isLowest
      }
    }
  }
  for rounds in [1, 2, 4, 1_000_000] { way("highest\(rounds)") { $0.setRounds = rounds } }
  _ = TimedWork.stepsPerNanosecond
  for each in cases {
    var found = ways.map { _ in [[Double]]() }
    for round in 0..<rounds {
      for turn in ways.indices {
        let index = (turn + round) % ways.count
        found[index].append(try measureSets(each, ways[index].1, milliseconds: milliseconds))
      }
    }
    print(
      "\(each.name), sections of \(fixed(each.hold / 1e3, 0)) µs: \(rounds) rounds of \(milliseconds) ms, medians; µs")
    print(column("", 14), setNames.map { column($0, 10, right: true) }.joined())
    for (way, figures) in zip(ways, found) {
      print(
        column(way.0, 14),
        setNames.indices.map { place in
          let value = median(figures.map { $0[place] })
          return column(fixed(value, value < 100 ? 1 : 0), 10, right: true)
        }.joined())
    }
  }
}
