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

struct SetCase {
  var name: String
  var hold: Double
  var threads: Int
  /// CPU 1's base code raises exactly.
  var isMixed: Bool
  /// Between two schedules of a handler, in microseconds; 0 for none.
  var pause: UInt32 = 100
}

struct SetFigures {
  static let names = [
    "raises/s", "held %", "wait p50", "wait p99", "wait max", "clock n", "clock p50", "clock p99", "clock max",
    "net p50", "net p99", "failed", "fallen", "given",
  ]
  var values: [Double]
}

func measureSets(_ of: SetCase, _ configuration: Configuration, milliseconds: Int) throws -> SetFigures {
  let system = try System(on: .hosted(cpus: 2), configuration)
  nonisolated(unsafe) let over = hostedWords(8)
  nonisolated(unsafe) let done = hostedWords(8)
  let people = 2 + of.threads
  let waits = (0..<people).map { _ in Samples() }
  let ended = hostedWords(8)
  nonisolated(unsafe) let isEnded = ended
  let late = [Samples(), Samples()]
  nonisolated(unsafe) let due = hostedWords(16)
  func handler(_ name: String, _ level: Level, _ time: Double, _ index: Int) throws -> Handler<HostedMachine> {
    try system.establish(name, at: level, as: .ordered) { _ in
      let now = HostedMachine.now()
      let asked = UInt64(HostedMachine.Word.load(due + index, .acquire))
      late[index].add(now &- asked)
      TimedWork.take(time)
      _ = HostedMachine.Word.fetchAdd(done, 1, .release)
    }
  }
  let clock = try handler("clock", .softClock, 1_000, 0)
  let net = try handler("net", .softNet, of.hold, 1)
  for cpu in 0..<2 {
    let mine = waits[cpu]
    let exactly = of.isMixed && cpu == 1
    system.submit(on: cpu) { here in
      while HostedMachine.Word.load(over, .relaxed) == 0 {
        let start = HostedMachine.now()
        var inside: UInt64 = 0
        if exactly {
          here.raise(exactly: .softNet) { _ in
            inside = HostedMachine.now()
            TimedWork.take(of.hold)
          }
        } else {
          here.raise(to: .softNet) { _ in
            inside = HostedMachine.now()
            TimedWork.take(of.hold)
          }
          mine.add(inside &- start)
        }
        TimedWork.take(of.hold)
      }
      _ = HostedMachine.Word.fetchAdd(isEnded, 1, .release)
    }
  }
  let threads = (0..<of.threads).map { index in
    let mine = waits[2 + index]
    return OwnThread {
      while HostedMachine.Word.load(over, .relaxed) == 0 {
        let start = HostedMachine.now()
        var inside: UInt64 = 0
        system.raise(to: .softNet) { _ in
          inside = HostedMachine.now()
          TimedWork.take(of.hold)
        }
        mine.add(inside &- start)
        TimedWork.take(of.hold)
      }
    }
  }
  let start = HostedMachine.now()
  let end = start + UInt64(milliseconds) * 1_000_000
  var asked: UInt = 0
  if of.pause == 0 { usleep(UInt32(milliseconds) * 1_000) }
  while HostedMachine.now() < end {
    usleep(of.pause)
    let index = Int(asked & 1)
    HostedMachine.Word.store(due + index, UInt(HostedMachine.now()), .release)
    (index == 0 ? clock : net).schedule(on: Int(asked >> 1 & 1))
    asked += 1
    while HostedMachine.Word.load(done, .acquire) < asked { usleep(of.pause) }
  }
  HostedMachine.Word.store(over, 1, .relaxed)
  let time = Double(HostedMachine.now() - start)
  for thread in threads { thread.join() }
  while HostedMachine.Word.load(ended, .acquire) < 2 { usleep(100) }
  let counters = system.statistics().total(.none)
  system.shutdown()
  let all = waits.flatMap(\.values).sorted()
  let (clocks, nets) = (late[0].values.sorted(), late[1].values.sorted())
  over.deallocate()
  done.deallocate()
  ended.deallocate()
  due.deallocate()
  return SetFigures(values: [
    Double(all.count) / time * 1e9, 100 * Double(all.count) * of.hold / time, part(all, 0.5), part(all, 0.99),
    Double(all.last ?? 0) / 1e3, Double(clocks.count), part(clocks, 0.5), part(clocks, 0.99), part(clocks, 1),
    part(nets, 0.5), part(nets, 0.99), Double(counters.setFailures), Double(counters.setFallbacks),
    Double(counters.setGivenBack),
  ])
}

func compareSets(rounds: Int, milliseconds: Int, only: String?) throws {
  let cases = [
    SetCase(name: "cumulative 1", hold: 1_000, threads: 0, isMixed: false),
    SetCase(name: "cumulative 30", hold: 30_000, threads: 0, isMixed: false),
    SetCase(name: "cumulative+2 1", hold: 1_000, threads: 2, isMixed: false),
    SetCase(name: "cumulative+2 30", hold: 30_000, threads: 2, isMixed: false),
    SetCase(name: "mixed 1", hold: 1_000, threads: 0, isMixed: true),
    SetCase(name: "mixed 30", hold: 30_000, threads: 0, isMixed: true),
    SetCase(name: "mixed 100", hold: 100_000, threads: 0, isMixed: true),
  ].filter { only == nil || $0.name.hasPrefix(only!) }
  var ways: [(String, Configuration)] = []
  func way(_ name: String, _ change: (inout Configuration) -> Void) {
    var configuration = Configuration()
    change(&configuration)
    ways.append((name, configuration))
  }
  way("ordered") { _ in }
  way("highest") { $0.setRounds = 4 }
  way("highest, saved") {
    $0.setRounds = 4
    $0.setAtSaved = true
  }
  way("lowest") {
    $0.setRounds = 4
    $0.setLowest = true
  }
  way("lowest, saved") {
    $0.setRounds = 4
    $0.setLowest = true
    $0.setAtSaved = true
  }
  _ = TimedWork.stepsPerNanosecond
  for each in cases {
    var found = ways.map { _ in [SetFigures]() }
    for round in 0..<rounds {
      for turn in ways.indices {
        let index = (turn + round) % ways.count
        found[index].append(try measureSets(each, ways[index].1, milliseconds: milliseconds))
      }
    }
    print(each.name, "\(rounds) rounds of \(milliseconds) ms, medians; µs")
    print(column("", 15), SetFigures.names.map { column($0, 10, right: true) }.joined())
    for (way, figures) in zip(ways, found) {
      print(
        column(way.0, 15),
        SetFigures.names.indices.map { place in
          let value = median(figures.map { $0.values[place] })
          return column(fixed(value, value < 100 ? 1 : 0), 10, right: true)
        }.joined())
    }
  }
}
