// `softint simulate`: predicts what the flow meter's disciplines do on up to 128 CPUs, from measured costs.
//
// Invariant: the same arguments give the same table; everything that can be refused is refused before the simulation begins.

import ArgumentParser
import CBundledCapture
import ComparisonReport
import Glibc
import Workloads

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Predict the disciplines on many CPUs.",
    discussion: """
      Runs the flow meter on simulated CPUs: the core's own source, with a clock for each CPU and a cost for each \
      operation by where its cache line is. The costs come from a file that 'micro costs --json' of the package \
      Benchmarks has measured on a real machine. Prints frames per second, the share of the time in which CPUs \
      wait for gates, the share in which the gate word's cache line is under way, and latencies under load.

      What a model leaves out is said below the table; how far it was from measurements on 1 and 2 CPUs is in \
      Documentation/Decisions/0011-many-cpus.md.

      Example: softint simulate
      Example: softint simulate --cpus 2,16,64 --disciplines ordered,mpSafe --json

      \(ExitStatus.help) Also: 65 a wrong model file; 66 no model file; 130 or 143 interrupted.
      """)

  @Argument(help: "A pcap or pcapng file, or - for standard input (default: a bundled capture).")
  var capture: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Simulate these numbers of CPUs, 1 to 128, with commas between (default: 1,2,4,8,16,32,64).",
      valueName: "list"),
    transform: ArgumentValue.counts(1...128))
  var cpus: [Int]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Simulate only these, with commas between (default: all that can be simulated).", valueName: "list"),
    transform: ArgumentValue.disciplines)
  var disciplines: [Discipline]?

  @Option(help: ArgumentHelp("Take the costs from this file (default: a bundled one).", valueName: "file"))
  var model: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Simulate this much time in each run, 0.001 to 10 (default: 0.004).", valueName: "s"),
    transform: ArgumentValue.number(0.001...10, unit: "seconds"))
  var secondsSimulated: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Simulate latency at this load, in percent of the capacity of one CPU, 1 to 500 (default: 60).",
      valueName: "percent"),
    transform: ArgumentValue.number(1...500, unit: "percent"))
  var load: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The seed of everything random (default: 1).", valueName: "n"),
    transform: ArgumentValue.seed)
  var seed: UInt64?

  @Flag(help: "Print JSON of the schema softint.simulate/1.")
  var json = false

  @Flag(help: "Read a capture that was cut in a record up to there.")
  var salvage = false

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if let disciplines, disciplines.allSatisfy({ $0 == .threads || $0 == .disjoint }) {
      throw ValidationError(
        "neither threads (it needs a model of the operating system's scheduler) nor disjoint (the ageing callout touches another soft level) can be simulated; name another one"
      )
    }
  }

  func run() throws {
    var options = SimulationOptions()
    (options.model, options.modelName) = try readModel()
    if let cpus { options.cpus = cpus }
    if let disciplines { options.disciplines = disciplines }
    if let secondsSimulated { options.seconds = secondsSimulated }
    if let load { options.loadPercent = load }
    if let seed { options.seed = seed }
    let choice = CaptureChoice(capture)
    options.captureName = choice.name
    options.commandLine = CommandLine.arguments
    options.version = Softint.version
    let loaded = try choice.load(salvage: salvage)
    guard loaded.frameCount > 0 else {
      throw CommandFailure(
        message: "\(choice.name): the capture holds no frame to replay; give one with traffic",
        status: ExitStatus.data)
    }
    Interruption.watch()
    let simulation = try simulation(loaded, options)
    let style: TableStyle = StandardStreams.allowsColor ? .color : .plain
    try StandardStreams.print(json ? simulation.json : simulation.table(style: style))
    if let status = Interruption.exitStatus { throw CommandFailure(message: nil, status: status) }
  }

  private func simulation(
    _ loaded: LoadedCapture, _ options: SimulationOptions
  ) throws(CommandFailure) -> Simulation {
    let display = quiet ? nil : ProgressDisplay()
    defer { display?.finish() }
    do throws(ComparisonError) {
      return try simulate(
        loaded, options, isInterrupted: { Interruption.exitStatus != nil },
        progress: { display?.show($0.text, fraction: $0.fraction) })
    } catch { throw CommandFailure(message: error.description, status: ExitStatus.data) }
  }

  private func readModel() throws(CommandFailure) -> (CostFile, String) {
    let name = model ?? "the bundled model"
    let bytes: [UInt8]
    if let model {
      bytes = try Self.read(model)
    } else {
      var size = 0
      let start = cbundledcapture_costs(&size)
      bytes = Array(UnsafeRawBufferPointer(start: start, count: size))
    }
    do throws(CostFileError) { return (try CostFile(json: bytes), name) } catch {
      throw CommandFailure(message: "\(name): \(error.description)", status: ExitStatus.data)
    }
  }

  /// The bytes of a file that is no larger than a model can be.
  private static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    let limit = 1 << 20
    func failure(_ problem: String, _ status: Int32) -> CommandFailure {
      CommandFailure(message: "\(path): \(problem)", status: status)
    }
    guard let file = fopen(path, "re") else {
      throw failure(String(cString: strerror(errno)), ExitStatus.noInput)
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    if ferror(file) != 0 { throw failure("it cannot be read", ExitStatus.noInput) }
    if count > limit { throw failure("it is larger than a model can be (1 MiB)", ExitStatus.data) }
    return Array(bytes.prefix(count))
  }
}
