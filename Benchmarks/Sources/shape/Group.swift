// What `Benchmarks/shape` measures: groups of curves that come out of the same runs.
//
// Law: within a round every point of a group has its turn once, in an order that turns from round to round, so what slows the machine for a
// while slows all points alike. A point is a fresh system; nothing of one point lives on into the next.

import ComparisonReport
import Gauges
import Workloads

typealias Curve = ShapeReport.Curve
typealias Series = ShapeReport.Series
typealias Point = ShapeReport.Point
typealias Axis = ShapeReport.Axis
typealias Verdict = ShapeReport.Verdict

/// How a run is made.
struct Setting {
  /// The repository's directory.
  var root: String
  /// A look of some seconds: two rounds, short turns, few points.
  var isQuick: Bool
  /// Rounds of each point, if not as many as each group has by itself.
  var roundsAsked: Int?
  var progress: (String) -> Void

  func rounds(_ count: Int) -> Int { roundsAsked ?? (isQuick ? 2 : count) }
  /// A turn's time.
  func nanoseconds(_ milliseconds: Double) -> UInt64 {
    UInt64((isQuick ? max(milliseconds / 8, 12) : milliseconds) * 1e6)
  }
  /// All points, or for a quick look the first, the last and one between.
  func points<P>(_ all: [P]) -> [P] {
    isQuick && all.count > 3 ? [all[0], all[all.count / 2], all[all.count - 1]] : all
  }

  func capture() throws -> LoadedCapture {
    try LoadedCapture(path: root + "/Sources/softint/Resources/bundled.pcapng")
  }
}

/// Curves that are measured together.
struct Group: Sendable {
  var name: String
  var title: String
  /// About how long it takes, in seconds.
  var seconds: Int
  var measure: @Sendable (Setting) throws -> [Curve]
}

/// Every group, in the order of the page.
let allGroups = [
  Group(
    name: "cpus", title: "throughput and waiting against CPUs, far past the processors", seconds: 45,
    measure: cpuCurves),
  Group(
    name: "handlers", title: "schedule and run against the number of handlers and sources", seconds: 12,
    measure: handlerCurves),
  Group(
    name: "levels", title: "work against levels in use, and against the busiest level's share", seconds: 27,
    measure: levelCurves),
  Group(name: "hold", title: "a level held for 100 ns to 1 ms", seconds: 15, measure: holdCurves),
  Group(name: "load", title: "latency and loss at 10 to 120 % load", seconds: 33, measure: loadCurves),
  Group(
    name: "simulated", title: "1 to 256 simulated CPUs, and how far the model is from this machine",
    seconds: 90, measure: simulatedCurves),
  Group(name: "lanes", title: "what lanes would give, simulated", seconds: 22, measure: laneCurves),
  Group(
    name: "idle", title: "processor time and wake-ups, idle and under light load", seconds: 40,
    measure: idleCurves),
  Group(
    name: "park", title: "time polled before a CPU sleeps, against latency and processor time", seconds: 30,
    measure: parkCurves),
]

/// What was found of one point: its figures, round by round.
struct Found<P> {
  var point: P
  /// By round, then by figure.
  var rounds: [[Double]] = []
  func figure(_ index: Int) -> [Double] { rounds.map { $0[index] } }
}

/// Gives every point its turn in each round.
func turns<P>(
  _ setting: Setting, _ what: String, _ points: [P], rounds: Int, _ body: (P) throws -> [Double]
) throws -> [Found<P>] {
  var found = points.map { Found(point: $0) }
  let rounds = setting.rounds(rounds)
  for round in 0..<rounds {
    for turn in points.indices {
      // By a step that has no factor in common with the count: neighbours are not always one after the other.
      let index = (turn + round * max(points.count / 3, 1)) % points.count
      setting.progress("\(what): round \(round + 1) of \(rounds), \(turn + 1) of \(points.count)")
      found[index].rounds.append(try body(points[index]))
    }
  }
  return found
}

extension Series {
  /// The series of one figure of points that have a place each.
  init<P>(_ name: String, _ found: [Found<P>], _ x: (P) -> Double, _ figure: Int, times factor: Double = 1) {
    self.init(
      name,
      points: found.map { point in
        Point(x: x(point.point), rounds: point.figure(figure).map { $0 * factor })
      })
  }
}
