// A single pass over a capture, on one thread and without any discipline: what the disciplines are held
// against, and the quickest way to a flow table. Memory grows with the conversations, not with the capture.

import FlowMeter
import PacketCapture

/// What one pass over a capture counted.
struct PlainPass {
  private(set) var conversations = ConversationTable()
  private(set) var skipped = SkipCounts()
  /// Where a capture that was cut ends, if it was salvaged.
  private(set) var salvagedAt: UInt64?

  /// Reads the capture at `path`, or standard input if that is `-`.
  init(path: String, salvage: Bool) throws(CaptureError) {
    var reader = try CaptureReader(path: path, salvage: salvage)
    let table = FlowTable()
    while try reader.next({ header, bytes in
      switch FrameDecoder.decode(bytes, header: header) {
      case .flow(let frame):
        let length = header.wireLength
        if case .full = table.record(frame, wireLength: length, timestamp: header.timestamp) {
          if let oldest = table.removeOldest() { conversations.merge(oldest) }
          _ = table.record(frame, wireLength: length, timestamp: header.timestamp)
        }
      case .skipped(let reason): skipped.count(reason)
      }
    }) {}
    conversations.merge(resident: table)
    salvagedAt = reader.salvagedAt
  }
}
