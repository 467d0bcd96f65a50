// Numbers as people read them: a fixed number of decimals, three significant digits with a unit letter.
//
// Invariant: no locale, no Foundation; every text is bounded in width whatever the number is, so that a table
// keeps its columns. What is not finite is shown as a dash, like what was not measured.

package enum NumberText {
  /// What stands for a figure that there is not.
  static let missing = "–"

  /// With exactly `decimals` decimals. Wide for large numbers: for those that are known to be small.
  static func fixed(_ number: Double, _ decimals: Int) -> String {
    guard number.isFinite else { return missing }
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (number * factor).nearestWhole
    guard scaled.magnitude < 0x1p62 else { return number.description }
    let whole = Int64(scaled)
    let digits = String(whole.magnitude)
    let sign = whole < 0 ? "-" : ""
    if decimals == 0 { return sign + digits }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// Three significant digits and a unit letter: `1.23M`. At most five columns for what is not negative.
  static func compact(_ number: Double) -> String {
    guard number.isFinite else { return missing }
    var scaled = number
    for unit in ["", "k", "M", "G", "T"] {
      if scaled < 9.995 { return fixed(scaled, number == 0 ? 0 : 2) + unit }
      if scaled < 99.95 { return fixed(scaled, 1) + unit }
      if scaled < 999.5 { return fixed(scaled, 0) + unit }
      scaled /= 1000
    }
    var exponent = 15
    while scaled >= 10 {
      scaled /= 10
      exponent += 1
    }
    return (scaled >= 9.5 ? "1" : fixed(scaled, 0)) + "e\(scaled >= 9.5 ? exponent + 1 : exponent)"
  }

  /// As short as three decimals allow: `60`, `0.25`.
  static func plain(_ number: Double) -> String {
    number.isFinite ? JSONWriter.text(of: number.rounded(decimals: 3)) : missing
  }

  /// A count, in full below ten thousand. At most five columns.
  static func count(_ number: UInt64) -> String {
    number < 10_000 ? String(number) : compact(Double(number))
  }

  /// A ratio with two decimals where they mean something. At most five columns.
  static func ratio(_ number: Double) -> String {
    number < 99.995 ? fixed(number, 2) : compact(number)
  }

  /// Nanoseconds as microseconds, from a tenth of a second on as seconds with their unit. At most six columns.
  static func microseconds(_ nanoseconds: Double) -> String {
    guard nanoseconds.isFinite else { return missing }
    let value = nanoseconds / 1000
    if value < 9.995 { return fixed(value, 2) }
    if value < 99.95 { return fixed(value, 1) }
    if value < 99_999.5 { return fixed(value, 0) }
    return compact(nanoseconds / 1e9) + "s"
  }

  /// Nanoseconds in the unit that suits them: `29.4 µs`.
  static func duration(_ nanoseconds: Double) -> String {
    guard nanoseconds.isFinite else { return missing }
    if nanoseconds < 999.5 { return fixed(nanoseconds, 0) + " ns" }
    if nanoseconds < 999_500 { return compact(nanoseconds / 1e3) + " µs" }
    if nanoseconds < 999_500_000 { return compact(nanoseconds / 1e6) + " ms" }
    return compact(nanoseconds / 1e9) + " s"
  }

  /// A number of bytes in the decimal unit that suits it: `3.20 MB`.
  static func bytes(_ bytes: UInt64) -> String {
    let text = compact(Double(bytes))
    if bytes < 1000 { return "\(bytes) B" }
    guard let unit = text.last, unit.isLetter else { return text + " B" }
    return "\(text.dropLast()) \(unit)B"
  }

  /// A share from 0 to 1 in percent: `61 %`, and with a decimal below ten.
  static func percent(_ share: Double) -> String {
    let value = share * 100
    guard value.isFinite else { return missing }
    return (value < 9.95 && value != 0 ? fixed(value, 1) : value < 1000 ? fixed(value, 0) : compact(value))
      + " %"
  }

  /// A count with its thousands apart: `1,234,567`.
  package static func grouped(_ number: UInt64) -> String {
    var groups: [String] = []
    var rest = String(number)
    while rest.count > 3 {
      groups.insert(String(rest.suffix(3)), at: 0)
      rest.removeLast(3)
    }
    return ([rest] + groups).joined(separator: ",")
  }

  /// An interval's ends, each as `format` writes it: `1.82–1.90`.
  static func range(_ interval: Interval, _ format: (Double) -> String) -> String {
    "\(format(interval.low))–\(format(interval.high))"
  }
}

extension Double {
  // The standard library's rounding calls the C math library on processors without an instruction for it, which
  // a library that imports nothing may not find when it is linked.

  /// The nearest whole number, halves away from zero.
  var nearestWhole: Double {
    guard magnitude < 0x1p52 else { return self }
    return Double(Int64(self < 0 ? self - 0.5 : self + 0.5))
  }

  /// The largest whole number that is not above.
  var floored: Double {
    guard magnitude < 0x1p52 else { return self }
    let whole = Double(Int64(self))
    return whole > self ? whole - 1 : whole
  }

  /// The nearest number with at most `decimals` decimals; itself where that is beyond a Double's precision.
  func rounded(decimals: Int) -> Double {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (self * factor).nearestWhole
    return scaled.isFinite && scaled.magnitude < 0x1p53 ? scaled / factor : self
  }
}
