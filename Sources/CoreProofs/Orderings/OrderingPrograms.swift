// The programs that together execute the orderings of the core.
//
// Law: what one side hands to another (by a schedule, a gate, an answer, a change that has come back) is a datum that both touch,
// without a guard unless a gate is the very thing: then only the order under test keeps the two apart.

import Exploration
import SimulatedMachine
import SoftInterrupts

public enum OrderingPrograms {
  typealias System = InterruptSystem<SimulatedMachine>

  /// All of them.
  public static var all: [OrderingProgram] {
    gates + handlers + busy + changes + ways + callouts + calls + life + ends + data
  }

  static var overdueAtOnce: Configuration {
    var configuration = Configuration.exploration
    configuration.handOffAfter = 0
    return configuration
  }
  static var budgetOfOne: Configuration {
    var configuration = overdueAtOnce
    configuration.drainBudget = 1
    configuration.dispatchBudget = 1
    return configuration
  }
  /// Who waits for a gate spins, and sees what it waits for without having been rung.
  static func spinning(_ configuration: Configuration) -> Configuration {
    var configuration = configuration
    configuration.spinRounds = 4
    return configuration
  }
  static var alwaysPolls: Configuration {
    var configuration = Configuration.exploration
    configuration.pollInterval = 0
    return configuration
  }
  static var threads: Configuration {
    var configuration = Configuration.exploration
    configuration.execution = .threads
    return configuration
  }
}

// MARK: Gates

extension OrderingPrograms {
  static var gates: [OrderingProgram] {
    OrderingProgram.both("raises", raises)
      + OrderingProgram.both("raises, handed over", configuration: overdueAtOnce, raises)
      + OrderingProgram.both("three raise", cpus: 3, preemptions: 1, threeRaise)
      + OrderingProgram.both(
        "three raise, handed over", cpus: 3, configuration: overdueAtOnce, preemptions: 1, threeRaise)
      + OrderingProgram.both("raises, spinning", configuration: spinning(.exploration), raises)
      + OrderingProgram.both("raises, handed over, spinning", configuration: spinning(overdueAtOnce), raises)
      + OrderingProgram.both("marks", marks)
      + OrderingProgram.both("work for anywhere", configuration: budgetOfOne, anywhere)
      + OrderingProgram.both("serves while it waits", configuration: overdueAtOnce, servesWhileWaiting)
      + OrderingProgram.both(
        "serves, and is passed over", cpus: 3, configuration: overdueAtOnce, preemptions: 1,
        servesWhileWaiting)
      + OrderingProgram.both("big lock", bigLock)
      + OrderingProgram.both("big lock, handed over", configuration: overdueAtOnce, bigLock)
      + OrderingProgram.both("visitors raise", configuration: overdueAtOnce, visitorsRaise)
      + OrderingProgram.both("a lock that was kept", configuration: overdueAtOnce, kept)
  }

  @Sendable static func raises(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { here in
        here.raise(exactly: .softNet) { _ in packets.value += 1 }
        here.raise(exactly: .softNet) { _ in packets.value += 1 }
      }
    }
    world.finally { world.expect(packets.value == 4, "\(packets.value) packets of 4") }
  }

  @Sendable static func threeRaise(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<3 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.finally { world.expect(packets.value == 3, "\(packets.value) packets of 3") }
  }

  /// Bound work whose gate is busy is marked, and its CPU rung.
  @Sendable static func marks(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in packets.value += 1 }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.device("card") { net.schedule(on: 1) }
    world.finally { world.expect(net.runs == 1 && packets.value == 2, "\(packets.value) packets of 2") }
  }

  @Sendable static func anywhere(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let order = world.shared("order", 0)
    let net = try world.handler("net", at: .softNet, as: .ordered, .anywhere) { _ in
      packets.value += order.value
    }
    let other = try world.handler("other", at: .softNet, as: .ordered, .anywhere) { _ in packets.value += 1 }
    world.base(on: 0) { _ in
      order.value = 1
      net.schedule()
      other.schedule()
    }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    world.finally { world.expect(packets.value >= 3, "\(packets.value) packets of 3") }
  }

  @Sendable static func servesWhileWaiting(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    let urgent = try world.handler("urgent", at: .softSerial, as: .mpSafe) { _ in }
    let cpus = world.system.cpuCount
    for cpu in 0..<cpus {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally { world.expect(urgent.runs == 1 && packets.value == cpus) }
  }

  @Sendable static func bigLock(_ world: World) throws {
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let bio = try world.handler("bio", at: .softBio, as: .bigLock) { _ in legacy.value += 1 }
    world.base(on: 0, as: .bigLock) { _ in legacy.value += 1 }
    world.base(on: 1) { here in
      bio.schedule()
      here.raise(exactly: .softBio) { _ in }
    }
    world.finally { world.expect(legacy.value == 2, "\(legacy.value) of 2") }
  }

  @Sendable static func visitorsRaise(_ world: World) throws {
    let system = world.system
    let packets = world.shared("packets", guard: .softNet, 0)
    for name in ["a", "b"] {
      world.visitor(name) {
        system.raise(exactly: .softNet) { _ in packets.value += 1 }
        System.threadEnded(SimulatedMachine.current!)
        SimulatedMachine.setCurrent(nil)
      }
    }
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in packets.value += 1 } }
    world.finally { world.expect(packets.value == 3) }
  }
}

