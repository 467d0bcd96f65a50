// The latencies of one level under one discipline: a histogram for each round.
//
// Invariant: percentiles are taken within a round and reported as the median over the rounds, so that one
// disturbed round cannot decide them; the maximum and the curve are over everything.

/// The latencies of one level, round by round.
public struct LatencySeries: Sendable, Equatable {
  /// One histogram for each round, in the order of the rounds.
  public var rounds: [LatencyHistogram]

  /// A series of the given rounds; none by default.
  public init(rounds: [LatencyHistogram] = []) {
    self.rounds = rounds
  }

  /// How many latencies all rounds recorded.
  public var samples: UInt64 {
    rounds.reduce(0) { $0 &+ $1.count }
  }

  /// The median over the rounds of one percentile, in nanoseconds; `nil` if nothing was recorded.
  ///
  /// - Parameter quantile: 0.99 for p99.
  public func percentile(_ quantile: Double) -> Interval? {
    Interval(samples: rounds.compactMap { $0.percentile(quantile).map { Double($0) } })
  }

  /// The largest latency of all rounds, in nanoseconds; `nil` if nothing was recorded.
  public var max: UInt64? {
    rounds.compactMap(\.max).max()
  }

  /// All rounds in one histogram.
  public var merged: LatencyHistogram {
    rounds.reduce(into: LatencyHistogram()) { $0.merge($1) }
  }
}

/// What the open loop measured under one discipline in one idle mode: frames are due by arithmetic, and a
/// latency lasts from the due time to completion.
public struct OpenLoop: Sendable, Equatable {
  /// Latencies of frames, due time to the end of their handling at `softNet`.
  public var softNet: LatencySeries
  /// Latencies of the heartbeat probe at `softSerial`.
  public var softSerial: LatencySeries
  /// How many frames were due, in all rounds.
  public var framesDue: UInt64
  /// How many of them a full receive ring dropped.
  public var drops: UInt64

  /// What one idle mode measured; empty by default.
  public init(
    softNet: LatencySeries = LatencySeries(), softSerial: LatencySeries = LatencySeries(),
    framesDue: UInt64 = 0, drops: UInt64 = 0
  ) {
    self.softNet = softNet
    self.softSerial = softSerial
    self.framesDue = framesDue
    self.drops = drops
  }
}
