// Programs by which the orderings of the core are tested.
//
// Law: with every order as stated a program holds; with one weakened that it relies on, some schedule of it does not. What orders
// plain memory is looked for under sequential consistency, where a race is seen by the clocks whatever the values are; what keeps
// a read from being stale, and every store–load pair, under RC11.

public import Exploration
import SimulatedMachine
import SoftInterrupts

/// One program, under one memory.
public struct OrderingProgram: Sendable, CustomStringConvertible {
  public var proof: Proof

  init(_ proof: Proof) { self.proof = proof }

  public var description: String { proof.name }

  /// Runs it, with whatever is weakened now.
  public func explore() throws -> Exploration {
    var explorer = Explorer(
      cpus: proof.cpus, recognition: proof.recognition, memory: proof.memory,
      configuration: proof.configuration, strategy: proof.strategy, limits: proof.limits)
    explorer.watchesCore = true
    return try explorer.explore(proof.program)
  }

  /// The same with so many schedules, where it is a sample.
  public func sampled(_ schedules: Int) -> Self {
    var copy = self
    switch proof.strategy {
    case .random(let seed, _): copy.proof.strategy = .random(seed: seed, schedules: schedules)
    case .priorities(let seed, _, let depth):
      copy.proof.strategy = .priorities(seed: seed, schedules: schedules, depth: depth)
    default: break
    }
    return copy
  }

  /// A program under both memories: every schedule up to two preemptions under sequential consistency, and two samples under RC11.
  static func both(
    _ name: String, cpus: Int = 2, configuration: Configuration = .exploration,
    recognition: Recognition = .points, preemptions: Int? = 2, schedules: Int = 3_000, limit: Int = 60_000,
    _ program: @escaping @Sendable (World) throws -> Void
  ) -> [Self] {
    let limits = Limits(schedules: limit, steps: 20_000, shrinking: 0)
    return [
      Self(
        Proof(
          "\(name), SC", cpus: cpus, recognition: recognition, memory: .sequentiallyConsistent,
          configuration: configuration, strategy: .exhaustive(preemptions: preemptions), limits: limits,
          program)),
      Self(
        Proof(
          "\(name), RC11", cpus: cpus, recognition: recognition, memory: .rc11, configuration: configuration,
          strategy: .random(seed: 5, schedules: schedules), limits: limits, program)),
      // Long runs of one process with few changes: what needs somebody to be left in the middle for long.
      Self(
        Proof(
          "\(name), RC11 by priorities", cpus: cpus, recognition: recognition, memory: .rc11,
          configuration: configuration, strategy: .priorities(seed: 7, schedules: schedules, depth: 2),
          limits: limits, program)),
    ]
  }

  /// Samples under both memories: of programs in which one process polls another without end, so that only a fair schedule ends.
  static func samples(
    _ name: String, cpus: Int = 2, configuration: Configuration = .exploration, schedules: Int,
    depth: Int = 2,
    _ program: @escaping @Sendable (World) throws -> Void
  ) -> [Self] {
    let strategies: [(String, MemoryModel, Strategy)] = [
      ("SC", .sequentiallyConsistent, .random(seed: 5, schedules: schedules)),
      ("RC11", .rc11, .random(seed: 5, schedules: schedules)),
      ("RC11 by priorities", .rc11, .priorities(seed: 7, schedules: schedules, depth: depth)),
    ]
    return strategies.map { suffix, memory, strategy in
      Self(
        Proof(
          "\(name), \(suffix)", cpus: cpus, memory: memory, configuration: configuration, strategy: strategy,
          limits: Limits(shrinking: 0), program))
    }
  }
}
