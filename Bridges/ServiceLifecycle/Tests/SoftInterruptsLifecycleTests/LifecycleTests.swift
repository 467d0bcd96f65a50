// A group that ends: users first, then sources, then the system, and nothing is lost on the way.

import HostedMachine
import LevelActors
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import SoftInterrupts
import SoftInterruptsLifecycle
import Synchronization
import Testing

typealias System = InterruptSystem<HostedMachine>

final class Log: Sendable {
  private let entries = Mutex<[String]>([])
  func note(_ entry: String) { entries.withLock { $0.append(entry) } }
  var all: [String] { entries.withLock { $0 } }
}

final class Count: Sendable {
  let value = Atomic<Int>(0)
  var now: Int { value.load(ordering: .sequentiallyConsistent) }
}

/// Schedules until it is told to stop.
struct Producer: Service {
  let handler: Handler<HostedMachine>
  let log: Log
  let begun: @Sendable () -> Void
  func run() async throws {
    begun()
    await withGracefulShutdownHandler {
      repeat {
        handler.schedule()
        await Task.yield()
      } while !Task.isShuttingDownGracefully
    } onGracefulShutdown: {
    }
    log.note("producer")
  }
}

@Suite struct LifecycleTests {
  @Test func aGroupDrainsInOrder() async throws {
    let system = try System(on: .hosted(cpus: 2))
    let log = Log()
    // What was handed from a level to the one below must all arrive.
    let sent = Count()
    let received = Count()
    let export = try system.establish("export", at: .softBio, as: .ordered) { _ in
      received.value.store(sent.now, ordering: .sequentiallyConsistent)
    }
    let input = try system.establish("input", at: .softNet, as: .ordered) { _ in
      sent.value.add(1, ordering: .sequentiallyConsistent)
      export.schedule()
    }
    let service = InterruptSystemService(
      system,
      stopping: [{ log.note("first source") }, { log.note("second source") }])
    try await testGracefulShutdown { trigger in
      let producer = Producer(handler: input, log: log) { trigger.triggerGracefulShutdown() }
      let group = ServiceGroup(services: [service, producer], logger: Logger(label: "test"))
      try await group.run()
    }
    #expect(log.all == ["producer", "first source", "second source"])
    #expect(sent.now > 0)
    #expect(sent.now == received.now)
    // It has ended.
    #expect(input.schedule() == .notEstablished)
  }

  struct Broken: Error {}

  @Test func aSourceThatFailsEndsTheSystemAllTheSame() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let handler = try system.establish("input", at: .softNet, as: .ordered) { _ in }
    let service = InterruptSystemService(system, stopping: [{ throw Broken() }])
    await #expect(throws: Broken.self) {
      try await testGracefulShutdown { trigger in
        trigger.triggerGracefulShutdown()
        try await service.run()
      }
    }
    #expect(handler.schedule() == .notEstablished)
  }

  @Test func whatCouldNotRunIsAnError() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let handler = try system.establish("input", at: .softNet, as: .ordered) { _ in }
    // Kept from running for ever: so it is pending when the system ends.
    system.suspend(handler)
    handler.schedule()
    let service = InterruptSystemService(system, grace: .zero)
    await #expect(throws: IncompleteShutdown.self) {
      try await testGracefulShutdown { trigger in
        trigger.triggerGracefulShutdown()
        try await service.run()
      }
    }
  }

  @Test func aCancelledServiceEndsTheSystem() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let handler = try system.establish("input", at: .softNet, as: .ordered) { _ in }
    let task = Task { try await InterruptSystemService(system).run() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(handler.schedule() == .notEstablished)
  }
}
