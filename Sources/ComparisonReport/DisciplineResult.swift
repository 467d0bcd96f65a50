// What was found about one discipline: that it cannot be, and why; or what it measured.
//
// Invariant: an infeasible discipline has a reason and no figures. A feasible one may lack any figure, because
// the run may have been interrupted before it was measured.

/// What was found about one discipline.
public struct DisciplineResult: Sendable, Equatable {
  /// On which stack handlers run.
  public enum Execution: String, Sendable, CaseIterable {
    /// As the core calls it.
    case inline, threads
  }

  /// Whether the discipline can be at all.
  public enum Outcome: Sendable, Equatable {
    /// The workload cannot run under it; the reason names what breaks it.
    case infeasible(reason: String)
    /// It ran, as far as it came.
    case feasible(Measurements)
  }

  /// The discipline.
  public var discipline: Discipline
  /// On which stack its handlers ran.
  public var execution: Execution
  /// What came of it.
  public var outcome: Outcome
  /// What the witness reported, also of an infeasible one.
  public var violations: [ViolationReport]

  /// A result.
  public init(
    discipline: Discipline, execution: Execution = .inline, outcome: Outcome,
    violations: [ViolationReport] = []
  ) {
    self.discipline = discipline
    self.execution = execution
    self.outcome = outcome
    self.violations = violations
  }

  /// The figures; `nil` if the discipline is infeasible.
  public var measurements: Measurements? {
    if case .feasible(let measurements) = outcome { measurements } else { nil }
  }

  /// Why the discipline is infeasible; `nil` if it is not.
  public var reason: String? {
    if case .infeasible(let reason) = outcome { reason } else { nil }
  }

  /// How many violations the witness counted.
  public var violationCount: UInt64 {
    violations.reduce(0) { sum, violation in
      let (total, overflow) = sum.addingReportingOverflow(violation.count)
      return overflow ? .max : total
    }
  }
}

/// One kind of violation of the order, as the witness reported it.
public struct ViolationReport: Sendable, Equatable {
  /// The rule that was broken, in a word or two.
  public var rule: String
  /// The witness's text: both levels, both handlers, where each gate was taken.
  public var text: String
  /// How often it was seen.
  public var count: UInt64

  /// A violation.
  public init(rule: String, text: String, count: UInt64 = 1) {
    self.rule = rule
    self.text = text
    self.count = count
  }
}

/// The figures of one feasible discipline. Series have one value for each round, in the order of the
/// rounds; a value that is not finite stands for a round that gave none.
public struct Measurements: Sendable, Equatable {
  /// Capacity: frames per second of the closed loop, by round.
  public var framesPerSecond: [Double]
  /// Progress of base code beside the open loop: operations per second, by round.
  public var baseOperationsPerSecond: [Double]
  /// The open loop with idle CPUs that poll; `nil` if it was not measured.
  public var polling: OpenLoop?
  /// The open loop with idle CPUs that park; `nil` if it was not measured.
  public var parked: OpenLoop?
  /// How long the section that copies the top talkers held its gate; empty if it was not measured.
  public var topTalkersHold: LatencySeries
  /// The digest of the flow table of a lossless pass; `nil` if it was not made.
  public var digest: String?
  /// Statistics of gates; empty where they are compiled out.
  public var gates: [GateFigures]
  /// Statistics of handlers; empty where they are compiled out.
  public var handlers: [HandlerFigures]
  /// A few milliseconds of the discipline at work; empty if they were not recorded.
  public var timeline: [TimelineSpan]

  /// Figures; empty by default, to be filled as they come.
  public init(
    framesPerSecond: [Double] = [], baseOperationsPerSecond: [Double] = [], polling: OpenLoop? = nil,
    parked: OpenLoop? = nil, topTalkersHold: LatencySeries = LatencySeries(), digest: String? = nil,
    gates: [GateFigures] = [], handlers: [HandlerFigures] = [], timeline: [TimelineSpan] = []
  ) {
    self.framesPerSecond = framesPerSecond
    self.baseOperationsPerSecond = baseOperationsPerSecond
    self.polling = polling
    self.parked = parked
    self.topTalkersHold = topTalkersHold
    self.digest = digest
    self.gates = gates
    self.handlers = handlers
    self.timeline = timeline
  }

  /// Frames that full rings dropped, in both idle modes; `nil` if no open loop was measured.
  public var drops: UInt64? {
    guard polling != nil || parked != nil else { return nil }
    return (polling?.drops ?? 0) &+ (parked?.drops ?? 0)
  }
}
