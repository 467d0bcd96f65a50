// What each stage of the meter takes on one hosted CPU: the part of a simulation's model that is the workload's.
//
// Law: everything here is measured under `oneCPU`, where nobody waits for anybody; nothing of what a simulation predicts goes in.

import ComparisonReport
import FlowMeter
import HostedMachine
import PacketCapture

/// The stages' costs on one CPU, in nanoseconds.
public struct StageCosts: Sendable, Equatable {
  /// Moving a frame from the card into the receive ring.
  public var deviceFrame = 0.0
  /// Parsing a frame, and counting it in the table.
  public var parseFrame = 0.0
  /// Counting a frame in the table.
  public var countFrame = 0.0
  /// One look at a flow that may be over, one flow written as IPFIX, one entry of the journal, one beat.
  public var ageingRun = 0.0
  /// Exporting a flow.
  public var exportFlow = 0.0
  /// A run of the journal.
  public var journalRun = 0.0
  /// A beat.
  public var heartbeatRun = 0.0
  /// Looking at one flow of the table for the top talkers, and sorting and printing them once.
  public var talkersFlow = 0.0
  /// Writing the top talkers.
  public var talkersPrint = 0.0

  /// All 0.
  public init() {}

  /// By name, as a model's file has them.
  public static let names: [(name: String, path: WritableKeyPath<StageCosts, Double> & Sendable)] = [
    ("deviceFrame", \.deviceFrame), ("parseFrame", \.parseFrame), ("countFrame", \.countFrame),
    ("ageingRun", \.ageingRun), ("exportFlow", \.exportFlow), ("journalRun", \.journalRun),
    ("heartbeatRun", \.heartbeatRun), ("talkersFlow", \.talkersFlow), ("talkersPrint", \.talkersPrint),
  ]
}

/// Measures the stages of a capture once, for about half a second.
public func measureStages(_ capture: LoadedCapture, clockTicks: Double) throws(ComparisonError) -> StageCosts
{
  let scale = TickScale.measure()
  func meter(_ recording: Recording, pace: Double) throws(ComparisonError) -> FlowMeterSystem {
    try FlowMeterSystem(
      MeterPlan(.oneCPU, cpus: 1), capture, scale: scale, pace: pace, recording: recording,
      keepsRecords: false,
      idle: .poll)
  }
  var costs = StageCosts()
  let parse = parseShare(capture)
  // As the comparison does: flows age at the pace at which one CPU replays.
  let first = try meter(.nothing, pace: 0.001).capacity(nanoseconds: 60_000_000) { false }
  let pace = Double(capture.frameCount) / max(first, 1) * 1e9 / Double(capture.duration)

  let closed = try meter(.stages, pace: pace)
  let rate = closed.capacity(nanoseconds: 150_000_000) { false }
  let frames = Double(max(closed.framesDone, 1))
  /// A stage's own time, without the clock's part in it, for one of `count` things.
  func cost(_ meter: FlowMeterSystem, _ stage: MeterStage, per count: Double) -> Double {
    let probe = meter.probes[0]
    let nanoseconds = Double(probe.stageTicks[stage.rawValue]) * scale.nanosecondsPerTick
    let clock = Double(probe.stageRuns[stage.rawValue]) * clockTicks
    return count > 0 ? max(nanoseconds - clock, 0) / count : 0
  }
  func runs(_ meter: FlowMeterSystem, _ stage: MeterStage) -> Double {
    Double(meter.probes[0].stageRuns[stage.rawValue])
  }
  costs.deviceFrame = cost(closed, .device, per: frames)
  let input = cost(closed, .input, per: frames)
  costs.parseFrame = input * parse
  costs.countFrame = input * (1 - parse)
  costs.ageingRun = cost(closed, .ageing, per: runs(closed, .ageing))
  costs.exportFlow = cost(closed, .export, per: Double(closed.exportedSinceJournal.value))
  costs.journalRun = cost(closed, .journal, per: runs(closed, .journal))

  let open = try meter(.stages, pace: pace)
  _ = open.load(framesPerSecond: rate * 0.3, nanoseconds: 150_000_000) { false }
  costs.heartbeatRun = cost(open, .heartbeat, per: runs(open, .heartbeat))
  costs.talkersFlow = cost(open, .talkers, per: Double(open.probes[0].talkerRecords))
  let prints = Double(open.probes[0].printTicks) * scale.nanosecondsPerTick
  costs.talkersPrint = prints / Double(max(open.probes[0].printRuns, 1))
  return costs
}

/// Which part of the input's work is parsing, by two plain loops over the frames.
private func parseShare(_ capture: LoadedCapture) -> Double {
  let table = FlowTable(capacity: 8_192, seed: 1)
  var outcomes: [DecodeOutcome] = []
  outcomes.reserveCapacity(capture.frameCount)
  var best = (parse: Double.infinity, count: Double.infinity)
  for _ in 0..<5 {
    outcomes.removeAll(keepingCapacity: true)
    let start = HostedMachine.now()
    for frame in capture.frames {
      outcomes.append(FrameDecoder.decode(capture.bytes(of: frame), header: frame.header))
    }
    let middle = HostedMachine.now()
    for (frame, outcome) in zip(capture.frames, outcomes) {
      guard case .flow(let decoded) = outcome else { continue }
      _ = table.record(decoded, wireLength: frame.header.wireLength, timestamp: frame.header.timestamp)
    }
    let end = HostedMachine.now()
    best = (min(best.parse, Double(middle &- start)), min(best.count, Double(end &- middle)))
  }
  return best.parse / max(best.parse + best.count, 1)
}
