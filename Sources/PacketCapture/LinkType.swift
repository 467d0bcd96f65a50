// What the bytes of a frame begin with. A capture names it by a number of the tcpdump.org registry;
// the numbers this package decodes become cases, every other number is kept as it stands.

/// The link layer of a capture or of one of its interfaces.
///
/// Numbers are those of <https://www.tcpdump.org/linktypes.html>.
public enum LinkType: Sendable, Hashable {
  /// IEEE 802.3 Ethernet, 1.
  case ethernet
  /// An IPv4 or IPv6 packet without a link header: 101, and 12 and 14 as some systems write it.
  case rawIP
  /// An IPv4 packet without a link header, 228.
  case ipv4
  /// An IPv6 packet without a link header, 229.
  case ipv6
  /// Linux "cooked" capture, version 1, 113.
  case linuxCooked1
  /// Linux "cooked" capture, version 2, 276.
  case linuxCooked2
  /// BSD loopback, 0: the address family in the byte order of the machine that captured.
  case null
  /// OpenBSD loopback, 108: the address family in network byte order.
  case loop
  /// A link type that this package does not decode.
  case other(UInt32)

  /// The link type with this number in a capture.
  public init(pcapValue: UInt32) {
    switch pcapValue {
    case 0: self = .null
    case 1: self = .ethernet
    case 12, 14, 101: self = .rawIP
    case 108: self = .loop
    case 113: self = .linuxCooked1
    case 228: self = .ipv4
    case 229: self = .ipv6
    case 276: self = .linuxCooked2
    default: self = .other(pcapValue)
    }
  }

  /// Whether ``FrameDecoder`` knows this link layer.
  public var isKnown: Bool {
    if case .other = self { return false }
    return true
  }
}
