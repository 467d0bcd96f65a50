// The simulation of the meter's disciplines on many CPUs: one row for each discipline and number of CPUs.
//
// Law: nothing is measured here. The model says what operations and stages take; the stages' costs are taken off what the core
// itself takes inside of them, as one simulated CPU shows, so that it is not counted twice.

public import ComparisonReport
import SimulatedMachine
import SoftInterrupts

/// What a simulation is asked to do.
public struct SimulationOptions: Sendable {
  /// The numbers of CPUs, a row of the table for each.
  public var cpus = [1, 2, 4, 8, 16, 32, 64]
  /// `disjoint` and `threads` are left out, with the reason.
  public var disciplines = Discipline.allCases
  /// The simulated time of each run, in seconds.
  public var seconds = 0.004
  /// The load, in per cent of what one CPU can do.
  public var loadPercent = 60.0
  /// Whether latencies under load are simulated too.
  public var hasLoad = true
  /// How many tables MP-safe input has, each under a lock of its own: what lanes would be. Nil: as the hosted meter has.
  public var lanes: Int?
  /// What decides where the model leaves something open.
  public var seed: UInt64 = 1
  /// The costs.
  public var model = CostFile()
  /// For the report: where the costs come from.
  public var modelName = ""
  /// For the report: the command.
  public var commandLine: [String] = []
  /// For the report: the capture's name.
  public var captureName = ""
  /// For the report: the program's version.
  public var version = ""

  /// The defaults.
  public init() {}
}

extension MeterModel {
  /// The model of a cost file.
  ///
  /// - Throws: `CostFileError` if a figure is missing.
  public init(_ file: CostFile) throws(CostFileError) {
    machine.loadHit = try file.cost("loadHit")
    machine.storeHit = try file.cost("storeHit")
    machine.readModifyWriteHit = try file.cost("readModifyWriteHit")
    machine.lineTransfer = try file.cost("lineTransfer")
    machine.sharedFetch = try file.cost("sharedFetch")
    machine.plainStep = try file.cost("plainStep")
    machine.pause = try file.cost("pause")
    machine.heavyFence = try file.cost("heavyFence")
    machine.clock = try file.cost("clock")
    machine.ticks = try file.cost("ticks")
    machine.ringSleeper = try file.cost("ringSleeper")
    machine.wakeSleeper = try file.cost("wakeSleeper")
    streamedLine = try file.cost("streamedLine")
    for (name, path) in StageCosts.names { stages[keyPath: path] = try file.stage(name) }
  }
}

/// Simulates the disciplines on a capture.
///
/// The same options give the same result, but for `Simulation/wallSeconds`. When `isInterrupted` says so it ends early with the rows
/// that it has.
public func simulate(
  _ capture: LoadedCapture, _ options: SimulationOptions, isInterrupted: () -> Bool,
  progress: (ComparisonProgress) -> Void
) throws(ComparisonError) -> Simulation {
  guard capture.frameCount > 0 else {
    throw ComparisonError(description: "\(options.captureName): the capture has no frames; give one that has")
  }
  let model: MeterModel
  do { model = try MeterModel(options.model) } catch {
    throw ComparisonError(description: "\(options.modelName): \(error.description)")
  }
  var run = SimulationRun(capture, options, model)
  try run.prepare(progress)
  try run.simulateRows(isInterrupted, progress)
  return run.result
}

private struct SimulationRun {
  let options: SimulationOptions
  let frames: DecodedCapture
  var model: MeterModel
  var result = Simulation()
  /// Simulated nanoseconds for one of capture time.
  var pace = 0.0
  let start = ContinuousClock.now
  var nanoseconds: UInt64 { UInt64(options.seconds * 1e9) }

  init(_ capture: LoadedCapture, _ options: SimulationOptions, _ model: MeterModel) {
    self.options = options
    self.model = model
    frames = DecodedCapture(capture)
    result.version = options.version
    result.commandLine = options.commandLine
    result.model = options.model
    result.modelName = options.modelName
    result.capture = CaptureFigures(
      file: options.captureName, frames: UInt64(capture.frameCount), bytes: capture.wireBytes)
    result.simulatedSeconds = options.seconds
    result.loadPercent = options.loadPercent
    result.seed = options.seed
  }

  /// One run: its meter, stopped, and its frames per second.
  mutating func run(
    _ discipline: Discipline, _ cpus: Int, framesPerSecond: Double? = nil, nanoseconds: UInt64
  ) throws(ComparisonError) -> (meter: SimulatedMeter, rate: Double) {
    var plan = MeterPlan(discipline, cpus: cpus)
    if let lanes = options.lanes, plan.guarding == .locks { plan.shards = lanes }
    let meter = try SimulatedMeter(
      plan, frames, model, pace: pace,
      SimulatedLoad(framesPerSecond: framesPerSecond, nanoseconds: nanoseconds, seed: options.seed))
    let rate = try meter.run()
    result.operations &+= meter.pilot.operations
    return (meter, rate)
  }

