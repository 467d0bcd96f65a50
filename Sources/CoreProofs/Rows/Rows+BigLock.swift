// Rows on the big lock, the lowest gate.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let bigLock = [h1, h1anywhere, h29deferred, h29aged, h39]

  // Big-lock base code raises to softNet; on the other CPU, under gate softNet, big-lock work of softSerial comes.
  // Waiting there for the big lock would be a cycle: the work is deferred until the CPU holds no gate.
  static let h1 = Proof(
    "H1 big-lock work comes on a CPU that holds a gate", strategy: .exhaustive(preemptions: 3),
    mutants: [.bigLockAlways], finds: [.descending], comesUnderGate)
  static let h1anywhere = Proof(
    "H1 the same, interrupts anywhere", recognition: .anywhere, strategy: .exhaustive(preemptions: 2),
    mutants: [.bigLockAlways], finds: [.descending], comesUnderGate)
  private static let comesUnderGate: @Sendable (World) throws -> Void = { world in
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let big = try world.handler("big", at: .softSerial, as: .bigLock) { _ in legacy.value += 1 }
    let net = try world.handler("net", at: .softNet, as: .ordered) { here in
      big.schedule()
      here.checkpoint()
    }
    world.base(on: 0, as: .bigLock) { here in
      legacy.value += 1
      here.raise(to: .softNet) { _ in }
    }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(legacy.value == 2 && big.runs == 1) }
  }

  // The work that was deferred under a gate is looked at again when the CPU has left it, in base code or in a handler.
  static let h29deferred = Proof(
    "H29 deferred big-lock work is forgotten", strategy: .exhaustive(preemptions: 3), mutants: [.noReadmit],
    finds: [.lostWork]
  ) { world in
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let big = try world.handler("big", at: .softSerial, as: .bigLock) { _ in legacy.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { here in here.checkpoint() } }
    world.base(on: 1, as: .bigLock) { _ in legacy.value += 1 }
    world.device("line") { big.schedule(on: 0) }
    world.finally { world.expect(legacy.value == 2 && big.runs == 1) }
  }

  // Big-lock work on CPU 1 finds the big lock busy each time it tries. After K = 1 failures and one more it waits in order.
  static let h29aged = Proof(
    "H29 big-lock work is overtaken for ever", configuration: overdueAtOnce,
    strategy: .exhaustive(preemptions: 4), mutants: [.noAgeing],
    finds: [.expectation]
  ) { world in
    try ages(world) { here, _ in world.system.bigLock { _ in world.point() } }
  }

  // The same, and it is now the big lock, now gate softNet that is busy: the work bounces between the two.
  static let h39 = Proof(
    "H39 big-lock work bounces between its two gates", configuration: overdueAtOnce,
    strategy: .exhaustive(preemptions: 4), mutants: [.noAgeing], finds: [.expectation]
  ) { world in
    try ages(world) { here, turn in
      if turn % 2 == 1 {
        world.system.bigLock { _ in world.point() }
      } else {
        here.raise(exactly: .softNet) { _ in world.point() }
      }
    }
  }

  /// Sections on CPU 0 in the way of one piece of big-lock work on CPU 1, which counts its failed tries.
  ///
  /// K + 1 until it has aged; then it waits in the queue of an overdue gate, so one section at most comes before it, whose leaving
  /// may ring for one more try.
  private static func ages(_ world: World, _ section: @escaping (borrowing Place, Int) -> Void) throws {
    let before = view(world, 1)?.counters(.softNet).delegated ?? 0
    let patience = UInt64(Configuration.exploration.patience)
    let big = try world.handler("big", at: .softNet, as: .bigLock) { here in
      let failed = view(world, here.cpu!)!.counters(.softNet).delegated - before
      world.expect(failed <= patience + 2, "it has failed \(failed) times")
    }
    world.base(on: 0) { here in for turn in 0..<4 { section(here, turn) } }
    world.base(on: 1) { _ in big.schedule() }
  }
}
