// An axis of a plot: where a value stands, and where the marks are.
//
// Invariant: positions are from 0 to 1 and keep the order of values; marks are within the axis, ascending, and labelled by their values.

/// A linear or logarithmic axis that encloses some values.
struct PlotScale {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  /// A logarithmic axis has no zero: one stands at its beginning, apart.
  let hasZero: Bool

  /// The axis for `values`; `nil` if none is finite. A linear one begins at zero if it is to.
  init?(_ values: [Double], isLogarithmic: Bool, fromZero: Bool = true) {
    let finite = values.filter(\.isFinite)
    guard let least = finite.min(), let most = finite.max() else { return nil }
    self.isLogarithmic = isLogarithmic
    if isLogarithmic {
      hasZero = least <= 0
      let positive = finite.filter { $0 > 0 }
      let first = positive.min() ?? 1
      let last = max(positive.max() ?? 10, first * 1.0001)
      // A little room on both sides, and for the zero half a decade.
      low = LogScale.log10(first) - (hasZero ? 0.6 : 0.03)
      high = LogScale.log10(last) + 0.03
    } else {
      hasZero = false
      let first = fromZero ? min(least, 0) : least - (most - least) * 0.03
      low = first
      high = most > first ? first + (most - first) * 1.05 : first + 1
    }
  }

  /// Where a value stands, from 0 to 1.
  func position(_ value: Double) -> Double {
    if isLogarithmic && value <= 0 { return 0 }
    let place = isLogarithmic ? LogScale.log10(value) : value
    return Swift.min(Swift.max((place - low) / (high - low), 0), 1)
  }

  /// Round values within the axis: on a linear one some six, on a logarithmic one each tenfold, and 2 and 5 of it where there is room.
  var marks: [Double] {
    var marks: [Double] = []
    if isLogarithmic {
      if hasZero { marks.append(0) }
      let parts: [Double] = high - low > 3.2 ? [1] : high - low > 1.7 ? [1, 3] : [1, 2, 5]
      for decade in Int(low.floored)...Int(high.floored) {
        for part in parts {
          let value = part * Self.power(decade)
          let place = LogScale.log10(value)
          if place >= (hasZero ? low + 0.3 : low) - 1e-9 && place <= high + 1e-9 { marks.append(value) }
        }
      }
      return marks
    }
    let span = high - low
    let decade = Self.power(Int(LogScale.log10(span / 6).floored))
    let step = [1, 2, 5, 10].map { $0 * decade }.first { span / $0 <= 7 } ?? 10 * decade
    var value = -(-low / step).floored * step
    while value <= high + step * 1e-9 {
      // Not by adding up: the tenth of ten steps is to be a whole number.
      marks.append((value / step).nearestWhole * step)
      value += step
    }
    return marks
  }

  private static func power(_ exponent: Int) -> Double {
    var value = 1.0
    for _ in 0..<exponent.magnitude { value = exponent < 0 ? value / 10 : value * 10 }
    return value
  }
}

extension NumberText {
  /// The label of a mark on an axis: short, with a letter for thousands and millions.
  static func mark(_ value: Double) -> String {
    guard value.isFinite else { return missing }
    let size = value.magnitude
    for (unit, letter) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] where size >= unit * 0.9999 {
      return plain((value / (letter == "k" ? 1e3 : unit)).rounded(decimals: 1)) + letter
    }
    return size >= 0.001 || size == 0 ? plain(value) : significant(value)
  }
}
