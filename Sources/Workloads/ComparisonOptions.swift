// What a comparison is asked to do, what it says meanwhile, and why it cannot.

public import ComparisonReport

/// What a comparison is asked to do.
public struct ComparisonOptions: Sendable {
  /// In which idle modes latency is measured.
  public enum Idle: Sendable { case both, poll, park }

  public var cpus = 2
  public var disciplines = Discipline.allCases
  /// Open-loop load in percent of one CPU's capacity.
  public var loadPercent = 60.0
  /// The time for all measurements, in seconds.
  public var seconds = 20.0
  public var idle = Idle.both
  public var seed: UInt64 = 1
  public var rounds = 9
  public var commandLine: [String] = []
  public var captureName = ""
  public var version = ""

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
