// What decoding a frame answers: a flow's packet, or the reason why the frame belongs to no flow.

/// The parts of a packet that a flow meter needs.
public struct DecodedFrame: Sendable, Hashable {
  /// The flow the packet belongs to.
  public var key: FlowKey
  /// Whether the packet went from the key's `a` to its `b`; true if the two are equal.
  public var aToB: Bool
  /// The flags byte of the TCP header; 0 for everything else, and if it was not captured.
  public var tcpFlags: UInt8
  /// The length of the IP packet in bytes, header included, as the header says. A header that says 0
  /// (segmentation offload) stands for the rest of the frame on the wire.
  public var ipBytes: UInt32

  /// Makes a decoded frame.
  public init(key: FlowKey, aToB: Bool, tcpFlags: UInt8, ipBytes: UInt32) {
    self.key = key
    self.aToB = aToB
    self.tcpFlags = tcpFlags
    self.ipBytes = ipBytes
  }
}

/// Why a frame belongs to no flow. Raw values are stable.
public enum SkipReason: UInt8, CaseIterable, Sendable, CustomStringConvertible {
  /// Not an IP packet: ARP, an 802.3 length, another address family.
  case notIP = 0
  /// The captured bytes end before the addresses, an extension header or the ports.
  case truncated = 1
  /// The IP version is not the one that the link layer announced, or neither 4 nor 6.
  case badVersion = 2
  /// An IPv4 header length below 20 bytes.
  case badHeaderLength = 3
  /// The IP header's length does not cover its own headers or the ports.
  case badLength = 4
  /// The link type is not known.
  case unknownLink = 5
  /// A layer that may hold IP but is not opened: MPLS, PPPoE, MACsec, provider backbone bridging.
  case unsupportedEtherType = 6
  /// More VLAN tags or IPv6 extension headers than ``FrameDecoder/maximumTags`` or
  /// ``FrameDecoder/maximumExtensionHeaders``.
  case tooManyHeaders = 7

  /// The short name used as a key in reports.
  public var description: String {
    switch self {
    case .notIP: "not-ip"
    case .truncated: "truncated"
    case .badVersion: "bad-version"
    case .badHeaderLength: "bad-header-length"
    case .badLength: "bad-length"
    case .unknownLink: "unknown-link"
    case .unsupportedEtherType: "unsupported-ethertype"
    case .tooManyHeaders: "too-many-headers"
    }
  }
}

/// What ``FrameDecoder`` makes of a frame.
public enum DecodeOutcome: Sendable, Hashable {
  /// A packet of a flow.
  case flow(DecodedFrame)
  /// No packet of any flow.
  case skipped(SkipReason)
}
