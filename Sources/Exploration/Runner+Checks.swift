// What must hold when a run is over.
//
// Law: what was reported comes before what follows from it, and who waits before what was left undone: the first thing said is the
// cause, as far as it can be known.

import SimulatedMachine
import SoftInterrupts

extension Runner {
  func check(_ world: World, _ pilot: Watcher, _ end: RunEnd) {
    if pilot.broken != nil { return }
    if let violation = world.made?.collectedViolations.first {
      return pilot.fail(.witness(violation.rule), violation.description)
    }
    switch end {
    case .fatal(let message): pilot.fail(.fatal, message)
    case .tooManySteps:
      pilot.fail(
        .livelock, "not finished after \(limits.steps) steps." + Waits(machine, world, pilot).description)
    case .spinsForEver:
      pilot.fail(.livelock, "only spinning is left." + Waits(machine, world, pilot).description)
    case .ended, .horizon: break
    case .quiet:
      let waits = Waits(machine, world, pilot)
      if !waits.isEmpty { return pilot.fail(.deadlock, "nobody can go on." + waits.description) }
      if let lost = lostWork(world) { pilot.fail(.lostWork, lost) }
    }
  }

  /// What was accepted and neither run nor given up aloud; nil if nothing was.
  private func lostWork(_ world: World) -> String? {
    guard let system = world.made else { return nil }
    if world.isStopping { return lostAtShutdown(world) }
    if let first = system.unservedWork().first {
      return "everybody sleeps, and \"\(first.name)\" is pending at \(first.level) on CPU \(first.cpu)"
    }
    for record in world.handlers {
      if let cpu = record.lost(system.isOffline) {
        return "\"\(record.name)\" was scheduled on CPU \(cpu), and no run started after it"
      }
    }
    for record in world.callouts
    where record.isLost && !world.calloutsMayRest && !system.isOffline(record.cpu) {
      return "callout \(record.name) was armed on CPU \(record.cpu), and everybody sleeps: it never ran"
    }
    return nil
  }

  /// A shutdown counts what it did not run.
  private func lostAtShutdown(_ world: World) -> String? {
    guard let report = world.report else { return nil }
    var names: [String] = []
    for record in world.handlers where !names.contains(record.name) { names.append(record.name) }
    for name in names {
      let lost = world.handlers.reduce(0) { count, record in
        record.name != name || record.hasEnded || record.isExposed
          ? count : count + record.pending(record.required).count
      }
      let counted = report.pending.reduce(0) { $0 + ($1.name == name ? $1.cpus : 0) }
      if lost > counted {
        return
          "\"\(name)\" was pending on \(lost) CPUs and did not run, and the shutdown's report counts \(counted)"
      }
    }
    let jobs = world.unfinished.reduce(0, +)
    if jobs > report.jobs {
      return "base code was left on \(jobs) CPUs, and the shutdown's report counts \(report.jobs)"
    }
    let armed = world.callouts.count { $0.isLost }
    if armed > report.armedCallouts {
      return "\(armed) callouts were armed, and the shutdown's report counts \(report.armedCallouts)"
    }
    return nil
  }
}
