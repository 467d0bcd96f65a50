// What passes between CPUs: who is rung, who is not, and in which order what was asked is done.
//
// Law: as for the other checks (Checks.swift): each program holds, and without the rule it breaks.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// A rule each.
  static let betweenCPUs: [Proof] = [
    Proof(
      "who asks something of a CPU rings it if it sleeps", mutants: [.noParkLook],
      finds: [.deadlock, .lostWork], scheduledElsewhere),
    Proof(
      "a CPU says that it sleeps before its last look", mutants: [.parkUnsaid],
      finds: [.deadlock, .lostWork], scheduledElsewhere),
    Proof(
      "who waits for a call says that it sleeps", mutants: [.awaitUnsaid], finds: [.deadlock],
      callsAndWaits),
    Proof(
      "a late stamp does not take the place of a later one", recognition: .anywhere, mutants: [.stampOver],
      finds: [.outOfOrder], stampsLate),
  ]

  // The other CPU has had something to do and is about to sleep, or sleeps. Nothing but the schedule tells it.
  static func scheduledElsewhere(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.base(on: 1) { _ in }
    world.finally { world.expect(net.runs == 1) }
  }

  // The caller sleeps at once when it has nothing else to do; nothing but the answer tells it.
  static func callsAndWaits(_ world: World) throws {
    let answer = world.shared("answer", 0)
    let system = world.system
    world.base(on: 0) { _ in
      world.expect(system.crossCallAndWait(on: 1, at: .softNet) { _ in answer.value = 1 })
      world.expect(answer.value == 1)
    }
  }

  // What interrupts the CPU between its mark and the stamp runs the handler; it is scheduled again, and another one after it. The late
  // stamp must not take the place of the new one.
  static func stampsLate(_ world: World) throws {
    let a = try world.handler("a", at: .softNet, as: .ordered) { _ in }
    let b = try world.handler("b", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { _ in a.schedule() }
    world.device("card") {
      b.schedule(on: 0)
      a.schedule(on: 0)
      b.schedule(on: 0)
    }
    world.finally { world.expect(a.runs >= 1 && b.runs >= 1) }
  }
}