extension OrderingPrograms {
  /// A lock is kept for who serves; it takes it, and again when it is kept no longer, while another still believes that it is.
  @Sendable static func kept(_ world: World) throws {
    let value = world.shared("value", 0)
    let lock = world.system.levelLock(at: .softNet, 0)
    let flags = Flags(2)
    let urgent = try world.handler("urgent", at: .softSerial, as: .mpSafe) { _ in
      flags[0] = true
      flags.wait(1)
    }
    world.base(on: 0) { _ in
      for _ in 0..<2 { lock.withLock { _ in value.value += 1 } }
    }
    world.base(on: 1) { _ in
      lock.withLock { _ in
        value.value += 1
        flags.wait(0)
      }
      flags[1] = true
      lock.withLock { _ in value.value += 1 }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally { world.expect(value.value == 4) }
  }
}

// MARK: Handlers

extension OrderingPrograms {
  static var handlers: [OrderingProgram] {
    OrderingProgram.both("a message by a schedule", message)
      + OrderingProgram.both(
        "a message by a schedule, interrupts anywhere", recognition: .anywhere, preemptions: 1, message)
      + OrderingProgram.both("messages by schedules that coalesce", coalesced)
      + OrderingProgram.both("messages to an ordered handler", orderedMessages)
      + OrderingProgram.both("established and scheduled", establishAndSchedule)
      + OrderingProgram.both("threads", configuration: threads, preemptions: 1, threadMessages)
  }

  @Sendable static func message(_ world: World) throws {
    let message = world.shared("message", 0)
    nonisolated(unsafe) var got = 0
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in got = message.value }
    world.base(on: 0) { _ in
      message.value = 1
      net.schedule(on: 1)
    }
    world.finally { world.expect(got == 1, "the message was lost") }
  }

  /// The CPU is masked until both have scheduled: one run, that has got both messages.
  @Sendable static func coalesced(_ world: World) throws {
    let messages = (0..<2).map { world.shared("message \($0)", 0) }
    let hasSent = Flags(2)
    nonisolated(unsafe) var got = 0
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in
      got = messages[0].value + messages[1].value
    }
    for index in 0..<2 {
      world.device("card \(index)") {
        messages[index].value = 1
        net.schedule(on: 1)
        hasSent[index] = true
      }
    }
    world.base(on: 1) { here in
      here.mask(to: .high) { _ in for index in 0..<2 { hasSent.wait(index) } }
    }
    world.finally { world.expect(got == 2 && net.runs == 1, "\(got) messages in \(net.runs) runs") }
  }

  @Sendable static func threadMessages(_ world: World) throws {
    let messages = (0..<2).map { world.shared("message \($0)", 0) }
    nonisolated(unsafe) var got = 0
    let bio = try world.handler("bio", at: .softBio, as: .mpSafe) { _ in got += messages[1].value }
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in
      got += messages[0].value
      messages[1].value = 1
      bio.schedule(on: 0)
    }
    world.device("card") {
      messages[0].value = 1
      net.schedule(on: 1)
    }
    world.finally { world.expect(got == 2, "\(got) messages of 2") }
  }

  @Sendable static func orderedMessages(_ world: World) throws {
    let message = world.shared("message", 0)
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in _ = message.value }
    world.base(on: 0) { here in
      message.value = 1
      net.schedule(on: 1)
    }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
    world.finally { world.expect(net.runs == 1) }
  }

  /// The handle goes to another as values do: by a release and an acquire of the program's.
  @Sendable static func establishAndSchedule(_ world: World) throws {
    let system = world.system
    nonisolated(unsafe) var handler: Handler<SimulatedMachine>?
    let isThere = Flags(1)
    nonisolated(unsafe) var runs = 0
    world.visitor("maker") {
      handler = try! system.establish("late", at: .softNet, as: .mpSafe) { _ in runs += 1 }
      isThere.release(0)
    }
    world.base(on: 1) { _ in if isThere.acquire(0) { handler!.schedule() } }
    world.base(on: 0) { _ in if isThere.acquire(0) { handler!.schedule(on: 1) } }
  }
}

/// Flags of a program's that order nothing: words, so that an exploration knows of them, with relaxed accesses.
final class Flags: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  private let words: UnsafeMutablePointer<SimulatedWord>
  init(_ count: Int) {
    words = .allocate(capacity: count)
    words.initialize(repeating: SimulatedWord(0), count: count)
  }
  deinit { words.deallocate() }
  subscript(index: Int) -> Bool {
    get { SimulatedWord.load(words + index, .relaxed) != 0 }
    set { SimulatedWord.store(words + index, newValue ? 1 : 0, .relaxed) }
  }
  /// Sets a flag that orders; and reads one.
  func release(_ index: Int) { SimulatedWord.store(words + index, 1, .release) }
  func acquire(_ index: Int) -> Bool { SimulatedWord.load(words + index, .acquire) != 0 }
  /// Spins until a flag is set.
  func wait(_ index: Int) {
    var round = 0
    while !self[index] {
      SimulatedMachine.pause(round)
      round += 1
    }
  }
}
