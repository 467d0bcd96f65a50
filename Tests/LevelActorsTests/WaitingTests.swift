// Waiting for handlers without keeping a thread: interrupts as a sequence, runs, and raised sections.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

@Suite struct WaitingTests {
  // MARK: Interrupts

  @Test func whatComesWhileNobodyWaitsIsOneElement() async throws {
    try await withLevel(cpus: 1) { system, _ in
      let interrupts = try Interrupts(system, "received", at: .softNet)
      let iterator = interrupts.makeAsyncIterator()
      for _ in 0..<5 {
        // Each a run of its own.
        interrupts.handler.schedule()
        await runOut(system)
      }
      #expect(await iterator.next() == 5)
      let next = Task { await iterator.next() }
      interrupts.handler.schedule()
      #expect(await next.value == 1)
    }
  }

  /// Nothing is lost and nothing is made up, however the two sides meet.
  @Test func everyRunIsInOneElement() async throws {
    try await withLevel { system, _ in
      let interrupts = try Interrupts(system, "received", at: .softNet)
      let consumer = Task.detached {
        var sum = 0
        for await count in interrupts {
          #expect(count >= 1)
          sum += count
        }
        return sum
      }
      await withTaskGroup(of: Void.self) { group in
        for cpu in 0..<2 {
          group.addTask {
            for _ in 0..<2_000 {
              interrupts.handler.schedule(on: cpu)
              if Int.random(in: 0..<8) == 0 { await Task.yield() }
            }
          }
        }
      }
      await shutDown(system)
      let sum = await consumer.value
      let runs = system.statistics().handlers.first { $0.name == "received" }?.runs
      #expect(sum > 0 && sum <= 4_000)
      if let runs { #expect(sum == Int(runs)) }
    }
  }

  @Test func aCancelEndsTheSequence() async throws {
    try await withLevel { system, _ in
      let interrupts = try Interrupts(system, "received", at: .softNet)
      for _ in 0..<200 {
        let consumer = Task.detached { () -> Int in
          var sum = 0
          for await count in interrupts { sum += count }
          return sum
        }
        if Bool.random() { interrupts.handler.schedule() }
        if Bool.random() { await Task.yield() }
        await onThread { system.raise(to: .high) { _ in consumer.cancel() } }
        _ = await consumer.value
      }
      // The next consumer is not disturbed by the cancels before it.
      let iterator = interrupts.makeAsyncIterator()
      interrupts.handler.schedule()
      #expect(await iterator.next() != nil)
    }
  }

  // MARK: Runs

  @Test func aRunThatHadBegunDoesNotCount() async throws {
    try await withLevel(cpus: 1) { system, _ in
      let (begun, goOn, runs) = (Event(), Event(), Counter())
      let handler = try AwaitedHandler(system, "flush", at: .softBio, as: .ordered) { _ in
        if runs.add() == 1 {
          begun.signal()
          goOn.wait()
        }
      }
      handler.handler.schedule()
      await onThread { _ = begun.wait() }
      let waiting = Counter()
      let task = Task.detached {
        waiting.add()
        try await handler.run()
        return runs.count
      }
      #expect(await eventually { waiting.count == 1 })
      goOn.signal()
      // The first run had begun before: the second answers. (Or, if the task was slow to ask, a later one.)
      #expect(try await task.value >= 2)
    }
  }

  @Test func manyWaitForRunsAndAllAreAnswered() async throws {
    try await withLevel { system, _ in
      let runs = Counter()
      let handler = try AwaitedHandler(system, "flush", at: .softBio, as: .ordered, .anywhere) { _ in
        runs.add()
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<16 {
          group.addTask {
            for _ in 0..<100 {
              let before = runs.count
              try await handler.run()
              #expect(runs.count > before)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func aCancelledWaitEndsAndTheEndIsTold() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let handler = try AwaitedHandler(system, "flush", at: .softBio, as: .ordered) { _ in }
    for _ in 0..<200 {
      let task = Task.detached { try await handler.nextRun() }
      if Bool.random() { await Task.yield() }
      await onThread { system.raise(to: .high) { _ in task.cancel() } }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    let tasks = (0..<10).map { _ in Task.detached { try await handler.nextRun() } }
    await shutDown(system)
    for task in tasks { await #expect(throws: LevelActorError.ended) { try await task.value } }
    await #expect(throws: LevelActorError.ended) { try await handler.run() }
  }

  // MARK: Raised sections

  struct Refused: Error, Equatable {}

  @Test func aSectionRunsAtTheLevelAndAnswers() async throws {
    try await withLevel { system, executor in
      let level = await system.withRaised(on: executor) { here in
        #expect(here.gates == Level.softNet.gate)
        #expect(system.isCPU)
        return here.level
      }
      #expect(level == .softNet)
      await #expect(throws: Refused.self) {
        try await system.withRaised(on: executor) { _ throws(Refused) in throw Refused() }
      }
      // It is the same task: its cancellation is seen, and the section runs all the same.
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await system.withRaised(on: executor) { _ in Task.isCancelled }
      }
      #expect(await task.value)
    }
  }

  // MARK: The task executor

  @Test func tasksRunOnTheCPUsHoldingNothing() async throws {
    try await withLevel { system, executor in
      let cpus = CPUTaskExecutor(system, budget: 3)
      let table = Table(system, executor)
      let used = Log()
      await withTaskExecutorPreference(cpus) {
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<32 {
            group.addTask {
              for _ in 0..<50 {
                #expect(gatesHeld(system).isEmpty)
                if let cpu = system.currentCPU { used.note(cpu) }
                _ = await table.add()
                #expect(system.isCPU)
                // Base code may raise.
                system.raise(to: .softNet) { _ in table.assumeIsolated { _ = $0.add() } }
              }
            }
          }
        }
      }
      #expect(await table.count == 3_200)
      #expect(used.all.count == 1_600)
    }
  }
}

/// Returns when a CPU has run what was pending.
func runOut(_ system: System) async {
  await withCheckedContinuation { continuation in
    system.submit(on: 0) { _ in continuation.resume() }
  }
}
