// The comparison: rounds of all disciplines, alternating, in one process run.
//
// Law: whatever is compared is measured in the same rounds, in an order that changes from round to round; every measurement is a
// fresh system over the same capture. What a round gave is kept; medians are the report's affair.

public import ComparisonReport
import FlowMeter
import HostedMachine
import PacketCapture
import SoftInterrupts

/// Measures every discipline on a capture.
///
/// Runs for about `options.seconds`; when `isInterrupted` says so it ends early with what it has. Not for a CPU of a system.
public func compare(
  _ capture: LoadedCapture, _ options: ComparisonOptions, isInterrupted: @escaping () -> Bool,
  progress: (ComparisonProgress) -> Void
) throws(ComparisonError) -> Comparison {
  guard capture.frameCount > 0 else {
    throw ComparisonError(description: "\(options.captureName): the capture has no frames; give one that has")
  }
  var run = ComparisonRun(capture, options, isInterrupted)
  try run.prepare(progress)
  try run.measureRounds(progress)
  try run.drawTimelines(progress)
  return run.comparison
}

struct ComparisonRun {
  let capture: LoadedCapture
  let options: ComparisonOptions
  let isInterrupted: () -> Bool
  let scale = TickScale.measure()
  var comparison: Comparison
  /// Machine nanoseconds for one of capture time, as one CPU replays it.
  var pace = 0.0
  /// One CPU's capacity in frames per second, from the preparation.
  var oneCPURate = 0.0
  /// The same where frames come when they are due: with looking for them, latencies written down and base code beside. The
  /// load is a share of it.
  var sustainedRate = 0.0
  var random: SplitMix

  init(_ capture: LoadedCapture, _ options: ComparisonOptions, _ isInterrupted: @escaping () -> Bool) {
    self.capture = capture
    self.options = options
    self.isInterrupted = isInterrupted
    random = SplitMix(state: options.seed)
    let idle: [IdleMode] =
      switch options.idle {
      case .both: [.poll, .park]
      case .poll: [.poll]
      case .park: [.park]
      }
    comparison = Comparison(
      version: options.version, commandLine: options.commandLine, interrupted: false,
      machine: MachineFigures(cpus: options.cpus, os: MachineInfo.os, cpu: MachineInfo.processor),
      capture: CaptureFigures(
        file: options.captureName, frames: UInt64(capture.frameCount), bytes: capture.wireBytes),
      settings: Settings(
        rounds: options.rounds, seconds: 0, loadPercent: options.loadPercent, seed: options.seed, idle: idle,
        witness: InterruptSystem<HostedMachine>.hasWitness, statistics: true))
  }

  func meter(
    _ discipline: Discipline, _ recording: Recording = .nothing, keepsRecords: Bool = false,
    idle: IdleMode = .poll, processors: [Int]? = nil
  ) throws(ComparisonError) -> FlowMeterSystem {
    try FlowMeterSystem(
      MeterPlan(discipline, cpus: options.cpus), capture, scale: scale, pace: pace, recording: recording,
      keepsRecords: keepsRecords, idle: idle, processors: processors)
  }

  // MARK: Before the rounds

  /// The reference digest, one CPU's rate, the stages' shares, each discipline's digest and feasibility.
  mutating func prepare(_ progress: (ComparisonProgress) -> Void) throws(ComparisonError) {
    progress(.init(text: "one plain pass", fraction: 0))
    let reference = plainPass(capture)
    comparison.referenceDigest = reference.table.digest.description
    pace = reference.seconds * 1e9 / Double(capture.duration)
    oneCPURate = try meter(.oneCPU).capacity(nanoseconds: 200_000_000, isInterrupted)
    // What is measured from here on ages at the pace at which one CPU replays.
    pace = Double(capture.frameCount) / max(oneCPURate, 1) * 1e9 / Double(capture.duration)
    comparison.stages = try stageShares()
    sustainedRate = try measureSustained()
    for discipline in options.disciplines {
      if isInterrupted() { break }
      progress(.init(text: "\(discipline.rawValue): one lossless pass", fraction: 0.02))
      comparison.results.append(try firstResult(discipline))
    }
    let perRound = Double(1 + feasible.count * (1 + comparison.settings.idle.count)) + 1
    comparison.settings.seconds = max(options.seconds / (Double(options.rounds) * perRound), 0.02)
  }

