// Spinning in simulated time: what a wait costs that ends without a wake-up.

import SimulatedMachine
import Testing

@testable import SoftInterrupts

@Suite("Spinning in simulated time")
struct SpinTimeTests {
  @Test(
    "a loop that looks at a word in one round of eight sees it change within eight rounds, however long it has spun",
    arguments: 0..<24)
  func rareLooks(_ phase: Int) throws {
    var model = CostModel()
    (model.pause, model.plainStep) = (10, 0)
    let machine = SimulatedMachine(cpus: 2)
    let system = try InterruptSystem(on: machine)
    let lines = UnsafeMutablePointer<SimulatedWord>.words(16)
    defer { lines.deallocate() }
    nonisolated(unsafe) let (often, seldom) = (lines, lines + 8)
    nonisolated(unsafe) var (changed, seen) = (UInt64.max, UInt64.max)
    system.submit(on: 0) { _ in
      // Longer than any number of rounds that one step may stand for.
      SimulatedMachine.work(1_000_000 + Double(phase) * 970)
      seldom.store(1, .relaxed)
      changed = SimulatedMachine.now()
    }
    system.submit(on: 1) { _ in
      var round = 0
      while often.load(.relaxed) == 0 && (round % 8 != 0 || seldom.load(.relaxed) == 0) {
        SimulatedMachine.pause(round)
        round &+= 1
      }
      seen = SimulatedMachine.now()
    }
    #expect(machine.run(timed: TimedPilot(model)) == .quiet)
    // Eight pauses, and lines that go to and fro.
    #expect(seen > changed && seen < changed + 8 * 10 + 300, "\(changed), \(seen)")
    #expect(system.shutdown().isComplete)
  }

  @Test(
    "handlers that always want another level hold it most of the time, though their sections are shorter than a wake-up",
    arguments: 2...6)
  func shortSections(_ cpus: Int) throws {
    // As long outside as inside, so the gate could always be held. Who parks is told 6 µs before it goes on. (Where CPUs park as soon as
    // another waits, as base code does, three and more hold it for 0.44 of the time.)
    let machine = SimulatedMachine(cpus: cpus)
    let system = try InterruptSystem(on: machine)
    nonisolated(unsafe) var sections = 0
    let busy = try system.establish("busy", at: .softClock, as: .mpSafe) { here in
      while SimulatedMachine.now() < 5_000_000 {
        here.raise(exactly: .softNet) { _ in
          SimulatedMachine.work(1_000)
          sections += 1
        }
        SimulatedMachine.work(1_000)
      }
    }
    for cpu in 0..<cpus { busy.schedule(on: cpu) }
    #expect(machine.run(timed: TimedPilot(CostModel())) == .quiet)
    let held = Double(sections) / 5_000
    #expect(held > 0.6 && held <= 1, "\(held)")
    #expect(system.shutdown().isComplete)
  }

  @Test(
    "CPUs that spin do not overtake a waiter for longer than is promised",
    arguments: [1_000, 2_000, 3_000, 5_000, 10_000, 20_000])
  func overtaken(_ section: Int) throws {
    // (Where whoever takes the gate past others begins a turn, with sections of 3 µs and more the thread waits until all others are done.)
    for (cpus, outside) in [(2, 0), (2, 300), (3, 300), (4, 1_000)] {
      let machine = SimulatedMachine(cpus: cpus)
      let system = try InterruptSystem(on: machine)
      nonisolated(unsafe) var (longest, count) = (0 as UInt64, 0)
      let busy = try system.establish("busy", at: .softClock, as: .mpSafe) { here in
        while SimulatedMachine.now() < 5_000_000 {
          here.raise(exactly: .softNet) { _ in SimulatedMachine.work(Double(section)) }
          // Not in step with each other.
          SimulatedMachine.work(Double(outside + 37 * here.cpu!))
        }
      }
      for cpu in 0..<cpus { busy.schedule(on: cpu) }
      // A thread that is no CPU: it parks at once.
      machine.visitor("waiter") {
        while SimulatedMachine.now() < 4_500_000 {
          let start = SimulatedMachine.now()
          system.raise(exactly: .softNet) { _ in }
          (longest, count) = (max(longest, SimulatedMachine.now() - start), count + 1)
          SimulatedMachine.work(50_000)
        }
      }
      #expect(machine.run(timed: TimedPilot(CostModel())) == .quiet)
      // Of Bounds.md: `handOffAfter`, sections up to the next look, the turn under way, and one for each CPU that waited before. With each
      // section what it costs to hand over and wake, and once more to queue.
      let each = section + 1_000
      let bound = 100_000 + 8 * each + (1 + cpus) * (50_000 + 8 * each) + 10_000
      #expect(
        count > 10 && longest < UInt64(bound),
        "\(cpus) CPUs, \(outside) ns outside: \(longest) ns, \(count) times")
      #expect(system.shutdown().isComplete)
    }
  }
}
