// Data with a level, other CPUs, and the life of CPUs and systems.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension PublicOperation {
  private static func underLock(_ stage: Stage) {
    stage.lock.withLock { value in
      let old = value
      stage.locked.value += 1
      value = old + 1
    }
  }

  private static func openCell(_ stage: Stage) {
    let result: Void? = stage.cell.open { value in
      let old = value
      stage.world.point()
      value = old + 1
    }
    stage.expect(result != nil, "a cell does not open at its level")
  }

  private static let lockNames = [
    "LevelLock.withLock(file:line:_:)", "InterruptSystem.levelLock(at:rank:_:)",
  ]
  private static let cellNames = ["PerCPU.open(file:line:_:)", "InterruptSystem.perCPU(at:_:)"]
  private static let waitNames = [
    "Condition.wait(file:line:until:)", "InterruptSystem.condition(guardedBy:)",
  ]
  private static let wait: @Sendable (Stage) -> Void = { stage in
    stage.system.raise(to: .softNet) { here in
      let isTrue = stage.condition.wait { stage.isReady }
      stage.expect(isTrue && stage.isReady, "a wait that ended, and it is not true")
      stage.expect(here.gates.contains(Level.softNet.gate), "a wait holds what it held")
      stage.touch(.softNet)
    }
  }
  private static let prepareLock: @Sendable (Stage) -> Void = { stage in
    _ = stage.lock
    _ = stage.locked
  }

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let data: [PublicOperation] = [
    PublicOperation("withLock", lockNames, prepare: prepareLock) { stage, _, _ in underLock(stage) },
    PublicOperation(
      "MP-safe handler: withLock", lockNames, in: .handler(.softNet, .mpSafe), prepare: prepareLock
    ) {
      stage, _, _ in underLock(stage)
    },
    PublicOperation(visitor: "visitor: withLock", lockNames, prepare: prepareLock) { stage, _ in
      underLock(stage)
    },
    PublicOperation("open a cell", cellNames, prepare: with { _ = $0.cell }) { stage, _, here in
      here.mask(to: .softNet) { _ in openCell(stage) }
    },
    PublicOperation(
      "MP-safe handler: open a cell", cellNames, in: .handler(.softNet, .mpSafe),
      prepare: with { _ = $0.cell }
    ) {
      stage, _, _ in openCell(stage)
    },
    PublicOperation("reduce", ["PerCPU.reduce(_:_:)"], prepare: with { _ = $0.cell }) { stage, _, _ in
      let sum = stage.cell.reduce(0) { $0 + $1 }
      stage.expect(sum != nil || stage.shutsDown, "a reduce was refused")
    },
    PublicOperation("wait for a condition", waitNames, prepare: with { $0.needSignaller() }) { stage, _, _ in
      wait(stage)
    },
    PublicOperation(visitor: "visitor: wait for a condition", waitNames, prepare: with { $0.needSignaller() })
    {
      stage, _ in wait(stage)
    },
    PublicOperation("broadcast", ["Condition.broadcast(file:line:)"], prepare: with { _ = $0.condition }) {
      stage, _, _ in stage.signal()
    },
    PublicOperation("push", ["Ring.push(_:)", "Ring.init(capacity:)"], prepare: with { _ = $0.ring }) {
      stage, _, here in
      here.raise(exactly: .softNet) { _ in
        let count = stage.ring.count
        stage.expect(stage.ring.push(1) == (count < 2), "a push into a ring of \(count)")
      }
    },
    PublicOperation("pop", ["Ring.pop()", "Ring.count"], prepare: with { _ = $0.ring }) { stage, _, here in
      here.raise(exactly: .softBio) { _ in
        // One consumer, beside the producer.
        let count = stage.ring.count
        let element = stage.ring.pop()
        stage.expect(count == 0 || element == 1, "a pop from a ring of \(count)")
      }
    },
  ]

  private static func call(_ stage: Stage, _ here: borrowing Here<Machinery>) {
    stage.callsRun += 1
    here.raise(exactly: .softNet) { _ in stage.touch(.softNet) }
  }

  private static func callAndWait(_ stage: Stage, on cpu: Int, at level: Level) {
    nonisolated(unsafe) var runs = 0
    stage.acceptedCalls += 1
    let hasRun = stage.system.crossCallAndWait(on: cpu, at: level) { here in
      runs += 1
      stage.callsRun += 1
      stage.world.point()
    }
    stage.expect(hasRun || stage.shutsDown, "a cross-call was refused")
    stage.expect(runs == (hasRun ? 1 : 0), "a cross-call that was waited for ran \(runs) times")
    if !hasRun { stage.acceptedCalls -= 1 }
  }

  private static let callNames = ["InterruptSystem.crossCallAndWait(on:at:file:line:_:)"]
  private static let barrier = "InterruptSystem.barrier(at:file:line:)"
  private static let passBarrier: @Sendable (Stage) -> Void = { stage in
    let before = stage.activeRuns
    stage.expect(stage.system.barrier(at: .softNet), "a barrier was refused")
    stage.expect(stage.activeRuns.isDisjoint(with: before), "a run from before the barrier is not over")
  }

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let crossCPU: [PublicOperation] = [
    PublicOperation("crossCall", ["InterruptSystem.crossCall(on:at:_:)"]) { stage, side, _ in
      stage.acceptedCalls += 1
      let isAccepted = stage.system.crossCall(on: side.other, at: .softNet) { here in call(stage, here) }
      stage.expect(isAccepted || stage.shutsDown, "a cross-call was refused")
      // It may have run all the same, before the end.
      if !isAccepted { stage.refusedCalls += 1 }
    },
    PublicOperation("crossCallAndWait", callNames) { stage, side, _ in
      callAndWait(stage, on: side.other, at: .softNet)
    },
    PublicOperation("crossCallAndWait on its own CPU", callNames) { stage, side, _ in
      callAndWait(stage, on: side.index, at: .softNet)
    },
    PublicOperation("ordered handler: crossCallAndWait", callNames, in: .handler(.softClock, .ordered)) {
      stage, side, _ in callAndWait(stage, on: side.other, at: .softNet)
    },
    PublicOperation(visitor: "visitor: crossCallAndWait", callNames) { stage, _ in
      callAndWait(stage, on: 1, at: .softNet)
    },
    PublicOperation("barrier", [barrier]) { stage, _, _ in passBarrier(stage) },
    PublicOperation(visitor: "visitor: barrier", [barrier]) { stage, _ in passBarrier(stage) },
  ]

  private static func submit(_ stage: Stage, on cpu: Int, as way: BaseWay) {
    stage.acceptedJobs += 1
    let isAccepted = stage.system.submit(on: cpu, as: way) { here in
      stage.jobsRun += 1
      if way == .bigLock { stage.touch(.none) }
      here.raise(exactly: .softNet) { _ in stage.touch(.softNet) }
    }
    if !isAccepted { stage.acceptedJobs -= 1 }
    stage.expect(isAccepted || stage.takesOffline || stage.shutsDown, "base code was refused")
  }

  private static let submitName = "InterruptSystem.submit(on:as:_:)"
  private static let offlineName = "InterruptSystem.offline(_:)"
  private static let takeOffline: @Sendable (Stage) -> Bool = { stage in
    let isDone = stage.system.offline(1)
    if isDone { stage.setOffline(1, true) }
    return isDone
  }

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let life: [PublicOperation] = [
    PublicOperation("submit", [submitName]) { stage, side, _ in submit(stage, on: side.other, as: .mpSafe) },
    PublicOperation(visitor: "visitor: submit twice", [submitName]) { stage, _ in
      submit(stage, on: 1, as: .bigLock)
      submit(stage, on: 1, as: .mpSafe)
    },
    PublicOperation("leaveCPU", ["Here.leaveCPU(file:line:_:)"]) { stage, _, here in
      here.leaveCPU { stage.system.raise(exactly: .softNet) { _ in stage.touch(.softNet) } }
      stage.expect(here.level == .none && stage.system.isCPU, "back at level none, as its CPU")
    },
    PublicOperation(visitor: "offline", [offlineName], prepare: with { $0.takesOffline = true }) { stage, _ in
      _ = takeOffline(stage)
    },
    PublicOperation(
      visitor: "offline, online", ["InterruptSystem.online(_:)", offlineName],
      prepare: with { $0.takesOffline = true }
    ) { stage, _ in
      _ = takeOffline(stage)
      stage.setOffline(1, false)
      _ = stage.system.online(1)
    },
    PublicOperation(
      visitor: "statistics()", ["InterruptSystem.statistics()", "InterruptSystem.violations"]
    ) { stage, _ in
      let statistics = stage.system.statistics()
      for handler in stage.handlers {
        let runs = statistics.handlers.first { $0.name == handler.name }?.runs ?? 0
        stage.expect(runs <= UInt64(handler.starts), "more runs are counted than were begun")
      }
      stage.expect(stage.system.violations.isEmpty, "a violation")
    },
    PublicOperation(
      visitor: "shutdown()", ["InterruptSystem.shutdown(grace:)"], prepare: with { $0.shutsDown = true }
    ) { stage, _ in
      let report = stage.system.shutdown()
      // The second of two answers with an empty one.
      if stage.report == nil || !report.isComplete { stage.report = report }
      stage.hasShutDown = true
    },
  ]
}
