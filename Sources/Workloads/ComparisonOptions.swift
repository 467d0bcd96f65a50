// What a comparison is asked to do, what it says meanwhile, and why it cannot.

public import ComparisonReport

/// What a comparison is asked to do.
public struct ComparisonOptions: Sendable {
  /// In which idle modes latency is measured.
  public enum Idle: Sendable {
    /// An idle CPU polls, or parks; or both are measured.
    case both, poll, park
  }

  /// How many CPUs.
  public var cpus = 2
  /// Which disciplines, in the order of the table.
  public var disciplines = Discipline.allCases
  /// Open-loop load in percent of one CPU's capacity.
  public var loadPercent = 60.0
  /// The time for all measurements, in seconds.
  public var seconds = 20.0
  /// How idle CPUs wait while latencies are measured.
  public var idle = Idle.both
  /// What decides the order of the rounds.
  public var seed: UInt64 = 1
  /// How many rounds each discipline has.
  public var rounds = 9
  /// For the report: the command.
  public var commandLine: [String] = []
  /// For the report: the capture's name.
  public var captureName = ""
  /// For the report: the program's version.
  public var version = ""

  /// The defaults.
  public init() {}
}

/// What a comparison is doing.
public struct ComparisonProgress: Sendable {
  /// One line.
  public var text: String
  /// From 0 to 1.
  public var fraction: Double
}

/// Why a comparison could not be made; one line that says what to do.
public struct ComparisonError: Error, Sendable, CustomStringConvertible {
  public var description: String
}
