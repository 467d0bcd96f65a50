// A median with its interval: the one form in which a figure over several rounds is reported.
//
// Invariant: low <= median <= high, and all three are finite, so no renderer ever meets a NaN.

/// The median of one figure over the rounds of a comparison, and the interval in which it lies.
///
/// The interval is free of assumptions about the distribution: its ends are order statistics. They are
/// the narrowest symmetric pair that covers the true median with at least 95 % probability, which takes
/// six rounds (nine give the second smallest and the second largest, 96.1 %). With fewer rounds the
/// ends are the smallest and the largest value seen.
public struct Interval: Sendable, Equatable {
  /// The median; the mean of the middle two values if their number is even.
  public let median: Double
  /// The lower end.
  public let low: Double
  /// The upper end.
  public let high: Double

  /// The median and interval of `samples`, in any order.
  ///
  /// Values that are not finite are left out. The result is `nil` if none is left.
  ///
  /// - Complexity: O(*n* log *n*) in the number of samples.
  public init?(samples: [Double]) {
    let sorted = samples.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let count = sorted.count
    let upperMiddle = sorted[count / 2]
    let lowerMiddle = sorted[(count - 1) / 2]
    median = lowerMiddle + (upperMiddle - lowerMiddle) / 2
    if let rank = Interval.rank(rounds: count) {
      low = sorted[rank]
      high = sorted[count - 1 - rank]
    } else {
      low = first
      high = last
    }
  }

  /// A figure that was measured once, or is known exactly; `nil` if it is not finite.
  public init?(exactly value: Double) {
    self.init(samples: [value])
  }

  /// Whether `value` lies in the interval, its ends included.
  public func contains(_ value: Double) -> Bool {
    low <= value && value <= high
  }

  /// The largest `r` for which the order statistics `r` and `rounds - 1 - r` (from zero) cover the median
  /// with at least 95 %, or `nil` if not even the extremes do.
  ///
  /// The median lies below the order statistic `r` with the probability that at most `r` of `rounds` fair
  /// coins show heads.
  static func rank(rounds: Int) -> Int? {
    guard rounds > 0 else { return nil }
    // 2^-rounds must not vanish; for that many rounds the normal approximation, one rank outwards, is safe.
    if rounds > 1000 { return rounds / 2 - Int(0.98 * Double(rounds).squareRoot()) - 2 }
    var term = 1.0
    for _ in 0..<rounds { term /= 2 }
    var tail = 0.0
    var found: Int?
    for rank in 0..<((rounds + 1) / 2) {
      tail += term
      guard tail <= 0.025 else { break }
      found = rank
      term *= Double(rounds - rank) / Double(rank + 1)
    }
    return found
  }
}
