// What the manual's longer examples say, executed.
//
// Invariant: each test is an example of an article, with public API alone, and checks what the article promises of it.

import Dispatch
import HostedMachine
import SoftInterrupts
import Synchronization
import Testing

@Suite("The manual")
struct ManualTests {
  /// The data of an event loop: `inputs` is guarded by softNet, `steps` by the big lock.
  final class Server: @unchecked Sendable {
    let isRunning = Atomic<Bool>(true)
    var inputs = 0
    var steps = 0
  }

  static func system(cpus: Int = 2) throws -> InterruptSystem<HostedMachine> {
    var configuration = Configuration()
    configuration.onViolation = .collect
    return try InterruptSystem(on: .hosted(cpus: cpus), configuration)
  }

  @Test("MigrationGuide: a live handler leaves the big lock and goes back, beside base code under it")
  func migration() throws {
    let system = try Self.system()
    let server = Server()
    let changed = system.condition(guardedBy: .softNet)
    let input = try system.establish("input", at: .softNet, as: .bigLock) { _ in
      server.inputs += 1
      changed.broadcast()
    }
    system.submit(on: 0, as: .bigLock) { here in
      while server.isRunning.load(ordering: .relaxed) {
        server.steps += 1
        system.yieldBigLock()
        here.checkpoint()
      }
    }
    for way in [WayIn.bigLock, .ordered, .disjoint, .bigLock] {
      #expect(system.setWay(way, of: input) == .done(dropped: 0))
      let before = system.raise(to: .softNet) { _ in server.inputs }
      input.schedule(on: 1)
      system.raise(to: .softNet) { _ in
        changed.wait { server.inputs > before }
        #expect(server.inputs == before + 1)
      }
    }
    server.isRunning.store(false, ordering: .relaxed)
    #expect(system.shutdown().isComplete)
    #expect(server.inputs == 4)
    #expect(system.violations.isEmpty)
  }

  @Test("Callouts: who holds the guard cancels for certain, and a retired callout stays retired")
  func cancelling() throws {
    let system = try Self.system(cpus: 1)
    let callout = try system.callout("late", at: .softClock, guard: .softNet) { _ in
      Issue.record("it was cancelled")
    }
    #expect(callout.schedule(after: .seconds(3_600)) == .armed)
    #expect(callout.schedule(after: .seconds(1_800)) == .rearmed)
    system.raise(to: .softNet) { _ in
      #expect(callout.cancel() == .cancelled)
      #expect(callout.cancel() == .notArmed)
    }
    #expect(callout.retire())
    #expect(callout.schedule(after: .seconds(3_600)) == .retired)
    #expect(system.shutdown().armedCallouts == 0)
    #expect(throws: CalloutError.disjointGuard("late", at: .softClock, guard: .softNet)) {
      try system.callout("late", at: .softClock, guard: .softNet, as: .disjoint) { _ in }
    }
  }

  @Test("Waits: while base code blocks outside of its CPU, the CPU's handlers go on")
  func leaving() throws {
    let system = try Self.system()
    let (inside, released, over) = (
      DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
    )
    let release = try system.establish("release", at: .softNet, as: .ordered) { _ in released.signal() }
    system.submit(on: 1) { here in
      let seen = here.leaveCPU {
        inside.signal()
        return released.wait(timeout: .now() + 20)
      }
      #expect(seen == .success)
      #expect(here.cpu == 1)
      over.signal()
    }
    #expect(inside.wait(timeout: .now() + 20) == .success)
    release.schedule(on: 1)
    #expect(over.wait(timeout: .now() + 20) == .success)
    #expect(system.shutdown().isComplete)
    #expect(system.violations.isEmpty)
  }

  @Test("Waits: a wait for CPUs inside a raise of its level is refused, above it is not")
  func refused() throws {
    let system = try Self.system()
    system.raise(to: .softNet) { _ in
      #expect(!system.barrier(at: .softNet))
      #expect(system.barrier(at: .softSerial))
    }
    #expect(system.violations.map(\.rule) == [.waitOutOfOrder])
    system.shutdown()
  }

  @Test("Witness: what is said to break a rule breaks that rule")
  func witness() throws {
    let system = try Self.system(cpus: 1)
    let lock = system.levelLock(at: .softNet, 0)
    let (cell, condition) = (system.perCPU(at: .softNet) { _ in 0 }, system.condition(guardedBy: .softNet))
    system.raise(exactly: .softSerial) { _ in system.raise(exactly: .softNet) { _ in } }
    system.raise(exactly: .softNet) { _ in system.raise(to: .softSerial) { _ in } }
    lock.withLock { _ in system.raise(to: .softNet) { _ in } }
    system.raise(to: .softNet) { _ in system.bigLock { _ in } }
    system.raise(to: .softSerial) { _ in lock.withLock { _ in } }
    system.mask(to: .softNet) { _ in }
    cell.open { _ in }
    condition.broadcast()
    let expected: [Violation.Rule] = [
      .downward, .cumulativeInsideExact, .gateUnderLevelLock, .bigLockTooLate, .levelLockAboveLevel,
      .maskByVisitor,
      .cellByVisitor, .conditionWithoutGuard,
    ]
    #expect(system.violations.map(\.rule) == expected)
    let done = DispatchSemaphore(value: 0)
    system.submit(on: 0) { here in
      here.mask(to: .softNet) { $0.raise(to: .softNet) { _ in } }
      here.raise(to: .softNet) { $0.leaveCPU {} }
      cell.open { _ in }
      here.mask(to: .softNet) { _ in cell.open { _ in cell.open { _ in } } }
      done.signal()
    }
    #expect(done.wait(timeout: .now() + 20) == .success)
    #expect(
      system.violations.dropFirst(expected.count).map(\.rule) == [
        .raiseUnderMask, .leaveUnderGate, .cellLevel, .cellOpenTwice,
      ])
    system.shutdown()
  }
}
