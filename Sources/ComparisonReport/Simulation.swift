// What a simulation found: for each discipline and number of CPUs the throughput, the waiting and the latencies.
//
// Invariant: figures as they came out of the simulated runs; nothing is rounded here, and ratios are made by who shows them.

/// A prediction of the flow meter's disciplines on many CPUs.
public struct Simulation: Sendable, Equatable {
  /// The schema of ``json``.
  public static let schema = "softint.simulate/1"

  /// One discipline on one number of CPUs.
  public struct Row: Sendable, Equatable {
    /// Which discipline.
    public var discipline: Discipline
    /// On how many CPUs.
    public var cpus: Int
    /// The closed loop: the card always has frames.
    public var framesPerSecond: Double
    /// The part of all CPUs' time in which they waited for a gate or a lock, in the closed loop.
    public var gateWaiting: Double
    /// The part of the time in which the line of the gate word was under way between CPUs, in the closed loop.
    public var gateLine: Double
    /// The line that was under way most of the time, what is on it, and that part.
    public var busiestLine: String
    /// That line's part of the time, 0 to 1.
    public var busiestLineShare: Double
    /// The open loop: latencies from when a frame or a beat was due, frames that were due, and those lost; rounds of base code.
    public var softNet: LatencyHistogram
    /// Latencies of `softSerial`.
    public var softSerial: LatencyHistogram
    /// Frames that were offered.
    public var framesDue: UInt64
    /// Frames that found no room.
    public var drops: UInt64
    /// How far base code came.
    public var baseRoundsPerSecond: Double

    /// A row, with all that it says.
    public init(
      discipline: Discipline, cpus: Int, framesPerSecond: Double, gateWaiting: Double, gateLine: Double,
      busiestLine: String, busiestLineShare: Double, softNet: LatencyHistogram, softSerial: LatencyHistogram,
      framesDue: UInt64, drops: UInt64, baseRoundsPerSecond: Double
    ) {
      self.discipline = discipline
      self.cpus = cpus
      self.framesPerSecond = framesPerSecond
      self.gateWaiting = gateWaiting
      self.gateLine = gateLine
      self.busiestLine = busiestLine
      self.busiestLineShare = busiestLineShare
      self.softNet = softNet
      self.softSerial = softSerial
      self.framesDue = framesDue
      self.drops = drops
      self.baseRoundsPerSecond = baseRoundsPerSecond
    }
  }

  /// The version of the program.
  public var version = ""
  /// The command that made it.
  public var commandLine: [String] = []
  /// Whether it was ended early.
  public var interrupted = false
  /// The model: where its file comes from.
  public var model = CostFile()
  /// Where the costs come from.
  public var modelName = ""
  /// What was replayed.
  public var capture = CaptureFigures(file: "", frames: 0, bytes: 0)
  /// How long each row lasts, in simulated time.
  public var simulatedSeconds = 0.0
  /// The load, in per cent of what one CPU can do.
  public var loadPercent = 0.0
  /// What decides where the model leaves something open.
  public var seed: UInt64 = 1
  /// What one simulated CPU does in the closed loop and in the open one, in frames per second.
  public var oneCPUFramesPerSecond = 0.0
  /// What it does in the open loop, in frames per second.
  public var sustainedFramesPerSecond = 0.0
  /// The load of the open loops.
  public var offeredFramesPerSecond = 0.0
  /// Operations of the simulated CPUs, and the seconds that simulating them took.
  public var operations: UInt64 = 0
  /// How long it took, in true time.
  public var wallSeconds = 0.0
  /// Disciplines that are not simulated, and why.
  public var leftOut: [(discipline: Discipline, reason: String)] = []
  /// One for each discipline and number of CPUs.
  public var rows: [Row] = []

  /// A report that says nothing.
  public init() {}

  public static func == (left: Simulation, right: Simulation) -> Bool {
    // Wall time is no part of what was found.
    left.model == right.model && left.rows == right.rows && left.operations == right.operations
      && left.oneCPUFramesPerSecond == right.oneCPUFramesPerSecond
      && left.sustainedFramesPerSecond == right.sustainedFramesPerSecond
  }

  /// What a row's throughput is to that of one CPU.
  public func ratio(_ row: Row) -> Double { row.framesPerSecond / oneCPUFramesPerSecond }

  /// What was left out of the model, in words.
  public static let limits =
    "Left out: memory bandwidth, caches of limited size, distances between processors (NUMA), the operating system, "
    + "processors that share a core."
}
