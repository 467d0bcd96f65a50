// The bootstrap interval of a median: what is drawn again from the rounds there are, many times.
//
// Invariant: the same samples give the same interval, since the draws are a fixed sequence; its ends are values between the least and
// the largest sample.

/// Intervals by resampling (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13: the percentile interval).
enum Bootstrap {
  /// How often is drawn.
  static let draws = 2_000

  /// The 95 % percentile interval of the median of `samples`; `nil` without a finite one.
  ///
  /// With few samples it is too narrow: for n rounds it covers at most what n different values can. The rounds are therefore at
  /// least seven wherever an interval is printed by default.
  static func interval(ofMedianOf samples: [Double]) -> (low: Double, high: Double)? {
    let samples = samples.filter(\.isFinite)
    guard let first = samples.first else { return nil }
    if samples.count == 1 { return (first, first) }
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    var medians: [Double] = []
    medians.reserveCapacity(draws)
    var drawn = samples
    for _ in 0..<draws {
      for index in drawn.indices {
        // SplitMix64 (Steele, Lea and Flood 2014).
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        drawn[index] = samples[Int(z % UInt64(samples.count))]
      }
      medians.append(median(of: drawn))
    }
    medians.sort()
    return (medians[draws * 25 / 1_000], medians[draws - 1 - draws * 25 / 1_000])
  }

  /// The middle value, or the mean of the two middle ones; not a number for none.
  static func median(of samples: [Double]) -> Double {
    let sorted = samples.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The value below which the part lies, by linear interpolation.
  static func quantile(of samples: [Double], _ part: Double) -> Double {
    let sorted = samples.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return .nan }
    let place = part * Double(sorted.count - 1)
    let below = Int(place.floored)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}
