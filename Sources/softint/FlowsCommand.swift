// `softint flows`: the flow table of a capture, as a table, CSV or JSON, and as an IPFIX file.
//
// Invariant: nothing is written before the whole capture was read, so bad data leave no output behind.

import ArgumentParser
import ComparisonReport
import FlowMeter
import PacketCapture
import Workloads

struct FlowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows",
    abstract: "Print the flow table of a capture.",
    discussion: """
      Reads pcap and pcapng; a capture of any size streams. Conversations are told apart by addresses, ports \
      and protocol of the outermost IP header; bytes are frame lengths on the wire.

      Example: softint flows capture.pcapng --json
      Example: tcpdump -w - | softint flows - --export flows.ipfix

      With --cpus or --discipline the meter that softint compare measures makes the table, on frames in \
      memory; it is the same table. The disciplines: \(Self.disciplines.joined(separator: ", ")).

      \(ExitStatus.help) Also: 71 the machine cannot run the discipline.
      """)

  /// The disciplines under which the meter can run.
  private static let disciplines = Discipline.allCases.filter { $0 != .disjoint }.map(\.rawValue)

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
    help: ArgumentHelp("Meter on this many CPUs, 1 to 64 (default: 2 with --discipline).", valueName: "n"),
    transform: ArgumentValue.count(1...64))
  var cpus: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Meter under this discipline (default: ordered with --cpus).", valueName: "name"),
    transform: ArgumentValue.discipline)
  var discipline: Discipline?

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
    if discipline == .disjoint {
      let others = Self.disciplines.joined(separator: ", ")
      throw ValidationError("the flow meter cannot run with disjoint levels; choose one of \(others)")
    }
  }

  func run() throws {
    let file = try exportFile()
    let report = try meter()
    // A failure of the one output does not keep the other from its reader.
    var failure: CommandFailure?
    do throws(CommandFailure) {
      try file?.write { (sink) throws(OutputError) in try Self.export(report, to: sink) }
    } catch { failure = error }
    try print(report)
    if let failure { throw failure }
  }

  /// Makes the flow table.
  private func meter() throws(CommandFailure) -> FlowReport {
    if cpus != nil || discipline != nil {
      return try meter(under: discipline ?? .ordered, cpus: cpus ?? ComparisonOptions().cpus)
    }
    do throws(CaptureError) {
      let pass = try PlainPass(path: capture, salvage: salvage)
      if let offset = pass.salvagedAt {
        StandardStreams.noteSalvage(of: CaptureChoice(capture).name, at: offset)
      }
      return FlowReport(pass.conversations, skipped: pass.skipped)
    } catch { throw CommandFailure(error) }
  }

  private func meter(under discipline: Discipline, cpus: Int) throws(CommandFailure) -> FlowReport {
    let choice = CaptureChoice(capture)
    let loaded = try choice.load(salvage: salvage)
    guard !loaded.isPartial else {
      throw CommandFailure(
        message: "\(choice.name): the frames do not fit into memory; leave out --cpus and --discipline",
        status: ExitStatus.system)
    }
    do throws(ComparisonError) {
      let result = try meterFlows(
        loaded, discipline: discipline, cpus: cpus, isInterrupted: { false })
      return FlowReport(result.table, skipped: result.skipped)
    } catch { throw CommandFailure(message: error.description, status: ExitStatus.system) }
  }

  /// Writes a record for each conversation. Made from the finished table, the file is the same under every
  /// discipline; the export time is that of the last packet.
  private static func export(_ report: FlowReport, to sink: OutputSink) throws(OutputError) {
    let exporter = IPFIXExporter(to: sink)
    let end = report.conversations.map(\.last).max() ?? 0
    for record in report.conversations { try exporter.export(record, reason: .forcedEnd, now: end) }
    try exporter.flush()
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
