// Comparisons to render: one as a quiet machine gives it, from which the tests bend what they are about.

@testable import ComparisonReport

/// A distribution with the given median and p99, of `count` values spread evenly below and above.
func latencies(_ p50: UInt64, _ p99: UInt64, count: UInt64 = 2000) -> LatencyHistogram {
  var histogram = LatencyHistogram()
  for index in 0..<count {
    let position = Double(index) / Double(count)
    let value =
      position < 0.5
      ? Double(p50) * (0.4 + 1.2 * position)
      : Double(p50) + (Double(p99) - Double(p50)) * ((position - 0.5) / 0.49) * (position < 0.99 ? 1 : 1.6)
    histogram.record(UInt64(value))
  }
  return histogram
}

func series(_ p50: UInt64, _ p99: UInt64, rounds: Int = 9) -> LatencySeries {
  LatencySeries(rounds: (0..<rounds).map { latencies(p50, p99 + p99 / 50 * UInt64($0 % 3)) })
}

/// Values around `middle` that spread by one percent, the same in every run.
func rounds(_ middle: Double, count: Int = 9, spread: Double = 0.01) -> [Double] {
  (0..<count).map { middle * (1 + spread * Double(($0 * 5) % 9 - 4) / 4) }
}

extension DisciplineResult {
  static func sample(
    _ discipline: Discipline, capacity: Double, base: Double, softNet: UInt64, softSerial: UInt64,
    count: Int = 9
  ) -> DisciplineResult {
    let parkingCost: UInt64 = 38_000
    return DisciplineResult(
      discipline: discipline, execution: discipline == .threads ? .threads : .inline,
      outcome: .feasible(
        Measurements(
          framesPerSecond: rounds(capacity, count: count),
          baseOperationsPerSecond: rounds(base, count: count, spread: 0.02),
          polling: OpenLoop(
            softNet: series(softNet / 6, softNet, rounds: count),
            softSerial: series(softSerial / 5, softSerial, rounds: count), framesDue: 900_000),
          parked: OpenLoop(
            softNet: series(softNet / 6 + parkingCost, softNet + parkingCost, rounds: count),
            softSerial: series(softSerial / 5 + parkingCost, softSerial + parkingCost, rounds: count),
            framesDue: 900_000),
          topTalkersHold: series(900, 4200, rounds: count), digest: "5f3a9c0e77d1b264",
          gates: [
            GateFigures(level: .none, taken: 120_000, contended: discipline == .bigLock ? 52_300 : 0),
            GateFigures(
              level: .softNet, taken: 1_234_567, contended: 12_345, handoffs: 17, passedOver: 4,
              waitNanoseconds: 98_765_432),
          ],
          handlers: [
            HandlerFigures(
              name: "ip input", level: .softNet, wayIn: discipline == .bigLock ? .bigLock : .ordered,
              scheduled: 400_000, coalesced: 1200, run: 398_800, delegated: 5200, handedOff: 31,
              passedOver: 2, queueingNanoseconds: 700_000_000, gateWaitNanoseconds: 90_000_000,
              runNanoseconds: 4_200_000_000)
          ], timeline: timeline(discipline))))
  }
}

extension Comparison {
  /// A run of all disciplines on two quiet CPUs.
  static func sample(rounds count: Int = 9) -> Comparison { count == 9 ? whole : measured(rounds: count) }

  /// Made once: its histograms hold half a million values.
  private static let whole = measured(rounds: 9)

