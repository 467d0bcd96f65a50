// The price of each hot path beside its peer, in one run: sides alternate, medians of rounds, loop overhead subtracted.
//
// `micro [--json]` prints the table; `micro idle [SECONDS]` and `micro overload` tell what a system costs that has nothing, and
// too much, to do; `micro costs --json CAPTURE` writes the model that `softint simulate` predicts by; `micro memory N` and `micro callouts N OPS` are for the scripts that weigh and count.

import Dispatch
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// One row: nanoseconds of ours and the peer's, by round.
struct Row {
  var name: String
  var peer: String
  var goal: Double
  var ours: [Double] = []
  var theirs: [Double] = []
  /// The median of the rounds' ratios.
  var ratio: Double { median(zip(ours, theirs).map { $0 / $1 }) }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// Nanoseconds for one of `count`.
func time(_ count: Int, _ body: (Int) -> Void) -> Double {
  let start = HostedMachine.now()
  body(count)
  return Double(HostedMachine.now() - start) / Double(count)
}

@inline(never) func emptyLoop(_ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  for _ in 0..<count { touch(word) }
}
@inline(never) @_optimize(none) func touch(_ word: UnsafeMutablePointer<UInt64>) {}
@inline(never) func addLoop(_ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  // The work of the measured loops without the pair: what is subtracted.
  for _ in 0..<count {
    word.pointee &+= 1
    HostedMachine.lightFence()
  }
}
@inline(never) func mutexPairs(
  _ mutex: UnsafeMutablePointer<pthread_mutex_t>, _ count: Int, _ word: UnsafeMutablePointer<UInt64>
) {
  for _ in 0..<count {
    pthread_mutex_lock(mutex)
    word.pointee &+= 1
    pthread_mutex_unlock(mutex)
  }
}
@inline(never) func sigmaskPairs(_ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  var block = sigset_t()
  var old = sigset_t()
  sigfillset(&block)
  for _ in 0..<count {
    pthread_sigmask(SIG_SETMASK, &block, &old)
    word.pointee &+= 1
    pthread_sigmask(SIG_SETMASK, &old, nil)
  }
}

func measure(rounds: Int) throws -> [Row] {
  // The settings that `softint compare` measures with.
  var configuration = Configuration()
  configuration.onViolation = .collect
  configuration.pollInterval = 1_000
  let system = try System(on: .hosted(cpus: 1), configuration)
  nonisolated(unsafe) let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  word.initialize(to: 0)
  let guarded = Count(0)
  let ordered = try system.establish("ordered", at: .softNet, as: .ordered) { _ in word.pointee &+= 1 }
  let mpSafe = try system.establish("mpSafe", at: .softNet, as: .mpSafe) { _ in word.pointee &+= 1 }
  nonisolated(unsafe) var rows = [
    Row(name: "raise none→softNet, lower", peer: "pthread_mutex pair", goal: 1),
    Row(name: "exact raise softNet, lower", peer: "pthread_mutex pair", goal: 1),
    Row(name: "mask, unmask", peer: "pthread_sigmask pair", goal: 0.01),
    Row(name: "schedule → run, ordered", peer: "DispatchQueue.async → run", goal: 0.2),
    Row(name: "schedule → run, mpSafe", peer: "DispatchQueue.async → run", goal: 0.2),
    Row(name: "schedule, coalesced", peer: "pthread_mutex pair", goal: 1),
    Row(name: "typed raise softNet, open", peer: "untyped, exact", goal: 1.15),
    Row(name: "typed raise softNet, open", peer: "untyped, cumulative", goal: 1),
  ]
  let done = DispatchSemaphore(value: 0)
  let queue = DispatchQueue(label: "peer")
  let count = 400_000
  system.submit(on: 0) { _ in
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    for _ in 0..<rounds {
      let loop = time(count) { addLoop($0, word) }
      let lock = time(count) { mutexPairs(mutex, $0, word) } - loop
      rows[0].ours.append(time(count) { raisePairs(system, $0, word) } - loop)
      rows[0].theirs.append(lock)
      rows[1].ours.append(time(count) { exactPairs(system, $0, word) } - loop)
      rows[1].theirs.append(time(count) { mutexPairs(mutex, $0, word) } - loop)
      rows[2].ours.append(time(count) { maskPairs(system, $0, word) } - loop)
      rows[2].theirs.append(time(count / 10) { sigmaskPairs($0, word) } - loop)
      rows[3].ours.append(time(count) { scheduleAndRun(ordered, system, $0) })
      let async = time(count / 10) { peer in
        for _ in 0..<peer { queue.async { word.pointee &+= 1 } }
        queue.sync {}
      }
      rows[3].theirs.append(async)
      rows[4].ours.append(time(count) { scheduleAndRun(mpSafe, system, $0) })
      rows[4].theirs.append(async)
      system.mask(to: .softNet) { _ in rows[5].ours.append(time(count) { scheduleOnly(ordered, $0) }) }
      rows[5].theirs.append(time(count) { mutexPairs(mutex, $0, word) } - loop)
      let typed = time(count) { count in
        system.base { base in typedPairs(&base, count, guarded) }
      }
      rows[6].ours.append(typed - loop)
      rows[6].theirs.append(time(count) { exactPairs(system, $0, word) } - loop)
      rows[7].ours.append(typed - loop)
      rows[7].theirs.append(time(count) { raisePairs(system, $0, word) } - loop)
    }
    done.signal()
  }
  done.wait()
  system.shutdown()
  return rows
}

func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = pow(10.0, Double(digits))
  let rounded = (abs(value) * scale).rounded()
  let whole = UInt64(rounded / scale)
  let fraction = UInt64(rounded) - whole * UInt64(scale)
  if digits == 0 { return (value < 0 ? "-" : "") + "\(whole)" }
  let text = String(fraction)
  return (value < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: digits - text.count) + text
}

