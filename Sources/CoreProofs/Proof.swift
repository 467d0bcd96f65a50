// A claim about the core as data: a small program, the schedules under which it must hold, and the rules without which it would not.
//
// Law: a proof's program is the same with every rule on and with one switched off, so a mutant that is found shows that the check
// looks at what the rule protects.

public import Exploration
public import SimulatedMachine
public import SoftInterrupts

/// One claim, and what refutes it.
public struct Proof: Sendable, CustomStringConvertible {
  /// "H37 a gate handed to a suspended waiter".
  public var name: String
  public var cpus: Int
  public var recognition: Recognition
  public var memory: MemoryModel
  public var configuration: Configuration
  public var strategy: Strategy
  public var limits: Limits
  /// Each of them alone, switched on, is to be found by this program.
  public var mutants: [Mutant]
  public var program: @Sendable (World) throws -> Void

  public init(
    _ name: String, cpus: Int = 2, recognition: Recognition = .points,
    memory: MemoryModel = .sequentiallyConsistent, configuration: Configuration = .exploration,
    strategy: Strategy = .exhaustive(preemptions: 2), limits: Limits = Limits(), mutants: [Mutant] = [],
    _ program: @escaping @Sendable (World) throws -> Void
  ) {
    self.name = name
    self.cpus = cpus
    self.recognition = recognition
    self.memory = memory
    self.configuration = configuration
    self.strategy = strategy
    self.limits = limits
    self.mutants = mutants
    self.program = program
  }

  public var description: String { name }

  /// Runs the program under the proof's schedules, with whatever mutant is selected now.
  public func explore() throws -> Exploration {
    try Explorer(
      cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, strategy: strategy,
      limits: limits
    ).explore(program)
  }
}
