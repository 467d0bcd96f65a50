// Records of the same conversation put together again, however they were cut up: by ageing, by CPU or by
// shard. Invariant: the table is the same for every way to cut the same packets and every order to merge.

import PacketCapture

/// Records merged by their key.
public struct ConversationTable: Sendable {
  private var records: [FlowKey: FlowRecord] = [:]

  /// An empty table.
  public init() {}

  /// Makes a table with room for this many conversations.
  public init(minimumCapacity: Int) { records.reserveCapacity(minimumCapacity) }

  /// The number of conversations.
  public var count: Int { records.count }

  /// Adds a record. Its word ``FlowRecord/owner`` is not kept.
  public mutating func merge(_ record: FlowRecord) {
    var record = record
    record.owner = 0
    if let index = records.index(forKey: record.key) {
      records.values[index].merge(record)
    } else {
      records[record.key] = record
    }
  }

  /// Adds the flows that are in a table, which stay there.
  public mutating func merge(resident table: FlowTable) {
    table.visit { merge($0) }
  }

  /// The conversation with this key.
  public subscript(key: FlowKey) -> FlowRecord? { records[key] }

  /// Calls `body` with each conversation, in no order that means anything.
  public func visit(_ body: (FlowRecord) -> Void) { for record in records.values { body(record) } }

  /// The conversations in the order of reports: by `a`, then `b`, then protocol.
  ///
  /// - Complexity: O(n log n).
  public func sorted() -> [FlowRecord] {
    records.values.sorted { $0.key.sorts(before: $1.key) }
  }

  /// The digest of the table.
  ///
  /// - Complexity: O(n).
  public var digest: FlowDigest {
    var digest = FlowDigest()
    for record in records.values { digest.add(record) }
    return digest
  }
}
