// A run as data for a drawing: who stood where, step by step.
//
// Law: it is what the story tells, no more; a lane's state holds from one of its moments to the next.

public import SoftInterrupts

/// What was seen of a run.
public struct Timeline: Sendable {
  /// Something that can be seen changed, or was said.
  public struct Moment: Sendable {
    /// The number of the operation in its schedule.
    public var step: Int
    /// Whose: an index of ``Timeline/lanes``.
    public var lane: Int
    /// The IPL from here on.
    public var level: Level
    /// The gates that it owns from here on.
    public var gates: GateSet
    /// The handlers that run on its stack, the lowest first.
    public var runs: [String]
    /// What it waits for: "gate softNet".
    public var waitsFor: String?
    /// What the story says of this step. A detail is a single word of the core, told in the last steps only.
    public var notes: [(text: String, isDetail: Bool)]
  }

  /// The names of CPUs, their interrupts, visitors and devices.
  public var lanes: [String]
  /// For each lane, whether it is a CPU.
  public var isCPU: [Bool]
  /// What happened, in its order.
  public var moments: [Moment]
  /// How many operations the schedule has.
  public var steps: Int

  /// A timeline.
  public init(lanes: [String] = [], isCPU: [Bool] = [], moments: [Moment] = [], steps: Int = 0) {
    (self.lanes, self.isCPU, self.moments, self.steps) = (lanes, isCPU, moments, steps)
  }
}
