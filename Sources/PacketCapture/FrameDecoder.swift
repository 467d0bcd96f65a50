// From the bytes of a frame to its flow: pure, without allocation, and never past the captured bytes.
// The outermost IP header counts; what a tunnel carries is its payload. Link layers are told apart in
// `FrameDecoder+Link.swift`, the network layer in `FrameDecoder+IPv4.swift` and `FrameDecoder+IPv6.swift`.

/// Decodes frames to the flow they belong to.
public enum FrameDecoder {
  /// The number of stacked VLAN tags that are stepped over.
  public static let maximumTags = 8
  /// The number of IPv6 extension headers that are stepped over.
  public static let maximumExtensionHeaders = 16

  /// Decodes a frame that a ``CaptureReader`` delivered.
  ///
  /// - Parameters:
  ///   - bytes: the captured bytes; they need no alignment and may be cut anywhere.
  ///   - header: what the capture says of the frame.
  /// - Complexity: a few loads; bounded by the two limits above, whatever the bytes are.
  public static func decode(_ bytes: UnsafeRawBufferPointer, header: FrameHeader) -> DecodeOutcome {
    decode(bytes, link: header.link, wireLength: Int(header.wireLength))
  }

  /// Decodes a frame that a ``CaptureReader`` delivered, into memory of the caller: for batches, whose outcomes are looked at
  /// later and stay where they are.
  ///
  /// - Parameters:
  ///   - bytes: the frame, as much of it as was captured.
  ///   - header: what the capture says of it.
  ///   - place: initialized memory for one outcome.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, header: FrameHeader, into place: UnsafeMutablePointer<DecodeOutcome>
  ) {
    place.pointee = decode(bytes, link: header.link, wireLength: Int(header.wireLength))
  }

  /// Decodes a frame whose length on the wire is that of its bytes.
  public static func decode(_ bytes: UnsafeRawBufferPointer, link: LinkType) -> DecodeOutcome {
    decode(bytes, link: link, wireLength: bytes.count)
  }

  @inline(__always)
  private static func decode(
    _ bytes: UnsafeRawBufferPointer, link: LinkType, wireLength: Int
  ) -> DecodeOutcome {
    let frame = ByteView(bytes)
    return switch network(of: frame, link: link) {
    case .ipv4(let start): ipv4(frame, at: start, wireLength: wireLength)
    case .ipv6(let start): ipv6(frame, at: start, wireLength: wireLength)
    case .skipped(let reason): .skipped(reason)
    }
  }
}

/// The protocol numbers that the decoder tells apart, from the IANA registry.
enum ProtocolNumber {
  static let hopByHop: UInt8 = 0
  static let tcp: UInt8 = 6
  static let udp: UInt8 = 17
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let authentication: UInt8 = 51
  static let destinationOptions: UInt8 = 60
}

/// An IP packet whose headers have been read as far as its transport header.
struct NetworkPacket {
  var source: IPAddress
  var destination: IPAddress
  var proto: UInt8
  /// Where the transport header begins; nil for a later fragment, which has none.
  var transport: Int?
  /// Where the packet ends by its own header; it may lie beyond the captured bytes.
  var end: Int
  var ipBytes: UInt32
}

extension FrameDecoder {
  /// The flow of a packet: ports from its transport header if the protocol has them, else 0.
  @inline(__always)
  static func transport(_ frame: ByteView, of packet: NetworkPacket) -> DecodeOutcome {
    var source = Endpoint(address: packet.source, port: 0)
    var destination = Endpoint(address: packet.destination, port: 0)
    var flags: UInt8 = 0
    let hasPorts = packet.proto == ProtocolNumber.tcp || packet.proto == ProtocolNumber.udp
    if hasPorts, let start = packet.transport {
      guard start + 4 <= packet.end else { return .skipped(.badLength) }
      guard frame.has(4, at: start) else { return .skipped(.truncated) }
      source.port = frame.network(UInt16.self, at: start)
      destination.port = frame.network(UInt16.self, at: start + 2)
      if packet.proto == ProtocolNumber.tcp, start + 14 <= packet.end, frame.has(14, at: start) {
        flags = frame.byte(at: start + 13)
      }
    }
    return .flow(
      DecodedFrame(
        key: FlowKey(source, destination, proto: packet.proto), aToB: !(destination < source),
        tcpFlags: flags, ipBytes: packet.ipBytes))
  }
}
