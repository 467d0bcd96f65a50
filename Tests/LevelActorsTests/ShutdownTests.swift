// Jobs and a shutdown: what was enqueued runs, before it at the level, after it on the pool under the gate.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

@Suite struct ShutdownTests {
  @Test func whatComesAfterAShutdownRunsOnThePoolUnderTheGate() async throws {
    let system = try System(on: .hosted(cpus: 2))
    let executor = try LevelExecutor(system, at: .softNet)
    let table = Table(system, executor)
    #expect(await table.add() == 1)
    #expect(executor.lateJobs == 0)
    await shutDown(system)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<64 { group.addTask { for _ in 0..<20 { _ = await table.add() } } }
    }
    #expect(await table.count == 1 + 1_280)
    // Cumulative, as a visitor has it: the level's gate is among them.
    #expect(await table.gates().contains(.softNet))
    #expect(await !table.cpu())
    #expect(executor.lateJobs > 1_280)
  }

  /// The grace ends while somebody keeps the gate: the handler's mark is dropped, and the jobs run once the gate is free.
  @Test func jobsThatAShutdownFindsQueuedAreNotLost() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let executor = try LevelExecutor(system, at: .softNet)
    let actor = ExecutorTests.Ordered(executor)
    let (entered, leave) = (Event(), Event())
    let keeper = Task.detached {
      await onThread {
        system.raise(exactly: .softNet) { _ in
          entered.signal()
          leave.wait()
        }
      }
    }
    await onThread { _ = entered.wait() }
    let asked = Counter()
    let tasks = (0..<100).map { index in
      Task.detached {
        asked.add()
        await actor.note(index)
      }
    }
    #expect(await eventually { asked.count == 100 })
    // The call is enqueued, perhaps, a moment after it was counted: before the shutdown or after, it is not lost.
    let report = await onThread { system.shutdown(grace: .zero) }
    #expect(report.pending.map(\.name) == ["actors at softNet"])
    leave.signal()
    await keeper.value
    for task in tasks { await task.value }
    #expect(await actor.order.sorted() == Array(0..<100))
    #expect(executor.lateJobs >= 100)
  }

  /// Shutdowns at any moment of tasks that keep calling: every call returns.
  @Test func aShutdownUnderLoadLosesNothing() async throws {
    for round in 0..<20 {
      let system = try System(on: .hosted(cpus: 2))
      let executor = try LevelExecutor(system, at: .softNet, budget: 2)
      let cpus = CPUTaskExecutor(system, budget: 2)
      let table = Table(system, executor)
      let begun = Counter()
      let tasks = (0..<8).map { index in
        Task.detached(executorPreference: index % 2 == 0 ? cpus : nil) {
          for _ in 0..<50 {
            _ = await table.add()
            begun.add()
          }
        }
      }
      #expect(await eventually { begun.count > round * 10 })
      await shutDown(system)
      for task in tasks { await task.value }
      #expect(await table.count == 400)
    }
  }

  @Test func tasksOnCPUsOutliveTheirSystem() async throws {
    let system = try System(on: .hosted(cpus: 2))
    let executor = CPUTaskExecutor(system)
    #expect(await Task(executorPreference: executor) { system.isCPU }.value)
    await shutDown(system)
    #expect(await Task(executorPreference: executor) { !system.isCPU }.value)
    #expect(executor.lateJobs > 0)
  }

  /// The grace ends while base code keeps the CPU: what was given to it is dropped, and told.
  @Test func tasksGivenToACPUThatNeverRunsThemAreNotLost() async throws {
    let system = try System(on: .hosted(cpus: 1))
    let executor = CPUTaskExecutor(system)
    let (kept, leave) = (Event(), Event())
    system.submit(on: 0) { _ in
      kept.signal()
      leave.wait()
    }
    await onThread { _ = kept.wait() }
    // The one that the CPU still runs before it finds that the grace is over.
    system.submit(on: 0) { _ in }
    let tasks = (0..<50).map { index in Task(executorPreference: executor) { index } }
    async let report = onThread { system.shutdown(grace: .zero) }
    // From then on the CPU finds it at its next look: there is no grace.
    #expect(await eventually { system.isStopping })
    leave.signal()
    #expect(await report.jobs >= 1)
    var sum = 0
    for task in tasks { sum += await task.value }
    #expect(sum == 49 * 25)
    #expect(executor.lateJobs >= 50)
  }
}
