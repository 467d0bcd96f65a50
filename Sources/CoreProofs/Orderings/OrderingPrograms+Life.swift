// Programs on the lives of handlers, callouts, calls, CPUs and systems.

import Exploration
import SimulatedMachine
import SoftInterrupts

// MARK: Changes

extension OrderingPrograms {
  static var changes: [OrderingProgram] {
    [WayIn.mpSafe, .ordered].flatMap { way in
      OrderingProgram.both("suspended and resumed, \(way)") { try suspends($0, way) }
        + OrderingProgram.both("disestablished, \(way)") { try disestablishes($0, way) }
        + OrderingProgram.both("way changed from \(way)") { try changes($0, way) }
    }
      + OrderingProgram.both("a slot's next owner") { try nextOwner($0, on: 0) }
      + OrderingProgram.both("a slot's next owner, scheduled by a device") { try nextOwner($0, on: nil) }
      + OrderingProgram.both("a slot's next owner, scheduled by a visitor") {
        try nextOwner($0, on: nil, isVisitor: true)
      }
      + OrderingProgram.both("a handler ends itself", retiresSelf)
  }

  /// What a handler reads is written while it is suspended.
  @Sendable static func suspends(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    world.base(on: 1) { here in
      net.schedule()
      here.checkpoint()
    }
    world.visitor("changer") {
      guard case .done = net.suspend() else { return }
      table.value = 1
      net.resume()
    }
    world.device("card") { net.schedule(on: 0) }
  }

  @Sendable static func disestablishes(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.visitor("changer") {
      guard case .done = net.disestablish() else { return }
      table.value = 1
    }
  }

  @Sendable static func changes(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let net = try world.handler("net", at: .softNet, as: way) { _ in _ = table.value }
    let other: WayIn = way == .mpSafe ? .ordered : .mpSafe
    world.base(on: 1) { _ in net.schedule() }
    world.base(on: 0) { here in
      net.setWay(other)
      net.schedule(on: 1)
    }
  }

  /// A stale handle is used while its slot gets its next owner.
  @Sendable static func nextOwner(_ world: World, on cpu: Int?, isVisitor: Bool = false) throws {
    let system = world.system
    nonisolated(unsafe) var oldRuns = 0
    nonisolated(unsafe) var newRuns = 0
    let old = try system.establish("old", at: .softNet, as: .mpSafe) { _ in oldRuns += 1 }
    if let cpu {
      world.base(on: cpu) { _ in old.schedule(on: 1) }
    } else if isVisitor {
      world.visitor("sender") {
        // An agent of its own, which counts its schedules in flight.
        system.raise(exactly: .softClock) { _ in }
        old.schedule(on: 1)
      }
    } else {
      world.device("card") { old.schedule(on: 1) }
    }
    world.visitor("changer") {
      guard case .done = system.disestablish(old) else { return }
      let before = oldRuns
      _ = try! system.establish("new", at: .softNet, as: .mpSafe) { _ in newRuns += 1 }
      world.finally {
        world.expect(oldRuns == before, "the old owner ran after it was disestablished")
        world.expect(newRuns == 0, "a stale handle has scheduled the next owner")
      }
    }
  }

  @Sendable static func retiresSelf(_ world: World) throws {
    let system = world.system
    let once = try system.establish("once", at: .softNet, as: .mpSafe) { here in here.retire() }
    world.base(on: 0) { _ in once.schedule() }
    world.base(on: 1) { _ in once.schedule() }
    world.visitor("maker") { _ = try? system.establish("next", at: .softNet, as: .mpSafe) { _ in } }
  }
}

// MARK: Callouts

extension OrderingPrograms {
  static var callouts: [OrderingProgram] {
    OrderingProgram.both("a callout armed elsewhere", armsElsewhere)
      + OrderingProgram.both("a callout cancelled under its guard", cancels)
      + OrderingProgram.both("a callout halted", halts)
      + OrderingProgram.both("a callout retired and made anew", retires)
      + OrderingProgram.both("callouts, threads", configuration: threads, preemptions: 1, armsElsewhere)
  }

  @Sendable static func armsElsewhere(_ world: World) throws {
    let order = world.shared("order", 0)
    nonisolated(unsafe) var runs = 0
    let timer = try world.system.callout("timer", at: .softClock, as: .mpSafe, cpu: 1) { _ in
      runs += order.value
    }
    world.visitor("armer") {
      order.value = 1
      timer.schedule(afterNanoseconds: 0)
    }
    world.finally { world.expect(runs == 1, "ran \(runs) times") }
  }

  @Sendable static func cancels(_ world: World) throws {
    let table = world.shared("table", guard: .softNet, 0)
    nonisolated(unsafe) var isCancelled = false
    let timer = try world.system.callout("timer", at: .softClock, guard: .softNet, cpu: 1) { _ in
      world.expect(!isCancelled, "it runs after it was cancelled under its guard")
      table.value += 1
    }
    world.base(on: 1) { _ in timer.schedule(afterNanoseconds: 0) }
    world.base(on: 0) { here in
      here.raise(to: .softNet) { _ in
        table.value += 1
        if case .cancelled = timer.cancel() { isCancelled = true }
      }
    }
  }

