// Waits for CPUs by several threads at once, while CPUs that leave their MP-safe runs wake whoever waits: an optimised build's own proof that the list
// of waiters is not let go of while it is gone through, and that nobody in it is passed over.
//
// Law: the waiters come and go as fast as they can, so the list is changed all the time; a wake-up that is lost is not made up for
// while its CPU has nothing else to leave, so this never ends then: whoever calls it puts an end to it.

import Gauges
import HostedMachine
import HotPaths
import SoftInterrupts
import Synchronization

private final class Waits: Sendable {
  let isOver = Atomic<Bool>(false)
}

/// Suspends and resumes MP-safe handlers from six threads, `rounds` times each, while two CPUs run others of the level.
func waitForBusyCPUs(rounds: Int) throws {
  let system = try System(on: .hosted(cpus: 2))
  let waits = Waits()
  nonisolated(unsafe) var busy: Handler<HostedMachine>?
  let made = try system.establish("busy", at: .softNet, as: .mpSafe) { _ in
    // Relaxed: it only ends the program.
    if !waits.isOver.load(ordering: .relaxed) { busy?.schedule() }
  }
  busy = made
  for cpu in 0..<2 { made.schedule(on: cpu) }
  let handlers = try (0..<6).map { _ in try system.establish("waited for", at: .softNet, as: .mpSafe) { _ in }
  }
  let start = HostedMachine.now()
  let threads = handlers.map { handler in
    OwnThread {
      for _ in 0..<rounds {
        system.suspend(handler)
        system.resume(handler)
      }
    }
  }
  for thread in threads { thread.join() }
  let time = Double(HostedMachine.now() - start)
  waits.isOver.store(true, ordering: .relaxed)
  system.shutdown()
  let all = rounds * handlers.count
  print(
    "\(all) waits for busy CPUs, by six threads, \(fixed(time / Double(all) / 1e3, 1)) µs each"
  )
}
