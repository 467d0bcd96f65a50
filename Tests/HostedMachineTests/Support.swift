// What the tests of the hosted machine share: events, threads, and a system that is checked when it ends.
//
// Nothing here sleeps to let something happen. A test that needs a state waits for it: for an event, or by looking again and
// again at a word (`eventually`). Patience bounds these waits so that a defect is reported and does not hang the run.

import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

typealias System = InterruptSystem<HostedMachine>
typealias HandlerOf = Handler<HostedMachine>
typealias CalloutOf = Callout<HostedMachine>

/// How long a wait lasts before it is a defect. Under a mutant a defect is what is looked for, so it is short.
let patience: Atomic<UInt64> = Atomic(20_000_000_000)

/// Something that happens once or several times, and can be waited for by any thread.
final class Event: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  func signal() { semaphore.signal() }
  /// Waits as long as a test may last: for who holds something up until the test lets it go, whose patience may be short.
  func hold() { _ = semaphore.wait(timeout: .now() + .seconds(60)) }
  /// Whether it happened, within patience. The calling thread sleeps.
  @discardableResult
  func wait(_ place: SourceLocation = #_sourceLocation) -> Bool {
    let nanoseconds = patience.load(ordering: .relaxed)
    return semaphore.wait(timeout: .now() + .nanoseconds(Int(nanoseconds))) == .success
  }
}

/// Looks until `condition` holds; false if it does not within patience.
@discardableResult func eventually(_ condition: () -> Bool) -> Bool {
  let end = HostedMachine.now() + patience.load(ordering: .relaxed)
  while !condition() {
    if HostedMachine.now() > end { return false }
    sched_yield()
  }
  return true
}

/// A count that any thread may change.
final class Counter: Sendable {
  let storage = Atomic<Int>(0)
  @discardableResult func add(_ step: Int = 1) -> Int {
    storage.add(step, ordering: .sequentiallyConsistent).newValue
  }
  var count: Int {
    get { storage.load(ordering: .sequentiallyConsistent) }
    set { storage.store(newValue, ordering: .sequentiallyConsistent) }
  }
}

/// What happened, in the order in which it did.
final class Log: Sendable {
  private let entries = Mutex<[String]>([])
  func note(_ entry: String) { entries.withLock { $0.append(entry) } }
  var all: [String] { entries.withLock { $0 } }
}

/// A thread that is no CPU.
final class Visitor: Sendable {
  private let done = Event()
  init(_ body: @escaping @Sendable () -> Void) {
    let done = done
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(body, done))
    let error = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        start.body()
        start.done.signal()
        return nil
      }, start.toOpaque())
    precondition(error == 0)
    pthread_detach(thread)
  }
  private final class Start: Sendable {
    let body: @Sendable () -> Void
    let done: Event
    init(_ body: @escaping @Sendable () -> Void, _ done: Event) { (self.body, self.done) = (body, done) }
  }
  /// Whether it ended, within patience.
  @discardableResult func join() -> Bool { done.wait() }
}

/// A configuration in which nothing spins, a waiter queues at once, and violations are collected.
func quiet(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
  var configuration = Configuration()
  configuration.spinRounds = 0
  configuration.idleRounds = 0
  configuration.onViolation = .collect
  change(&configuration)
  return configuration
}

/// Runs `body` with a system, shuts it down and checks that nothing was lost and nothing violated but what is `expected`.
func withSystem(
  cpus: Int = 2, _ configuration: Configuration = quiet(), expecting expected: [Violation.Rule] = [],
  _ place: SourceLocation = #_sourceLocation, _ body: (System) throws -> Void
) throws {
  let system = try System(on: .hosted(cpus: cpus), configuration)
  try body(system)
  let report = system.shutdown()
  #expect(report.isComplete, sourceLocation: place)
  #expect(system.violations.map(\.rule) == expected, "\(system.violations)", sourceLocation: place)
}

/// Runs a scenario with a system and says whether its invariant held. A system that has failed is left as it is: its CPUs may wait
/// for each other for ever.
func holds(
  cpus: Int = 2, _ configuration: Configuration = quiet(), allowing allowed: Set<Violation.Rule> = [],
  _ scenario: (System) throws -> Bool
) throws -> Bool {
  let system = try System(on: .hosted(cpus: cpus), configuration)
  guard try scenario(system) else {
    _ = Unmanaged.passRetained(system)
    return false
  }
  guard system.shutdown().isComplete else { return false }
  return system.violations.allSatisfy { allowed.contains($0.rule) }
}

extension InterruptSystem where M == HostedMachine {
  /// Gives a CPU base code, waits for its end, and returns what it made.
  @discardableResult
  func on<R>(
    _ cpu: Int, as way: BaseWay = .mpSafe, _ body: @escaping (borrowing Here<HostedMachine>) -> R
  ) -> R? {
    let done = Event()
    nonisolated(unsafe) var result: R?
    // Called on the CPU while this thread waits.
    nonisolated(unsafe) let body = body
    guard
      submit(
        on: cpu, as: way,
        { here in
          result = body(here)
          done.signal()
        })
    else { return nil }
    if !done.wait() { fatalError("base code on CPU \(cpu) did not end") }
    return result
  }

  /// Waits until a CPU has run what was pending and asked of it before, and its base code.
  func settle(_ cpu: Int) { on(cpu) { here in here.checkpoint() } }

  func queueLength(_ level: Level) -> Int {
    let agent = currentAgent()
    return agent.locked(core.queue(level)) { queue in
      var count = 0
      var at = queue.pointee.head
      while let waiter = at {
        count += 1
        at = waiter.pointee.next
      }
      return count
    }
  }

  /// Waits until somebody waits for a gate.
  @discardableResult func someoneWaits(for level: Level, _ count: Int = 1) -> Bool {
    eventually { queueLength(level) >= count }
  }

  /// Waits until a CPU has left its mark on a gate.
  @discardableResult func isMarked(_ level: Level, by cpu: Int) -> Bool {
    eventually { core.queue(level).pointee.marks.load(.acquire) & 1 << UInt(cpu) != 0 }
  }

  func isHeld(_ level: Level) -> Bool { core.gateWord.word.load(.acquire) & level.gate.heldBits != 0 }

  func isPending(_ handler: HandlerOf, on cpu: Int) -> Bool {
    agent(ofCPU: cpu).pending(handler.slot.pointee.level).load(.acquire) & handler.slot.pointee.bit != 0
  }
}

/// A handler that holds its gate until it is let go: the way to make a gate busy for as long as a test likes.
final class Blocker: @unchecked Sendable {
  let entered = Event()
  let release = Event()
  private(set) var handler: HandlerOf!

  init(_ system: System, at level: Level, as way: WayIn = .ordered, on cpu: Int = 0) throws {
    let (entered, release) = (entered, release)
    handler = try system.establish("blocker", at: level, as: way) { _ in
      entered.signal()
      release.hold()
    }
    handler.schedule(on: cpu)
    if !entered.wait() { fatalError("the blocker did not start") }
  }

  func letGo() { release.signal() }
}

/// A generator with a seed, so that every failure can be repeated (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
