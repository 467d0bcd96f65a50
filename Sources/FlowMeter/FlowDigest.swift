// One number for a whole table: equal tables have equal digests whatever the order, and tables that differ
// in any field differ in it, but for chance of about 2^-128. It guards against errors, not against forgers.

import PacketCapture

/// An order-free digest of records: the sum of their hashes, each over every field but
/// ``FlowRecord/owner`` and ``FlowRecord/initiatedByA``, which depends on the order of simultaneous packets.
///
/// Add merged records: two parts of a conversation have another digest than the whole. It is the same on
/// every machine and in every run.
public struct FlowDigest: Sendable, Hashable, CustomStringConvertible {
  private var high: UInt64 = 0
  private var low: UInt64 = 0

  /// The digest of no records.
  public init() {}

  /// Adds a record.
  public mutating func add(_ record: FlowRecord) {
    high &+= Self.hash(record, start: 0x736f_6674_696e_7401)
    low &+= Self.hash(record, start: 0x666c_6f77_7364_6702)
  }

  /// Adds the records of another digest.
  public mutating func add(_ other: FlowDigest) {
    high &+= other.high
    low &+= other.low
  }

  /// 32 hexadecimal digits.
  public var description: String { Self.digits(high) + Self.digits(low) }

  /// Absorbs every field in turn through a bijection, so two records that differ in one field never agree.
  private static func hash(_ record: FlowRecord, start: UInt64) -> UInt64 {
    var state = start
    func absorb(_ word: UInt64) {
      state = Mixing.avalanche((state ^ word) &+ 0x9e37_79b9_7f4a_7c15)
    }
    absorb(record.key.a.address.hi)
    absorb(record.key.a.address.lo)
    absorb(record.key.b.address.hi)
    absorb(record.key.b.address.lo)
    absorb(UInt64(record.key.a.port) << 16 | UInt64(record.key.b.port))
    absorb(
      UInt64(record.key.proto) << 32 | (record.key.a.address.isV6 ? 1 << 24 : 0)
        | (record.key.b.address.isV6 ? 1 << 16 : 0) | UInt64(record.tcpFlagsAToB) << 8
        | UInt64(record.tcpFlagsBToA))
    absorb(record.packetsAToB)
    absorb(record.packetsBToA)
    absorb(record.bytesAToB)
    absorb(record.bytesBToA)
    absorb(record.ipBytesAToB)
    absorb(record.ipBytesBToA)
    absorb(UInt64(bitPattern: record.first))
    absorb(UInt64(bitPattern: record.last))
    return state
  }

  private static func digits(_ word: UInt64) -> String {
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 16 - text.utf8.count) + text
  }
}
