// What the benchmarks found: ours beside each peer, round by round.
//
// Invariant: a ratio is taken within a round, ours by the peer's, and its median and interval are over the rounds; a row whose peer
// was not there says so and has no ratio. Nothing is left out because it was lost.

/// The rows of a run of the benchmarks, schema `softint.benchmarks/1`.
public struct BenchmarkReport: Sendable, Equatable {
  /// The schema of its JSON.
  public static let schema = "softint.benchmarks/1"

  /// Where it was measured.
  public struct Machine: Sendable, Equatable {
    /// The processor's name.
    public var cpu: String
    /// System and release.
    public var os: String
    /// How many it may use.
    public var processors: Int
    /// The load average of the last minute when it began: what else the machine did.
    public var load: Double
    /// A machine.
    public init(cpu: String, os: String, processors: Int, load: Double) {
      self.cpu = cpu
      self.os = os
      self.processors = processors
      self.load = load
    }
  }

  /// What the ratio is to be.
  public enum Goal: Sendable, Equatable {
    /// No more than this.
    case atMost(Double)
    /// No less than this.
    case atLeast(Double)
  }

  /// A distribution of single values: at each point, the share of the samples that are at most so large.
  public struct Distribution: Sendable, Equatable {
    /// How much lies at or below a value.
    public struct Point: Sendable, Equatable {
      /// The part of the samples, 0 to 1.
      public var share: Double
      /// In the row's unit.
      public var value: Double
      /// A point.
      public init(share: Double, value: Double) {
        self.share = share
        self.value = value
      }
    }
    /// How many values; where they are weighted by their length, the nanoseconds of all.
    public var samples: Int
    /// Ascending.
    public var points: [Point]
    /// A distribution.
    public init(samples: Int, points: [Point]) {
      self.samples = samples
      self.points = points
    }
  }

  /// Ours beside one peer.
  public struct Row: Sendable, Equatable {
    /// What `Benchmarks/run NAME` asks for.
    public var name: String
    /// What is done, in words.
    public var title: String
    /// Of the figures.
    public var unit: String
    /// Whom it is measured beside.
    public var peerName: String
    /// The figures of the rounds; those of the peer are empty if it was not there.
    public var ours: [Double]
    /// Those of the peer, round by round.
    public var peer: [Double]
    /// What the ratio is to be, if anything.
    public var goal: Goal?
    /// What the peer gives and does not; and why it is missing, if it is.
    public var note: String
    /// What happened in this run that whoever reads the figures has to know; stands under the table. Empty if nothing did.
    public var remark: String
    /// The peer was not there.
    public var isMissing: Bool
    /// Of single values, where they were kept.
    public var oursDistribution: Distribution?
    /// The same of the peer.
    public var peerDistribution: Distribution?

    /// A row.
    public init(
      name: String, title: String, unit: String, peerName: String, ours: [Double], peer: [Double],
      goal: Goal?,
      note: String, remark: String = "", isMissing: Bool = false, oursDistribution: Distribution? = nil,
      peerDistribution: Distribution? = nil
    ) {
      self.name = name
      self.title = title
      self.unit = unit
      self.peerName = peerName
      self.ours = ours
      self.peer = peer
      self.goal = goal
      self.note = note
      self.remark = remark
      self.isMissing = isMissing
      self.oursDistribution = oursDistribution
      self.peerDistribution = peerDistribution
    }
  }

  /// Where it was measured.
  public var machine: Machine
  /// UTC, as `2026-11-26`.
  public var date: String
  /// What was measured, as `git describe` has it.
  public var commit: String
  /// How it was measured.
  public var command: String
  /// Those that count; the first one does not.
  public var rounds: Int
  /// Row by row, one for each peer.
  public var rows: [Row]

  /// A report.
  public init(
    machine: Machine, date: String, commit: String, command: String, rounds: Int, rows: [Row]
  ) {
    self.machine = machine
    self.date = date
    self.commit = commit
    self.command = command
    self.rounds = rounds
    self.rows = rows
  }
}

extension BenchmarkReport.Row {
  /// Ours by the peer's, of each round.
  var ratios: [Double] { zip(ours, peer).map { $1 == 0 ? .nan : $0 / $1 } }
  /// The median of the rounds' ratios; `nil` if the peer was not there.
  public var ratio: Double? {
    let ratio = Bootstrap.median(of: ratios)
    return isMissing || !ratio.isFinite ? nil : ratio
  }
  /// The 95 % bootstrap interval of ``ratio``.
  public var interval: (low: Double, high: Double)? {
    isMissing ? nil : Bootstrap.interval(ofMedianOf: ratios)
  }
  /// The median of the rounds.
  public var oursMedian: Double? { Self.finite(Bootstrap.median(of: ours)) }
  /// The same of the peer.
  public var peerMedian: Double? { isMissing ? nil : Self.finite(Bootstrap.median(of: peer)) }
  /// Whether the median of the ratios is within the goal; `nil` without a goal or a peer.
  public var met: Bool? {
    guard let ratio, let goal else { return nil }
    switch goal {
    case .atMost(let most): return ratio <= most
    case .atLeast(let least): return ratio >= least
    }
  }

  private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
}

// MARK: Two runs

extension BenchmarkReport {
  /// One row in two runs.
  public struct Change: Sendable, Equatable {
    /// See ``Row``.
    public var name: String
    /// See ``Row``.
    public var peerName: String
    /// The ratio in the older run.
    public var before: Double
    /// The ratio in this one.
    public var after: Double
    /// Whether the intervals of the two ratios have no value in common.
    public var hasMoved: Bool
    /// One line.
    public var text: String {
      "\(name) against \(peerName): ratio \(NumberText.significant(before)) → \(NumberText.significant(after))"
    }
  }

  /// The rows that both runs have, and the names of those that only one has.
  public func changes(since old: BenchmarkReport) -> (rows: [Change], onlyHere: [String], onlyThere: [String])
  {
    func key(_ row: Row) -> String { "\(row.name) against \(row.peerName)" }
    let before = Dictionary(old.rows.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
    let present = Set(rows.map(key))
    var found: [Change] = []
    var onlyHere: [String] = []
    for row in rows {
      guard let other = before[key(row)], let a = other.interval, let b = row.interval,
        let before = other.ratio, let after = row.ratio
      else {
        onlyHere.append(key(row))
        continue
      }
      found.append(
        Change(
          name: row.name, peerName: row.peerName, before: before, after: after,
          hasMoved: a.high < b.low || b.high < a.low))
    }
    return (found, onlyHere, old.rows.map(key).filter { !present.contains($0) })
  }
}
