// The IPv6 header and its chain of extension headers (RFC 8200) as far as the flow needs them.

extension FrameDecoder {
  @inline(__always)
  static func ipv6(_ frame: ByteView, at start: Int, wireLength: Int) -> DecodeOutcome {
    guard frame.has(1, at: start) else { return .skipped(.truncated) }
    guard frame.byte(at: start) >> 4 == 6 else { return .skipped(.badVersion) }
    guard frame.has(40, at: start) else { return .skipped(.truncated) }

    // A payload length of 0 is a jumbogram or segmentation offload: the frame's end rules.
    let payload = Int(frame.network(UInt16.self, at: start + 4))
    let length = payload == 0 ? max(wireLength, frame.count) - start : 40 + payload
    var packet = NetworkPacket(
      source: address(frame, at: start + 8), destination: address(frame, at: start + 24),
      proto: frame.byte(at: start + 6), transport: start + 40,
      end: start + length, ipBytes: UInt32(truncatingIfNeeded: length))
    if let reason = stepOverExtensions(frame, of: &packet) { return .skipped(reason) }
    return transport(frame, of: packet)
  }

  @inline(__always)
  private static func address(_ frame: ByteView, at start: Int) -> IPAddress {
    IPAddress(v6: frame.network(UInt64.self, at: start), frame.network(UInt64.self, at: start + 8))
  }

  /// Moves the packet's protocol and transport header behind its extension headers.
  ///
  /// A later fragment ends the chain: what follows its header is the middle of something. So do an
  /// encrypted payload and every protocol that is no extension header.
  @inline(__always)
  private static func stepOverExtensions(_ frame: ByteView, of packet: inout NetworkPacket) -> SkipReason? {
    var headers = 0
    while let start = packet.transport, isExtension(packet.proto) {
      guard headers < maximumExtensionHeaders else { return .tooManyHeaders }
      headers += 1
      guard frame.has(8, at: start) else { return .truncated }
      let length: Int
      switch packet.proto {
      case ProtocolNumber.fragment:
        length = 8
        if frame.network(UInt16.self, at: start + 2) & 0xfff8 != 0 { packet.transport = nil }
      case ProtocolNumber.authentication: length = (Int(frame.byte(at: start + 1)) + 2) * 4  // RFC 4302
      default: length = (Int(frame.byte(at: start + 1)) + 1) * 8
      }
      packet.proto = frame.byte(at: start)
      if packet.transport != nil { packet.transport = start + length }
      guard start + length <= packet.end else { return .badLength }
    }
    return nil
  }

  @inline(__always)
  private static func isExtension(_ proto: UInt8) -> Bool {
    switch proto {
    case ProtocolNumber.hopByHop, ProtocolNumber.routing, ProtocolNumber.fragment,
      ProtocolNumber.authentication, ProtocolNumber.destinationOptions:
      true
    default: false
    }
  }
}
