// An address of either version in two words, so that comparing and hashing are a few instructions.
// Invariant: an IPv4 address has `hi == 0` and `lo < 2^32`.

/// An IPv4 or IPv6 address.
///
/// IPv4 addresses sort before IPv6 addresses, and each by its value.
public struct IPAddress: Hashable, Comparable, Sendable {
  /// The upper eight bytes of an IPv6 address as a number; 0 for IPv4.
  public let hi: UInt64
  /// The lower eight bytes of an IPv6 address, or the four of an IPv4 address, as a number.
  public let lo: UInt64
  /// Whether this is an IPv6 address.
  public let isV6: Bool

  /// The IPv4 address with this value: 127.0.0.1 is `0x7f00_0001`.
  @inlinable
  public init(v4 value: UInt32) {
    hi = 0
    lo = UInt64(value)
    isV6 = false
  }

  /// The IPv6 address with these halves: ::1 is `(0, 1)`.
  @inlinable
  public init(v6 hi: UInt64, _ lo: UInt64) {
    self.hi = hi
    self.lo = lo
    isV6 = true
  }

  @inlinable
  public static func < (left: IPAddress, right: IPAddress) -> Bool {
    if left.isV6 != right.isV6 { return right.isV6 }
    if left.hi != right.hi { return left.hi < right.hi }
    return left.lo < right.lo
  }
}