  @Sendable static func halts(_ world: World) throws {
    let table = world.shared("table", 0)
    let timer = try world.system.callout("timer", at: .softClock, as: .mpSafe, cpu: 1) { _ in _ = table.value
    }
    let isArmed = Flags(1)
    world.base(on: 1) { _ in
      timer.schedule(afterNanoseconds: 0)
      isArmed[0] = true
    }
    world.visitor("halter") { if isArmed[0], timer.halt() { table.value = 1 } }
  }

  @Sendable static func retires(_ world: World) throws {
    let system = world.system
    let table = world.shared("table", 0)
    let timer = try system.callout("timer", at: .softClock, as: .mpSafe, cpu: 1) { _ in _ = table.value }
    world.base(on: 1) { _ in timer.schedule(afterNanoseconds: 0) }
    world.visitor("retirer") {
      guard timer.retire() else { return }
      table.value = 1
      let next = try! system.callout("next", at: .softClock, as: .mpSafe, cpu: 1) { _ in }
      next.schedule(afterNanoseconds: 0)
    }
  }
}

// MARK: Calls and waits for CPUs

extension OrderingPrograms {
  static var calls: [OrderingProgram] {
    OrderingProgram.both("calls", callsOnWay)
      + OrderingProgram.both("a call that is waited for", callAndWait)
      + OrderingProgram.both("calls that meet", callsMeet)
      + OrderingProgram.both("a barrier", barrier)
      + OrderingProgram.both("submitted base code", submits)
      + OrderingProgram.both("calls, threads", configuration: threads, preemptions: 1, callAndWait)
  }

  @Sendable static func callsOnWay(_ world: World) throws {
    let system = world.system
    let messages = (0..<2).map { world.shared("message \($0)", 0) }
    nonisolated(unsafe) var got = 0
    for index in 0..<2 {
      world.visitor("caller \(index)") {
        messages[index].value = 1
        system.crossCall(on: 1, at: .softNet) { _ in got += messages[index].value }
      }
    }
    world.finally { world.expect(got == 2, "\(got) calls of 2") }
  }

  @Sendable static func callAndWait(_ world: World) throws {
    let system = world.system
    let answer = world.shared("answer", 0)
    world.visitor("caller") {
      answer.value = 1
      if system.crossCallAndWait(on: 1, at: .softNet, { _ in answer.value += 1 }) {
        world.expect(answer.value == 2)
      }
    }
  }

  @Sendable static func callsMeet(_ world: World) throws {
    let system = world.system
    let answers = (0..<2).map { world.shared("answer \($0)", 0) }
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in
        answers[cpu].value = 1
        system.crossCallAndWait(on: 1 - cpu, at: .softNet) { _ in answers[cpu].value += 1 }
        world.expect(answers[cpu].value == 2)
      }
    }
  }

  @Sendable static func barrier(_ world: World) throws {
    let system = world.system
    let table = world.shared("table", 0)
    let isOld = Flags(1)
    let net = try world.handler("net", at: .softSerial, as: .mpSafe) { _ in if !isOld[0] { _ = table.value } }
    world.base(on: 1) { _ in net.schedule() }
    world.visitor("changer") {
      isOld[0] = true
      if system.barrier(at: .softSerial) { table.value = 1 }
    }
  }

  @Sendable static func submits(_ world: World) throws {
    let system = world.system
    let message = world.shared("message", 0)
    nonisolated(unsafe) var got = 0
    world.base(on: 0) { _ in
      message.value = 1
      system.submit(on: 1) { _ in got = message.value }
    }
    world.visitor("other") { system.submit(on: 1) { _ in } }
    world.finally { world.expect(got == 1, "base code was lost") }
  }
}

// MARK: CPUs and systems

extension OrderingPrograms {
  static var life: [OrderingProgram] {
    OrderingProgram.both("offline", offline)
      + OrderingProgram.both("offline, work for anywhere", offlineAnywhere)
      + OrderingProgram.both("offline for good") { try offlineForGood($0, from: 0) }
      + OrderingProgram.both("offline for good, scheduled by a device") { try offlineForGood($0, from: nil) }
      + OrderingProgram.both("offline while a handler is resumed", offlineResumed)
      + OrderingProgram.both("offline, its work taken by another", offlineTaken)
      + OrderingProgram.both("offline and online", offlineOnline)
      + OrderingProgram.both("leaving the CPU", leaves)
      + OrderingProgram.samples("shutdown", schedules: 1_000, shutdown)
      + OrderingProgram.samples("shutdown, threads", configuration: threads, schedules: 300, shutdown)
  }

