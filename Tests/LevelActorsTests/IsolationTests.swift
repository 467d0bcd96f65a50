// What counts as isolated: whoever holds the gate that guards the actors, and nobody else.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

@Suite struct IsolationTests {
  @Test func whoHoldsTheGateIsIsolated() async throws {
    try await withLevel { system, executor in
      let table = Table(system, executor)
      #expect(executor.isIsolatingCurrentContext() == false)
      await onThread {
        system.raise(to: .softNet) { _ in
          #expect(executor.isIsolatingCurrentContext() == true)
          table.preconditionIsolated()
          table.assumeIsolated { _ = $0.add() }
        }
        system.raise(exactly: .softNet) { _ in table.assumeIsolated { _ = $0.add() } }
        // Higher, cumulatively: through the level's gate.
        system.raise(to: .softSerial) { _ in table.assumeIsolated { _ = $0.add() } }
        // Higher, exactly: past it.
        system.raise(exactly: .softSerial) { _ in #expect(executor.isIsolatingCurrentContext() == false) }
        system.raise(to: .softBio) { _ in #expect(executor.isIsolatingCurrentContext() == false) }
      }
      #expect(await table.count == 3)
    }
  }

  @Test func handlersAreIsolatedAsTheyAreLetIn() async throws {
    try await withLevel { system, executor in
      let ordered = try AwaitedHandler(system, "ordered", at: .softNet, as: .ordered) { _ in
        #expect(executor.isIsolatingCurrentContext() == true)
        executor.checkIsolated()
      }
      let mpSafe = try AwaitedHandler(system, "mpSafe", at: .softNet, as: .mpSafe) { here in
        #expect(executor.isIsolatingCurrentContext() == false)
        here.raise(exactly: .softNet) { _ in #expect(executor.isIsolatingCurrentContext() == true) }
      }
      try await ordered.run()
      try await mpSafe.run()
    }
  }

  @Test func executorsOfOneLevelAndSystemExcludeEachOther() async throws {
    try await withLevel { system, executor in
      let same = try LevelExecutor(system, at: .softNet)
      let other = try LevelExecutor(system, at: .softBio)
      #expect(executor.isSameExclusiveExecutionContext(other: same))
      #expect(!executor.isSameExclusiveExecutionContext(other: other))
      try await withLevel { second, foreign in
        #expect(!executor.isSameExclusiveExecutionContext(other: foreign))
        // A thread inside one system's level is not inside the other's.
        #expect(await Table(second, foreign).gates() == [.softNet])
        let isInside = await second.withRaisedResult(foreign) { executor.isIsolatingCurrentContext() }
        #expect(isInside == false)
      }
      // The runtime knows: inside one actor, another of the same level is at hand without a hop.
      let neighbour = Table(system, same)
      let count = await system.withRaised(on: executor) { _ in neighbour.assumeIsolated { $0.add() } }
      #expect(count == 1)
    }
  }

  /// A plain handler that interrupts a job runs on top of it, in the same thread; the runtime, which is not told, still takes the
  /// thread for the job's. `holds`, tokens and the executor's own answer are right there; `assumeIsolated` on an actor of the
  /// *interrupted* level is not refused. The manual says so; this pins it.
  @Test func aHandlerOnTopOfAJobIsNotIsolatedToIt() async throws {
    try await withLevel(cpus: 1) { system, executor in
      let seen = Counter()
      let above = try system.establish("above", at: .softSerial, as: .ordered) { _ in
        #expect(executor.isIsolatingCurrentContext() == false)
        #expect(!system.holds(.softNet))
        #expect(system.holds(.softSerial))
        seen.add()
      }
      await system.withRaised(on: executor) { here in
        above.schedule()
        // Runs here, on top of this job.
        here.checkpoint()
        #expect(seen.count == 1)
        #expect(system.holds(.softNet))
      }
    }
  }

  @Test func aWrongAssumptionStopsTheProgramAndSaysWhatToDo() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1))
      let executor = try LevelExecutor(system, at: .softNet, name: "tables")
      executor.checkIsolated()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(
      text.contains(
        "not isolated to \"tables\": this context does not hold gate softNet: await, or raise to softNet"))
  }
}

extension InterruptSystem where M == HostedMachine {
  /// What `body` answers at the executor's level.
  func withRaisedResult<R: Sendable>(_ executor: LevelExecutor, _ body: @Sendable () -> R) async -> R {
    await withRaised(on: executor) { _ in body() }
  }
}
