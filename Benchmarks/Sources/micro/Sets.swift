// Cumulative raises to softNet that find gates busy: how many, how long they wait, and how late the ordered handlers beside them are.
//
// Law: a case runs each time on a new system. A section takes as long as the work outside of it, a handler at softNet too, one at
// softClock 1 µs. Those are scheduled by a thread that sleeps in between, on each CPU in turn, each only once it has run; their lateness
// counts from there.

import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

private final class Samples: @unchecked Sendable {
  // Sendable: one thread's, read once all stand still.
  var values: [UInt64] = []
  init() { values.reserveCapacity(1 << 20) }
  func add(_ value: UInt64) { if values.count < 1 << 20 { values.append(value) } }
}

/// The value that a part of them does not exceed, in microseconds.
private func part(_ all: [UInt64], _ fraction: Double) -> Double {
  if all.isEmpty { return .nan }
  return Double(all[min(all.count - 1, Int(fraction * Double(all.count)))]) / 1e3
}

/// Who raises and how: cumulatively, or exactly to one level.
private enum SetRaise {
  case through
  case exactly(Level)
}

private struct SetCase {
  var name: String
  /// Of a section, and of the work outside, in nanoseconds.
  var hold: Double
  var cpus: [SetRaise]
  var threads: [SetRaise] = []
}

private let setNames = [
  "raises/s", "exact/s", "wait p50", "wait p99", "wait max", "clock n", "clock p50", "clock p99", "clock max",
  "net n", "net p50", "net p99", "net max",
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
      Work.take(hold)
    }
    switch raise {
    case .through: through(section)
    case .exactly(let level): exactly(level, section)
    }
    waits.add(inside &- start)
    Work.take(hold)
  }
}

private func measure(_ of: SetCase, milliseconds: Int) throws -> [Double] {
  let system = try System(on: .hosted(cpus: 2))
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
      Work.take(time)
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
  system.shutdown()
  func isThrough(_ index: Int) -> Bool { if case .through = raisers[index] { true } else { false } }
  let all = raisers.indices.filter(isThrough).flatMap { waits[$0].values }.sorted()
  let exact = raisers.indices.filter { !isThrough($0) }.map { waits[$0].values.count }.reduce(0, +)
  let (clocks, nets) = (
    (late[0].values + late[2].values).sorted(), (late[1].values + late[3].values).sorted()
  )
  for word in [over, ended, due] { word.deallocate() }
  return [
    Double(all.count) / time * 1e9, Double(exact) / time * 1e9, part(all, 0.5), part(all, 0.99), part(all, 1),
    Double(clocks.count), part(clocks, 0.5), part(clocks, 0.99), part(clocks, 1),
    Double(nets.count), part(nets, 0.5), part(nets, 0.99), part(nets, 1),
  ]
}

/// Prints the medians of `rounds` rounds of each case.
func measureSets(rounds: Int, milliseconds: Int) throws {
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
  }
  _ = Work.stepsPerNanosecond
  print("\(rounds) rounds of \(milliseconds) ms, medians; times in µs")
  print(column("", 14), setNames.map { column($0, 10, right: true) }.joined())
  for each in cases {
    let figures = try (0..<rounds).map { _ in try measure(each, milliseconds: milliseconds) }
    print(
      column("\(each.name) \(fixed(each.hold / 1e3, 0))", 14),
      setNames.indices.map { place in
        let value = median(figures.map { $0[place] })
        return column(fixed(value, value < 100 ? 1 : 0), 10, right: true)
      }.joined())
  }
}
