// What `softint flows` shows: conversations and the frames that belong to none. How it is written is in
// `FlowReport+JSON.swift`, `FlowReport+CSV.swift` and `FlowReport+Table.swift`.
// Invariant: sorted, so equal tables are equal files, byte by byte.

import PacketCapture

/// A finished flow table, ready to be written.
public struct FlowReport: Sendable {
  /// The conversations by `a`, then `b`, then protocol.
  public let conversations: [FlowRecord]
  /// The frames that belong to none.
  public let skipped: SkipCounts

  /// Takes the conversations of a table.
  ///
  /// - Complexity: O(n log n).
  public init(_ table: ConversationTable, skipped: SkipCounts) {
    conversations = table.sorted()
    self.skipped = skipped
  }

  /// The name of a protocol in reports: `tcp`, `udp`, `icmp`, `icmpv6`, or its IANA number.
  static func name(ofProtocol number: UInt8) -> String {
    switch number {
    case 1: "icmp"
    case 6: "tcp"
    case 17: "udp"
    case 58: "icmpv6"
    default: String(number)
    }
  }
}
