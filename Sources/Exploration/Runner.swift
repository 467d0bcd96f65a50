// One run: build, run, check, take down.
//
// Law: a run begins with every CPU asleep in its loop or at the first step of its base code, and with nothing pending; what comes
// before is the same in every schedule and is not explored. A run that went well is unwound and leaves no memory behind; one that
// went wrong leaves its stacks' memory where it is.

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

  /// Stacks that were left in the middle point to both: they stay.
  private func abandon(_ world: World) {
    _ = Unmanaged.passRetained(world)
    if let system = world.made { _ = Unmanaged.passRetained(system) }
    kept = nil
  }

  /// A system that is used again: it is rewound after each run.
  private var kept: (system: System, mark: SystemMark<SimulatedMachine>)?
  var reusesSystems = true

  private func takeDown(_ world: World) {
    world.checks = []
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

  deinit {
    discard()
    for rest in leftovers { rest.deallocate() }
  }

  // MARK: What must hold at the end

  private func check(_ world: World, _ pilot: Watcher, _ end: RunEnd) {
    if pilot.broken != nil { return }
    if let violation = world.made?.collectedViolations.first {
      return pilot.fail(.witness(violation.rule), violation.description)
    }
    switch end {
    case .fatal(let message): pilot.fail(.fatal, message)
    case .tooManySteps:
      pilot.fail(.livelock, "not finished after \(limits.steps) steps.\n" + stuck(world))
    case .spinsForEver: pilot.fail(.livelock, "only spinning is left.\n" + stuck(world))
    case .ended, .horizon: break
    case .quiet:
      let waiting = stuck(world)
      if !waiting.isEmpty { return pilot.fail(.deadlock, "nobody can go on.\n" + waiting) }
      if let first = world.made?.unservedWork().first {
        return pilot.fail(
          .lostWork,
          "everybody sleeps, and \"\(first.name)\" is pending at \(first.level) on CPU \(first.cpu)")
      }
      for record in world.handlers {
        if let cpu = record.lost {
          return pilot.fail(
            .lostWork, "\"\(record.name)\" was scheduled on CPU \(cpu), and no run started after it")
        }
      }
    }
  }

  /// Who has not finished and waits for what: a line each; empty if everybody has.
  func stuck(_ world: World) -> String {
    var lines: [String] = []
    for process in 0..<machine.processCount {
      let kind = machine.kind(process)
      if kind == .interrupt || kind == .levelThread || machine.hasEnded(process) { continue }
      let view = machine.current(process).flatMap { System.view(of: $0) }
      // With execution by threads a CPU's own thread never stands as at rest.
      let isAtRest = configuration.execution == .threads || view?.isAtRest ?? true
      if kind == .cpu, isAtRest, world.unfinished[process] == 0 { continue }
      var line = "  \(machine.name(process))"
      if let run = view?.run { line += " in \"\(run)\"" }
      if let view, !view.held.pointee.isEmpty { line += " holds \(view.held.pointee)" }
      if let wait = view?.waits.last {
        line += " waits for \(wait.isLock ? "a LevelLock at" : "gate") \(wait.level)"
        let holders = (0..<machine.processCount).filter { other in
          other != process && !wait.isLock
            && (machine.current(other).flatMap { System.view(of: $0) }?.held.pointee.contains(wait.level.gate)
              ?? false)
        }
        if !holders.isEmpty { line += " of " + holders.map(machine.name).joined(separator: ", ") }
      } else if machine.isSpinning(process) {
        line += " spins"
      } else if machine.isJoining(process) {
        line += " waits for another to end"
      } else if machine.isParked(process) {
        line += " sleeps"
      } else {
        line += " can go on"
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }
}
