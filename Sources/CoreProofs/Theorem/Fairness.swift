// The bounds of fairness, as bounds: small programs in which as much as possible goes wrong, and how wrong it went in the worst schedule.
//
// Law: what is counted is counted from outside, by who owns which gate; the bound is a formula of the configuration, stated with
// the case; no schedule may go beyond it, and the worst that was seen says how tight it is. A *tenure* is one owning of a gate.
// Tenures count against a waiter from when the gate says that it is asked for: before that it has not said that it waits.

public import Exploration
public import SimulatedMachine
public import SoftInterrupts

/// One bound.
public struct FairnessBound: Sendable, CustomStringConvertible {
  public var name: String
  /// What is counted, and the formula.
  public var claim: String
  public var bound: Int
  public var cpus: Int
  public var configuration: Configuration
  public var recognition = Recognition.points
  public var strategy: Strategy
  public var limits = Limits()
  /// Each, switched on, goes beyond the bound.
  public var mutants: [Mutant]
  let program: @Sendable (World, Worst) throws -> Void

  public var description: String { name }

  /// Whether it is a bound by the budgets, and not by K.
  public var dependsOnBudgets: Bool { name == "drains" || name == "dispatches" }

  /// What exploring it came to.
  public struct Result: Sendable {
    /// The worst that any schedule came to.
    public var worst: Int
    public var exploration: Exploration
  }

  /// Explores it with whatever mutant is selected now.
  public func explore() throws -> Result {
    let explorer = Explorer(
      cpus: cpus, recognition: recognition, configuration: configuration, strategy: strategy, limits: limits)
    let exploration = try explorer.explore { try build($0) }
    return Result(
      worst: exploration.outcomes.keys.compactMap { Int($0) }.max() ?? 0, exploration: exploration)
  }

  /// For replays.
  public func build(_ world: World) throws {
    let worst = Worst()
    try program(world, worst)
    world.finally {
      world.outcome("\(worst.count)")
      world.expect(worst.count <= bound, "\(claim): \(worst.count)")
    }
  }
}

extension FairnessBound {
  /// All bounds, for one `patience` and one of both budgets.
  public static func all(patience: Int, budget: Int) -> [FairnessBound] {
    var configuration = Configuration.exploration
    configuration.patience = patience
    configuration.drainBudget = budget
    configuration.dispatchBudget = budget
    configuration.handOffAfter = 0
    return [
      overtaken(configuration, cpus: 2), overtaken(configuration, cpus: 3), passedOver(configuration),
      lapses(configuration), asynchronous(configuration), queued(configuration), bounces(configuration),
      aged(configuration), drains(configuration), dispatches(configuration),
    ]
  }

  /// A waiter that is overdue at once and serves nothing; the others come back again and again.
  static func overtaken(_ configuration: Configuration, cpus: Int) -> FairnessBound {
    FairnessBound(
      name: "overtaken, \(cpus) CPUs",
      claim: "an overdue waiter that serves nothing, with q before it, is overtaken q + 1 times at most",
      bound: cpus - 2 + 1, cpus: cpus, configuration: configuration,
      strategy: .exhaustive(preemptions: 2), limits: Limits(schedules: 60_000),
      mutants: configuration.patience > 1 && cpus == 2 ? [.noHandOff, .passOverTrying] : [.noHandOff]
    ) { world, worst in
      let counter = Overtakings(world, .softNet, worst)
      for cpu in 0..<cpus {
        world.base(on: cpu) { here in
          for _ in 0..<(cpu == 0 ? 4 : 1) { here.raise(exactly: .softNet) { _ in } }
        }
      }
      world.finally { _ = counter }
    }
  }

