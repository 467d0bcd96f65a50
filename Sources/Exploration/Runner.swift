// One run: build, run, check, take down.
//
// Law: a run begins with every CPU asleep in its loop or at the first step of its base code, and with nothing pending; what comes
// before is the same in every schedule and is not explored. A run that went well is unwound and leaves no memory behind; one that
// went wrong leaves the objects that its stacks hold where they are, and gives the memory back that these stand for.

import SimulatedMachine
import SoftInterrupts

struct RunResult {
  var broken: (rule: Rule, message: String)?
  var outcome: String?
  var steps: Int
  var preemptions: Int
  var deviations: [Schedule.Deviation]
}

final class Runner {
  typealias System = InterruptSystem<SimulatedMachine>

  let machine: SimulatedMachine
  let configuration: Configuration
  let limits: Limits
  var watchesCore = false { didSet { machine.countsEveryWrite = watchesCore } }

  init(
    cpus: Int, recognition: Recognition, memory: MemoryModel = .sequentiallyConsistent,
    configuration: Configuration, limits: Limits
  ) {
    machine = SimulatedMachine(cpus: cpus, recognition: recognition, memory: memory)
    var configuration = configuration
    configuration.onViolation = .collect
    self.configuration = configuration
    self.limits = limits
  }

  func run(
    _ pilot: Watcher, spins: SpinPolicy, _ program: (World) throws -> Void
  ) throws -> RunResult {
    // The system of the last run, put back; or none yet.
    if kept == nil || !machine.rewind() {
      discard()
      machine.reset()
    }
    let world = World(machine, configuration, pilot, kept?.system) { [unowned self] system in
      if reusesSystems && system.isPristine && machine.mark() { kept = (system, system.mark()) }
    }
    do {
      try program(world)
    } catch {
      abandon(world)
      throw error
    }
    machine.settle()
    pilot.overtakes.limit = limits.overtakes
    pilot.begin(machine, world.made)
    pilot.world = world
    pilot.watchesCore = watchesCore
    pilot.watchesData = !world.data.isEmpty || watchesCore
    if pilot.watchesData { pilot.clocks.begin(world, processes: machine.processCount + 4) }
    #if Mutants
      Weakening.run(isUnderWay: true)
      defer { Weakening.run(isUnderWay: false) }
    #endif
    let end = machine.run(pilot, spins: spins, steps: UInt64(limits.steps), until: limits.time)
    #if Mutants
      Weakening.run(isUnderWay: false)
    #endif
    pilot.finish(machine, machine.lastEvent)
    // The program's, and so perhaps the last that holds its system, whose memory goes before the pilot does.
    pilot.tenure = nil
    check(world, pilot, end)
    if end == .quiet && pilot.broken == nil { for check in world.checks { check() } }
    let result = RunResult(
      broken: pilot.broken, outcome: world.said, steps: pilot.step, preemptions: pilot.preemptions,
      deviations: pilot.deviations)
    if pilot.broken == nil && end == .quiet {
      takeDown(world)
    } else {
      abandon(world)
    }
    return result
  }

  /// Stacks that were left in the middle hold both objects, and never go on: the objects stay, and their memory is given back.
  private func abandon(_ world: World) {
    _ = Unmanaged.passRetained(world)
    world.leaveBehind()
    hasAbandoned = true
    kept = nil
  }

  /// A system that is used again: it is rewound after each run.
  private var kept: (system: System, mark: SystemMark)?
  var reusesSystems = true

  private func takeDown(_ world: World) {
    world.checks = []
    world.isLive = false
    // Building or checking, this thread may have visited the system: what it was there goes with the run.
    if let visitor = SimulatedMachine.current { System.threadEnded(visitor) }
    guard let system = world.made else { return }
    if let kept, system.isPristine {
      system.rewind(to: kept.mark)
      return
    }
    kept = nil
    end(system)
  }

  private func end(_ system: System) {
    system.shutdown()
    let rest = system.releaseForGood()
    // Somebody holds the last reference to the system; its core's memory goes when the next one ends.
    for old in leftovers { old.deallocate() }
    leftovers = rest
  }
  private var leftovers: [UnsafeMutableRawPointer] = []

  /// Ends the system that was kept.
  private func discard() {
    guard let system = kept?.system else { return }
    kept = nil
    end(system)
  }

  /// What was left behind holds the machine.
  private var hasAbandoned = false

  deinit {
    discard()
    for rest in leftovers { rest.deallocate() }
    if hasAbandoned { machine.giveBack() }
  }
}
