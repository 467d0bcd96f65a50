// The histogram against an exact sort, and the interval against what order statistics promise.

import Testing

@testable import ComparisonReport

@Suite("The latency histogram")
struct HistogramTests {
  /// A repeatable generator (SplitMix64), so that a failure can be seen again.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let quantiles = [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1]

  @Test(
    "is never below the exact percentile and at most 1/64 above it", arguments: [UInt64(1), 2, 3, 4, 5, 6])
  func percentiles(seed: UInt64) throws {
    var generator = Generator(state: seed)
    var histogram = LatencyHistogram()
    var values: [UInt64] = []
    // A prime number of values, so that hardly any rank is a whole number.
    for _ in 0..<19_997 {
      // Spread over all powers of two up to the tracked limit, as latencies with outliers are.
      let value = generator.next() >> UInt64.random(in: 22...63, using: &generator)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    for quantile in HistogramTests.quantiles {
      let rank = max(1, Int((quantile * Double(values.count)).rounded(.up)))
      let exact = values[rank - 1]
      let reported = try #require(histogram.percentile(quantile))
      #expect(reported >= exact)
      #expect(reported <= exact + exact / 64, "p\(quantile): \(reported) for \(exact)")
    }
    #expect(histogram.min == values.first)
    #expect(histogram.max == values.last)
  }

  @Test("is exact below 128 ns")
  func exactBelow128() {
    for value in UInt64(0)..<128 {
      var histogram = LatencyHistogram()
      histogram.record(value)
      histogram.record(1 << 30)
      #expect(histogram.percentile(0.5) == value)
    }
  }

  @Test("puts every value into a bucket that holds it, the buckets following each other without a gap")
  func buckets() {
    var expected: UInt64 = 0
    for index in 0..<(LatencyHistogram.bucketCount - 1) {
      let upper = LatencyHistogram.upperBound(of: index)
      #expect(LatencyHistogram.index(of: expected) == index)
      #expect(LatencyHistogram.index(of: upper) == index)
      expected = upper + 1
    }
    #expect(LatencyHistogram.index(of: expected) == LatencyHistogram.bucketCount - 1)
    #expect(LatencyHistogram.index(of: LatencyHistogram.trackedLimit - 1) == LatencyHistogram.bucketCount - 1)
    #expect(LatencyHistogram.index(of: .max) == LatencyHistogram.bucketCount - 1)
  }

  @Test("merges to what one histogram would have recorded")
  func merging() {
    var generator = Generator(state: 7)
    var parts = [LatencyHistogram](repeating: LatencyHistogram(), count: 3)
    var whole = LatencyHistogram()
    for index in 0..<3000 {
      let value = generator.next() >> 40
      parts[index % 3].record(value)
      whole.record(value)
    }
    #expect(LatencySeries(rounds: parts + [LatencyHistogram()]).merged == whole)
    #expect(whole.cumulative.last?.count == 3000)
  }

  @Test("answers nothing when nothing was recorded, and clamps nonsense quantiles")
  func empty() {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(0.5) == nil)
    #expect(histogram.min == nil && histogram.max == nil && histogram.cumulative.isEmpty)
    histogram.record(5)
    for quantile in [-1, 0, 2, .nan, .infinity] { #expect(histogram.percentile(quantile) == 5) }
  }
}

@Suite("A median and its interval")
struct IntervalTests {
  @Test("are the order statistics that cover the median with 95 %")
  func ranks() {
    // Tables of the sign test: rank from zero, by number of rounds.
    for (count, rank) in [
      (1, nil), (5, nil), (6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3), (25, 7), (100, 39),
    ] {
      #expect(Interval.rank(rounds: count) == rank, "\(count) rounds")
    }
    #expect(Interval.rank(rounds: 0) == nil)
    // By the binomial sum it is 955: the approximation for so many must not be narrower.
    #expect(Interval.rank(rounds: 2000) == 955)
  }

  @Test("come from unsorted values, without those that are no number")
  func values() throws {
    let nine = try #require(Interval(samples: [9, 1, 8, 2, 7, 3, .nan, 6, 4, 5, .infinity]))
    #expect((nine.median, nine.low, nine.high) == (5, 2, 8))
    let four = try #require(Interval(samples: [4, 1, 3, 2]))
    #expect((four.median, four.low, four.high) == (2.5, 1, 4))
    #expect(Interval(samples: []) == nil)
    #expect(Interval(samples: [.nan]) == nil)
    #expect(Interval(exactly: 3)?.contains(3) == true)
  }

  @Test("of a ratio pair the values of one round")
  func pairing() throws {
    let comparison = Comparison.sample()
      .changing(.bigLock) { $0.framesPerSecond = [1, 10, 100, 0] }
      .changing(.ordered) { $0.framesPerSecond = [2, 20, 200, 7, 9] }
    let ratio = try #require(comparison.capacityRatio(.ordered, to: .bigLock))
    #expect((ratio.low, ratio.median, ratio.high) == (2, 2, 2))
    #expect(comparison.capacityRatio(.ordered, to: .disjoint) == nil)
  }

  @Test("decide whether a machine is too noisy: S below 0.8 for each CPU")
  func noise() {
    func machine(_ cpus: Int, _ limits: [Double]) -> MachineFigures {
      MachineFigures(cpus: cpus, os: "", cpu: "", parallelLimits: limits)
    }
    #expect(machine(2, [1.59]).tooNoisy)
    #expect(!machine(2, [1.6]).tooNoisy)
    #expect(machine(4, [3.1]).tooNoisy)
    #expect(!machine(1, [0.5]).tooNoisy)
    #expect(!machine(2, []).tooNoisy)
  }
}
