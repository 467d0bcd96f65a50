// Rows on callouts: fired, waiting for their guard, taken back, ended.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Rows {
  static let callouts = [h4, h4three, h5, h43]

  // A callout is armed, its time comes at any moment, it is halted on another CPU, and what it used is given away.
  // It may be popped and waiting for its guard then: it finds another generation there, and does not run.
  static let h4 = Proof(
    "H4 a callout that was fired runs after it is freed", strategy: .exhaustive(preemptions: 3),
    mutants: [.noGeneration, .haltAtOnce], finds: [.dataRace, .expectation]
  ) { world in try frees(world, armedOn: 1) }

  // The same with a third CPU that arms it.
  static let h4three = Proof(
    "H4 armed, fired and freed on three CPUs", cpus: 3, strategy: .exhaustive(preemptions: 2),
    mutants: [.noGeneration, .haltAtOnce], finds: [.dataRace, .expectation]
  ) { world in try frees(world, armedOn: 2) }

  private static func frees(_ world: World, armedOn cpu: Int) throws {
    let resource = world.shared("resource", guard: nil, 0)
    let isArmed = Flag()
    let tick = try world.system.callout("tick", at: .softClock, guard: .softNet, exactly: true) { _ in
      world.expect(resource.value >= 0, "the callout uses what was given away")
    }
    if cpu != 1 {
      world.base(on: cpu) { _ in
        tick.schedule(at: 0)
        isArmed.value = 1
      }
    }
    world.base(on: 1) { _ in
      if cpu == 1 { tick.schedule(at: 0) } else { isArmed.await() }
      tick.halt()
      resource.value = -1
    }
    world.clock(after: .milliseconds(1))
  }

  // A timer schedules work, and the work arms the timer again; another CPU takes both down and gives away what they use.
  // Halting one and ending the other is never right, in whatever order: what is retired cannot be armed.
  static let h5 = Proof(
    "H5 a timer is armed again after it was cancelled", strategy: .exhaustive(),
    mutants: [.armRetired], finds: [.expectation],
    wrong: [
      WrongProgram("halts the timer, then ends the work", reports: .expectation) { world in
        try cycle(world) { timer, work in
          timer.halt()
          work.disestablish()
        }
      }
    ]
  ) { world in
    try cycle(world) { timer, work in
      timer.retire()
      // The next owner of the timer's memory, which nobody arms.
      _ = try! world.system.callout("other", at: .softClock, cpu: 0) { _ in
        world.expect(false, "a callout runs that was never armed")
      }
      work.disestablish()
    }
  }

  private static func cycle(
    _ world: World, _ takeDown: @escaping (Callout<SimulatedMachine>, WatchedHandler) -> Void
  ) throws {
    let resource = world.shared("resource", 0)
    // Each on its CPU only.
    nonisolated(unsafe) var work: WatchedHandler?
    nonisolated(unsafe) var rounds = 0
    let timer = try world.system.callout("timer", at: .softClock) { _ in
      world.expect(resource.value >= 0, "the timer uses what was given away")
      rounds += 1
      if rounds < 2 { work!.schedule() }
    }
    work = try world.handler("work", at: .softBio, as: .ordered) { _ in timer.schedule(at: 0) }
    world.base(on: 0) { _ in work!.schedule() }
    world.base(on: 1) { _ in
      takeDown(timer, work!)
      resource.value = -1
    }
  }

  // A callout is popped and waits for its guard; its holder cancels it and arms it for an hour later.
  // It must run then, and then only: the generation that was popped is compared under the guard.
  static let h43 = Proof(
    "H43 cancelled and armed again, it runs early", strategy: .exhaustive(preemptions: 3),
    mutants: [.noGeneration], finds: [.expectation]
  ) { world in
    let due = world.shared("due", guard: .softNet, UInt64(0))
    let hour: UInt64 = 3_600_000_000_000
    let tick = try world.system.callout("tick", at: .softClock, guard: .softNet, exactly: true) { _ in
      world.expect(world.machine.time >= due.value, "it runs an hour early")
    }
    world.base(on: 1) { here in
      tick.schedule(at: 0)
      here.raise(exactly: .softNet) { _ in
        tick.cancel()
        due.value = hour
        tick.schedule(at: hour)
      }
    }
    world.clock(after: .milliseconds(1))
  }
}