func column(_ text: String, _ width: Int, right: Bool = false) -> String {
  let space = String(repeating: " ", count: max(width - text.count, 0))
  return right ? space + text : text + space
}

let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "memory", let count = Int(arguments[2]), count > 0 {
  try weighCallouts(count)
} else if arguments.count == 4, arguments[1] == "callouts", let armed = Int(arguments[2]),
  let operations = Int(arguments[3])
{
  try countCallouts(armed, operations)
} else if arguments.count <= 3, arguments.dropFirst().first == "idle",
  let seconds = arguments.count == 3 ? Int(arguments[2]) : 10, (1...3_600).contains(seconds)
{
  if try !measureIdle(cpus: 2, seconds: seconds) { exit(1) }
} else if arguments.count >= 3, arguments.count <= 4, arguments[1] == "costs",
  arguments.count == 3 || arguments[2] == "--json"
{
  try printCosts(capture: arguments[arguments.count - 1], json: arguments.count == 4)
} else if arguments.count == 2, arguments[1] == "overload" {
  if try !measureOverload(cpus: 2, rounds: 5, milliseconds: 300) { exit(1) }
} else if arguments.count == 1 || arguments == [arguments[0], "--json"] {
  let rows = try measure(rounds: 15)
  if arguments.count == 2 {
    let entries = rows.map {
      "{\"name\":\"\($0.name)\",\"peer\":\"\($0.peer)\",\"nanoseconds\":\(median($0.ours)),\"peerNanoseconds\":\(median($0.theirs)),\"ratio\":\($0.ratio),\"goal\":\($0.goal),\"met\":\($0.ratio <= $0.goal)}"
    }
    print("[\(entries.joined(separator: ",\n"))]")
  } else {
    print(
      "witness \(System.hasWitness ? "on" : "off"), counts on, times off; medians of 15 alternating rounds")
    print(
      column("", 28), column("ns", 7, right: true), " ", column("peer", 26), column("ns", 7, right: true),
      column("ratio", 8, right: true), column("goal", 6, right: true))
    for row in rows {
      print(
        column(row.name, 28), column(fixed(median(row.ours), 1), 7, right: true), " ", column(row.peer, 26),
        column(fixed(median(row.theirs), 1), 7, right: true), column(fixed(row.ratio, 3), 8, right: true),
        column("\(row.goal)", 6, right: true), row.ratio <= row.goal ? "" : "missed")
    }
  }
} else {
  print(
    "usage: micro [--json] | micro idle [SECONDS] | micro overload | micro costs [--json] CAPTURE | micro memory N | micro callouts ARMED OPERATIONS"
  )
  exit(64)
}
