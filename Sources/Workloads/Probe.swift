// What a measured run writes down: times of stages, latencies, spans. One probe for each CPU, written by that CPU only.

import ComparisonReport
import HostedMachine

/// The stages of the meter.
enum MeterStage: Int, CaseIterable {
  case device, input, ageing, export, journal, heartbeat, talkers

  var name: String {
    switch self {
    case .device: "device"
    case .input: "parse and table"
    case .ageing: "ageing (guard softNet)"
    case .export: "export"
    case .journal: "journal"
    case .heartbeat: "heartbeat"
    case .talkers: "top talkers"
    }
  }

  var level: LevelName {
    switch self {
    case .device: .vm
    case .input: .softNet
    case .ageing: .softClock
    case .export, .journal: .softBio
    case .heartbeat: .softSerial
    case .talkers: .none
    }
  }

  /// The level whose gate it holds where levels are ordered.
  var gate: LevelName { self == .ageing || self == .talkers ? .softNet : level }
}

/// What to write down.
enum Recording {
  case nothing
  /// Latencies and hold times.
  case latency
  /// The time in each stage, without that of the stages that interrupt it.
  case stages
  /// Spans for the timeline.
  case timeline
}

final class Probe: @unchecked Sendable {
  // Sendable: its CPU's thread writes; others read after the CPU has stopped.
  let recording: Recording
  /// What was due before this time, in ticks, is not counted. Set before its CPU looks.
  var countFrom: UInt64 = 0
  /// By address: each frame is written down.
  let net: UnsafeMutablePointer<LatencyHistogram>
  var serial = LatencyHistogram()
  var hold = LatencyHistogram()
  var stageTicks = [UInt64](repeating: 0, count: MeterStage.allCases.count)
  /// How often each stage ran; `talkerRecords` is how many flows the talkers looked at, `printTicks` what base code takes outside of the guard.
  var stageRuns = [UInt64](repeating: 0, count: MeterStage.allCases.count)
  var talkerRecords: UInt64 = 0
  var printTicks: UInt64 = 0
  var printRuns: UInt64 = 0
  /// A stage's run that took more ticks than this was interrupted by the system: it counts as the mean of the others.
  var longestRun = UInt64.max
  /// Ticks that interrupting stages took from the one below.
  var stolen: UInt64 = 0
  var spans: [(stage: MeterStage, kind: TimelineSpan.Kind, start: UInt64, end: UInt64)] = []
  var talkerRounds: UInt64 = 0
  var beats: UInt64 = 0

  init(_ recording: Recording) {
    self.recording = recording
    net = .allocate(capacity: 1)
    net.initialize(to: LatencyHistogram())
    if recording == .timeline { spans.reserveCapacity(20_000) }
  }

  deinit {
    net.deinitialize(count: 1)
    net.deallocate()
  }

  /// Runs a stage and writes down what is to be written of it.
  @inline(__always)
  func stage(_ stage: MeterStage, _ kind: TimelineSpan.Kind = .run, _ body: () -> Void) {
    switch recording {
    case .nothing, .latency: body()
    case .stages: addStage(stage, own(body))
    case .timeline:
      let start = HostedMachine.ticks()
      body()
      if spans.count < 20_000 { spans.append((stage, kind, start, HostedMachine.ticks())) }
    }
  }
}

extension Probe {
  /// The ticks that a body takes without what runs on top of it, which is not its own.
  @inline(__always)
  func own(_ body: () -> Void) -> UInt64 {
    let before = stolen
    let start = HostedMachine.ticks()
    body()
    let all = HostedMachine.ticks() &- start
    let own = all &- (stolen &- before)
    stolen = before &+ all
    return own
  }

  func addStage(_ stage: MeterStage, _ ticks: UInt64) {
    Self.add(ticks, longestRun, &stageTicks[stage.rawValue], &stageRuns[stage.rawValue])
  }
  func addPrint(_ ticks: UInt64) { Self.add(ticks, longestRun, &printTicks, &printRuns) }

  private static func add(_ ticks: UInt64, _ longest: UInt64, _ sum: inout UInt64, _ runs: inout UInt64) {
    sum &+= ticks > longest ? sum / max(runs, 1) : ticks
    runs &+= 1
  }
}

/// Ticks and nanoseconds.
struct TickScale: Sendable {
  let nanosecondsPerTick: Double

  /// Compares the two clocks over some milliseconds.
  static func measure() -> TickScale {
    let ticks = HostedMachine.ticks()
    let start = HostedMachine.now()
    var now = start
    while now &- start < 20_000_000 { now = HostedMachine.now() }
    let passed = HostedMachine.ticks() &- ticks
    return TickScale(nanosecondsPerTick: Double(now &- start) / Double(max(passed, 1)))
  }

  func nanoseconds(_ ticks: UInt64) -> UInt64 { UInt64(Double(ticks) * nanosecondsPerTick) }
  func ticks(_ nanoseconds: Double) -> Double { nanoseconds / nanosecondsPerTick }
}
