// Work against levels in use, and against the busiest level's share; and a level that is held for long.
//
// Law: the bounds are made of the same run's parallel limit S, of rounds that alternate with the points.

import ComparisonReport
import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

func pause(_ nanoseconds: UInt64) { usleep(UInt32(nanoseconds / 1_000)) }

func levelCurves(_ setting: Setting) throws -> [Curve] {
  enum Turn {
    case limit
    case levels(Int)
    case share(Double)
  }
  let levels: [Level] = [.softNet, .softBio, .softSerial, .softClock, .vm, .sched]
  let counts = setting.points(Array(1...levels.count))
  let parts = setting.points([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1])
  let rounds = 9
  let work = 10_000.0
  _ = Work.stepsPerNanosecond
  let found = try turns(
    setting, "levels", [.limit] + counts.map(Turn.levels) + parts.map(Turn.share), rounds: rounds
  ) { turn in
    switch turn {
    case .limit: return [try Work.parallelLimit(milliseconds: setting.isQuick ? 10 : 60)]
    case .levels(let count):
      let mill = Mill(shares: levels.prefix(count).map { ($0, 1) }, work: work)
      return [try mill.run(nanoseconds: setting.nanoseconds(150))]
    case .share(let part):
      let mill = Mill(shares: [(.softNet, part), (.softBio, 1 - part)], work: work)
      return [try mill.run(nanoseconds: setting.nanoseconds(150))]
    }
  }
  var limits: [Double] = []
  var byLevels: [Point] = []
  var byShare: [Point] = []
  for point in found {
    switch point.point {
    case .limit: limits = point.figure(0)
    case .levels(let count): byLevels.append(Point(x: Double(count), rounds: point.figure(0)))
    case .share(let part): byShare.append(Point(x: part * 100, rounds: point.figure(0)))
    }
  }
  let limit = median(limits)
  func bound(_ points: [Point], _ at: (Double) -> Double) -> Series {
    Series(
      "min(S, 1 / share), S = \(fixed(limit, 2))", isBound: true,
      points: points.map { Point(x: $0.x, rounds: [min(limit, at($0.x))]) })
  }
  let note =
    "A mill on 2 CPUs: each has items of \(fixed(work / 1_000, 0)) µs for handlers that are ordered and may run anywhere, up to 64 under way."
  let shareBound = bound(byShare) { 100 / $0 }
  let verdict = zip(byShare, shareBound.points).compactMap { found, bound in
    found.median.flatMap { value in bound.median.map { value / $0 } }
  }.min()
  return [
    Curve(
      "levels-count", "Work done, against levels in use", .measured,
      x: Axis("levels, each with as much of the work"),
      y: Axis("work done, in CPUs"),
      series: [Series("ordered", points: byLevels), bound(byLevels) { $0 }], rounds: setting.rounds(rounds),
      note: note),
    Curve(
      "levels-share", "Work done, against the busiest level's share", .measured,
      x: Axis("share of the work at the busier of two levels", "%"), y: Axis("work done, in CPUs"),
      series: [Series("ordered", points: byShare), shareBound], rounds: setting.rounds(rounds), note: note,
      verdicts: verdict.map { [Verdict("the least by min(S, 1 / share)", value: $0, goal: .atLeast(0.9))] }
        ?? []),
  ]
}
