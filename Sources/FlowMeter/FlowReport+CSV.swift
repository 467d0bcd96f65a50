// The report as CSV (RFC 4180, with the line ends of Unix). No field needs quotes.

import PacketCapture

extension FlowReport {
  /// Writes the conversations as CSV with a header row, and flushes `output`. The columns are the members
  /// of a conversation in the JSON report; skipped frames are not in it.
  public func writeCSV(to output: TextOutput) throws(OutputError) {
    try output.write(
      "protocol,aAddress,aPort,bAddress,bPort,"
        + "packetsAToB,packetsBToA,bytesAToB,bytesBToA,first,last\n")
    for record in conversations {
      try output.write(
        """
        \(Self.name(ofProtocol: record.key.proto)),\
        \(record.key.a.address),\(record.key.a.port),\(record.key.b.address),\(record.key.b.port),\
        \(record.packetsAToB),\(record.packetsBToA),\(record.bytesAToB),\(record.bytesBToA),\
        \(CaptureTime.text(record.first)),\(CaptureTime.text(record.last))

        """)
    }
    try output.flush()
  }
}
