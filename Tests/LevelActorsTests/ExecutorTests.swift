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
}
