// What one run of `softint compare` found: the root of the model that the three renderings read.
//
// Invariant: the model holds what was measured, round by round; everything that can be computed from that
// (medians, ratios, verdicts, sentences) is computed here, once, so that the renderings cannot disagree.

/// What one comparison of disciplines found.
public struct Comparison: Sendable, Equatable {
  /// The name of the JSON shape. A new number is a new shape.
  public static let schema = "softint.compare/1"

  /// The version of the program that measured.
  public var version: String
  /// The command line as typed, program name first; hostile text is harmless in every rendering.
  public var commandLine: [String]
  /// Whether the run was stopped before all rounds were done.
  public var interrupted: Bool
  /// The machine that it ran on.
  public var machine: MachineFigures
  /// The capture that was replayed.
  public var capture: CaptureFigures
  /// What was asked for.
  public var settings: Settings
  /// The stages of the workload with the share of its time that each took, as measured on one CPU.
  public var stages: [Stage]
  /// One result for each discipline that was asked for, in the order in which they are to be shown.
  public var results: [DisciplineResult]
  /// The digest of a plain single pass, which every discipline must reproduce; `nil` if there was none.
  public var referenceDigest: String?
  /// The rate of the open loop, in frames per second; `nil` if it was not reached.
  public var offeredFramesPerSecond: Double?
  /// Remarks for the reader, one line each, such as a missing permission for real-time priorities.
  public var notes: [String]

  /// A comparison; what a run has not measured yet is empty.
  public init(
    version: String, commandLine: [String] = [], interrupted: Bool = false, machine: MachineFigures,
    capture: CaptureFigures, settings: Settings, stages: [Stage] = [], results: [DisciplineResult] = [],
    referenceDigest: String? = nil, offeredFramesPerSecond: Double? = nil, notes: [String] = []
  ) {
    self.version = version
    self.commandLine = commandLine
    self.interrupted = interrupted
    self.machine = machine
    self.capture = capture
    self.settings = settings
    self.stages = stages
    self.results = results
    self.referenceDigest = referenceDigest
    self.offeredFramesPerSecond = offeredFramesPerSecond
    self.notes = notes
  }
}

/// The machine of a comparison.
public struct MachineFigures: Sendable, Equatable {
  /// On how many CPUs the disciplines ran (`oneCPU` apart).
  public var cpus: Int
  /// The operating system, for the reader.
  public var os: String
  /// The processor model, for the reader.
  public var cpu: String
  /// The parallel limit S, one value a round: the throughput of as many independent one-CPU instances as
  /// there are CPUs, divided by that of one. Empty on one CPU, and if it was not measured.
  public var parallelLimits: [Double]

  /// A machine; its parallel limit is added as it is measured.
  public init(cpus: Int, os: String, cpu: String, parallelLimits: [Double] = []) {
    self.cpus = cpus
    self.os = os
    self.cpu = cpu
    self.parallelLimits = parallelLimits
  }

  /// The parallel limit S over the rounds.
  public var parallelLimit: Interval? { Interval(samples: parallelLimits) }

  /// The share of perfect scaling that a machine must show, or a comparison on it says nothing.
  public static let quietShare = 0.8

  /// Whether the machine was too noisy to compare: S below 0.8 for each CPU, which is 1.6 on two.
  public var tooNoisy: Bool {
    guard cpus > 1, let limit = parallelLimit else { return false }
    return limit.median < MachineFigures.quietShare * Double(cpus)
  }
}

/// The capture that a comparison replayed.
public struct CaptureFigures: Sendable, Equatable {
  /// Its name as given, or what stands for the bundled one. Untrusted text.
  public var file: String
  /// How many frames it holds.
  public var frames: UInt64
  /// How many bytes those frames had on the wire.
  public var bytes: UInt64

  /// A capture.
  public init(file: String, frames: UInt64, bytes: UInt64) {
    self.file = file
    self.frames = frames
    self.bytes = bytes
  }
}

/// What a comparison was asked to do.
public struct Settings: Sendable, Equatable {
  /// How many rounds were planned.
  public var rounds: Int
  /// How long each measurement of a round lasts, in seconds.
  public var seconds: Double
  /// The offered load of the open loop, in percent of the capacity of one CPU.
  public var loadPercent: Double
  /// The seed of everything random, the order of the disciplines within a round for one.
  public var seed: UInt64
  /// In which idle modes latency was measured.
  public var idle: [IdleMode]
  /// Whether the witness was compiled in.
  public var witness: Bool
  /// Whether statistics were compiled in.
  public var statistics: Bool

  /// Settings.
  public init(
    rounds: Int, seconds: Double, loadPercent: Double, seed: UInt64, idle: [IdleMode], witness: Bool,
    statistics: Bool
  ) {
    self.rounds = rounds
    self.seconds = seconds
    self.loadPercent = loadPercent
    self.seed = seed
    self.idle = idle
    self.witness = witness
    self.statistics = statistics
  }
}

/// One stage of the workload.
public struct Stage: Sendable, Equatable {
  /// What it does.
  public var name: String
  /// The level at which it runs.
  public var level: LevelName
  /// The level whose gate it holds where levels are ordered: that of its guard, or its own.
  public var gate: LevelName
  /// Its share of the workload's time, from 0 to 1.
  public var share: Double

  /// A stage; without a gate that of its level.
  public init(name: String, level: LevelName, gate: LevelName? = nil, share: Double) {
    self.name = name
    self.level = level
    self.gate = gate ?? level
    self.share = share
  }
}
