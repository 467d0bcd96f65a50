// Builders of packets and of the link layers around them, each a few lines of its RFC, so that a test
// says what it decodes. They share nothing with the decoder.

import PacketCapture

/// Integers as bytes in network order, or reversed for a little-endian file.
func bytes<T: FixedWidthInteger>(_ value: T, bigEndian: Bool = true) -> [UInt8] {
  withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { [UInt8]($0) }
}

func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

/// Packets from `client` to `server`, in both versions.
enum Packet {
  static let client4 = IPAddress(v4: 0xc000_0201)  // 192.0.2.1
  static let server4 = IPAddress(v4: 0x0a00_0001)  // 10.0.0.1
  static let client6 = IPAddress(v6: 0x2001_0db8_0000_0000, 1)
  static let server6 = IPAddress(v6: 0x2001_0db8_0000_0000, 2)
  static let clientPort: UInt16 = 50_000
  static let serverPort: UInt16 = 443

  static func tcp(flags: UInt8 = 0x12) -> [UInt8] {
    bytes(clientPort) + bytes(serverPort) + zeros(8) + [0x50, flags] + zeros(6)
  }

  static func udp() -> [UInt8] {
    bytes(clientPort) + bytes(serverPort) + bytes(UInt16(12)) + zeros(2) + [1, 2, 3, 4]
  }

  static func ipv4(
    _ proto: UInt8, _ payload: [UInt8], options: [UInt8] = [], fragment: UInt16 = 0, total: Int? = nil
  ) -> [UInt8] {
    let header = 20 + options.count
    return [0x40 | UInt8(header / 4), 0] + bytes(UInt16(total ?? header + payload.count)) + zeros(2)
      + bytes(fragment) + [64, proto] + zeros(2)
      + bytes(UInt32(client4.lo)) + bytes(UInt32(server4.lo)) + options + payload
  }

  static func ipv6(_ next: UInt8, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
    [0x60, 0, 0, 0] + bytes(UInt16(length ?? payload.count)) + [next, 64]
      + bytes(client6.hi) + bytes(client6.lo) + bytes(server6.hi) + bytes(server6.lo) + payload
  }

  /// A hop-by-hop, routing or destination options header of 8 bytes and `more` times 8.
  static func extensionHeader(next: UInt8, more: UInt8 = 0) -> [UInt8] {
    [next, more] + zeros(6 + 8 * Int(more))
  }

  static func fragmentHeader(next: UInt8, offset: UInt16, more: Bool) -> [UInt8] {
    [next, 0] + bytes(offset << 3 | (more ? 1 : 0)) + zeros(4)
  }

  /// An authentication header of 24 bytes: its length counts words of four, less two.
  static func authenticationHeader(next: UInt8) -> [UInt8] { [next, 4] + zeros(22) }

  /// The flow of a packet from client to server.
  static func flow(
    _ proto: UInt8, v6: Bool = false, ports: Bool = true, flags: UInt8 = 0, ipBytes: Int
  ) -> DecodeOutcome {
    let client = Endpoint(address: v6 ? client6 : client4, port: ports ? clientPort : 0)
    let server = Endpoint(address: v6 ? server6 : server4, port: ports ? serverPort : 0)
    let key = FlowKey(client, server, proto: proto)
    return .flow(
      DecodedFrame(key: key, aToB: key.a == client, tcpFlags: flags, ipBytes: UInt32(ipBytes)))
  }
}

/// Link layers around a packet.
enum Link {
  static let ipv4: UInt16 = 0x0800
  static let ipv6: UInt16 = 0x86dd

  /// VLAN tags, and the type of what follows them.
  private static func typed(_ type: UInt16, tags: [UInt16]) -> [UInt8] {
    tags.flatMap { bytes($0) + bytes(UInt16(42)) } + bytes(type)
  }

  static func ethernet(_ type: UInt16, _ payload: [UInt8], tags: [UInt16] = []) -> [UInt8] {
    zeros(12) + typed(type, tags: tags) + payload
  }

  static func cooked1(_ type: UInt16, _ payload: [UInt8], tags: [UInt16] = []) -> [UInt8] {
    zeros(14) + typed(type, tags: tags) + payload
  }

  static func cooked2(_ type: UInt16, _ payload: [UInt8], tags: [UInt16] = []) -> [UInt8] {
    let layers = typed(type, tags: tags)
    return layers[..<2] + zeros(18) + layers[2...] + payload
  }

  static func loopback(_ family: UInt32, _ payload: [UInt8], bigEndian: Bool) -> [UInt8] {
    bytes(family, bigEndian: bigEndian) + payload
  }
}

func decode(_ frame: [UInt8], _ link: LinkType) -> DecodeOutcome {
  frame.withUnsafeBytes { FrameDecoder.decode($0, link: link) }
}
