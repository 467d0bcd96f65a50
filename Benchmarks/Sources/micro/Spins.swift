// Throw-away: how long to spin. `micro spins ROUNDS MS SPIN…`; "c" is calibrated.
import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

private final class Waited: @unchecked Sendable {
  var values: [UInt64] = []
  init() { values.reserveCapacity(1 << 20) }
}

private func processorTime() -> Double {
  var usage = rusage()
  getrusage(0, &usage)
  func seconds(_ t: timeval) -> Double { Double(t.tv_sec) + Double(t.tv_usec) / 1e6 }
  return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// One hand-off by park and unpark, and one round of pausing, in nanoseconds.
func calibrate() throws -> (handOff: Double, round: Double) {
  var configuration = Configuration()
  configuration.idleRounds = 0
  let system = try System(on: .hosted(cpus: 2), configuration)
  nonisolated(unsafe) let word = hostedWords(8)
  nonisolated(unsafe) var handlers: [Handler<HostedMachine>] = []
  // From one CPU to the other and back, each asleep meanwhile.
  for cpu in 0..<2 {
    handlers.append(
      try system.establish("\(cpu)", at: .softNet, as: .mpSafe) { _ in
        let count = HostedMachine.Word.fetchAdd(word, 1, .acquireRelease)
        if count < 2_000 { handlers[1 - cpu].schedule(on: 1 - cpu) }
      })
  }
  let start = HostedMachine.now()
  handlers[0].schedule(on: 0)
  while HostedMachine.Word.load(word, .acquire) < 2_000 { usleep(500) }
  let handOff = Double(HostedMachine.now() - start) / 2_000
  usleep(1_000)
  system.shutdown()
  word.deallocate()
  var rounds: [Double] = []
  for _ in 0..<50 {
    let start = HostedMachine.now()
    for round in 0..<256 { HostedMachine.pause(round) }
    rounds.append(Double(HostedMachine.now() - start) / 256)
  }
  return (handOff, median(rounds))
}

/// Two CPUs' MP-safe handlers at softClock that enter softNet for `hold`, as long outside; and (`busy`) so many threads that want the processors.
private func contend(_ spin: Int, hold: Double, busy: Int, milliseconds: Int) throws -> [Double] {
  var configuration = Configuration()
  configuration.spinRounds = spin
  let system = try System(on: .hosted(cpus: 2), configuration)
  nonisolated(unsafe) let over = hostedWords(8)
  let waited = [Waited(), Waited()]
  nonisolated(unsafe) var again: Handler<HostedMachine>?
  let made = try system.establish("h", at: .softClock, as: .mpSafe) { here in
    let mine = waited[here.cpu!]
    let start = HostedMachine.now()
    var inside: UInt64 = 0
    here.raise(exactly: .softNet) { _ in
      inside = HostedMachine.now()
      Work.take(hold)
    }
    if mine.values.count < 1 << 20 { mine.values.append(inside &- start) }
    Work.take(hold)
    if HostedMachine.Word.load(over, .relaxed) == 0 { again?.schedule() }
  }
  again = made
  nonisolated(unsafe) let counts = hostedWords(8 * 8)
  let threads = (0..<busy).map { index in
    OwnThread {
      while HostedMachine.Word.load(over, .relaxed) == 0 {
        Work.take(1_000)
        _ = HostedMachine.Word.fetchAdd(counts + 8 * index, 1, .relaxed)
      }
    }
  }
  for cpu in 0..<2 { made.schedule(on: cpu) }
  let (start, used) = (HostedMachine.now(), processorTime())
  usleep(UInt32(milliseconds) * 1_000)
  let time = Double(HostedMachine.now() - start)
  HostedMachine.Word.store(over, 1, .relaxed)
  let processor = processorTime() - used
  for thread in threads { thread.join() }
  system.shutdown()
  let all = waited.flatMap(\.values).sorted()
  let beside = (0..<busy).map { Double(HostedMachine.Word.load(counts + 8 * $0, .relaxed)) }.reduce(0, +)
  over.deallocate()
  counts.deallocate()
  func part(_ fraction: Double) -> Double {
    all.isEmpty ? .nan : Double(all[min(all.count - 1, Int(fraction * Double(all.count)))]) / 1e3
  }
  return [
    100 * Double(all.count) * hold / time, part(0.5), part(0.99), part(1), 100 * processor / time * 1e9,
    100 * beside * 1_000 / time,
  ]
}

func compareSpins(rounds: Int, milliseconds: Int, _ spins: [String]) throws {
  var costs: [(Double, Double)] = []
  for _ in 0..<5 { costs.append(try calibrate()) }
  let (handOff, round) = (median(costs.map(\.0)), median(costs.map(\.1)))
  print(
    "hand-off \(costs.map { fixed($0.0 / 1e3, 1) }) µs, a round \(costs.map { fixed($0.1, 1) }) ns: \(fixed(handOff / round, 0)) rounds"
  )
  if spins.isEmpty { return }
  let ways = spins.map { ($0, Int($0) ?? Int(handOff / round)) }
  for (hold, busy) in [(1_000.0, 0), (10_000, 0), (30_000, 0), (1_000, 2), (10_000, 2), (30_000, 2)] {
    var found = ways.map { _ in [[Double]]() }
    for round in 0..<rounds {
      for turn in ways.indices {
        let index = (turn + round) % ways.count
        found[index].append(try contend(ways[index].1, hold: hold, busy: busy, milliseconds: milliseconds))
      }
    }
    print("handlers, sections of \(fixed(hold / 1e3, 0)) µs, \(busy) busy threads")
    print(
      column("", 8),
      ["held %", "p50", "p99", "max", "CPU %", "beside %"].map { column($0, 10, right: true) }.joined())
    for (way, figures) in zip(ways, found) {
      print(
        column(way.0, 8),
        (0..<6).map { place in column(fixed(median(figures.map { $0[place] }), 1), 10, right: true) }.joined()
      )
    }
  }
}
