// The five values that name a flow. Invariant: `a <= b`, so that both directions of a conversation have
// one key, one hash, and meet on one CPU.

/// An address and a port: one end of a flow. Sorts by address, then by port.
public struct Endpoint: Hashable, Comparable, Sendable {
  /// The address of the IP header.
  public var address: IPAddress
  /// The TCP or UDP port; 0 for everything else.
  public var port: UInt16

  /// Makes an endpoint.
  @inlinable
  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  @inlinable
  public static func < (left: Endpoint, right: Endpoint) -> Bool {
    left.address == right.address ? left.port < right.port : left.address < right.address
  }
}

/// A conversation: two endpoints in order, and the protocol between them.
public struct FlowKey: Hashable, Sendable {
  /// The smaller endpoint.
  public var a: Endpoint
  /// The greater endpoint.
  public var b: Endpoint
  /// The IANA protocol number: 6 for TCP, 17 for UDP.
  public var proto: UInt8

  /// The key of a packet between two endpoints, whichever sent it.
  @inlinable
  public init(_ one: Endpoint, _ other: Endpoint, proto: UInt8) {
    let swapped = other < one
    a = swapped ? other : one
    b = swapped ? one : other
    self.proto = proto
  }

  /// A hash that is the same for both directions, with every bit depending on every input bit.
  ///
  /// It spreads flows over CPUs: any bits of it will do. It has no secret, so a sender can aim at one
  /// value; a table that must withstand that mixes in a seed of its own.
  @inlinable
  public var symmetricHash: UInt32 {
    let ports = UInt64(a.port) << 32 | UInt64(b.port) << 16 | UInt64(proto) << 1 | (a.address.isV6 ? 1 : 0)
    var mixed = Self.fold(a.address.lo ^ 0x9e37_79b9_7f4a_7c15, b.address.lo ^ 0xc2b2_ae3d_27d4_eb4f)
    if a.address.isV6 {
      mixed ^= Self.fold(a.address.hi ^ 0x1656_67b1_9e37_79f9, b.address.hi ^ 0x27d4_eb2f_1656_67c5)
    }
    mixed = Self.fold(mixed ^ ports, 0xa076_1d64_78bd_642f)
    return UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
  }

  /// Both halves of the full product, combined: one multiplication spreads each input bit.
  @inlinable
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