  /// The disciplines that can be measured, by their index in the results.
  var feasible: [Int] {
    comparison.results.indices.filter { comparison.results[$0].measurements != nil }
  }

  private mutating func firstResult(_ discipline: Discipline) throws(ComparisonError) -> DisciplineResult {
    let execution: DisciplineResult.Execution = discipline == .threads ? .threads : .inline
    if discipline == .disjoint {
      return DisciplineResult(
        discipline: discipline, outcome: .infeasible(reason: try disjointReason()))
    }
    let meter = try meter(discipline, keepsRecords: true)
    let note = execution == .threads ? meter.system.machine.schedulingNote : nil
    let digest: String?
    do {
      digest = try meter.pass(isInterrupted).table.digest.description
    } catch {
      if !isInterrupted() { throw error }
      digest = nil
    }
    var result = DisciplineResult(
      discipline: discipline, execution: execution, outcome: .feasible(Measurements(digest: digest)))
    result.violations = Self.grouped(meter.system.violations)
    if let note { comparison.notes.append(note) }
    return result
  }

  /// Asks for what disjoint levels would need, and hears why it cannot be.
  private func disjointReason() throws(ComparisonError) -> String {
    let system: HostedSystem
    do { system = try HostedSystem(on: .hosted(cpus: 1)) } catch {
      throw ComparisonError(description: error.description)
    }
    defer { system.shutdown() }
    do {
      _ = try system.callout("ageing", at: .softClock, guard: .softNet, as: .disjoint) { _ in }
    } catch { return error.description }
    throw ComparisonError(description: "disjoint: the callout that touches another level was let in")
  }

  static func grouped(_ violations: [Violation]) -> [ViolationReport] {
    var reports: [ViolationReport] = []
    for violation in violations {
      let text = violation.description
      if let index = reports.firstIndex(where: { $0.text == text }) {
        reports[index].count += 1
      } else {
        reports.append(ViolationReport(rule: "\(violation.rule)", text: text))
      }
    }
    return reports
  }

  /// Where one CPU's time goes.
  private func stageShares() throws(ComparisonError) -> [Stage] {
    let meter = try meter(.oneCPU, .stages)
    _ = meter.capacity(nanoseconds: 200_000_000, isInterrupted)
    let ticks = meter.probes[0].stageTicks
    let all = Double(max(ticks.reduce(0, &+), 1))
    return MeterStage.allCases.filter { ticks[$0.rawValue] > 0 }.map {
      Stage(name: $0.name, level: $0.level, gate: $0.gate, share: Double(ticks[$0.rawValue]) / all)
    }
  }

  /// What one CPU gets done of more than it can: the median of three.
  private func measureSustained() throws(ComparisonError) -> Double {
    var rates: [Double] = []
    for _ in 0..<3 where !isInterrupted() {
      let meter = try meter(.oneCPU, .latency)
      let offered = 2 * max(oneCPURate, 1)
      _ = meter.load(framesPerSecond: offered, nanoseconds: 100_000_000, isInterrupted)
      let (due, drops) = meter.dueAndDropped
      if due > 0 { rates.append(offered * Double(due &- drops) / Double(due)) }
    }
    return rates.sorted().dropFirst(rates.count / 2).first ?? oneCPURate
  }

  // MARK: Rounds

  mutating func measureRounds(_ progress: (ComparisonProgress) -> Void) throws(ComparisonError) {
    let slice = UInt64(comparison.settings.seconds * 1e9)
    let rate = sustainedRate * options.loadPercent / 100
    for round in 0..<options.rounds {
      var order = feasible
      shuffle(&order)
      func say(_ what: String, _ step: Int, of steps: Int) {
        let done = (Double(round) + Double(step) / Double(steps)) / Double(options.rounds)
        progress(
          .init(text: "round \(round + 1) of \(options.rounds): \(what)", fraction: 0.05 + 0.93 * done))
      }
      if isInterrupted() { break }
      say("parallel limit", 0, of: 4)
      if options.cpus > 1 { try measureLimit(slice) }
      for index in order where !isInterrupted() {
        say("\(comparison.results[index].discipline.rawValue), capacity", 1, of: 4)
        let value = try meter(comparison.results[index].discipline).capacity(
          nanoseconds: slice, isInterrupted)
        if !isInterrupted() { update(index) { $0.framesPerSecond.append(value) } }
      }
      comparison.offeredFramesPerSecond = rate
      for idle in comparison.settings.idle {
        for index in order where !isInterrupted() {
          say(
            "\(comparison.results[index].discipline.rawValue), load, idle CPUs \(idle == .poll ? "poll" : "park")",
            idle == .poll ? 2 : 3, of: 4)
          try measureLoad(index, rate, slice, idle)
        }
      }
    }
    comparison.interrupted = isInterrupted()
  }

