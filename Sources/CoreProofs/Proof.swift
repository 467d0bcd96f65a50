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
  /// What a mutant may be reported as; empty: as anything.
  public var finds: [Rule]
  /// Programs that break the rule themselves, where keeping it is the program's part.
  public var wrong: [WrongProgram]
  public var program: @Sendable (World) throws -> Void

  public init(
    _ name: String, cpus: Int = 2, recognition: Recognition = .points,
    memory: MemoryModel = .sequentiallyConsistent, configuration: Configuration = .exploration,
    strategy: Strategy = .exhaustive(preemptions: 2), limits: Limits = Limits(), mutants: [Mutant] = [],
    finds: [Rule] = [], wrong: [WrongProgram] = [], _ program: @escaping @Sendable (World) throws -> Void
  ) {
    self.name = name
    self.cpus = cpus
    self.recognition = recognition
    self.memory = memory
    self.configuration = configuration
    self.strategy = strategy
    self.limits = limits
    self.mutants = mutants
    self.finds = finds
    self.wrong = wrong
    self.program = program
  }

  public var description: String { name }

  /// Runs the program under the proof's schedules, with whatever mutant is selected now.
  public func explore() throws -> Exploration { try explorer.explore(program) }

  /// The same schedules of another program.
  public var explorer: Explorer {
    Explorer(
      cpus: cpus, recognition: recognition, memory: memory, configuration: configuration, strategy: strategy,
      limits: limits)
  }
}

/// A program that breaks a rule, and is reported.
public struct WrongProgram: Sendable {
  /// What it does wrong.
  public var name: String
  /// What it must be reported as.
  public var reports: Rule
  /// The rule that reports it, where that is one of the core's: switched off, the program must come to `becomes`.
  public var mutant: Mutant?
  public var becomes: Rule?
  public var program: @Sendable (World) throws -> Void

  public init(
    _ name: String, reports: Rule, without mutant: Mutant? = nil, becomes: Rule? = nil,
    _ program: @escaping @Sendable (World) throws -> Void
  ) {
    self.name = name
    self.reports = reports
    self.mutant = mutant
    self.becomes = becomes
    self.program = program
  }
}
