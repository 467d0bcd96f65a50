// What becomes of a system that is offered more than it can do: throughput, and the time that each level and base code get.
//
// Law: each load runs for the same time on a fresh system. Items are due by arithmetic and looked for by a device at `vm`, which
// puts them into a bounded queue, so what is too much is lost at its cheapest. An item is a sum over 1 KiB; beside it each level
// and base code has work of its own without end. Time is that of bodies, without those that interrupt them.

import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// What one load gave.
struct OverloadFigures {
  var offered: Double
  var done: Double
  /// Shares of the CPUs' time, by level; `none` is base code.
  var share: [Level: Double]
}

/// One CPU's side; only that CPU's thread touches it before the system stands still.
private final class Station: @unchecked Sendable {
  // Sendable: see above.
  let data = UnsafeMutablePointer<UInt64>.allocate(capacity: 128)
  var due: UInt64 = 0
  var taken: UInt64 = 0
  var waiting: UInt64 = 0
  var done: UInt64 = 0
  var time = [UInt64](repeating: 0, count: Level.count)
  var stolen: UInt64 = 0
  var sum: UInt64 = 0
  init() { data.initialize(repeating: 3, count: 128) }
  deinit { data.deallocate() }

  /// One item's work.
  @inline(never) func work() {
    for index in 0..<128 { sum = (sum ^ data[index]) &* 0x9e37_79b9_7f4a_7c15 }
  }

  /// Accounts for a body, without what ran on top of it.
  func timed(_ level: Level, _ body: () -> Void) {
    let (before, start) = (stolen, HostedMachine.ticks())
    body()
    let all = HostedMachine.ticks() &- start
    time[Int(level.rawValue)] &+= all &- (stolen &- before)
    stolen = before &+ all
  }
}

private let queueLimit: UInt64 = 1_024
private let batch: UInt64 = 64

/// Offers `rate` items a second to each of `cpus` CPUs for `milliseconds`.
func measureLoad(cpus: Int, rate: Double, milliseconds: Int) throws -> OverloadFigures {
  var configuration = Configuration()
  configuration.pollInterval = 5_000
  configuration.idleRounds = .max
  let system = try System(on: .hosted(cpus: cpus), configuration)
  let stations = (0..<cpus).map { _ in Station() }
  let start = HostedMachine.now() + 1_000_000
  let end = start + UInt64(milliseconds) * 1_000_000
  nonisolated(unsafe) let again = UnsafeMutablePointer<Handler<HostedMachine>?>.allocate(capacity: 1)
  again.initialize(to: nil)
  defer { again.deallocate() }
  let net = try system.establish("net", at: .softNet, as: .mpSafe) { here in
    let station = stations[here.cpu!]
    station.timed(.softNet) {
      let count = min(station.waiting, batch)
      for _ in 0..<count {
        station.work()
        here.checkpoint()
      }
      station.waiting -= count
      station.done += count
    }
    // The handler itself, once it is established.
    if station.waiting > 0 { again.pointee?.schedule() }
  }
  again.pointee = net
  nonisolated(unsafe) var handlers: [Handler<HostedMachine>] = []
  for level in [Level.softClock, .softBio, .softSerial] {
    handlers.append(
      try system.establish("\(level)", at: level, as: .mpSafe) { here in
        let station = stations[here.cpu!]
        station.timed(level) { for _ in 0..<4 { station.work() } }
        // Below the overloaded level there is always more to do.
        if level < .softNet, HostedMachine.now() < end { handlers[Int(level.rawValue) - 1].schedule() }
      })
  }
  let asked = handlers
  let device = try system.establish("device", at: .vm, as: .mpSafe) { here in
    let station = stations[here.cpu!]
    station.timed(.vm) {
      let now = HostedMachine.now()
      guard now > start, now < end else { return }
      station.due = UInt64(Double(now - start) * rate / 1e9)
      let new = min(station.due - station.taken, queueLimit - min(station.waiting, queueLimit))
      station.taken = station.due
      station.waiting += new
      if station.waiting > 0 { net.schedule() }
      for handler in asked { handler.schedule() }
    }
  }
  for cpu in 0..<cpus {
    system.setPolledSource(PolledSource { _ in device.schedule(on: cpu) }, on: cpu)
    system.submit(on: cpu) { here in
      let station = stations[cpu]
      while HostedMachine.now() < end {
        station.timed(.none) { station.work() }
        here.checkpoint()
      }
    }
  }
  usleep(UInt32(milliseconds) * 1_000 + 20_000)
  system.shutdown()
  let ticks = stations.map { Double($0.time.reduce(0, &+)) }.reduce(0, +)
  var share: [Level: Double] = [:]
  for level in Level.allCases {
    share[level] = stations.map { Double($0.time[Int(level.rawValue)]) }.reduce(0, +) / ticks
  }
  let done = stations.map { Double($0.done) }.reduce(0, +)
  return OverloadFigures(
    offered: rate * Double(cpus), done: done / (Double(milliseconds) / 1e3), share: share)
}

/// Prints what `cpus` CPUs do at shares and multiples of their capacity; whether ten times the capacity leaves at least 90 % of the
/// best throughput, and every level and base code some time.
func measureOverload(cpus: Int, rounds: Int, milliseconds: Int) throws -> Bool {
  let capacity = try measureLoad(cpus: cpus, rate: 50_000_000, milliseconds: milliseconds).done / Double(cpus)
  let loads = [0.5, 0.8, 1, 2, 5, 10]
  var figures = loads.map { _ in [OverloadFigures]() }
  for _ in 0..<rounds {
    for (index, load) in loads.enumerated() {
      figures[index].append(
        try measureLoad(cpus: cpus, rate: load * capacity, milliseconds: milliseconds))
    }
  }
  let levels: [Level] = [.none, .softClock, .softBio, .softNet, .softSerial, .vm]
  print("\(cpus) CPUs, \(rounds) rounds of \(milliseconds) ms each; medians; shares of the time of bodies")
  print(
    column("offered", 9), column("items/s", 12, right: true),
    levels.map { column($0 == .none ? "base" : "\($0)", 11, right: true) }.joined())
  for (load, rows) in zip(loads, figures) {
    let shares = levels.map { level in
      column(fixed(100 * median(rows.map { $0.share[level]! }), 1) + " %", 11, right: true)
    }
    print(
      column(fixed(load, 1) + " x", 9), column(fixed(median(rows.map(\.done)), 0), 12, right: true),
      shares.joined())
  }
  let best = figures.map { median($0.map(\.done)) }.max()!
  let last = figures.last!
  let kept = median(last.map(\.done)) / best
  let least = levels.dropLast().map { level in median(last.map { $0.share[level]! }) }.min()!
  let met = kept >= 0.9 && least > 0.005
  print(
    "at 10 x: \(fixed(100 * kept, 1)) % of the best throughput (at least 90), "
      + "the least share \(fixed(100 * least, 2)) % (at least 0.5)\(met ? "" : ": missed")")
  return met
}
