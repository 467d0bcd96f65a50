// What a simulation found: for each discipline and number of CPUs the throughput, the waiting and the latencies.
//
// Invariant: figures as they came out of the simulated runs; nothing is rounded here, and ratios are made by who shows them.

/// A prediction of the flow meter's disciplines on many CPUs.
public struct Simulation: Sendable, Equatable {
  /// The schema of ``json``.
  public static let schema = "softint.simulate/1"

  /// One discipline on one number of CPUs.
  public struct Row: Sendable, Equatable {
    public var discipline: Discipline
    public var cpus: Int
    /// The closed loop: the card always has frames.
    public var framesPerSecond: Double
    /// The part of all CPUs' time in which they waited for a gate or a lock, in the closed loop.
    public var gateWaiting: Double
    /// The part of the time in which the line of the gate word was under way between CPUs, in the closed loop.
    public var gateLine: Double
    /// The line that was under way most of the time, what is on it, and that part.
    public var busiestLine: String
    public var busiestLineShare: Double
    /// The open loop: latencies from when a frame or a beat was due, frames that were due, and those lost; rounds of base code.
    public var softNet: LatencyHistogram
    public var softSerial: LatencyHistogram
    public var framesDue: UInt64
    public var drops: UInt64
    public var baseRoundsPerSecond: Double

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

  public var version = ""
  public var commandLine: [String] = []
  public var interrupted = false
  /// The model: where its file comes from.
  public var model = CostFile()
  public var modelName = ""
  public var capture = CaptureFigures(file: "", frames: 0, bytes: 0)
  public var simulatedSeconds = 0.0
  public var loadPercent = 0.0
  public var seed: UInt64 = 1
  /// What one simulated CPU does in the closed loop and in the open one, in frames per second.
  public var oneCPUFramesPerSecond = 0.0
  public var sustainedFramesPerSecond = 0.0
  /// The load of the open loops.
  public var offeredFramesPerSecond = 0.0
  /// Operations of the simulated CPUs, and the seconds that simulating them took.
  public var operations: UInt64 = 0
  public var wallSeconds = 0.0
  /// Disciplines that are not simulated, and why.
  public var leftOut: [(discipline: Discipline, reason: String)] = []
  public var rows: [Row] = []

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