  /// The stages' own costs, and what one CPU does.
  mutating func prepare(_ progress: (ComparisonProgress) -> Void) throws(ComparisonError) {
    progress(.init(text: "one simulated CPU", fraction: 0))
    // A first guess of the pace, from the stages alone; then the core's part in each stage, then the rate.
    let plain = model.stages.deviceFrame + model.stages.parseFrame + model.stages.countFrame
    pace = plain * Double(frames.capture.frameCount) / Double(frames.capture.duration)
    let (first, _) = try run(.oneCPU, 1, nanoseconds: nanoseconds)
    // Before the next is made: a thread has one simulated machine at a time.
    first.stop()
    func core(_ stage: MeterStage, per count: Double) -> Double {
      count > 0 ? Double(first.insideCore[stage.rawValue]) / 1_000 / count : 0
    }
    func runs(_ stage: MeterStage) -> Double { Double(first.stageRuns[stage.rawValue]) }
    let done = Double(first.framesDone)
    model.stages.deviceFrame = max(model.stages.deviceFrame - core(.device, per: done), 0)
    model.stages.parseFrame = max(model.stages.parseFrame - core(.input, per: done), 0)
    model.stages.ageingRun = max(model.stages.ageingRun - core(.ageing, per: runs(.ageing)), 0)
    model.stages.exportFlow = max(model.stages.exportFlow - core(.export, per: Double(first.exported)), 0)
    model.stages.journalRun = max(model.stages.journalRun - core(.journal, per: runs(.journal)), 0)
    let (one, rate) = try run(.oneCPU, 1, nanoseconds: nanoseconds)
    one.stop()
    result.oneCPUFramesPerSecond = rate
    pace = Double(frames.capture.frameCount) / max(rate, 1) * 1e9 / Double(frames.capture.duration)
    // What one CPU gets done of more than it can, as the comparison measures it.
    let (sustained, _) = try run(.oneCPU, 1, framesPerSecond: 2 * max(rate, 1), nanoseconds: nanoseconds)
    let (due, drops) = sustained.dueAndDropped
    sustained.stop()
    result.sustainedFramesPerSecond = due > 0 ? 2 * rate * Double(due - drops) / Double(due) : rate
    result.offeredFramesPerSecond = result.sustainedFramesPerSecond * options.loadPercent / 100
  }

  mutating func simulateRows(
    _ isInterrupted: () -> Bool, _ progress: (ComparisonProgress) -> Void
  ) throws(ComparisonError) {
    let simulated = options.disciplines.filter { $0 != .disjoint && $0 != .threads }
    if options.disciplines.contains(.disjoint) {
      result.leftOut.append((.disjoint, "infeasible: the ageing callout touches another soft level"))
    }
    if options.disciplines.contains(.threads) {
      result.leftOut.append((.threads, "needs a model of the operating system's scheduler"))
    }
    let steps = Double(max(simulated.count * options.cpus.count, 1))
    var step = 0.0
    for discipline in simulated {
      for cpus in discipline == .oneCPU ? [1] : options.cpus where !isInterrupted() {
        progress(.init(text: "\(discipline.rawValue) on \(cpus)", fraction: 0.05 + 0.95 * step / steps))
        step += 1
        result.rows.append(try row(discipline, cpus))
      }
    }
    result.interrupted = isInterrupted()
    result.wallSeconds = Double((ContinuousClock.now - start) / .microseconds(1)) / 1e6
  }

  private mutating func row(_ discipline: Discipline, _ cpus: Int) throws(ComparisonError) -> Simulation.Row {
    let (closed, rate) = try run(discipline, cpus, nanoseconds: nanoseconds)
    let time = Double(nanoseconds)
    let waited = Double(closed.system.timeWaited)
    closed.stop()
    let lines = closed.pilot.lineUse
    let gates = lines.first { closed.system.name(of: $0.word) == "gates" }
    let busiest = lines.first
    let name = busiest.map { closed.system.name(of: $0.word) ?? "a lock, or a receive ring" }
    var row = Simulation.Row(
      discipline: discipline, cpus: cpus, framesPerSecond: rate, gateWaiting: waited / time / Double(cpus),
      gateLine: (gates?.busy ?? 0) / time, busiestLine: name ?? "none",
      busiestLineShare: (busiest?.busy ?? 0) / time,
      softNet: .init(), softSerial: .init(), framesDue: 0, drops: 0, baseRoundsPerSecond: 0)
    if !options.hasLoad { return row }
    let (open, _) = try run(
      discipline, cpus, framesPerSecond: result.offeredFramesPerSecond, nanoseconds: nanoseconds)
    (row.framesDue, row.drops) = open.dueAndDropped
    (row.softNet, row.softSerial) = (open.net, open.serial)
    row.baseRoundsPerSecond = Double(open.baseRounds) / (time * 0.8) * 1e9
    open.stop()
    return row
  }
}