  /// A waiter that serves handlers above it while another takes the gate again and again.
  static func passedOver(_ configuration: Configuration) -> FairnessBound {
    let patience = configuration.patience
    return FairnessBound(
      name: "passed over",
      claim: "an overdue waiter that serves, with none before it, is overtaken K times at most",
      bound: patience, cpus: 2, configuration: configuration, strategy: .exhaustive(preemptions: 3),
      limits: Limits(schedules: 150_000), mutants: [.noHandOff]
    ) { world, worst in
      let counter = Overtakings(world, .softNet, worst)
      let above = try world.handler("above", at: .softSerial, as: .mpSafe) { _ in world.point() }
      world.base(on: 0) { here in
        for _ in 0..<patience + 4 { here.raise(exactly: .softNet) { _ in } }
      }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
      world.device("line") { above.schedule(on: 1) }
      world.finally { _ = counter }
    }
  }

  /// The gate is kept for a waiter whose handler waits for who is refused the gate: the reservation has to lapse.
  static func lapses(_ configuration: Configuration) -> FairnessBound {
    let lapse = Int(configuration.reservationLapse)
    let patience = configuration.patience
    return FairnessBound(
      name: "lapses", claim: "who is refused a reserved gate waits reservationLapse + 1 ns at most",
      bound: lapse + 1, cpus: 2,
      configuration: configuration, strategy: .exhaustive(preemptions: 2), limits: Limits(schedules: 20_000),
      mutants: [.noLapse, .sleepToLapse]
    ) { world, worst in
      let flag = Flag()
      let above = try world.handler("above", at: .softSerial, as: .mpSafe) { _ in flag.wait() }
      world.base(on: 0) { here in
        for _ in 0..<patience + 2 {
          let start = world.machine.time
          here.raise(exactly: .softNet) { _ in worst.see(Int(world.machine.time - start)) }
        }
        flag.set()
      }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
      world.device("line") { above.schedule(on: 1) }
    }
  }

  /// Work that finds its gate busy again and again.
  static func asynchronous(_ configuration: Configuration) -> FairnessBound {
    let patience = configuration.patience
    return FairnessBound(
      name: "tries", claim: "asynchronous work fails K + 1 times at most before it is in the queue",
      bound: patience + 1, cpus: 2, configuration: configuration,
      strategy: .exhaustive(preemptions: patience + 2),
      limits: Limits(schedules: 150_000), mutants: [.noQueueing]
    ) { world, worst in
      let net = try world.handler("net", at: .softNet, as: .ordered) { here in
        if let current = SimulatedMachine.current { worst.see(failures(of: current, .softNet)) }
      }
      world.base(on: 0) { here in
        for _ in 0..<patience + 3 { here.raise(exactly: .softNet) { _ in } }
      }
      world.device("card") { net.schedule(on: 1) }
    }
  }

  /// The same work, once it is in the queue.
  static func queued(_ configuration: Configuration) -> FairnessBound {
    let patience = configuration.patience
    return FairnessBound(
      name: "in the queue",
      claim: "asynchronous work that waits, with q before it, is overtaken q + 1 times at most",
      bound: 1, cpus: 2, configuration: configuration, strategy: .exhaustive(preemptions: patience + 1),
      limits: Limits(schedules: 60_000), mutants: [.noHandOff]
    ) { world, worst in
      let counter = Overtakings(world, .softNet, worst)
      let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
      world.base(on: 0) { here in
        for _ in 0..<patience + 4 { here.raise(exactly: .softNet) { _ in } }
      }
      world.device("card") { net.schedule(on: 1) }
      world.finally { _ = counter }
    }
  }

