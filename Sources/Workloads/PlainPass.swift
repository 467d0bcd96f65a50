// The reference: one thread, one table, no system at all.

import FlowMeter
import HostedMachine
import PacketCapture

/// One plain pass over a loaded capture.
func plainPass(_ capture: LoadedCapture) -> PassResult {
  let table = FlowTable(capacity: 8_192)
  var skipped = SkipCounts()
  let start = HostedMachine.now()
  for frame in capture.frames {
    switch FrameDecoder.decode(capture.bytes(of: frame), header: frame.header) {
    case .skipped(let reason): skipped.count(reason)
    case .flow(let decoded):
      _ = table.record(decoded, wireLength: frame.header.wireLength, timestamp: frame.header.timestamp)
    }
  }
  let seconds = Double(HostedMachine.now() &- start) / 1e9
  var merged = ConversationTable(minimumCapacity: table.count)
  merged.merge(resident: table)
  return PassResult(table: merged, skipped: skipped, seconds: seconds)
}