  private mutating func update(_ index: Int, _ change: (inout Measurements) -> Void) {
    guard case .feasible(var measurements) = comparison.results[index].outcome else { return }
    change(&measurements)
    comparison.results[index].outcome = .feasible(measurements)
  }

  /// As many independent one-CPU instances as there are CPUs, against one.
  mutating func measureLimit(_ slice: UInt64) throws(ComparisonError) {
    let processors = HostedMachine.allowedProcessors()
    let one = try meter(.oneCPU).capacity(nanoseconds: slice, isInterrupted)
    var many: [FlowMeterSystem] = []
    for index in 0..<options.cpus {
      many.append(try meter(.oneCPU, processors: [processors[index % processors.count]]))
    }
    for meter in many { meter.start { _ in .closed(passes: .max) } }
    many[0].measure(nanoseconds: slice / 5, isInterrupted)
    let from = many.map(\.framesDone)
    let begin = HostedMachine.now()
    many[0].measure(nanoseconds: slice - slice / 5, isInterrupted)
    let to = many.map(\.framesDone)
    let seconds = Double(max(HostedMachine.now() &- begin, 1)) / 1e9
    for meter in many { meter.stop() }
    let sum = zip(to, from).reduce(0.0) { $0 + Double($1.0 &- $1.1) } / seconds
    if one > 0, !isInterrupted() { comparison.machine.parallelLimits.append(sum / one) }
  }

  private mutating func measureLoad(
    _ index: Int, _ rate: Double, _ slice: UInt64, _ idle: IdleMode
  ) throws(ComparisonError) {
    let meter = try meter(comparison.results[index].discipline, .latency, idle: idle)
    let base = meter.load(framesPerSecond: rate, nanoseconds: slice, isInterrupted)
    if isInterrupted() { return }
    var net = LatencyHistogram()
    var serial = LatencyHistogram()
    var hold = LatencyHistogram()
    for probe in meter.probes {
      net.merge(probe.net.pointee)
      serial.merge(probe.serial)
      hold.merge(probe.hold)
    }
    let (due, drops) = meter.dueAndDropped
    let statistics = meter.system.statistics()
    let violations = Self.grouped(meter.system.violations)
    let onlyParks = comparison.settings.idle == [.park]
    update(index) { figures in
      var loop =
        (idle == .poll ? figures.polling : figures.parked)
        ?? OpenLoop(softNet: LatencySeries(), softSerial: LatencySeries(), framesDue: 0, drops: 0)
      loop.softNet.rounds.append(net)
      loop.softSerial.rounds.append(serial)
      loop.framesDue &+= due
      loop.drops &+= drops
      if idle == .poll {
        figures.polling = loop
        figures.baseOperationsPerSecond.append(base)
        figures.topTalkersHold.rounds.append(hold)
      } else {
        figures.parked = loop
        if onlyParks {
          figures.baseOperationsPerSecond.append(base)
          figures.topTalkersHold.rounds.append(hold)
        }
      }
      figures.add(statistics)
    }
    for violation in violations
    where !comparison.results[index].violations.contains(where: { $0.text == violation.text }) {
      comparison.results[index].violations.append(violation)
    }
  }

  /// A few milliseconds of each discipline at work.
  mutating func drawTimelines(_ progress: (ComparisonProgress) -> Void) throws(ComparisonError) {
    let rate = comparison.offeredFramesPerSecond ?? sustainedRate * options.loadPercent / 100
    for index in feasible where !isInterrupted() {
      progress(.init(text: "\(comparison.results[index].discipline.rawValue): timeline", fraction: 0.99))
      let meter = try meter(comparison.results[index].discipline, .timeline)
      _ = meter.load(framesPerSecond: rate, nanoseconds: 10_000_000, isInterrupted)
      let spans = meter.timeline(lasting: 3_000_000)
      update(index) { $0.timeline = spans }
    }
  }

  private mutating func shuffle(_ order: inout [Int]) {
    for index in order.indices.dropLast() {
      order.swapAt(index, index + Int(random.next() % UInt64(order.count - index)))
    }
  }
}

/// A small generator with a seed (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