  /// Big-lock work that finds one of its gates busy again and again. (Once it waits for gate `none` it is still tried when something
  /// rings its CPU; these tries are not counted, since its place is kept.)
  static func bounces(_ configuration: Configuration) -> FairnessBound {
    let patience = configuration.patience
    return FairnessBound(
      name: "bounces", claim: "big-lock work bounces K + 1 times at most before it waits in order",
      bound: patience + 1, cpus: 2, configuration: configuration,
      strategy: .exhaustive(preemptions: patience + 2),
      limits: Limits(schedules: 150_000), mutants: [.noAgeing]
    ) { world, worst in
      let (machine, system) = (world.machine, world.system)
      let big = try world.handler("big", at: .softNet, as: .bigLock) { _ in }
      world.base(on: 0) { here in
        for _ in 0..<patience + 3 { system.bigLock { _ in } }
      }
      world.device("card") { big.schedule(on: 1) }
      world.onTenure { level, process, _ in
        guard level == .none, process == 0, big.runs == 0, let waiter = machine.current(1) else { return }
        if !system.waiters(at: .none).contains(waiter) { worst.see(failures(of: waiter, .softNet)) }
      }
    }
  }

  /// The same work, once it waits for gate `none`.
  static func aged(_ configuration: Configuration) -> FairnessBound {
    let patience = configuration.patience
    return FairnessBound(
      name: "aged", claim: "aged big-lock work, with none before it, is overtaken K times at most",
      bound: patience,
      cpus: 2, configuration: configuration, strategy: .exhaustive(preemptions: patience + 1),
      limits: Limits(schedules: 150_000), mutants: [.noHandOff]
    ) { world, worst in
      let counter = Overtakings(world, .none, worst)
      let big = try world.handler("big", at: .softNet, as: .bigLock) { _ in }
      world.base(on: 0) { here in
        for _ in 0..<2 * patience + 4 { world.system.bigLock { _ in } }
      }
      world.device("card") { big.schedule(on: 1) }
      world.finally { _ = counter }
    }
  }

  /// Much work of another CPU is marked on a gate when it is left.
  static func drains(_ configuration: Configuration) -> FairnessBound {
    let handlers = configuration.drainBudget + 2
    return FairnessBound(
      name: "drains", claim: "who leaves a gate runs drainBudget handlers for others at most",
      bound: configuration.drainBudget, cpus: 2, configuration: configuration,
      strategy: .exhaustive(preemptions: 2),
      limits: Limits(schedules: 60_000), mutants: [.noRunBudget]
    ) { world, worst in
      let runs = Runs(world, .softNet)
      var work: [WatchedHandler] = []
      for name in ["a", "b", "c", "d"].prefix(handlers) {
        work.append(
          try world.handler(name, at: .softNet, as: .ordered, .anywhere) { here in
            // Those of CPU 1, on CPU 0.
            if here.cpu == 0 { worst.see(runs.another()) }
          })
      }
      world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in } }
      world.base(on: 1) { here in here.mask(to: .softNet) { _ in for handler in work { handler.schedule() } }
      }
    }
  }

  /// Much work of one level is pending on one CPU.
  static func dispatches(_ configuration: Configuration) -> FairnessBound {
    let handlers = configuration.dispatchBudget + 2
    return FairnessBound(
      name: "dispatches", claim: "one tenure of a dispatch runs dispatchBudget handlers of its own at most",
      bound: configuration.dispatchBudget, cpus: 2, configuration: configuration,
      strategy: .exhaustive(preemptions: 2), limits: Limits(schedules: 60_000), mutants: [.noRunBudget]
    ) { world, worst in
      let runs = Runs(world, .softNet)
      var work: [WatchedHandler] = []
      for name in ["a", "b", "c", "d"].prefix(handlers) {
        work.append(try world.handler(name, at: .softNet, as: .ordered) { _ in worst.see(runs.another()) })
      }
      world.base(on: 0) { here in here.mask(to: .softNet) { _ in for handler in work { handler.schedule() } }
      }
      world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
    }
  }

  /// How often an agent's dispatches at a level have found a gate busy.
  private static func failures(of agent: UnsafeMutableRawPointer, _ level: Level) -> Int {
    guard let view = InterruptSystem<SimulatedMachine>.view(of: agent) else { return 0 }
    return Int(view.counters(level).delegated)
  }
}
