// The simulated machine: what a schedule is, and that it is all that there is.

import SimulatedMachine
import Testing

@testable import SoftInterrupts

typealias System = InterruptSystem<SimulatedMachine>

@Suite("Simulated machine")
struct MachineTests {
  @Test("store buffering has the three outcomes of sequential consistency")
  func storeBuffering() {
    let (outcomes, _) = everyOutcome { machine in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      machine.visitor("a") {
        x.store(1)
        a = y.load()
      }
      machine.visitor("b") {
        y.store(1)
        b = x.load()
      }
      return { "\(a)\(b)" }
    }
    #expect(outcomes == ["01", "10", "11"])
  }

  @Test("a lost update is among the schedules, an atomic one is in none")
  func lostUpdate() {
    for isAtomic in [false, true] {
      let (outcomes, runs) = everyOutcome { machine in
        let x = Place()
        for name in ["a", "b"] {
          machine.visitor(name) {
            if isAtomic { _ = x.add(1) } else { x.store(x.load() + 1) }
          }
        }
        return { "\(x.load())" }
      }
      #expect(outcomes == (isAtomic ? ["2"] : ["1", "2"]))
      // Each of start, operations and end is a point: 6 and 8 steps of two processes, interleaved in every way.
      #expect(runs == (isAtomic ? 20 : 70))
    }
  }

  @Test("who waits for a ring that never comes is found asleep; one that came before is not lost")
  func rings() {
    let (outcomes, _) = everyOutcome { machine in
      let seat = machine.makeVisitorSeat()
      nonisolated(unsafe) var woken = 0
      machine.visitor("sleeper") {
        machine.park(seat, until: .max)
        woken += 1
        machine.park(seat, until: .max)
        woken += 1
      }
      machine.visitor("ringer") {
        SimulatedMachine.unpark(seat)
        SimulatedMachine.unpark(seat)
      }
      return { "\(woken)" }
    }
    // Two rings may be taken one by one, or be one.
    #expect(outcomes == ["1", "2"])
  }

  @Test("the clock stands while anybody can run, and jumps to the next time that is waited for")
  func clock() {
    let (outcomes, _) = everyOutcome { machine in
      nonisolated(unsafe) var log: [UInt64] = []
      for (name, time) in [("a", UInt64(500)), ("b", 300)] {
        let seat = machine.makeVisitorSeat()
        machine.visitor(name) {
          log.append(SimulatedMachine.now())
          machine.park(seat, until: time)
          log.append(SimulatedMachine.now())
        }
      }
      return { "\(log)" }
    }
    #expect(outcomes == ["[0, 0, 300, 500]"])
  }

  @Test("a spin wait is explored once for each look that can differ, and for ever is said")
  func spinning() {
    let (outcomes, runs) = everyOutcome { machine in
      let x = Place()
      machine.visitor("waiter") {
        var round = 0
        while x.load() == 0 {
          SimulatedMachine.pause(round)
          round += 1
        }
      }
      machine.visitor("setter") { x.store(1) }
      return { "\(x.load())" }
    }
    #expect(outcomes == ["1"])
    #expect(runs > 10 && runs < 100)
    let (stuck, _) = everyOutcome { machine in
      let x = Place()
      machine.visitor("waiter") { while x.load() == 0 { SimulatedMachine.pause(1) } }
      return { "" }
    }
    #expect(stuck == ["spinsForEver"])
  }

  @Test("a fatal report and a trap end the run, not the program")
  func fatal() {
    let (outcomes, _) = everyOutcome { machine in
      machine.visitor("a") { SimulatedMachine.fatal("it is broken") }
      return { "" }
    }
    #expect(outcomes == [#"fatal("it is broken")"#])
    let (trapped, _) = everyOutcome { machine in
      let x = Place(255)
      machine.visitor("a") { _ = UInt8(x.load()) + UInt8(x.load()) }
      return { "" }
    }
    #expect(trapped.count == 1 && trapped.first!.contains("trapped"))
  }

  @Test("the same choices give the same events")
  func deterministic() throws {
    func events() throws -> [String] {
      let machine = SimulatedMachine(cpus: 2)
      let pilot = Given([0, 1, 0, 1, 1, 1, 0, 0, 0, 0])
      try withSystem(machine, pilot) { system in
        for cpu in 0..<2 {
          system.submit(on: cpu) { here in here.raise(to: .softNet) { _ in } }
        }
      }
      return pilot.events.map { "\($0.process) \($0.kind) \($0.object) \($0.access) \($0.value)" }
    }
    let first = try events()
    #expect(first.count > 50)
    #expect(try first == events())
  }

  @Test("a coroutine in the middle of an exclusive access does not disturb another")
  func exclusivity() {
    final class Box {
      var a = 0
      var b = 0
    }
    let (outcomes, _) = everyOutcome { machine in
      let box = Box()
      func change(_ value: inout Int, _ by: Int) {
        SimulatedMachine.point()
        value += by
      }
      machine.visitor("a") { change(&box.a, 1) }
      machine.visitor("b") { change(&box.b, 2) }
      return { "\(box.a)\(box.b)" }
    }
    #expect(outcomes == ["12"])
  }
}

/// Builds a system, runs the machine until nobody can go on, takes the system down.
func withSystem(
  _ machine: SimulatedMachine, _ pilot: Pilot, _ configuration: Configuration = quiet(),
  _ build: (System) throws -> Void, check: (System) -> Void = { _ in }
) throws {
  machine.reset()
  let system = try System(on: machine, configuration)
  try build(system)
  let end = machine.run(pilot)
  #expect(end == .quiet)
  check(system)
  #expect(system.violations.isEmpty, "\(system.violations)")
  #expect(system.shutdown().isComplete)
}

func quiet() -> Configuration {
  var configuration = Configuration()
  configuration.spinRounds = 0
  configuration.idleRounds = 0
  configuration.onViolation = .collect
  return configuration
}
