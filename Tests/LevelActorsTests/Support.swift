// What the tests of level actors share.
//
// Nothing here sleeps to let something happen: a test waits for events, or asks again and again within patience.

import Dispatch
import Glibc
import HostedMachine
import LevelActors
import SoftInterrupts
import Synchronization
import Testing

typealias System = InterruptSystem<HostedMachine>

/// Runs `body` with a system of its own and an executor at `softNet`; shuts down afterwards and checks that the order was kept.
func withLevel<R: Sendable>(
  cpus: Int = 2, budget: Int = 32, at level: Level = .softNet,
  _ body: (System, LevelExecutor) async throws -> R
) async throws -> R {
  var configuration = Configuration()
  configuration.onViolation = .collect
  let system = try System(on: .hosted(cpus: cpus), configuration)
  let executor = try LevelExecutor(system, at: level, budget: budget)
  let result: R
  do { result = try await body(system, executor) } catch {
    await shutDown(system)
    throw error
  }
  let report = await shutDown(system)
  #expect(report.isComplete, "\(report)")
  #expect(system.violations.isEmpty, "\(system.violations)")
  return result
}

/// Shuts a system down on a thread that may wait.
@discardableResult func shutDown(_ system: System) async -> ShutdownReport {
  await onThread { system.shutdown() }
}

/// Runs `body` on a thread of its own, which may wait as it likes.
func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    let thread = Thread { continuation.resume(returning: body()) }
    thread.start()
  }
}

/// A thread that is no CPU.
struct Thread {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  func start() {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Box(body))
    let error = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    precondition(error == 0)
    pthread_detach(thread)
  }
  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// Something that happens once or several times, for threads that may wait.
final class Event: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  func signal() { semaphore.signal() }
  @discardableResult func wait() -> Bool { semaphore.wait(timeout: .now() + .seconds(600)) == .success }
}

/// Asks again and again, giving the pool's thread away in between; false if it never becomes true. What others test at the same time
/// may keep the pool's threads for minutes, so patience is long: it turns a hang into a failure, and measures nothing.
func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
  let end = HostedMachine.now() + 600_000_000_000
  while !condition() {
    if HostedMachine.now() > end { return false }
    await Task.yield()
  }
  return true
}

/// What happened, in the order in which it did.
final class Log: Sendable {
  private let entries = Mutex<[Int]>([])
  func note(_ entry: Int) { entries.withLock { $0.append(entry) } }
  var all: [Int] { entries.withLock { $0 } }
}

/// A count that any thread may change.
final class Counter: Sendable {
  private let storage = Atomic<Int>(0)
  @discardableResult func add(_ step: Int = 1) -> Int {
    storage.add(step, ordering: .sequentiallyConsistent).newValue
  }
  var count: Int { storage.load(ordering: .sequentiallyConsistent) }
}

/// The gates that the calling context's own frames hold.
func gatesHeld(_ system: System) -> [Level] { Level.allCases.filter { system.holds($0) } }

/// An actor at a level.
actor Table: LevelActor {
  nonisolated let levelExecutor: LevelExecutor
  let system: System
  var count = 0
  init(_ system: System, _ executor: LevelExecutor) {
    self.system = system
    levelExecutor = executor
  }
  func add(_ step: Int = 1) -> Int {
    count += step
    return count
  }
  func gates() -> [Level] { gatesHeld(system) }
  func cpu() -> Bool { system.isCPU }
}
