// Latencies in logarithmic buckets, in the manner of HdrHistogram: fixed memory, constant-time recording.
//
// Invariant: `count` is the sum of all buckets; every value lies in the one bucket whose bounds enclose it,
// and a bucket is at most 1/64 of its lower bound wide. Values from 2^42 ns (73 minutes) share the last one.

/// A distribution of latencies in nanoseconds, exact below 128 ns and within 1/64 (1.6 %) above.
///
/// There are 64 buckets for each power of two: 2,368 counters in all, 19 KB. They are allocated when the
/// histogram is made; recording touches one of them and allocates nothing, provided that no copy shares
/// the storage (a shared one is copied first, as an array is). Not for concurrent use: give each CPU its own
/// and ``merge(_:)`` them afterwards.
public struct LatencyHistogram: Sendable, Equatable {
  /// Values at or above this number of nanoseconds are counted in the last bucket; ``max`` stays exact.
  @inlinable public static var trackedLimit: UInt64 { 1 << 42 }

  @inlinable static var subBuckets: Int { 64 }
  @inlinable static var bucketCount: Int { 2368 }  // 35 shifts × 64 + 128

  @usableFromInline var counts: [UInt64]
  @usableFromInline var total: UInt64 = 0
  @usableFromInline var smallest: UInt64 = .max
  @usableFromInline var largest: UInt64 = 0

  /// How many values were recorded.
  public var count: UInt64 { total }
  /// The smallest value recorded, in nanoseconds; `nil` if there is none. Exact.
  public var min: UInt64? { count == 0 ? nil : smallest }
  /// The largest value recorded, in nanoseconds; `nil` if there is none. Exact.
  public var max: UInt64? { count == 0 ? nil : largest }

  /// An empty histogram. Allocates its storage, once.
  public init() {
    counts = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
  }

  /// Counts one latency of `nanoseconds`.
  ///
  /// - Complexity: O(1); no allocation while the storage is not shared with a copy.
  @inlinable
  public mutating func record(_ nanoseconds: UInt64) {
    counts[LatencyHistogram.index(of: nanoseconds)] &+= 1
    total &+= 1
    if nanoseconds < smallest { smallest = nanoseconds }
    if nanoseconds > largest { largest = nanoseconds }
  }

  /// Adds everything that `other` has recorded.
  ///
  /// - Complexity: O(number of buckets).
  public mutating func merge(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    for index in other.occupied { counts[index] &+= other.counts[index] }
    total &+= other.total
    smallest = Swift.min(smallest, other.smallest)
    largest = Swift.max(largest, other.largest)
  }

  /// The value that the fraction `quantile` of all values does not exceed, by nearest rank, in nanoseconds.
  ///
  /// Never below the exact value, and at most 1/64 of it above (0 for values below 128 ns); exact for a
  /// quantile of 1. `nil` if nothing was recorded.
  ///
  /// - Parameter quantile: 0.99 for p99; taken as 0 or 1 if it lies outside of that range.
  /// - Complexity: O(number of buckets).
  public func percentile(_ quantile: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let fraction = quantile.isNaN ? 1 : Swift.min(Swift.max(quantile, 0), 1)
    let exactRank = fraction * Double(count)
    // A count near 2^64 may round past the range of UInt64; then every rank asked for is the last.
    let whole = exactRank < 0x1p64 ? UInt64(exactRank) : count
    let rank = Swift.min(count, Swift.max(1, Double(whole) < exactRank ? whole + 1 : whole))
    if rank == count { return largest }
    var seen: UInt64 = 0
    for index in occupied {
      seen &+= counts[index]
      if seen >= rank { return Swift.min(LatencyHistogram.upperBound(of: index), largest) }
    }
    return largest
  }

  /// The occupied buckets from the fastest to the slowest: the largest value that each may stand for, in
  /// nanoseconds, and how many values were recorded up to and including it.
  ///
  /// - Complexity: O(number of buckets).
  public var cumulative: [(nanoseconds: UInt64, count: UInt64)] {
    var points: [(nanoseconds: UInt64, count: UInt64)] = []
    var seen: UInt64 = 0
    for index in occupied where counts[index] > 0 {
      seen &+= counts[index]
      points.append((Swift.min(LatencyHistogram.upperBound(of: index), largest), seen))
    }
    return points
  }

  /// The buckets from that of the smallest value to that of the largest: the only ones that can be occupied.
  private var occupied: Range<Int> {
    total == 0
      ? 0..<0 : LatencyHistogram.index(of: smallest)..<(LatencyHistogram.index(of: largest) + 1)
  }

  /// The bucket of a value: its seven leading bits, after as many shifts as that takes.
  @inlinable
  static func index(of nanoseconds: UInt64) -> Int {
    guard nanoseconds < trackedLimit else { return bucketCount - 1 }
    let shift = Swift.max(0, 57 - nanoseconds.leadingZeroBitCount)
    return shift * subBuckets + Int(nanoseconds >> UInt64(shift))
  }

  /// The largest value that the bucket at `index` stands for. The last bucket has no bound.
  static func upperBound(of index: Int) -> UInt64 {
    guard index < bucketCount - 1 else { return .max }
    guard index >= 2 * subBuckets else { return UInt64(index) }
    let shift = index / subBuckets - 1
    return (UInt64(index - shift * subBuckets + 1) << UInt64(shift)) - 1
  }
}
