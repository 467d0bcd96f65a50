// Who waits for whom, when nobody can go on or nothing is ever finished: each wait a line, and the circle if there is one.
//
// Law: an edge goes from who waits to who would have to go on first. A gate's owner is who took it, by the gates' own word; what is
// not recorded anywhere (who will ring a sleeper) is no edge, and said to be a sleep. The owner of a LevelLock and who wrote a word
// last are known where the run is told (``StoryTeller``).

import SimulatedMachine
import SoftInterrupts

struct Waits {
  typealias System = InterruptSystem<SimulatedMachine>

  private struct Wait {
    var process: Int
    /// "holds softNet", or empty.
    var holds: String
    /// "waits for gate softBio of CPU 1".
    var wants: String
    var on: [Int]
  }
  private let machine: SimulatedMachine
  private let world: World
  private let pilot: Watcher
  private var waits: [Wait] = []

  init(_ machine: SimulatedMachine, _ world: World, _ pilot: Watcher) {
    (self.machine, self.world, self.pilot) = (machine, world, pilot)
    for process in 0..<machine.processCount {
      let kind = machine.kind(process)
      if kind == .interrupt || kind == .levelThread || machine.hasEnded(process) { continue }
      let view = machine.current(process).flatMap { System.view(of: $0) }
      // With execution by threads a CPU's own thread never stands as at rest.
      let isAtRest = !world.hasGates || view?.isAtRest ?? true
      if kind == .cpu, isAtRest, world.unfinished[process] == 0 { continue }
      waits.append(wait(process, view))
    }
  }

  /// Everybody has finished.
  var isEmpty: Bool { waits.isEmpty }

  private func names(_ processes: [Int]) -> String { processes.map(machine.name).joined(separator: ", ") }

  private func wait(_ process: Int, _ view: AgentView<SimulatedMachine>?) -> Wait {
    let gates = pilot.gates(of: process)
    var wait = Wait(process: process, holds: gates.isEmpty ? "" : "holds \(gates)", wants: "", on: [])
    if let inner = view?.waits.last {
      let owner = inner.isLock ? pilot.lockOwner(of: inner.word) : pilot.owner(of: inner.level)
      let what = inner.isLock ? "a LevelLock at \(inner.level)" : "gate \(inner.level)"
      wait.wants = "waits for \(what)"
      if let owner {
        wait.wants += " of \(machine.name(owner))"
        wait.on = [owner]
      } else if !inner.isLock {
        wait.wants += ", which nobody has: it was not woken"
      }
    } else if machine.isSpinning(process) {
      wait.wants = "spins"
      for word in machine.watched(process) {
        guard let writer = pilot.setter(of: word), writer != process, !wait.on.contains(writer) else {
          continue
        }
        wait.wants += wait.on.isEmpty ? " on what" : ","
        wait.wants += " \(machine.name(writer))"
        wait.on.append(writer)
      }
      if !wait.on.isEmpty { wait.wants += " wrote last" }
    } else if let other = machine.joined(process) {
      wait.wants = "waits for \(machine.name(other)) to end"
      wait.on = [other]
    } else if let awaited = view?.awaited, !awaited.isEmpty {
      wait.wants =
        "waits for "
        + awaited.map {
          $0.isCall
            ? "CPU \($0.cpu) to answer its cross-call at \($0.level)"
            : "CPU \($0.cpu) to end its run at \($0.level)"
        }.joined(separator: ", ")
      wait.on = awaited.map(\.cpu)
    } else if machine.isParked(process) {
      wait.wants = "sleeps: nobody rings it"
    } else {
      wait.wants = "can go on"
    }
    return wait
  }

  /// Processes of which each waits for the next and the last for the first; nil if there is no such circle.
  var circle: [Int]? {
    var done: Set<Int> = []
    for start in waits.map(\.process) where !done.contains(start) {
      var path: [Int] = []
      if let found = circle(from: start, &path, &done) { return found }
    }
    return nil
  }

  private func circle(from process: Int, _ path: inout [Int], _ done: inout Set<Int>) -> [Int]? {
    if let at = path.firstIndex(of: process) { return Array(path[at...]) }
    guard done.insert(process).inserted, let wait = waits.first(where: { $0.process == process }) else {
      return nil
    }
    path.append(process)
    for next in wait.on {
      if let found = circle(from: next, &path, &done) { return found }
    }
    path.removeLast()
    return nil
  }

  private func line(_ wait: Wait) -> String {
    var line = machine.name(wait.process)
    if let run = machine.current(wait.process).flatMap({ System.view(of: $0) })?.run {
      line += " in \"\(run)\""
    }
    if !wait.holds.isEmpty { line += " \(wait.holds)," }
    return line + " " + wait.wants
  }

  /// A line for each, those of the circle first.
  var description: String {
    var text = ""
    let circle = circle ?? []
    if !circle.isEmpty {
      text += "\nA circle of waits:"
      for process in circle {
        if let wait = waits.first(where: { $0.process == process }) { text += "\n  " + line(wait) }
      }
      if circle.count < waits.count { text += "\nBesides:" }
    }
    for wait in waits where !circle.contains(wait.process) { text += "\n  " + line(wait) }
    return text
  }
}
