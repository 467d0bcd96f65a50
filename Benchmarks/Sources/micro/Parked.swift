// Schedules that meet a CPU on its way to sleep, a great many of them: an optimised build's own proof that no ring is lost there.
//
// Law: nothing is told to wake anybody but the schedule, so one that is lost is never answered and this never ends: whoever calls it puts
// an end to it. The scheduler's pauses go through all lengths from none to well past the time that falling asleep takes.

import Gauges
import HostedMachine
import HotPaths
import SoftInterrupts
import Synchronization

private final class Answers: Sendable {
  let count = Atomic<Int>(0)
}

/// Schedules `rounds` handlers one after another on a CPU that sleeps as soon as it may, from a thread that is no CPU;
/// prints what one took.
func meetSleepers(rounds: Int) throws {
  var configuration = Configuration()
  configuration.idleRounds = 0
  let system = try System(on: .hosted(cpus: 1), configuration)
  let answers = Answers()
  let handler = try system.establish("answer", at: .softNet, as: .ordered) { _ in
    // Release: pairs with the acquire below. It is a count, and orders nothing else.
    answers.count.wrappingAdd(1, ordering: .releasing)
  }
  let start = HostedMachine.now()
  for round in 0..<rounds {
    handler.schedule()
    var looks = 0
    while answers.count.load(ordering: .acquiring) == round {
      HostedMachine.pause(looks)
      looks += 1
    }
    // The CPU takes some hundred nanoseconds to look around before it parks.
    for _ in 0..<round % 64 { HostedMachine.pause(0) }
  }
  let time = Double(HostedMachine.now() - start)
  system.shutdown()
  print(
    "\(rounds) schedules answered by a CPU that sleeps in between, \(fixed(time / Double(rounds) / 1e3, 1)) µs each"
  )
}