  /// What is the CPU's own is others' while it is offline.
  @Sendable static func offline(_ world: World) throws {
    let system = world.system
    let cell = world.shared("cell of CPU 1", 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in cell.value += 1 }
    world.base(on: 0) { _ in net.schedule(on: 1) }
    world.visitor("operator") {
      guard system.offline(1) else { return }
      cell.value += 1
      system.online(1)
    }
    world.finally { world.expect(cell.value == 2) }
  }

  @Sendable static func offlineAnywhere(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  /// What was scheduled, and not refused, is run before the CPU leaves.
  static func offlineForGood(_ world: World, from cpu: Int?) throws {
    let system = world.system
    nonisolated(unsafe) var runs = 0
    nonisolated(unsafe) var isScheduled = false
    let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in runs += 1 }
    let schedule = { if case .scheduled = net.schedule(on: 1) { isScheduled = true } }
    nonisolated(unsafe) let body = schedule
    if let cpu { world.base(on: cpu) { _ in body() } } else { world.device("card") { body() } }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(!isScheduled || runs == 1, "accepted work stayed on a CPU that left") }
  }

  @Sendable static func offlineResumed(_ world: World) throws {
    let system = world.system
    nonisolated(unsafe) var runs = 0
    let net = try system.establish("net", at: .softNet, as: .ordered, .anywhere) { _ in runs += 1 }
    system.suspend(net)
    net.schedule(on: 1)
    world.base(on: 0) { _ in system.resume(net) }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(runs == 1, "the work was lost") }
  }

  /// The CPU waits for work that another takes off it.
  @Sendable static func offlineTaken(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.base(on: 1) { _ in net.schedule() }
    world.visitor("operator") { system.offline(1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  @Sendable static func offlineOnline(_ world: World) throws {
    let system = world.system
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.visitor("operator") {
      system.offline(1)
      system.online(1)
    }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1, "the work was lost") }
  }

  @Sendable static func leaves(_ world: World) throws {
    let cell = world.shared("cell of CPU 0", 0)
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in cell.value += 1 }
    world.base(on: 0) { here in
      cell.value += 1
      here.leaveCPU { SimulatedMachine.point() }
      cell.value += 1
    }
    world.device("card") { net.schedule(on: 0) }
    world.finally { world.expect(cell.value == 3) }
  }

  @Sendable static func shutdown(_ world: World) throws {
    let system = world.system
    let message = world.shared("message", 0)
    let result = world.shared("result", 0)
    nonisolated(unsafe) var runs = 0
    nonisolated(unsafe) var accepted = 0
    let other = try system.establish("other", at: .softBio, as: .mpSafe) { _ in runs += 1 }
    let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in
      runs += message.value
      result.value += 1
      if case .scheduled = other.schedule(on: 1) { accepted += 1 }
    }
    world.device("card") {
      message.value = 1
      if case .scheduled = net.schedule(on: 0) { accepted += 1 }
    }
    world.visitor("operator") {
      let report = system.shutdown()
      let left = report.pending.reduce(0) { $0 + $1.cpus }
      world.expect(runs + left == accepted, "\(accepted) accepted, \(runs) run, \(left) reported")
      result.value += 1
    }
  }
}

// MARK: Data

extension OrderingPrograms {
  static var data: [OrderingProgram] {
    OrderingProgram.both("a LevelLock", levelLock)
      + OrderingProgram.both("a LevelLock, handed over", configuration: overdueAtOnce, levelLock)
      + OrderingProgram.both("a condition", condition)
      + OrderingProgram.both("a ring", preemptions: nil, ring)
  }

  @Sendable static func levelLock(_ world: World) throws {
    let value = world.shared("value", 0)
    let lock = world.system.levelLock(at: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in lock.withLock { _ in value.value += 1 } }
    }
    world.visitor { lock.withLock { _ in value.value += 1 } }
    world.finally { world.expect(value.value == 3) }
  }

  @Sendable static func condition(_ world: World) throws {
    let system = world.system
    let isReady = world.shared("ready", guard: .softNet, false)
    let condition = system.condition(guardedBy: .softNet)
    world.base(on: 0) { here in
      here.raise(exactly: .softNet) { _ in _ = condition.wait { isReady.value } }
    }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in
        isReady.value = true
        condition.broadcast()
      }
    }
  }

  @Sendable static func ring(_ world: World) throws {
    let ring = Ring<Int, SimulatedMachine>(capacity: 1)
    nonisolated(unsafe) var got: [Int] = []
    world.visitor("producer") {
      for value in 1...3 { _ = ring.push(value) }
    }
    world.visitor("consumer") {
      for _ in 0..<3 { if let value = ring.pop() { got.append(value) } }
    }
    // Kept: who gives up the last reference takes out what is left, after what the others have done.
    world.finally { world.expect(got == got.sorted() && ring.count <= 1) }
  }
}
