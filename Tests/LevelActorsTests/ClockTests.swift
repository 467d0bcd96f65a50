// Sleeping by callouts, and its cancels.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

@Suite struct ClockTests {
  @Test func aSleepIsNeverShort() async throws {
    try await withLevel { system, _ in
      let clock = try CalloutClock(system)
      for delay in [Duration.zero, .microseconds(1), .microseconds(300), .milliseconds(3)] {
        let before = clock.now
        try await clock.sleep(for: delay)
        #expect(before.duration(to: clock.now) >= delay)
      }
      // What the standard library builds on clocks.
      try await Task.sleep(until: clock.now.advanced(by: .microseconds(50)), clock: clock)
      try await clock.sleep(until: .init(nanoseconds: 0))
    }
  }

  @Test func whoSleepsLessWakesFirst() async throws {
    try await withLevel(cpus: 1, at: .softClock) { system, executor in
      let clock = try CalloutClock(system)
      let cpus = CPUTaskExecutor(system)
      var lead = 20
      while true {
        let sleepers = Sleepers(executor, clock, cpus)
        let start = clock.now.advanced(by: .milliseconds(lead))
        let tasks = await sleepers.begin((0..<20).shuffled(), start)
        // Messages are answered in order: when this one has been, all of them have been armed.
        try await clock.sleep(until: clock.now)
        let isInTime = clock.now < start
        for task in tasks { try await task.value }
        #expect(await sleepers.order.sorted() == Array(0..<20))
        if isInTime {
          #expect(await sleepers.order == Array(0..<20))
          return
        }
        // The machine was so slow that some were late when they asked; they were right to wake at once.
        lead *= 2
      }
    }
  }

  /// Who wakes is resumed where the task prefers to run, and goes from there to its actor: on the one CPU, in that order. On the
  /// concurrency pool, of which the runtime takes a thread for each, the order would be by chance.
  actor Sleepers: LevelActor {
    nonisolated let levelExecutor: LevelExecutor
    let clock: CalloutClock
    var order: [Int] = []
    let cpus: CPUTaskExecutor
    var asked = 0
    init(_ executor: LevelExecutor, _ clock: CalloutClock, _ cpus: CPUTaskExecutor) {
      (levelExecutor, self.clock, self.cpus) = (executor, clock, cpus)
    }

    /// Returns when each of them has asked.
    func begin(_ indices: [Int], _ start: CalloutClock.Instant) async -> [Task<Void, any Error>] {
      let tasks = indices.map { index in
        Task(executorPreference: cpus) {
          try await self.note(index, at: start.advanced(by: .milliseconds(index)))
        }
      }
      while asked < indices.count { await Task.yield() }
      return tasks
    }
    private func note(_ index: Int, at time: CalloutClock.Instant) async throws {
      asked += 1
      try await clock.sleep(until: time)
      order.append(index)
    }
  }

  @Test func aCancelledSleepEndsAtOnce() async throws {
    try await withLevel { system, _ in
      let clock = try CalloutClock(system)
      let task = Task { try await clock.sleep(for: .seconds(3_600)) }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      // Cancelled before it begins.
      let late = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await clock.sleep(for: .seconds(3_600))
      }
      await #expect(throws: CancellationError.self) { try await late.value }
    }
  }

  /// The cancel comes from inside the highest level, under every gate, `softClock`'s included: it waits for nothing.
  @Test func aSleepIsCancelledUnderEveryGate() async throws {
    try await withLevel { system, _ in
      let clock = try CalloutClock(system)
      let asleep = Counter()
      let task = Task.detached {
        asleep.add()
        try await clock.sleep(for: .seconds(3_600))
      }
      #expect(await eventually { asleep.count == 1 })
      await onThread { system.raise(to: .high) { _ in task.cancel() } }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  /// Sleeps that end about when they are cancelled: each ends once, with the one or the other.
  @Test func cancelsRaceWithTheTime() async throws {
    try await withLevel { system, executor in
      let clock = try CalloutClock(system)
      let (slept, cancelled) = (Counter(), Counter())
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            for _ in 0..<200 {
              let delay = Duration.microseconds(Int.random(in: 0..<60))
              let task = Task.detached { try await clock.sleep(for: delay) }
              if Bool.random() { try? await clock.sleep(for: .microseconds(Int.random(in: 0..<60))) }
              // From a level above the clock's, or from no level.
              if Bool.random() {
                await system.withRaised(on: executor) { _ in task.cancel() }
              } else {
                task.cancel()
              }
              switch await task.result {
              case .success: slept.add()
              case .failure(let error):
                #expect(error is CancellationError)
                cancelled.add()
              }
            }
          }
        }
      }
      #expect(slept.count + cancelled.count == 1_600)
    }
  }

  @Test func whoSleepsWhenTheSystemEndsIsTold() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let clock = try CalloutClock(system)
    let asleep = Counter()
    let tasks = (0..<10).map { _ in
      Task.detached {
        asleep.add()
        try await clock.sleep(for: .seconds(3_600))
      }
    }
    #expect(await eventually { asleep.count == 10 })
    await shutDown(system)
    for task in tasks { await #expect(throws: LevelActorError.ended) { try await task.value } }
    await #expect(throws: LevelActorError.ended) { try await clock.sleep(for: .seconds(3_600)) }
  }

  @Test func instantsKeepToTheirEnds() {
    let now = CalloutClock.Instant(nanoseconds: 1_000)
    #expect(now.advanced(by: .nanoseconds(-2_000)).nanoseconds == 0)
    #expect(now.advanced(by: .nanoseconds(500)).nanoseconds == 1_500)
    #expect(now.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
    #expect(now.advanced(by: .seconds(Int64.min)).nanoseconds == 0)
    #expect(now.duration(to: .init(nanoseconds: 400)) == .nanoseconds(-600))
    #expect(now < now.advanced(by: .nanoseconds(1)))
  }
}
