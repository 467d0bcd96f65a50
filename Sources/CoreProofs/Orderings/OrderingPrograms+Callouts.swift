// Programs on callouts, calls and waits for CPUs.
//
// Law: what the body and its caller both touch is ordered by the call alone.

import Exploration
import SimulatedMachine
import SoftInterrupts

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
      // It sees the answer without having been rung.
      + OrderingProgram.both(
        "a call whose caller looks", configuration: spinning(.exploration), callAndWait)
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
