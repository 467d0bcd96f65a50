// Actors' jobs as handlers of a level: where they run, in which order, and what they hold.

import HostedMachine
import SoftInterrupts
import Synchronization
import Testing

@testable import LevelActors

@Suite struct ExecutorTests {
  @Test func anIsolatedFunctionRunsOnACPUAtTheLevelWithItsGate() async throws {
    try await withLevel { system, executor in
      let table = Table(system, executor)
      #expect(await table.gates() == [.softNet])
      #expect(await table.cpu())
      #expect(gatesHeld(system).isEmpty)
      #expect(!system.isCPU)
    }
  }

  @Test func noGateIsHeldAcrossAnAwait() async throws {
    try await withLevel { system, executor in
      let actor = Suspending(system, executor)
      try await actor.run()
      #expect(gatesHeld(system).isEmpty)
    }
  }

  actor Suspending: LevelActor {
    nonisolated let levelExecutor: LevelExecutor
    let system: System
    init(_ system: System, _ executor: LevelExecutor) { (self.system, levelExecutor) = (system, executor) }

    func run() async throws {
      for _ in 0..<100 {
        #expect(gatesHeld(system) == [.softNet])
        // While this actor waits, whoever comes gets the gate: it is entered by a thread that would wait for it.
        let system = system
        let inside = await onThread { system.raise(to: .softNet) { _ in system.holds(.softNet) } }
        #expect(inside)
        await elsewhere()
        #expect(gatesHeld(system) == [.softNet])
        #expect(system.isCPU)
      }
    }
    nonisolated func elsewhere() async {
      #expect(gatesHeld(system).isEmpty)
      #expect(!system.isCPU)
    }
  }

  /// More tasks than the pool has threads wait for an actor whose gate somebody keeps: the pool goes on.
  @Test func theThreadsOfThePoolAreNotBlocked() async throws {
    try await withLevel { system, executor in
      let table = Table(system, executor)
      let (entered, leave) = (Event(), Event())
      let keeper = Task.detached {
        await onThread {
          system.raise(to: .softNet) { _ in
            entered.signal()
            leave.wait()
          }
        }
      }
      await onThread { _ = entered.wait() }
      let asked = Counter()
      let waiting = (0..<256).map { _ in
        Task.detached {
          asked.add()
          return await table.add()
        }
      }
      // All of them have begun, and other work of the pool is done meanwhile: no thread is kept.
      #expect(await eventually { asked.count == 256 })
      let other = await withTaskGroup(of: Int.self) { group in
        for index in 0..<64 { group.addTask { index } }
        return await group.reduce(0, +)
      }
      #expect(other == 63 * 32)
      #expect(asked.count == 256)
      leave.signal()
      await keeper.value
      for task in waiting { _ = await task.value }
      #expect(await table.count == 256)
    }
  }

  @Test(arguments: [1, 3, 32]) func jobsStartInTheOrderInWhichTheyWereEnqueued(budget: Int) async throws {
    try await withLevel(budget: budget) { system, executor in
      let actor = Ordered(executor)
      let tasks = await actor.spawn(500)
      for task in tasks { await task.value }
      #expect(await actor.order == Array(0..<500))
    }
  }

  actor Ordered: LevelActor {
    nonisolated let levelExecutor: LevelExecutor
    var order: [Int] = []
    func note(_ index: Int) { order.append(index) }
    init(_ executor: LevelExecutor) { levelExecutor = executor }
    /// The tasks inherit this isolation, so each is enqueued here as it is made; of various priorities, which change nothing.
    func spawn(_ count: Int) -> [Task<Void, Never>] {
      (0..<count).map { index in
        Task(priority: index % 3 == 0 ? .background : .high) {
          order.append(index)
          // Priorities are kept.
          #expect(Task.currentPriority >= (index % 3 == 0 ? .background : .high))
        }
      }
    }
  }

  @Test func manyTasksOfManyThreadsLoseNothing() async throws {
    try await withLevel(cpus: 3, budget: 4) { system, executor in
      let table = Table(system, executor)
      let runs = Counter()
      // The same data, from an ordered handler of the level: one gate for both.
      let handler = try system.establish("peer", at: .softNet, as: .ordered) { _ in
        table.assumeIsolated { _ = $0.add() }
        runs.add()
      }
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<16 {
          group.addTask {
            for _ in 0..<200 {
              _ = await table.add()
              handler.schedule(on: Int.random(in: 0..<3))
            }
          }
        }
      }
      // What is pending has run when the handler has been disestablished, or is counted as dropped.
      _ = await onThread { system.disestablish(handler) }
      #expect(await table.count == 3_200 + runs.count)
      #expect(runs.count > 0)
    }
  }

  /// Two levels' actors call each other: jobs of one level run on top of the other's, and each keeps its own isolation.
  @Test func levelsCallEachOther() async throws {
    try await withLevel { system, net in
      let clock = try LevelExecutor(system, at: .softClock)
      let (a, b) = (Table(system, net), Table(system, clock))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            for _ in 0..<200 {
              _ = await a.add()
              #expect(await a.gates() == [.softNet])
              _ = await b.add()
              #expect(await b.gates() == [.softClock])
            }
          }
        }
      }
      #expect(await a.count == 1_600)
      #expect(await b.count == 1_600)
    }
  }

  /// Tasks that never stop asking do not keep what is below from its turn, nor what is above.
  @Test func aFloodLetsOthersRun() async throws {
    try await withLevel(cpus: 1, budget: 8) { system, executor in
      let (below, above, base) = (Counter(), Counter(), Counter())
      let low = try system.establish("below", at: .softClock, as: .ordered) { _ in below.add() }
      let high = try system.establish("above", at: .softSerial, as: .ordered) { _ in above.add() }
      let flood = Flood(executor)
      async let running: Void = withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask { await flood.run { below.count > 0 && above.count > 0 && base.count > 0 } }
        }
      }
      #expect(await eventually { flood.rounds.count > 1_000 })
      low.schedule()
      high.schedule()
      system.submit(on: 0) { _ in base.add() }
      // The flood ends only when all three have had their turn.
      await running
      #expect((below.count, above.count, base.count) == (1, 1, 1))
    }
  }

  actor Flood: LevelActor {
    nonisolated let levelExecutor: LevelExecutor
    nonisolated let rounds = Counter()
    init(_ executor: LevelExecutor) { levelExecutor = executor }
    func run(until isOver: @Sendable () -> Bool) async {
      while !isOver() {
        rounds.add()
        await Task.yield()
      }
    }
  }

  @Test func aPriorityIsKeptAndInherited() async throws {
    try await withLevel { system, executor in
      let actor = Asking(executor)
      for priority in [TaskPriority.background, .low, .medium, .high] {
        #expect(await Task.detached(priority: priority) { await actor.basePriority() }.value == priority)
      }
    }
  }

  actor Asking: LevelActor {
    nonisolated let levelExecutor: LevelExecutor
    init(_ executor: LevelExecutor) { levelExecutor = executor }
    func basePriority() -> TaskPriority? { Task.basePriority }
  }
}
