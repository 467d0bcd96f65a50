// The report as JSON, schema `softint.flows/1` (Documentation/Schemas/softint.flows-1.schema.json).
// Nothing in it needs escaping: names are of this package, addresses and numbers are plain ASCII.

import PacketCapture

extension FlowReport {
  /// The name and version of the JSON schema.
  public static let schema = "softint.flows/1"

  /// Writes the report as JSON, a conversation to a line, and flushes `output`.
  ///
  /// Times are decimal strings of seconds since 1970 with nine digits; reasons without a frame are left out.
  public func writeJSON(to output: TextOutput) throws(OutputError) {
    try output.write("{\n  \"schema\": \"\(Self.schema)\",\n  \"conversations\": [")
    var separator = "\n    "
    for conversation in conversations {
      try output.write(separator)
      try output.write(Self.json(conversation))
      separator = ",\n    "
    }
    try output.write(conversations.isEmpty ? "],\n" : "\n  ],\n")
    let reasons = SkipReason.allCases.filter { skipped[$0] > 0 }
      .map { "\"\($0)\": \(skipped[$0])" }
    try output.write("  \"skipped\": {\(reasons.joined(separator: ", "))}\n}\n")
    try output.flush()
  }

  private static func json(_ record: FlowRecord) -> String {
    """
    {"protocol": "\(name(ofProtocol: record.key.proto))", \
    "a": \(json(record.key.a)), "b": \(json(record.key.b)), \
    "packetsAToB": \(record.packetsAToB), "packetsBToA": \(record.packetsBToA), \
    "bytesAToB": \(record.bytesAToB), "bytesBToA": \(record.bytesBToA), \
    "first": "\(CaptureTime.text(record.first))", "last": "\(CaptureTime.text(record.last))"}
    """
  }

  private static func json(_ endpoint: Endpoint) -> String {
    "{\"address\": \"\(endpoint.address)\", \"port\": \(endpoint.port)}"
  }
}
