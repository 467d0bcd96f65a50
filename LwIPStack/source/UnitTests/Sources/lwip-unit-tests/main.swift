// lwIP's own unit tests inside a raise to softNet, its timers on our callouts, its assertions asking our gate.
//
// Law: one raise for each suite, so that callouts get the gate in between. An assertion of the core lock that fails ends the program; one
// that never came fails it.

import CUnitTests
import Glibc

@testable import LwIPStack

let stack = try NetworkStack()
let failed = cunittests_run(
  { _, run in stack.enter { run!() } },
  {
    let any = !stack.deferred.isEmpty
    stack.runDeferred()
    return any ? 1 : 0
  })
let counts = stack.counts
// A cyclic timer of lwIP's that comes once a second anyhow: the callouts go on.
let deadline = time(nil) + 20
while stack.counts.timerRuns.allSatisfy({ $0.runs == 0 }) && time(nil) < deadline { sched_yield() }
let timers = stack.counts.timerRuns
stack.shutdown()
print(
  "\(cunittests_count()) tests, \(failed) failed; lwIP asserted its lock \(counts.assertions) times, in vain \(counts.failures) times;",
  "timers ran as callouts: \(timers.filter { $0.runs > 0 }.map(\.name).joined(separator: " "))")
exit(
  failed == 0 && counts.assertions > 0 && counts.failures == 0 && timers.contains { $0.runs > 0 } ? 0 : 1)
