// Programs in which a CPU never sleeps: what it sees it sees in the words, and no ring comes with it.
//
// Law: a ring brings all that was written before it, so a CPU that was woken would see it with weaker orders as well.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension OrderingPrograms {
  static var busy: [OrderingProgram] {
    OrderingProgram.both("a message to a busy CPU", busyMessage)
      + OrderingProgram.both("an ordered message to a busy CPU") { try busyOrdered($0, .bound) }
      + OrderingProgram.both("an ordered message that anybody takes", configuration: overdueAtOnce) {
        try busyOrdered($0, .anywhere)
      }
      + OrderingProgram.both("two ordered handlers of a busy CPU", busyTwo)
      + OrderingProgram.both("big-lock work of a busy CPU", busyBigLock)
      + OrderingProgram.both("calls to a busy CPU", busyCalls)
      + OrderingProgram.both("a call from a busy CPU", busyCaller)
      + OrderingProgram.both("a callout of a busy CPU", configuration: alwaysPolls, busyTimer)
      + OrderingProgram.both("a busy CPU's handler suspended and resumed") { try busyResumed($0, .mpSafe) }
      + OrderingProgram.both("a busy CPU's ordered handler suspended and resumed") {
        try busyResumed($0, .ordered)
      }
      + OrderingProgram.both("a new handler of a busy CPU", busyNew)
      + OrderingProgram.both("base code for a busy CPU", busySubmit)
  }

  /// Base code that does nothing but look, until `flag` is set. If what it looks for does not come it spins for ever, which is found.
  private static func looks(_ world: World, on cpu: Int, until flags: Flags) {
    world.base(on: cpu) { here in
      var round = 0
      while !flags[0] {
        here.checkpoint()
        SimulatedMachine.pause(round)
        round += 1
      }
    }
  }

  @Sendable static func busyMessage(_ world: World) throws {
    let message = world.shared("message", 0)
    let isDone = Flags(1)
    nonisolated(unsafe) var got = 0
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in
      got = message.value
      isDone[0] = true
    }
    looks(world, on: 1, until: isDone)
    world.base(on: 0) { _ in
      message.value = 1
      net.schedule(on: 1)
    }
    world.finally { world.expect(got == 1) }
  }

  /// The gate may be busy: the work is marked, and its holder rings the CPU or does it.
  static func busyOrdered(_ world: World, _ placement: Placement) throws {
    let message = world.shared("message", 0)
    let packets = world.shared("packets", guard: .softNet, 0)
    let isDone = Flags(1)
    let net = try world.handler("net", at: .softNet, as: .ordered, placement) { _ in
      packets.value += message.value
      isDone[0] = true
    }
    looks(world, on: 1, until: isDone)
    world.visitor("sender") {
      message.value = 1
      net.schedule(on: 1)
    }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.finally { world.expect(packets.value == 2) }
  }

  /// One is scheduled, and then, by somebody who does not know of it, the other.
  @Sendable static func busyTwo(_ world: World) throws {
    let areDone = Flags(2)
    let isDone = Flags(1)
    let handlers = try (0..<2).map { index in
      try world.handler("net \(index)", at: .softNet, as: .ordered) { _ in
        areDone[index] = true
        if areDone[1 - index] { isDone[0] = true }
      }
    }
    looks(world, on: 1, until: isDone)
    for index in 0..<2 { world.visitor("sender \(index)") { handlers[index].schedule(on: 1) } }
  }

  @Sendable static func busyBigLock(_ world: World) throws {
    let message = world.shared("message", 0)
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let isDone = Flags(1)
    let bio = try world.handler("bio", at: .softBio, as: .bigLock) { _ in
      legacy.value += message.value
      isDone[0] = true
    }
    looks(world, on: 1, until: isDone)
    world.visitor("sender") {
      message.value = 1
      bio.schedule(on: 1)
    }
    world.base(on: 0, as: .bigLock) { _ in legacy.value += 1 }
    world.finally { world.expect(legacy.value == 2) }
  }

  @Sendable static func busyCalls(_ world: World) throws {
    let system = world.system
    let messages = (0..<2).map { world.shared("message \($0)", 0) }
    let isDone = Flags(1)
    nonisolated(unsafe) var got = 0
    looks(world, on: 1, until: isDone)
    for index in 0..<2 {
      world.visitor("caller \(index)") {
        messages[index].value = 1
        system.crossCall(on: 1, at: .softNet) { _ in
          got += messages[index].value
          if got == 2 { isDone[0] = true }
        }
      }
    }
    world.finally { world.expect(got == 2) }
  }

  /// Who waits serves meanwhile, and may see the answer before it is rung.
  @Sendable static func busyCaller(_ world: World) throws {
    let system = world.system
    let answer = world.shared("answer", 0)
    let urgent = try world.handler("urgent", at: .softSerial, as: .mpSafe) { _ in }
    world.base(on: 0) { _ in
      answer.value = 1
      system.crossCallAndWait(on: 1, at: .softNet) { _ in answer.value += 1 }
      world.expect(answer.value == 2)
    }
    world.device("line") { urgent.schedule(on: 0) }
  }

  @Sendable static func busyTimer(_ world: World) throws {
    let order = world.shared("order", 0)
    let isDone = Flags(1)
    let timer = try world.system.callout("timer", at: .softClock, as: .mpSafe, cpu: 1) { _ in
      _ = order.value
      isDone[0] = true
    }
    looks(world, on: 1, until: isDone)
    world.visitor("armer") {
      order.value = 1
      timer.schedule(afterNanoseconds: 0)
    }
  }

  static func busyResumed(_ world: World, _ way: WayIn) throws {
    let table = world.shared("table", 0)
    let isDone = Flags(1)
    let net = try world.handler("net", at: .softNet, as: way) { _ in
      _ = table.value
      isDone[0] = true
    }
    looks(world, on: 1, until: isDone)
    world.visitor("changer") {
      guard case .done = net.suspend() else { return }
      table.value = 1
      net.resume()
    }
    world.device("card") { net.schedule(on: 1) }
  }

  @Sendable static func busyNew(_ world: World) throws {
    let system = world.system
    let isDone = Flags(1)
    let table = world.shared("table", 0)
    looks(world, on: 1, until: isDone)
    world.visitor("maker") {
      table.value = 1
      let made = try! system.establish("late", at: .softNet, as: .mpSafe) { _ in
        _ = table.value
        isDone[0] = true
      }
      made.schedule(on: 1)
    }
  }

  @Sendable static func busySubmit(_ world: World) throws {
    let system = world.system
    let message = world.shared("message", 0)
    let isSent = Flags(1)
    nonisolated(unsafe) var got = 0
    looks(world, on: 1, until: isSent)
    world.visitor("sender") {
      message.value = 1
      system.submit(on: 1) { _ in got = message.value }
      isSent[0] = true
    }
    world.finally { world.expect(got == 1) }
  }
}