  private static func measured(rounds count: Int) -> Comparison {
    Comparison(
      version: "1.0.0", commandLine: ["softint", "compare", "--html", "report.html"],
      machine: MachineFigures(
        cpus: 2, os: "Linux 6.12", cpu: "AMD EPYC 7B13", parallelLimits: rounds(1.92, count: count)),
      capture: CaptureFigures(file: "bundled.pcapng", frames: 48_213, bytes: 3_207_114),
      settings: Settings(
        rounds: 9, seconds: 1, loadPercent: 60, seed: 42, idle: [.poll, .park], witness: true,
        statistics: true),
      stages: [
        Stage(name: "receive", level: .vm, share: 0.11),
        Stage(name: "parse and count", level: .softNet, share: 0.56),
        Stage(name: "age flows", level: .softClock, gate: .softNet, share: 0.08),
        Stage(name: "export records", level: .softBio, share: 0.2),
        Stage(name: "heartbeat", level: .softSerial, share: 0.01),
        Stage(name: "top talkers", level: .none, share: 0.04),
      ],
      results: [
        .sample(.oneCPU, capacity: 2.61e6, base: 41_000, softNet: 197_000, softSerial: 21_000, count: count),
        .sample(
          .bigLock, capacity: 2.47e6, base: 38_000, softNet: 322_000, softSerial: 188_000, count: count),
        .sample(.ordered, capacity: 3.86e6, base: 92_000, softNet: 29_600, softSerial: 8_400, count: count),
        DisciplineResult(
          discipline: .disjoint,
          outcome: .infeasible(
            reason: "callout \"age flows\" at softClock has guard softNet, another soft level"),
          violations: [
            ViolationReport(
              rule: "disjoint", text: "callout \"age flows\" at softClock was made with guard softNet")
          ]),
        .sample(.mpSafe, capacity: 4.62e6, base: 88_000, softNet: 33_100, softSerial: 9_000, count: count),
        .sample(.threads, capacity: 3.02e6, base: 61_000, softNet: 74_000, softSerial: 41_000, count: count),
        .sample(.mixed, capacity: 4.71e6, base: 90_000, softNet: 28_300, softSerial: 8_100, count: count),
      ],
      referenceDigest: "5f3a9c0e77d1b264", offeredFramesPerSecond: 1.566e6,
      notes: ["SCHED_FIFO is not permitted here, so threads ran without real-time priorities"])
  }

  /// The same with one discipline's figures changed.
  func changing(
    _ discipline: Discipline, _ change: (inout Measurements) -> Void
  ) -> Comparison {
    var copy = self
    for index in copy.results.indices where copy.results[index].discipline == discipline {
      guard case .feasible(var measurements) = copy.results[index].outcome else { continue }
      change(&measurements)
      copy.results[index].outcome = .feasible(measurements)
    }
    return copy
  }

  /// The same with only some of the disciplines.
  func keeping(_ disciplines: Discipline...) -> Comparison {
    var copy = self
    copy.results = copy.results.filter { disciplines.contains($0.discipline) }
    return copy
  }
}

/// Four milliseconds in which frames arrive in batches: receive, then `softNet`, then base code that raises.
/// On one CPU and under the big lock the CPUs take turns.
func timeline(_ discipline: Discipline) -> [TimelineSpan] {
  let cpus = discipline == .oneCPU ? 1 : 2
  let turns = discipline == .bigLock
  var spans: [TimelineSpan] = []
  for cpu in 0..<cpus {
    var now: UInt64 = 1_000_000 + UInt64(cpu) * 37_000
    var step: UInt64 = 0
    while now < 5_000_000 {
      func add(_ level: LevelName, _ kind: TimelineSpan.Kind, _ length: UInt64) {
        spans.append(TimelineSpan(cpu: cpu, level: level, start: now, end: now + length, kind: kind))
        now += length
      }
      step += 1
      add(.vm, .run, 4_000 + step % 3 * 1_000)
      if turns { add(.none, .wait, 60_000 + step % 4 * 9_000) }
      add(.softNet, .run, 42_000 + step % 5 * 6_000)
      if step % 4 == 0 { add(.softClock, .run, 9_000) }
      if step % 6 == 1 { add(.softSerial, .run, 1_500) }
      if step % 5 == 2 { add(.softBio, .run, 14_000) }
      if cpu == cpus - 1 && step % 7 == 3 {
        if cpus > 1 { add(.softNet, .wait, 11_000) }
        add(.softNet, .raise, 8_000)
      }
      add(.none, .run, turns ? 3_000 : 25_000)
      now += 6_000
    }
  }
  return spans
}
