// What wrk found, read from what it prints.

struct WrkResult {
  var requestsPerSecond: Double
  /// Microseconds.
  var p50, p99: Double
  /// Connections that failed, or answers that were none.
  var errors: Int

  /// Reads the output of `wrk --latency`; nil if it is another.
  init?(_ text: String) {
    var rate: Double?
    var quantiles: [Substring: Double] = [:]
    errors = 0
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      if words.first == "Requests/sec:", words.count == 2 { rate = Double(words[1]) }
      if words.count == 2, words[0] == "50%" || words[0] == "99%" {
        quantiles[words[0]] = Self.time(words[1])
      }
      if line.contains("Socket errors") || line.contains("Non-2xx") {
        errors += words.compactMap { Int($0.filter(\.isNumber)) }.reduce(0, +)
      }
    }
    guard let rate, let p50 = quantiles["50%"], let p99 = quantiles["99%"] else { return nil }
    (requestsPerSecond, self.p50, self.p99) = (rate, p50, p99)
  }

  /// "812.00us", "5.06ms" or "1.20s" in microseconds.
  private static func time(_ text: Substring) -> Double? {
    for (unit, scale) in [("us", 1.0), ("ms", 1_000), ("s", 1_000_000)] where text.hasSuffix(unit) {
      return Double(text.dropLast(unit.count)).map { $0 * scale }
    }
    return nil
  }
}
