// `softint compare`: runs the flow meter under each discipline on the frames of a capture, and says what
// each costs and gains.
//
// Invariant: everything that can be refused is refused before the measurement begins; what was measured is
// shown, also when the run was interrupted or one of the outputs failed.

import ArgumentParser
import ComparisonReport
import FlowMeter
import PacketCapture
import Workloads

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare disciplines on the frames of a capture.",
    discussion: """
      Replays the capture through a flow meter under each discipline, in alternating rounds: capacity, \
      latency under load, progress of base code. Prints a table and three sentences that say what it means. \
      Ctrl-C prints what there is so far.

      The disciplines: \(Discipline.allCases.map(\.rawValue).joined(separator: ", ")). oneCPU is plain spl on \
      one CPU, bigLock everything under one lock; ordered, disjoint and mpSafe let every handler in that way; \
      threads has a thread for each CPU and level, mixed has each handler where it suits.

      Example: softint compare
      Example: softint compare capture.pcapng --disciplines oneCPU,bigLock,ordered --html report.html

      \(ExitStatus.help) Also: 1 the disciplines computed different flow tables; 71 the machine cannot run \
      the comparison; 130 or 143 interrupted.
      """)

  @Argument(help: "A pcap or pcapng file, or - for standard input (default: a bundled capture).")
  var capture: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Run on this many CPUs, 1 to 64 (default: 2).", valueName: "n"),
    transform: ArgumentValue.count(1...64))
  var cpus: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Compare only these, with commas between (default: all).", valueName: "list"),
    transform: ArgumentValue.disciplines)
  var disciplines: [Discipline]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Measure latency at this load, in percent of the capacity of one CPU, 1 to 500 (default: 60).",
      valueName: "percent"),
    transform: ArgumentValue.number(1...500, unit: "percent"))
  var load: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Take about this long in all, 1 to 86400 (default: 20).", valueName: "s"),
    transform: ArgumentValue.number(1...86_400, unit: "seconds"))
  var seconds: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Let idle CPUs look for work (poll) or sleep (park) (default: both, one after the other).",
      valueName: "poll|park"),
    transform: ArgumentValue.idle)
  var idle: ComparisonOptions.Idle?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The seed of everything random (default: 1).", valueName: "n"),
    transform: ArgumentValue.seed)
  var seed: UInt64?

  @Flag(help: "Print JSON of the schema softint.compare/1.")
  var json = false

  @Option(help: ArgumentHelp("Also write a page with charts, which needs no network.", valueName: "file"))
  var html: String?

  @Flag(help: "Read a capture that was cut in a record up to there.")
  var salvage = false

  @Flag(help: "Show no progress.")
  var quiet = false

  func run() throws {
    let page = try html.map { path throws(CommandFailure) in
      try OutputFile(path, option: "--html", input: capture)
    }
    let loaded = try loadFrames()
    Interruption.watch()
    let comparison = try measure(loaded)
    try show(comparison, on: page)
    if let status = Interruption.exitStatus { throw CommandFailure(message: nil, status: status) }
    if !comparison.digestsAgree { throw CommandFailure(message: nil, status: ExitStatus.digestsDiffer) }
  }

  private func loadFrames() throws(CommandFailure) -> LoadedCapture {
    let choice = CaptureChoice(capture)
    let loaded = try choice.load(salvage: salvage)
    guard loaded.frameCount > 0 else {
      throw CommandFailure(
        message: "\(choice.name): the capture holds no frame to replay; give one with traffic",
        status: ExitStatus.data)
    }
    if loaded.isPartial {
      StandardStreams.complain(
        "\(choice.name): only the first \(loaded.frameCount) frames fit into memory, they alone are replayed")
    }
    return loaded
  }

  private var options: ComparisonOptions {
    var options = ComparisonOptions()
    if let cpus { options.cpus = cpus }
    if let disciplines { options.disciplines = disciplines }
    if let load { options.loadPercent = load }
    if let seconds { options.seconds = seconds }
    if let idle { options.idle = idle }
    if let seed { options.seed = seed }
    options.commandLine = CommandLine.arguments
    options.captureName = CaptureChoice(capture).name
    options.version = Softint.version
    return options
  }

  private func measure(_ loaded: LoadedCapture) throws(CommandFailure) -> Comparison {
    let display = quiet ? nil : ProgressDisplay()
    defer { display?.finish() }
    do throws(ComparisonError) {
      return try compare(
        loaded, options, isInterrupted: { Interruption.exitStatus != nil },
        progress: { display?.show($0.text, fraction: $0.fraction) })
    } catch { throw CommandFailure(message: error.description, status: ExitStatus.system) }
  }

  /// Writes the page and standard output; a failure of the one does not keep the other from its reader.
  private func show(_ comparison: Comparison, on page: OutputFile?) throws(CommandFailure) {
    var failure: CommandFailure?
    do throws(CommandFailure) {
      try page?.write { (sink) throws(OutputError) in
        let output = TextOutput(sink)
        try output.write(comparison.html)
        try output.flush()
      }
    } catch { failure = error }
    let style: TableStyle = StandardStreams.allowsColor ? .color : .plain
    try StandardStreams.print(json ? comparison.json : comparison.table(style: style))
    if let failure { throw failure }
  }
}
