// Addresses as text, in the one canonical form of each: equal addresses are equal text.

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal for IPv4; RFC 5952 for IPv6: lower case, no leading zeros, the first of the longest
  /// runs of two or more zero groups as `::`, and IPv4-mapped addresses as `::ffff:192.0.2.1`.
  public var description: String {
    guard isV6 else { return Self.dotted(UInt32(truncatingIfNeeded: lo)) }
    if hi == 0, lo >> 32 == 0xffff { return "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: lo)) }

    let zeros = longestZeroRun
    var text = ""
    var index = 0
    while index < 8 {
      if index == zeros.start, zeros.length >= 2 {
        text += "::"
        index += zeros.length
        continue
      }
      if !text.isEmpty, !text.hasSuffix(":") { text += ":" }
      text += String(group(index), radix: 16)
      index += 1
    }
    return text
  }

  /// The 16-bit group at `index`, 0 being the leftmost.
  private func group(_ index: Int) -> UInt16 {
    let half = index < 4 ? hi : lo
    return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index % 4)))
  }

  private var longestZeroRun: (start: Int, length: Int) {
    var best = (start: 0, length: 0)
    var run = 0
    for index in 0..<8 {
      run = group(index) == 0 ? run + 1 : 0
      if run > best.length { best = (index + 1 - run, run) }
    }
    return best
  }

  private static func dotted(_ value: UInt32) -> String {
    "\(value >> 24).\(value >> 16 & 0xff).\(value >> 8 & 0xff).\(value & 0xff)"
  }
}
