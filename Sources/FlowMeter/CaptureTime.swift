// Times in nanoseconds since 1970 taken apart, before 1970 too: the fraction always counts forward.

enum CaptureTime {
  /// Whole seconds, rounded down, and 0…999,999,999 nanoseconds beyond them.
  @inline(__always)
  static func split(_ time: Int64) -> (seconds: Int64, nanoseconds: Int64) {
    let (quotient, remainder) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    return remainder < 0 ? (quotient - 1, remainder + 1_000_000_000) : (quotient, remainder)
  }

  /// A decimal number of seconds with nine digits after the point.
  static func text(_ time: Int64) -> String {
    let magnitude = time.magnitude
    let fraction = String(magnitude % 1_000_000_000)
    let zeros = String(repeating: "0", count: 9 - fraction.utf8.count)
    return "\(time < 0 ? "-" : "")\(magnitude / 1_000_000_000).\(zeros)\(fraction)"
  }
}
