// A step that goes wrong: `input` is declared MP-safe while its table is the old one.
//
// Law: the first program runs on the simulated machine, under every schedule, so that it is found on every run; the second on real
// CPUs, for Thread Sanitizer. What both touch is a number each, so that the wrong program breaks no memory.

import Exploration
import HostedMachine
import SimulatedMachine
import SoftInterrupts

enum TooEarly {
  // [explored]
  static func explored(_ way: WayIn) throws -> Exploration {
    try Explorer(cpus: 2, strategy: .exhaustive(preemptions: 2)).explore { world in
      let sessions = world.shared("sessions", 0)
      let input = try world.handler("input", at: .softNet, as: way) { _ in sessions.value += 1 }
      for cpu in 0..<2 { world.base(on: cpu) { _ in input.schedule() } }
      world.finally { world.expect(sessions.value == 2, "\(sessions.value) sessions of 2") }
    }
  }
  // [/explored]

  static func show() throws {
    print("mpSafe: \(try explored(.mpSafe))")
    print("ordered: \(try explored(.ordered))")
  }

  /// The same on two real CPUs. What it prints differs from run to run.
  static func race() throws {
    let system = try InterruptSystem(on: .hosted(cpus: 2))
    var sessions = 0
    let input = try system.establish("input", at: .softNet, as: .mpSafe) { _ in sessions += 1 }
    let work = Work(Work.events(200_000))
    for cpu in 0..<2 {
      system.submit(on: cpu) { here in
        while work.ports[cpu].take() != nil {
          input.schedule()
          here.checkpoint()
        }
      }
    }
    system.shutdown()
    print("\(sessions) sessions of \(200_000 / Port.batch + 1)")
  }
}
