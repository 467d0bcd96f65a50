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
    public var cpu: String
    public var os: String
    public var processors: Int
    /// The load average of the last minute when it began: what else the machine did.
    public var load: Double
    public init(cpu: String, os: String, processors: Int, load: Double) {
      self.cpu = cpu
      self.os = os
      self.processors = processors
      self.load = load
    }
  }

  /// What the ratio is to be.
  public enum Goal: Sendable, Equatable {
    case atMost(Double)
    case atLeast(Double)
  }

  /// A distribution of single values: at each point, the share of the samples that are at most so large.
  public struct Distribution: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
      public var share: Double
      public var value: Double
      public init(share: Double, value: Double) {
        self.share = share
        self.value = value
      }
    }
    /// How many values; where they are weighted by their length, the nanoseconds of all.
    public var samples: Int
    public var points: [Point]
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
    public var unit: String
    public var peerName: String
    /// The figures of the rounds; those of the peer are empty if it was not there.
    public var ours: [Double]
    public var peer: [Double]
    public var goal: Goal?
    /// What the peer gives and does not; and why it is missing, if it is.
    public var note: String
    public var isMissing: Bool
    public var oursDistribution: Distribution?
    public var peerDistribution: Distribution?

    public init(
      name: String, title: String, unit: String, peerName: String, ours: [Double], peer: [Double],
      goal: Goal?,
      note: String, isMissing: Bool = false, oursDistribution: Distribution? = nil,
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
      self.isMissing = isMissing
      self.oursDistribution = oursDistribution
      self.peerDistribution = peerDistribution
    }
  }

  public var machine: Machine
  /// UTC, as `2026-11-26`.
  public var date: String
  public var commit: String
  public var command: String
  public var rounds: Int
  public var rows: [Row]

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
    public var name: String
    public var peerName: String
    public var before: Double
    public var after: Double
    /// Whether the intervals of the two ratios have no value in common.
    public var hasMoved: Bool
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
