// The report for people: the greatest conversations and the totals, in 80 columns of plain text.
// Invariant: no line is longer than 80 columns while packets have at most 10 digits and bytes at most 14;
// beyond that counts stay whole and push the line out.

import PacketCapture

extension FlowReport {
  /// Writes a table of the conversations with the most bytes, then totals, and flushes `output`.
  ///
  /// An endpoint that is too long for its column gets a line of its own. No escape codes.
  ///
  /// - Parameters:
  ///   - top: the greatest number of conversations shown.
  ///   - output: where it is written.
  public func writeTable(top: Int, to output: TextOutput) throws(OutputError) {
    let shown: [FlowRecord]
    if top >= 1, !conversations.isEmpty {
      var talkers = TopTalkers(capacity: min(top, conversations.count))
      for record in conversations { talkers.offer(record) }
      shown = talkers.sorted()
    } else {
      shown = []
    }
    try output.write(
      Self.line("proto", Self.pad("a", Self.endpointWidth), "b", "packets", "bytes"))
    for record in shown {
      let name = Self.name(ofProtocol: record.key.proto)
      var first = Self.text(record.key.a)
      var label = name
      if first.utf8.count > Self.endpointWidth || Self.text(record.key.b).utf8.count > Self.endpointWidth {
        try output.write("\(Self.pad(name, Self.nameWidth)) \(first)\n")
        (first, label) = ("", "")
      }
      // The second endpoint may also use the room of the first where that stands on its own line.
      let second = Self.text(record.key.b)
      let lead = first.isEmpty ? "" : Self.pad(first, Self.endpointWidth)
      try output.write(Self.line(label, lead, second, "\(record.packets)", "\(record.bytes)"))
    }
    try writeTotals(hidden: conversations.count - shown.count, to: output)
    try output.flush()
  }

  private func writeTotals(hidden: Int, to output: TextOutput) throws(OutputError) {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    for record in conversations {
      packets &+= record.packets
      bytes &+= record.bytes
    }
    if hidden > 0 { try output.write("… and \(hidden) more\n") }
    let noun = conversations.count == 1 ? "conversation" : "conversations"
    try output.write(
      Self.line(
        "total", Self.pad("\(conversations.count) \(noun)", Self.endpointWidth), "", "\(packets)", "\(bytes)")
    )
    for reason in SkipReason.allCases where skipped[reason] > 0 {
      try output.write("skipped \(skipped[reason]) \(skipped[reason] == 1 ? "frame" : "frames"): \(reason)\n")
    }
  }

  private static let nameWidth = 6
  private static let endpointWidth = 23
  private static let countWidth = 10
  private static let bytesWidth = 14

  /// A line of the table; `lead` is empty if `second` stands in the room of both endpoints.
  private static func line(
    _ name: String, _ lead: String, _ second: String, _ packets: String, _ bytes: String
  ) -> String {
    let endpoints = lead.isEmpty ? second : "\(lead) \(second)"
    return pad(name, nameWidth) + " " + pad(endpoints, 2 * endpointWidth + 1) + " "
      + pad(left: packets, countWidth) + " " + pad(left: bytes, bytesWidth) + "\n"
  }

  private static func text(_ endpoint: Endpoint) -> String {
    let address = endpoint.address.isV6 ? "[\(endpoint.address)]" : "\(endpoint.address)"
    return "\(address):\(endpoint.port)"
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func pad(left text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
