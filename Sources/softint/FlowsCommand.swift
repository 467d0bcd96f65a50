// `softint flows`: the flow table of a capture, as a table, CSV or JSON, and as an IPFIX file.
//
// Invariant: nothing is written before the whole capture was read, so bad data leave no output behind.

import ArgumentParser
import FlowMeter
import PacketCapture

struct FlowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows",
    abstract: "Print the flow table of a capture.",
    discussion: """
      Reads pcap and pcapng; a capture of any size streams. Conversations are told apart by addresses, ports \
      and protocol of the outermost IP header; bytes are frame lengths on the wire.

      Example: softint flows capture.pcapng --json
      Example: tcpdump -w - | softint flows - --export flows.ipfix

      \(ExitStatus.help)
      """)

  @Argument(help: "A pcap or pcapng file, or - for standard input.")
  var capture: String

  @Flag(help: "Print CSV with a header row.")
  var csv = false

  @Flag(help: "Print JSON of the schema softint.flows/1.")
  var json = false

  @Option(help: ArgumentHelp("Also write the flow records to an IPFIX file.", valueName: "file"))
  var export: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Show at most this many conversations in the table (default: 20).", valueName: "n"),
    transform: ArgumentValue.count(1...Int(Int32.max)))
  var top: Int?

  @Flag(help: "Read a capture that was cut in a record up to there.")
  var salvage = false

  func validate() throws {
    if csv, json { throw ValidationError("give --csv or --json, not both") }
    if top != nil, csv || json { throw ValidationError("--top is for the table, not for --csv or --json") }
  }

  func run() throws {
    let file = try exportFile()
    let pass: PlainPass
    do throws(CaptureError) {
      pass = try PlainPass(path: capture, salvage: salvage)
    } catch { throw CommandFailure(error) }
    let report = FlowReport(pass.conversations, skipped: pass.skipped)
    try file?.write { (sink) throws(OutputError) in
      let exporter = IPFIXExporter(to: sink)
      let end = report.conversations.map(\.last).max() ?? 0
      for record in report.conversations { try exporter.export(record, reason: .forcedEnd, now: end) }
      try exporter.flush()
    }
    try print(report)
    if let offset = pass.salvagedAt {
      StandardStreams.noteSalvage(of: CaptureChoice(capture).name, at: offset)
    }
  }

  private func exportFile() throws(CommandFailure) -> OutputFile? {
    guard let export else { return nil }
    return try OutputFile(export, option: "--export", input: capture == "-" ? nil : capture)
  }

  private func print(_ report: FlowReport) throws(CommandFailure) {
    try StandardStreams.write { (output) throws(OutputError) in
      if json {
        try report.writeJSON(to: output)
      } else if csv {
        try report.writeCSV(to: output)
      } else {
        try report.writeTable(top: top ?? 20, to: output)
      }
    }
  }
}
