// The levels' global actors, which one system of this process has.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

/// The process's system: bootstrapped once, for all tests.
enum Shared {
  static let system: System = {
    let system = try! System(on: .hosted(cpus: 2))
    try! LevelActors.bootstrap(system)
    return system
  }()
}

@SoftNet private var routes = 0
@SoftNet private func addRoute() -> [Level] {
  routes += 1
  return gatesHeld(Shared.system)
}

@Suite struct GlobalActorTests {
  @Test func eachRunsAtItsLevel() async {
    let system = Shared.system
    #expect(await addRoute() == [.softNet])
    #expect(await Task { @SoftClock in gatesHeld(system) }.value == [.softClock])
    #expect(await Task { @SoftBio in gatesHeld(system) }.value == [.softBio])
    #expect(await Task { @SoftSerial in gatesHeld(system) }.value == [.softSerial])
  }

  @Test func handlersOfTheLevelAreIsolatedToIt() async throws {
    let system = Shared.system
    let handler = try AwaitedHandler(system, "routes", at: .softNet, as: .ordered) { _ in
      SoftNet.shared.preconditionIsolated()
      SoftNet.shared.assumeIsolated { _ in }
    }
    try await handler.run()
  }

  @Test func aSectionHasTheToken() async {
    let hits = Guarded<Int, SoftNet>(0)
    let count = await Shared.system.withRaised(to: SoftNet.self) { net in
      net.open(hits) { count in
        count += 1
        return count
      }
    }
    #expect(count == 1)
    let inside = await SoftSerial.run { SoftSerial.assumeIsolated { Shared.system.holds(.softSerial) } }
    #expect(inside)
  }

  @Test func theSecondBootstrapIsRefused() throws {
    let system = Shared.system
    #expect(throws: BootstrapError.alreadyDone) { try LevelActors.bootstrap(system) }
    #expect(LevelActors.executor(of: .softNet)?.name == "@softNet")
    #expect(LevelActors.executor(of: .vm) == nil)
  }

  /// Each thread's tasks, enqueued as they are made, start in that order.
  @Test func tasksOfEachThreadStartInOrder() async {
    _ = Shared.system
    let log = Log()
    await withTaskGroup(of: [Task<Void, Never>].self) { group in
      for thread in 0..<4 {
        group.addTask {
          await onThread { (0..<500).map { index in Task { @SoftNet in log.note(thread * 1_000 + index) } } }
        }
      }
      for await tasks in group { for task in tasks { await task.value } }
    }
    #expect(log.all.count == 2_000)
    for thread in 0..<4 {
      #expect(log.all.filter { $0 / 1_000 == thread } == (0..<500).map { thread * 1_000 + $0 })
    }
  }

  @Test func anUnbootstrappedUseStopsTheProgramAndSaysWhatToDo() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      await SoftNet.run { () -> Void in }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("call LevelActors.bootstrap(system) first"))
  }
}
