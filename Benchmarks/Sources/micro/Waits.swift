// Waits for CPUs by several threads at once, while CPUs that leave their MP-safe runs wake whoever waits: an optimised build's own proof that the list
// of waiters is not let go of while it is gone through, and that nobody in it is passed over.
//
// Law: the waiters come and go as fast as they can, so the list is changed all the time; a wake-up that is lost is not made up for
// while its CPU has nothing else to leave, so this never ends then: whoever calls it puts an end to it.

import Gauges
import Glibc
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
    startThread {
      for _ in 0..<rounds {
        system.suspend(handler)
        system.resume(handler)
      }
    }
  }
  for thread in threads { pthread_join(thread, nil) }
  let time = Double(HostedMachine.now() - start)
  waits.isOver.store(true, ordering: .relaxed)
  system.shutdown()
  let all = rounds * handlers.count
  print(
    "\(all) waits for CPUs that run MP-safe handlers, by six threads, \(fixed(time / Double(all) / 1e3, 1)) µs each"
  )
}

/// Starts a thread that runs `body`.
private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  var thread = pthread_t()
  let error = pthread_create(
    &thread, nil,
    { body in
      Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
      return nil
    }, Unmanaged.passRetained(Body(body)).toOpaque())
  precondition(error == 0, "no thread could be made")
  return thread
}
