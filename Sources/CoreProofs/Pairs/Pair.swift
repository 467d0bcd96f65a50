// Two public operations on two CPUs, on the same objects; and three on three.
//
// Law: pairs are generated from the list of operations, every one with every one and with itself. A verdict says up to how many
// preemptions *every* schedule was run, and how many schedules beyond that were only looked at.

public import Exploration
public import SimulatedMachine
import SoftInterrupts

/// Operations side by side, each by an actor of its own.
public struct Company: Sendable, CustomStringConvertible {
  public var operations: [PublicOperation]
  public var recognition: Recognition

  public init(_ operations: [PublicOperation], _ recognition: Recognition) {
    self.operations = operations
    self.recognition = recognition
  }

  public var name: String { operations.map(\.name).joined(separator: " × ") }
  public var description: String { "\(name), \(recognition)" }
  public var cpus: Int { max(2, operations.count) }

  /// Every operation with every one that is not before it, and with itself.
  public static func pairs(_ recognition: Recognition, of list: [PublicOperation] = PublicOperation.all)
    -> [Company]
  {
    list.indices.flatMap { first in
      list[first...].map { Company([list[first], $0], recognition) }
    }
  }

  public func program(_ world: World) throws {
    let stage = Stage(world)
    // All are prepared before one enters: what is shared is there, and what one does to it is known to all.
    for operation in operations { try operation.prepare(stage) }
    for (index, operation) in operations.enumerated() {
      try operation.enter(stage, Side(index: index, other: (index + 1) % operations.count))
    }
  }
}

/// How far a company is explored.
public struct Depth: Sendable {
  /// The bound that is wanted; the next ones are tried as well where the tree is small.
  public var preemptions: Int
  /// Schedules of one bound.
  public var limit: Int
  public var triesMore: Bool
  public init(preemptions: Int = 2, limit: Int = 4_000, triesMore: Bool = true) {
    (self.preemptions, self.limit, self.triesMore) = (preemptions, limit, triesMore)
  }
}

/// What exploring a company came to.
public struct CompanyVerdict: Sendable {
  public var company: Company
  /// Every schedule with at most so many preemptions was run; nil if not even with none.
  public var completeTo: Int?
  /// Every schedule at all was run.
  public var isComplete = false
  /// Schedules of the bound that was not completed: a sample of it.
  public var sampled = 0
  /// Of all bounds.
  public var schedules = 0
  public var redundant = 0
  public var steps = 0
  public var finding: Finding?

  /// "all", "≤ 2", "≤ 1, then 4000".
  public var bound: String {
    if isComplete { return "all" }
    let complete = completeTo.map { "≤ \($0)" } ?? "none"
    return sampled == 0 ? complete : "\(complete), then \(sampled)"
  }
}

extension Company {
  /// Explores with 0, 1, 2 … preemptions until one bound has more schedules than the limit.
  public func explore(_ depth: Depth = Depth(), configuration: Configuration = .exploration) throws
    -> CompanyVerdict
  {
    var verdict = CompanyVerdict(company: self)
    // Beyond the wanted bound only where it costs little: the number without a bound is the last.
    var bounds: [Int?] = Array(0...depth.preemptions)
    if depth.triesMore { bounds += [depth.preemptions + 1, nil] }
    for bound in bounds {
      if (bound ?? .max) > depth.preemptions, verdict.schedules * 8 > depth.limit { break }
      let exploration = try Explorer(
        cpus: cpus, recognition: recognition, configuration: configuration,
        strategy: .exhaustive(preemptions: bound), limits: Limits(schedules: depth.limit)
      ).explore(program)
      verdict.schedules += exploration.schedules
      verdict.redundant += exploration.redundant
      verdict.steps += exploration.steps
      switch exploration.verdict {
      case .violation(let finding):
        verdict.finding = finding
        return verdict
      case .bounded:
        verdict.sampled = exploration.schedules
        return verdict
      case .holds:
        if let bound { verdict.completeTo = bound } else { verdict.isComplete = true }
      }
    }
    return verdict
  }

  public func replay(_ string: String, configuration: Configuration = .exploration) throws -> Finding? {
    try Explorer(cpus: cpus, recognition: recognition, configuration: configuration).replay(string, program)
  }
}
