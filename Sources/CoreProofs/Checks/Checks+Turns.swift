// Turns at a gate that many want: who waits is told or handed the gate in time, and a turn is not cut short.
//
// Law: as for the other checks (Checks.swift). Time passes in the sections only, by as much as is said.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// A waiter is due after two sections; the clock is looked at when a gate is left for the `every`-th time.
  private static func due(lookingEvery every: Int) -> Configuration {
    var configuration = Configuration.exploration
    configuration.handOffAfter = 1_000
    configuration.turnCheck = every
    return configuration
  }

  static let turns: [Proof] = [
    // It may queue while the first section is under way, after that section's time has passed; then two more may begin.
    Proof(
      "a waiter is handed the gate when it is due", configuration: due(lookingEvery: 1),
      limits: Limits(overtakes: 2), mutants: [.calmForEver, .notAwaited], finds: [.starvation, .expectation]
    ) { world in try isDue(world, atMost: 3) },
    Proof(
      "a waiter is handed the gate when it is due, and the clock was looked at",
      configuration: due(lookingEvery: 2),
      limits: Limits(overtakes: 3), mutants: [.calmForEver, .notAwaited], finds: [.starvation, .expectation]
    ) { world in try isDue(world, atMost: 4) },
    Proof(
      "a turn is not cut short", cpus: 3, configuration: longTurns, mutants: [.noTurns],
      finds: [.expectation],
      handedOnce),
    Proof(
      "who takes a gate past a waiter begins no turn", cpus: 3, configuration: dueAndLongTurns,
      strategy: .exhaustive(preemptions: 3), mutants: [.turnsForAll], finds: [.expectation], past),
    Proof(
      "who waits behind the one that was told is told next", cpus: 3,
      mutants: [.tookInSilence], finds: [.deadlock], behind),
    Proof(
      "the same, where the one that was told polls", cpus: 3, configuration: polling,
      mutants: [.tookInSilence], finds: [.deadlock], behindPolling),
    Proof(
      "who spins for a gate in a turn of lower work ends it when it is over", configuration: longSpins,
      strategy: .exhaustive(preemptions: 0), mutants: [.spinThroughTurn], finds: [.livelock], spinsInATurn),
    Proof(
      "a raise that waits for a higher gate holds no lower one", mutants: [.holdLowerGates],
      finds: [.expectation], waitsHoldingNone),
    Proof(
      "a raise of several gates waits once more than it takes gates", configuration: Rows.overdueAtOnce,
      mutants: [.waitForAllAgain], finds: [.expectation], waitsOnceMore),
  ]

  private static var longSpins: Configuration {
    var configuration = oneAtATime
    configuration.spinRounds = .max
    return configuration
  }

  /// The told one polls, and takes the gate without a word: only then the others have nothing but its word for it.
  private static var polling: Configuration {
    var configuration = Configuration.exploration
    configuration.spinRounds = 1
    configuration.pollRounds = 64
    return configuration
  }

  private static var longTurns: Configuration {
    var configuration = Rows.overdueAtOnce
    configuration.turn = 1_000_000
    return configuration
  }

  private static var dueAndLongTurns: Configuration {
    var configuration = due(lookingEvery: 1)
    configuration.turn = 1_000_000
    return configuration
  }

  private static func isDue(_ world: World, atMost bound: Int) throws {
    takes(6, of: 600, world, atMost: bound, whileWaits: 1)
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
  }

  /// CPU 0 takes the gate again and again; how often while another waits is counted from inside, since a waiter that forgets to say that its gate
  /// is awaited would not be counted from outside.
  private static func takes(
    _ times: Int, of nanoseconds: UInt64, _ world: World, atMost bound: Int, whileWaits cpu: Int
  ) {
    world.machine.watchClock()
    let gates = world.system.gatesWord
    let isAskedFor = InterruptSystem<SimulatedMachine>.attentionBit(of: .softNet)
    world.base(on: 0) { here in
      var hasSaidSo = false
      var sections = 0
      for _ in 0..<times {
        here.raise(exactly: .softNet) { _ in
          SimulatedMachine.elapse(nanoseconds)
          // Read without a step of its own.
          let waits = Rows.view(world, cpu)?.waits.isEmpty == false
          hasSaidSo = waits && (hasSaidSo || gates.value & isAskedFor != 0)
          sections = hasSaidSo ? sections + 1 : 0
          world.expect(sections <= bound, "\(sections) sections while CPU \(cpu) waited")
        }
      }
    }
  }

  private static func handedOnce(_ world: World) throws {
    for cpu in 0..<3 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in } }
    }
    world.finally {
      let times = (0..<3).compactMap { Rows.view(world, $0)?.counters(.softNet).handedOff }.reduce(0, +)
      world.expect(times <= 1, "handed over \(times) times within a turn")
    }
  }

  /// CPU 1 comes when CPU 2 waits already, is not due yet, and may find the gate free before CPU 2 does. CPU 0 goes on taking it.
  private static func past(_ world: World) throws {
    takes(4, of: 1_000, world, atMost: 2, whileWaits: 2)
    let gates = world.system.gatesWord
    let isAskedFor = InterruptSystem<SimulatedMachine>.attentionBit(of: .softNet)
    world.base(on: 1) { here in
      SimulatedMachine.point(gates, isWrite: false)
      if gates.value & isAskedFor != 0 { here.raise(exactly: .softNet) { _ in } }
    }
    world.base(on: 2) { here in here.raise(exactly: .softNet) { _ in } }
  }

  /// CPU 0 comes back and leaves the gate once more while the one that was told is about to take it.
  private static func behind(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    for (cpu, times) in [2, 1, 1].enumerated() {
      world.base(on: cpu) { here in
        for _ in 0..<times { here.raise(exactly: .softNet) { _ in packets.value += 1 } }
      }
    }
    world.finally { world.expect(packets.value == 4, "\(packets.value) of 4") }
  }

  /// CPU 0 holds the gate until the others sleep; then one of them takes it without having said so.
  private static func behindPolling(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    world.base(on: 0) { here in
      here.raise(exactly: .softNet) { _ in
        packets.value += 1
        // Each ends when nobody else can go on: the others' few rounds of spinning are over then.
        for round in 0..<4 { SimulatedMachine.pause(round) }
      }
    }
    for cpu in 1..<3 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.finally { world.expect(packets.value == 3, "\(packets.value) of 3") }
  }

  /// CPU 0's base code waits for a gate; a flood comes on top of the wait, and pauses while it is base code's turn. Who holds the gate waits
  /// for the flood to go on.
  private static func spinsInATurn(_ world: World) throws {
    world.machine.watchClock()
    let goesOn = Flag()
    nonisolated(unsafe) var left = 64
    nonisolated(unsafe) var again: WatchedHandler?
    let flood = try world.handler("flood", at: .softNet, as: .mpSafe) { _ in
      SimulatedMachine.elapse(200_000)
      left -= 1
      if left == 0 { goesOn.set() } else { again?.schedule() }
    }
    again = flood
    world.base(on: 0) { here in here.raise(exactly: .softBio) { _ in } }
    world.base(on: 1) { here in
      here.raise(exactly: .softBio) { _ in
        // Each ends when nobody else can go on: CPU 0 has its place in the queue then.
        for round in 0..<80 { SimulatedMachine.pause(round) }
        flood.schedule(on: 0)
        goesOn.wait()
      }
    }
    world.finally {
      again = nil
      world.expect(flood.runs == 64)
    }
  }

  /// Who owns the higher gate looks whether the lower one is free while the raise waits.
  private static func waitsHoldingNone(_ world: World) throws {
    let gates = world.system.gatesWord
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in } }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in
        // Ends when nobody else can go on: the raise waits then, or has not begun.
        SimulatedMachine.pause(0)
        let waits = Rows.view(world, 0)?.waits.isEmpty == false
        world.expect(
          !waits || gates.value & Level.softClock.gate.rawValue == 0,
          "softClock is held by who waits for softNet")
      }
    }
  }

  /// CPU 1 wants the higher gate back each time that it has handed it over.
  private static func waitsOnceMore(_ world: World) throws {
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in } }
    world.base(on: 1) { here in
      for _ in 0..<4 {
        here.raise(exactly: .softNet) { _ in
          // Ends when nobody else can go on: the raise waits then.
          SimulatedMachine.pause(0)
        }
      }
    }
    world.finally {
      let times = Rows.view(world, 0)?.counters(.softNet).contended ?? 0
      world.expect(times <= 2, "waited \(times) times for one gate")
    }
  }
}
