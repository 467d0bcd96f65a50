// What is known of a flow: the numbers that are counted, exported, merged and reported.
// Invariant: a record holds at least one packet, and `first <= last`.

import PacketCapture

/// The counts of one flow, both directions together, over one stretch of time.
///
/// Lengths are in bytes, times in nanoseconds since 1970-01-01 UTC. Sums are modulo 2⁶⁴.
public struct FlowRecord: Sendable, Hashable {
  /// Which flow this is.
  public var key: FlowKey
  /// The union of the TCP flags seen from the key's `a` to its `b`.
  public var tcpFlagsAToB: UInt8
  /// The union of the TCP flags seen from the key's `b` to its `a`.
  public var tcpFlagsBToA: UInt8
  /// Whether the first packet went from `a` to `b`, which makes `a` the initiator (RFC 5103).
  public var initiatedByA: Bool
  /// Packets from `a` to `b`.
  public var packetsAToB: UInt64
  /// Packets from `b` to `a`.
  public var packetsBToA: UInt64
  /// Frame lengths on the wire from `a` to `b`.
  public var bytesAToB: UInt64
  /// Frame lengths on the wire from `b` to `a`.
  public var bytesBToA: UInt64
  /// Lengths of the IP packets, headers included, from `a` to `b`.
  public var ipBytesAToB: UInt64
  /// Lengths of the IP packets, headers included, from `b` to `a`.
  public var ipBytesBToA: UInt64
  /// Time of the earliest packet.
  public var first: Int64
  /// Time of the latest packet.
  public var last: Int64
  /// A word of the owner of the table, such as the handle of the callout that ages the flow. It is no
  /// part of the flow: merging, digests, reports and exports pass over it.
  public var owner: UInt64

  /// The record of a flow's first packet.
  ///
  /// - Parameters:
  ///   - frame: the packet.
  ///   - wireLength: the length of the frame on the wire.
  ///   - timestamp: nanoseconds since 1970-01-01 UTC.
  public init(_ frame: DecodedFrame, wireLength: UInt32, timestamp: Int64) {
    key = frame.key
    tcpFlagsAToB = 0
    tcpFlagsBToA = 0
    initiatedByA = frame.aToB
    packetsAToB = 0
    packetsBToA = 0
    bytesAToB = 0
    bytesBToA = 0
    ipBytesAToB = 0
    ipBytesBToA = 0
    first = timestamp
    last = timestamp
    owner = 0
    count(frame, wireLength: wireLength, timestamp: timestamp)
  }

  /// Packets in both directions.
  public var packets: UInt64 { packetsAToB &+ packetsBToA }

  /// Frame lengths on the wire in both directions.
  public var bytes: UInt64 { bytesAToB &+ bytesBToA }

  /// Counts a further packet of this flow. Packets may come out of order.
  @inline(__always)
  mutating func count(_ frame: DecodedFrame, wireLength: UInt32, timestamp: Int64) {
    if frame.aToB {
      packetsAToB &+= 1
      bytesAToB &+= UInt64(wireLength)
      ipBytesAToB &+= UInt64(frame.ipBytes)
      tcpFlagsAToB |= frame.tcpFlags
    } else {
      packetsBToA &+= 1
      bytesBToA &+= UInt64(wireLength)
      ipBytesBToA &+= UInt64(frame.ipBytes)
      tcpFlagsBToA |= frame.tcpFlags
    }
    if timestamp < first {
      first = timestamp
      initiatedByA = frame.aToB
    }
    if timestamp > last { last = timestamp }
  }

  /// Adds a record of the same flow over another stretch of time.
  ///
  /// Commutative and associative in all but ``owner``, and ``initiatedByA`` where two stretches begin at
  /// the same time.
  ///
  /// - Precondition: both have the same key.
  public mutating func merge(_ other: FlowRecord) {
    precondition(key == other.key, "records of two flows cannot be merged")
    packetsAToB &+= other.packetsAToB
    packetsBToA &+= other.packetsBToA
    bytesAToB &+= other.bytesAToB
    bytesBToA &+= other.bytesBToA
    ipBytesAToB &+= other.ipBytesAToB
    ipBytesBToA &+= other.ipBytesBToA
    tcpFlagsAToB |= other.tcpFlagsAToB
    tcpFlagsBToA |= other.tcpFlagsBToA
    if other.first < first {
      first = other.first
      initiatedByA = other.initiatedByA
    }
    last = max(last, other.last)
  }
}
