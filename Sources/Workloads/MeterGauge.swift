// The flow meter as a gauge: one figure at a time, for who draws curves of it.
//
// Law: a figure is of a fresh system over the capture, as in the comparison; the pace at which flows age and the rate that loads are a
// share of are measured once, when the gauge is made. Not for a CPU of a system.

public import ComparisonReport
import HostedMachine
import SoftInterrupts

/// Measures the flow meter under one discipline, on one number of CPUs, once.
public struct MeterGauge {
  /// How CPUs wait.
  public enum Waits: Sendable {
    /// As `Configuration` has it: they spin a little, poll a little, then sleep.
    case byDefault
    /// They never sleep.
    case poll
  }

  /// What frames come in the closed loop.
  public struct Capacity: Sendable {
    /// Frames through, a second.
    public var framesPerSecond: Double
    /// The part of all CPUs' time in which they waited for a gate or a lock, 0 to 1.
    public var waiting: Double
  }

  /// What became of frames that came when they were due.
  public struct Load: Sendable {
    /// From when a frame was due until it was counted.
    public var softNet: LatencyHistogram
    /// The lateness of beats.
    public var softSerial: LatencyHistogram
    /// Frames that were due, and those of them that found no room.
    public var due: UInt64
    /// See ``due``.
    public var dropped: UInt64
  }

  private var run: ComparisonRun

  /// A gauge over a capture; takes about a second.
  public init(_ capture: LoadedCapture) throws(ComparisonError) {
    var options = ComparisonOptions()
    options.disciplines = []
    run = ComparisonRun(capture, options, { false })
    try run.prepare { _ in }
  }

  /// What one CPU gets done of more than it can, frames due when they are: loads are a share of it. In frames a second.
  public var sustainedFramesPerSecond: Double { run.sustainedRate }

  private func meter(
    _ discipline: Discipline, cpus: Int, _ waits: Waits, _ recording: Recording, isTimed: Bool
  ) throws(ComparisonError) -> FlowMeterSystem {
    var plan = MeterPlan(discipline, cpus: cpus)
    plan.hasDefaultWaits = waits == .byDefault
    plan.isTimed = isTimed
    return try FlowMeterSystem(
      plan, run.capture, scale: run.scale, pace: run.pace, recording: recording, keepsRecords: false,
      idle: .poll)
  }

  /// Frames as fast as they go, for `nanoseconds`, the first fifth of which is not counted. With the waiting timed, which takes some 50 ns
  /// for each run of a handler.
  public func capacity(
    _ discipline: Discipline, cpus: Int, _ waits: Waits, nanoseconds: UInt64
  ) throws(ComparisonError) -> Capacity {
    let meter = try meter(discipline, cpus: cpus, waits, .nothing, isTimed: true)
    let start = HostedMachine.now()
    let rate = meter.capacity(nanoseconds: nanoseconds) { false }
    let time = Double(HostedMachine.now() &- start)
    let waited = Double(meter.system.timeWaited)
    return Capacity(framesPerSecond: rate, waiting: waited / time / Double(meter.plan.cpus))
  }

  /// Frames at a rate, for `nanoseconds`, with base code beside.
  public func load(
    _ discipline: Discipline, cpus: Int, _ waits: Waits, framesPerSecond: Double, nanoseconds: UInt64
  ) throws(ComparisonError) -> Load {
    let meter = try meter(discipline, cpus: cpus, waits, .latency, isTimed: false)
    _ = meter.load(framesPerSecond: framesPerSecond, nanoseconds: nanoseconds) { false }
    var load = Load(softNet: .init(), softSerial: .init(), due: 0, dropped: 0)
    for probe in meter.probes {
      load.softNet.merge(probe.net.pointee)
      load.softSerial.merge(probe.serial)
    }
    (load.due, load.dropped) = meter.dueAndDropped
    return load
  }

  /// How many times one instance's work as many independent ones do together, one on each of `cpus` processors.
  public mutating func parallelLimit(nanoseconds: UInt64) throws(ComparisonError) -> Double {
    try run.measureLimit(nanoseconds)
    return run.comparison.machine.parallelLimits.last ?? .nan
  }
}
