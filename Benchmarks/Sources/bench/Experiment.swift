// What a row of the instrument is made of: one thing done, ours and each peer's way of doing it.
//
// Law: a session is opened once for all rounds and closed after them; a contender's figures are the same things in the same order as the
// experiment's, not a number where a contender has no such thing. Peers do equal work; what they promise less, or more, their note says.

import ComparisonReport
import Histogram

typealias Goal = BenchmarkReport.Goal

/// One figure that a round of each contender gives.
struct Figure {
  var name: String
  var title: String
  var unit = "ns"
}

/// One side.
struct Contender {
  var name: String
  /// What it gives, and what it does not.
  var note: String
  /// What the ratio of ours to it is to be, by the figure's name.
  var goals: [String: Goal] = [:]
  /// How to get it, where it is not there.
  var missing: String?
  /// A round: one value for each figure.
  var round: () throws -> [Double] = { [] }
  /// What was recorded of single values, by the figure's name.
  var recorded: () -> [String: Histogram<UInt64>] = { [:] }
  /// Begins to record anew, after the round that warms up.
  var forget: () -> Void = {}
  /// What is to stand under the table of this run; empty for nothing.
  var remark: () -> String = { "" }

  static func missing(_ name: String, _ note: String, package: String) -> Contender {
    Contender(name: name, note: note, missing: "not there when this was built; apt-get install \(package)")
  }

  /// A bound that is no program: the same in each round.
  static func bound(_ name: String, _ note: String, _ values: [Double], goals: [String: Goal]) -> Contender {
    Contender(name: name, note: note, goals: goals, round: { values })
  }
}

struct Session {
  var ours: () throws -> [Double]
  var recorded: () -> [String: Histogram<UInt64>] = { [:] }
  var forget: () -> Void = {}
  var peers: [Contender]
  /// For peers whose figures come out of our own round.
  var isOursFirst = false
  var close: () -> Void = {}
}

struct Experiment {
  var figures: [Figure]
  /// Rounds that are enough, if fewer than asked for: for what takes seconds.
  var roundLimit = Int.max
  var open: () throws -> Session

  init(_ figures: [Figure], roundLimit: Int = .max, open: @escaping () throws -> Session) {
    self.figures = figures
    self.roundLimit = roundLimit
    self.open = open
  }

  /// One figure with one name.
  init(_ name: String, _ title: String, unit: String = "ns", open: @escaping () throws -> Session) {
    self.init([Figure(name: name, title: title, unit: unit)], open: open)
  }
}

/// Up to an hour, to three digits.
func newHistogram() -> Histogram<UInt64> {
  Histogram(highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)
}

extension BenchmarkReport.Distribution {
  /// The points of a histogram of nanoseconds in the row's unit, five to each halving of what remains.
  init?(_ histogram: Histogram<UInt64>?, unit: String) {
    guard let histogram, histogram.totalCount > 0 else { return nil }
    self.init(samples: Int(histogram.totalCount), points: [])
    for point in histogram.percentiles(ticksPerHalfDistance: 5) {
      let share = Double(point.totalCountToThisValue) / Double(histogram.totalCount)
      // Below one whole sample the share is not known.
      points.append(
        .init(
          share: min(share, 1 - 1 / Double(histogram.totalCount + 1)),
          value: Double(point.value) / (unit == "µs" ? 1e3 : 1)))
    }
  }
}
