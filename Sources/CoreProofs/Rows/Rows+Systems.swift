// The row on two systems in one process.
//
// Law: the second system has a machine of its own, whose CPUs do not run: threads of the explored machine visit it, and its words are
// operations of theirs like any others.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let systems = [h56]

  // Two threads use two systems, in both orders, one after the other. Held at once their gates would have no order.
  static let h56 = Proof(
    "H56 two systems are entered in both orders", cpus: 1, strategy: .exhaustive(),
    wrong: [
      WrongProgram(
        "enters one inside of the other", reports: .fatal, without: .manySystems, becomes: .gateAboveIPL
      ) { world in
        try visits(world) { first, second, count in
          first.raise(exactly: .softNet) { _ in second.raise(exactly: .softNet) { _ in count() } }
        }
      }
    ]
  ) { world in
    try visits(world) { first, second, count in
      first.raise(exactly: .softNet) { _ in SimulatedMachine.point() }
      second.raise(exactly: .softNet) { _ in count() }
    }
  }

  private typealias System = InterruptSystem<SimulatedMachine>

  private static func visits(
    _ world: World, _ visit: @escaping (System, System, @escaping () -> Void) -> Void
  ) throws {
    let first = world.system
    let machine = SimulatedMachine.aside { SimulatedMachine(cpus: 1) }
    let second = try SimulatedMachine.aside(machine) { try System(on: machine, .exploration) }
    // A run that breaks off leaves it behind, as it does the first one.
    let kept = Unmanaged.passRetained(second)
    // Words: the gates of declared data are those of the first system only.
    let visits = Flag()
    world.visitor("one") { visit(first, second) { visits.add(1) } }
    world.visitor("two") { visit(second, first) { visits.add(1) } }
    world.finally {
      world.expect(visits.value == 2)
      SimulatedMachine.aside(machine) { _ = second.shutdown() }
      kept.release()
    }
  }
}
