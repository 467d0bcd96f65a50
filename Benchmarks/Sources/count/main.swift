// Runs one hot path so many times, with fixed inputs: what `Benchmarks/count-instructions` counts, by a tool that counts instructions.
//
// Law: one call of the path's function, which is never inlined, from one CPU that looks at no clock meanwhile; so two runs with
// different N differ by the operations alone, and by as many instructions whenever they are run.

import Dispatch
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// What every path works on.
struct Bench: @unchecked Sendable {
  // Sendable: made here, then used by CPU 0's base code alone.
  let system: System
  let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  let ordered: Handler<HostedMachine>
  let mpSafe: Handler<HostedMachine>
  let callouts: [Callout<HostedMachine>]

  init(armed: Int) throws {
    var configuration = Configuration()
    // No look at the clock or at devices, which come when they come.
    configuration.pollInterval = .max / 4
    configuration.levelBudget = .max / 4
    system = try System(on: .hosted(cpus: 2), configuration)
    word.initialize(to: 0)
    nonisolated(unsafe) let word = word
    pthread_mutex_init(mutex, nil)
    ordered = try system.establish("ordered", at: .softNet, as: .ordered) { _ in word.pointee &+= 1 }
    mpSafe = try system.establish("mpSafe", at: .softNet, as: .mpSafe) { _ in word.pointee &+= 1 }
    var random = Fixed()
    var callouts: [Callout<HostedMachine>] = []
    for _ in 0..<armed {
      let callout = try system.callout("counted", at: .softClock, guard: .softNet) { _ in }
      callout.schedule(after: .milliseconds(600_000 + Int(random.next() % 3_600_000)))
      callouts.append(callout)
    }
    self.callouts = callouts
  }

  func run(_ path: String, _ count: Int) {
    switch path {
    case "raise": raisePairs(system, count, word)
    case "raise-exact": exactPairs(system, count, word)
    case "raise-typed": system.base { base in typedPairs(&base, count, Self.guarded) }
    case "raise-entering": enteringPairs(system, count, Self.guarded)
    case "mask": maskPairs(system, count, word)
    case "schedule-run": scheduleAndRun(ordered, system, count)
    case "schedule-run-mpSafe": scheduleAndRun(mpSafe, system, count)
    case "schedule-coalesced": system.mask(to: .softNet) { _ in scheduleOnly(ordered, count) }
    case "callout-rearm":
      var random = Fixed()
      rearmCallouts(callouts, count, &random)
    case "typed-nested": system.base { base in typedNestedPairs(&base, count, Self.guarded, Self.other) }
    case "peer-mutex": mutexPairs(mutex, count, word)
    default: preconditionFailure("no such path")
    }
  }

  private static let guarded = Count(0)
  private static let other = Guarded<UInt64, SoftSerial>(0)
}

let paths = [
  "raise", "raise-exact", "raise-typed", "raise-entering", "mask", "schedule-run", "schedule-run-mpSafe",
  "schedule-coalesced", "callout-rearm", "typed-nested", "peer-mutex",
]
let arguments = CommandLine.arguments
guard arguments.count == 4, paths.contains(arguments[1]), let count = Int(arguments[2]), count > 0,
  let armed = Int(arguments[3]), armed > 0
else {
  print("usage: count PATH N ARMED\nN times one of \(paths.joined(separator: ", ")); ARMED callouts")
  exit(64)
}
let bench = try Bench(armed: armed)
let done = DispatchSemaphore(value: 0)
bench.system.submit(on: 0) { _ in
  bench.run(arguments[1], count)
  done.signal()
}
done.wait()
bench.system.shutdown()
