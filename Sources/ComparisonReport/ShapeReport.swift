// What the shape of the system was found to be: curves, each point with the figures of its rounds.
//
// Invariant: a curve says whether it was measured or simulated; a point's figure is the median of its rounds, with their interval. A
// verdict is made of the curve's own points, and is there whether the goal was met or not.

/// The curves of a run of `Benchmarks/shape`, schema `softint.shape/1`.
public struct ShapeReport: Sendable, Equatable {
  /// The schema of its JSON.
  public static let schema = "softint.shape/1"

  /// Where a curve comes from.
  public enum Origin: String, Sendable, CaseIterable {
    /// From this machine.
    case measured
    /// From simulated CPUs, by a file of measured costs.
    case simulated
    /// Both, to be held against each other.
    case both
  }

  /// One axis.
  public struct Axis: Sendable, Equatable {
    /// What it shows.
    public var label: String
    /// In what; empty for a plain number.
    public var unit: String
    /// Whether it is drawn by its logarithm.
    public var isLogarithmic: Bool
    /// An axis.
    public init(_ label: String, _ unit: String = "", isLogarithmic: Bool = false) {
      self.label = label
      self.unit = unit
      self.isLogarithmic = isLogarithmic
    }
  }

  /// One point of a series.
  public struct Point: Sendable, Equatable {
    /// Where it stands.
    public var x: Double
    /// The figure of each round; one for what is the same in every round.
    public var rounds: [Double]
    /// A point.
    public init(x: Double, rounds: [Double]) {
      self.x = x
      self.rounds = rounds
    }
    /// The median of the rounds; `nil` without a finite one.
    public var median: Double? {
      let median = Bootstrap.median(of: rounds)
      return median.isFinite ? median : nil
    }
    /// The 95 % bootstrap interval of ``median``.
    public var interval: (low: Double, high: Double)? { Bootstrap.interval(ofMedianOf: rounds) }
  }

  /// One line of a plot.
  public struct Series: Sendable, Equatable {
    /// As the legend has it.
    public var name: String
    /// Whether it is no finding but what the others are held against.
    public var isBound: Bool
    /// Ascending.
    public var points: [Point]
    /// A series.
    public init(_ name: String, isBound: Bool = false, points: [Point] = []) {
      self.name = name
      self.isBound = isBound
      self.points = points
    }
  }

  /// A goal, and what was found.
  public struct Verdict: Sendable, Equatable {
    /// What is asked, in words.
    public var text: String
    /// What was found.
    public var value: Double
    /// What it is to be.
    public var goal: BenchmarkReport.Goal
    /// A verdict.
    public init(_ text: String, value: Double, goal: BenchmarkReport.Goal) {
      self.text = text
      self.value = value
      self.goal = goal
    }
    /// Whether it is so.
    public var met: Bool {
      switch goal {
      case .atMost(let most): value <= most
      case .atLeast(let least): value >= least
      }
    }
  }

  /// One plot.
  public struct Curve: Sendable, Equatable {
    /// What a page's marks and the picture's file are called.
    public var name: String
    /// What it shows, in words.
    public var title: String
    /// Where it comes from.
    public var origin: Origin
    /// Along.
    public var x: Axis
    /// Up.
    public var y: Axis
    /// The lines.
    public var series: [Series]
    /// How many rounds each point has.
    public var rounds: Int
    /// How it was made, and what limits it.
    public var note: String
    /// The goals.
    public var verdicts: [Verdict]
    /// A curve.
    public init(
      _ name: String, _ title: String, _ origin: Origin, x: Axis, y: Axis, series: [Series], rounds: Int,
      note: String, verdicts: [Verdict] = []
    ) {
      self.name = name
      self.title = title
      self.origin = origin
      self.x = x
      self.y = y
      self.series = series
      self.rounds = rounds
      self.note = note
      self.verdicts = verdicts
    }

    /// Every place along that any series has, ascending.
    var places: [Double] { Set(series.flatMap { $0.points.map(\.x) }).sorted() }
  }

  /// Where it was measured.
  public var machine: BenchmarkReport.Machine
  /// UTC, as `2026-11-26`.
  public var date: String
  /// What was measured, as `git describe` has it.
  public var commit: String
  /// How it was measured.
  public var command: String
  /// Whether it was a quick look only, with too few points and rounds to be printed.
  public var isQuick: Bool
  /// In the order of the page.
  public var curves: [Curve]

  /// A report.
  public init(
    machine: BenchmarkReport.Machine, date: String, commit: String, command: String, isQuick: Bool,
    curves: [Curve]
  ) {
    self.machine = machine
    self.date = date
    self.commit = commit
    self.command = command
    self.isQuick = isQuick
    self.curves = curves
  }

  /// How many goals there are, and how many are met.
  public var score: (met: Int, goals: Int) {
    let verdicts = curves.flatMap(\.verdicts)
    return (verdicts.filter(\.met).count, verdicts.count)
  }
}

extension ShapeReport.Series {
  /// The median at a place; `nil` where there is none.
  public func median(at x: Double) -> Double? { points.first { $0.x == x }?.median }
  /// The greatest median.
  public var peak: Double? { points.compactMap(\.median).max() }
}
