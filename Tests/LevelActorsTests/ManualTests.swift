// The manual's snippets: what stands between the marks below is what the article prints, word for word (`SnippetTests` compares), and it runs.

import Foundation
import HostedMachine
import LevelActors
import SoftInterrupts
import Synchronization
import Testing

// snippet: global-actor
@SoftNet final class Routes {
  private var table: [String: Int] = [:]
  func add(_ name: String, _ port: Int) { table[name] = port }
  func port(_ name: String) -> Int? { table[name] }
}
// end

// snippet: token
@SoftNet func count(_ hits: Guarded<Int, SoftNet>, in system: InterruptSystem<HostedMachine>) -> Int {
  system.assume(SoftNet.self) { net in
    net.open(hits) { count in
      count += 1
      return count
    }
  }
}
// end

// snippet: level-actor
actor Cache: LevelActor {
  nonisolated let levelExecutor: LevelExecutor
  private var entries: [String: String] = [:]
  init(_ executor: LevelExecutor) { levelExecutor = executor }
  func look(_ key: String) -> String? { entries[key] }
  func keep(_ value: String, for key: String) { entries[key] = value }
}

func makeCache(_ system: InterruptSystem<HostedMachine>) throws -> Cache {
  Cache(try LevelExecutor(system, at: .softBio))
}
// end

@Suite struct ManualTests {
  @Test func theGlobalActorsSnippetsRun() async throws {
    let system = Shared.system
    let routes = Routes()
    // snippet: handler
    let learned = try system.establish("learned", at: .softNet, as: .ordered) { _ in
      SoftNet.assumeIsolated { routes.add("learned", 53) }
    }
    // end
    await routes.add("a", 80)
    #expect(await routes.port("a") == 80)
    learned.schedule(on: 1)
    #expect(await eventuallyAsync { await routes.port("learned") == 53 })
    let hits = Guarded<Int, SoftNet>(0)
    #expect(await count(hits, in: system) == 1)
    #expect(await count(hits, in: system) == 2)
    let cache = try makeCache(system)
    await cache.keep("value", for: "key")
    #expect(await cache.look("key") == "value")
  }

  @Test func theTasksSnippetsRun() async throws {
    let system = Shared.system
    // snippet: task-executor
    let cpus = CPUTaskExecutor(system)
    let sum = await withTaskExecutorPreference(cpus) {
      await withTaskGroup(of: Int.self) { group in
        for index in 0..<8 { group.addTask { index * index } }
        return await group.reduce(0, +)
      }
    }
    // end
    #expect(sum == 140)
    // snippet: mp-safe-work
    let sampled = Atomic<Int>(0)
    let sample = try AwaitedHandler(system, "sample", at: .softNet, as: .mpSafe) { here in
      // At softNet, under no gate, on as many CPUs at once as are asked.
      sampled.add(1, ordering: .relaxed)
    }
    try await sample.run()
    // end
    #expect(sampled.load(ordering: .relaxed) == 1)
    // snippet: waiting
    let clock = try CalloutClock(system)
    try await clock.sleep(for: .milliseconds(2))

    let received = try Interrupts(system, "received", at: .softNet)
    received.handler.schedule()  // a device does this
    for await runs in received {
      print("the handler ran \(runs) times since")
      break
    }

    let flush = try AwaitedHandler(system, "flush", at: .softBio, as: .ordered) { _ in }
    try await flush.run()  // scheduled, and a whole run has ended

    let executor = try LevelExecutor(system, at: .softSerial)
    let level = await system.withRaised(on: executor) { here in here.level }
    // end
    #expect(level == .softSerial)
  }

  /// The bootstrap is the process's, so it is in a process of its own.
  @Test func theBootstrapSnippetRuns() async {
    await #expect(processExitsWith: .success) {
      // snippet: bootstrap
      let system = try InterruptSystem(on: .hosted(cpus: 2))
      try LevelActors.bootstrap(system)
      // end
      #expect(await Task { @SoftNet in system.holds(.softNet) }.value)
    }
  }
}

/// As `eventually`, for what is asked of an actor.
func eventuallyAsync(_ condition: @Sendable () async -> Bool) async -> Bool {
  let end = HostedMachine.now() + 30_000_000_000
  while !(await condition()) {
    if HostedMachine.now() > end { return false }
    await Task.yield()
  }
  return true
}
