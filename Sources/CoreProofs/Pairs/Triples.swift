// Three operations on three CPUs, where two do not meet what goes wrong: a hand-off with a mark and a waiter that serves; a callout
// between who arms it, who takes it back and a CPU that leaves; a handler between its end, its schedules and its suspension.
//
// Law: as for pairs. The first is written out, because its third party is what happens *to* a waiter.

public import Exploration
import SimulatedMachine
public import SoftInterrupts

extension Company {
  private static func named(_ names: [String]) -> [PublicOperation] {
    names.map { name in
      guard let operation = PublicOperation.all.first(where: { $0.name == name }) else {
        preconditionFailure("no operation is called \"\(name)\"")
      }
      return operation
    }
  }

  /// Pairs that find a rule that is switched off.
  public static var refuted: [(mutant: Mutant, company: Company)] {
    [
      (.noSecondLook, ["schedule()", "disestablish"]),
      (.noDrainOnDisestablish, ["schedule()", "disestablish"]),
      (.changeAtOnce, ["schedule()", "setWay .mpSafe"]),
      (.noGeneration, ["cancel under the guard", "visitor: raise(exactly:)"]),
    ].map { ($0, Company(named($1), .points)) }
  }

  /// The triples that are explored, for one recognition.
  public static func triples(_ recognition: Recognition) -> [Company] {
    [
      // A handler between its end, its schedules and its suspension.
      ["disestablish", "schedule(on: another)", "suspend"],
      ["disestablish", "schedule()", "suspend, resume"],
      ["disestablish .anywhere", "schedule() .anywhere", "suspend, resume .anywhere"],
      ["disestablish .mpSafe", "schedule(on: another) .mpSafe", "suspend .mpSafe"],
      ["setWay .mpSafe", "schedule()", "disestablish"],
      ["setWay .bigLock", "schedule()", "setWay .mpSafe"],
      ["here.retire()", "schedule()", "disestablish"],
      ["disestablish .anywhere", "suspend, resume .anywhere", "offline"],
      ["schedule() .anywhere", "schedule(on: another) .anywhere", "offline, online"],
      ["schedule() .anywhere", "schedule(on: another) .anywhere", "shutdown()"],
      // A callout between arming, firing, taking back, retiring, and a CPU that leaves.
      ["arm", "cancel", "retire"],
      ["arm", "cancel under the guard", "offline"],
      ["arm", "retire", "offline, online"],
      ["arm", "halt", "cancel, arm again"],
      ["a body arms itself", "cancel under the guard", "retire"],
      ["arm without a guard", "halt without a guard", "retire without a guard"],
      ["a body arms itself, without a guard", "retire without a guard", "offline"],
      ["a body retires its callout", "arm", "visitor: halt"],
      // Waits for other CPUs, of which one leaves.
      ["crossCallAndWait", "crossCallAndWait", "offline"],
      ["crossCall", "crossCallAndWait", "shutdown()"],
      ["barrier", "disestablish .mpSafe", "crossCallAndWait"],
      ["offline, online", "offline", "submit"],
    ].map { Company(named($0), recognition) }
  }

  /// The company as a claim, to a bound that it is complete for.
  public func proof(preemptions: Int, limits: Limits = Limits()) -> Proof {
    Proof(
      name, cpus: cpus, recognition: recognition, strategy: .exhaustive(preemptions: preemptions),
      limits: limits, program)
  }
}

extension Proof {
  /// A gate that is handed over at once, a handler that may run anywhere marked on it, and a waiter that serves something above
  /// meanwhile: on three CPUs.
  public static func handOff(_ recognition: Recognition, preemptions: Int = 2) -> Proof {
    var configuration = Configuration.exploration
    configuration.handOffAfter = 0
    return Proof(
      "a gate handed over × a handler marked on it × a waiter that serves", cpus: 3, recognition: recognition,
      configuration: configuration, strategy: .exhaustive(preemptions: preemptions),
      mutants: [.handToServing, .noLook]
    ) { world in
      let stage = Stage(world)
      let anywhere = stage.anywhere
      // On top of the waiter: an MP-safe handler of the waited-for level, which enters its own gate.
      let safe = stage.safe
      world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in stage.touch(.softNet) } }
      world.base(on: 1) { _ in anywhere.schedule(on: nil) }
      world.base(on: 2) { here in here.raise(exactly: .softNet) { _ in stage.touch(.softNet) } }
      world.device("line") { safe.schedule(on: 2) }
    }
  }
}
