// Simulated time: what it costs is what the model says, to the picosecond.

import SimulatedMachine
import Testing

@testable import SoftInterrupts

/// Figures that cannot be mistaken for each other.
private func model() -> CostModel {
  var model = CostModel()
  model.loadHit = 1
  model.storeHit = 2
  model.readModifyWriteHit = 10
  model.lineTransfer = 100
  model.sharedFetch = 40
  model.plainStep = 0
  model.pause = 7
  model.heavyFence = 1_000
  model.clock = 20
  model.ticks = 5
  model.ringSleeper = 300
  model.wakeSleeper = 2_000
  return model
}

/// A word on a line of its own.
private final class Line: @unchecked Sendable {
  let p: UnsafeMutablePointer<SimulatedWord> = .words(8)
  deinit { p.deallocate() }
}

@Suite("Simulated time")
struct TimeTests {
  @Test("a read-modify-write that goes to and fro costs two transfers and a look each time, and no more")
  func pingPong() {
    let machine = SimulatedMachine(cpus: 1)
    let line = Line()
    let rounds = 500 as UInt
    for index in 0...1 as ClosedRange<UInt> {
      machine.visitor("\(index)") {
        for round in 0..<rounds {
          while SimulatedWord.load(line.p, .acquire) != 2 * round + index {}
          _ = SimulatedWord.fetchAdd(line.p, 1, .acquireRelease)
        }
      }
    }
    let pilot = TimedPilot(model())
    #expect(machine.run(timed: pilot) == .quiet)
    let last = max(pilot.time(of: 0), pilot.time(of: 1))
    // Each turn: the line is taken away from who looks (100), comes back with the news (100), and is read (1).
    let turn = 201.0
    #expect(abs(last - Double(2 * rounds) * turn) <= 2 * turn, "\(last)")
    let use = pilot.lineUse
    #expect(use.count == 1 && use[0].word == line.p)
    #expect(use[0].busy == Double(use[0].transfers) * 100)
  }

  @Test("hits, misses, copies and buffered stores have their prices")
  func prices() {
    let machine = SimulatedMachine(cpus: 1)
    let (a, b) = (Line(), Line())
    nonisolated(unsafe) var spent: [String: UInt64] = [:]
    func timed(_ name: String, _ body: () -> Void) {
      // Each reading of the clock is in the figure once.
      let start = SimulatedMachine.now()
      body()
      spent[name] = SimulatedMachine.now() - start - 20
    }
    machine.visitor("owner") {
      _ = SimulatedWord.fetchAdd(a.p, 1, .relaxed)
      timed("hit") { _ = SimulatedWord.load(a.p, .relaxed) }
      timed("modify") { _ = SimulatedWord.fetchAdd(a.p, 1, .relaxed) }
      timed("neighbour") { _ = SimulatedWord.load(a.p + 7, .relaxed) }
      timed("other line") { _ = SimulatedWord.load(b.p, .relaxed) }
    }
    machine.visitor("reader") {
      SimulatedMachine.work(10_000)
      timed("miss") { _ = SimulatedWord.load(a.p, .relaxed) }
      timed("again") { _ = SimulatedWord.load(a.p, .relaxed) }
    }
    machine.visitor("third") {
      SimulatedMachine.work(20_000)
      timed("copy") { _ = SimulatedWord.load(a.p, .relaxed) }
      timed("store") { SimulatedWord.store(a.p, 9, .release) }
      timed("behind the store") { _ = SimulatedWord.fetchAdd(b.p, 1, .relaxed) }
      timed("work") { SimulatedMachine.work(123) }
    }
    #expect(machine.run(timed: TimedPilot(model())) == .quiet)
    // No optionals: in builds for the Address Sanitizer the compiler's thunk for one in an expectation reads past its end
    // (Swift 6.3.1).
    #expect(spent["hit", default: 0] == 1 && spent["modify", default: 0] == 10)
    #expect(spent["neighbour", default: 0] == 1)
    // Nobody has written it: it lies where all can reach it.
    #expect(spent["other line", default: 0] == 1)
    #expect(spent["miss", default: 0] == 101 && spent["again", default: 0] == 1)
    #expect(spent["copy", default: 0] == 41 && spent["store", default: 0] == 2)
    // The line of the store is under way for 100 from when the store was asked for; 42 of it have gone by: the store and two clocks.
    #expect(spent["behind the store", default: 0] == 100 - 42 + 100 + 10)
    #expect(spent["work", default: 0] == 123)
  }

  @Test("who sleeps is woken by a ring or by its time, and pays for it")
  func sleep() {
    let machine = SimulatedMachine(cpus: 1)
    let seat = machine.makeVisitorSeat()
    nonisolated(unsafe) var times: [UInt64] = []
    machine.visitor("sleeper") {
      machine.park(seat, until: .max)
      times.append(SimulatedMachine.now())
      machine.park(seat, until: 50_000)
      times.append(SimulatedMachine.now())
    }
    machine.visitor("ringer") {
      SimulatedMachine.work(10_000)
      SimulatedMachine.unpark(seat)
      times.append(SimulatedMachine.now())
    }
    #expect(machine.run(timed: TimedPilot(model())) == .quiet)
    // The ring: 10 for the word and 300 for the sleeper. The sleeper: 2,000 later, 110 for its word, which the ringer wrote.
    let rung: UInt64 = 10_310 + 2_000 + 110
    #expect(times == [10_330, rung + 20, 52_030])
  }

  @Test("a long spin takes time and few steps")
  func spin() {
    let machine = SimulatedMachine(cpus: 1)
    let line = Line()
    nonisolated(unsafe) var seen: UInt64 = 0
    machine.visitor("waiter") {
      while SimulatedWord.load(line.p, .acquire) == 0 { SimulatedMachine.pause(0) }
      seen = SimulatedMachine.now()
    }
    machine.visitor("worker") {
      SimulatedMachine.work(1_000_000)
      SimulatedWord.store(line.p, 1, .release)
    }
    let pilot = TimedPilot(model())
    #expect(machine.run(timed: pilot) == .quiet)
    // At the latest a line under way after the store.
    #expect(seen >= 1_000_000 && seen < 1_000_000 + 2 + 200 + 30)
    // A million nanoseconds are 142,857 pauses; a step stands for 64 of them.
    #expect(pilot.operations < 2 * (64 + 142_857 / 64) + 20)
  }

  @Test("no process's clock goes back, and the same seed gives the same run")
  func monotonic() throws {
    func run(_ seed: UInt64) throws -> [UInt64] {
      let machine = SimulatedMachine(cpus: 4)
      machine.reset()
      let system = try System(on: machine)
      nonisolated(unsafe) var log: [UInt64] = []
      nonisolated(unsafe) var goesBack = 0
      let net = try system.establish("net", at: .softNet, as: .ordered, .anywhere) { _ in
        SimulatedMachine.work(300)
      }
      for cpu in 0..<4 {
        system.submit(on: cpu) { here in
          var last: UInt64 = 0
          for round in 0..<200 {
            here.raise(to: .softNet) { _ in SimulatedMachine.work(Double(100 + round)) }
            net.schedule(on: (cpu + round) & 3)
            here.checkpoint()
            let now = SimulatedMachine.now()
            if now < last { goesBack += 1 }
            last = now
            log.append(now)
          }
        }
      }
      let pilot = TimedPilot(model(), seed: seed)
      #expect(machine.run(timed: pilot) == .quiet)
      #expect(goesBack == 0)
      #expect(system.shutdown().isComplete)
      return log
    }
    let first = try run(1)
    #expect(first.count == 800)
    #expect(try run(1) == first)
    #expect(try run(2) != first)
  }

  @Test("a serial section bounds throughput as the closed formula says", arguments: [1, 2, 4, 8, 16])
  func serialSection(_ cpus: Int) throws {
    // Each CPU: 20 µs under the gate, 60 µs outside. So n CPUs do n / 80 sections a microsecond, and at most 1 / 20. What a
    // hand-over costs (some lines go to and fro) is below a fiftieth of a section, but for the wake-up: base code sleeps at once where others
    // wait already, whatever `spinRounds` is, and is told when the section before its own is left. So that takes no time here.
    var model = model()
    model.lineTransfer = 20
    (model.ringSleeper, model.wakeSleeper) = (0, 0)
    let machine = SimulatedMachine(cpus: cpus)
    var configuration = Configuration()
    configuration.spinRounds = 100_000
    let system = try System(on: machine, configuration)
    nonisolated(unsafe) var sections = 0
    for cpu in 0..<cpus {
      system.submit(on: cpu) { here in
        SimulatedMachine.work(Double(cpu * 5_000))
        while SimulatedMachine.now() < 4_000_000 {
          here.raise(exactly: .softNet) { _ in
            SimulatedMachine.work(20_000)
            // Those who wait when the time is over come in after it.
            if SimulatedMachine.now() < 4_000_000 { sections += 1 }
          }
          SimulatedMachine.work(60_000)
        }
      }
    }
    #expect(machine.run(timed: TimedPilot(model)) == .quiet)
    let expected = 4_000 * min(Double(cpus) / 80, 1.0 / 20)
    let ratio = Double(sections) / expected
    #expect(ratio > 0.96 && ratio < 1.04, "\(cpus) CPUs: \(sections) of \(expected)")
    #expect(system.shutdown().isComplete)
  }

  @Test(
    "levels that have nothing to do with each other share the gate word's line, which bounds all raises together"
  )
  func gateLine() throws {
    // 24 CPUs raise to four levels, each level for its own six of them, and are inside for no time: what they wait for is the line.
    func raises(transfer: Double) throws -> (count: Int, line: Double) {
      var model = model()
      model.lineTransfer = transfer
      model.sharedFetch = transfer
      let machine = SimulatedMachine(cpus: 24)
      var configuration = Configuration()
      configuration.spinRounds = 100_000
      let system = try System(on: machine, configuration)
      nonisolated(unsafe) var count = 0
      for cpu in 0..<24 {
        let level = [Level.softClock, .softBio, .softNet, .softSerial][cpu % 4]
        system.submit(on: cpu) { here in
          while SimulatedMachine.now() < 200_000 {
            here.raise(exactly: level) { _ in count += 1 }
            SimulatedMachine.work(1_500)
          }
        }
      }
      let pilot = TimedPilot(model)
      #expect(machine.run(timed: pilot) == .quiet)
      let gates = pilot.lineUse.first { $0.word == system.gatesWord }
      #expect(system.shutdown().isComplete)
      return (count, (gates?.busy ?? 0) / 200_000)
    }
    let free = try raises(transfer: 0)
    let dear = try raises(transfer: 100)
    // Without a price: 24 CPUs, each once in some more than 1.5 µs.
    #expect(free.count > 2_400 && free.line == 0)
    // With one: the line is under way nearly all the time, and each raise moves it at least once.
    #expect(dear.line > 0.8)
    #expect(dear.count < free.count && dear.count < 2_100)
  }

  @Test(
    "on more CPUs than a word has bits, work that finds its gate busy is run all the same",
    arguments: [65, 100])
  func moreCPUsThanBits(_ cpus: Int) throws {
    let machine = SimulatedMachine(cpus: cpus)
    // Who has nothing to do sleeps at once: polling is most of what there would be to simulate.
    var configuration = Configuration()
    configuration.idleRounds = 0
    let system = try System(on: machine, configuration)
    nonisolated(unsafe) var runs = [Int](repeating: 0, count: cpus)
    nonisolated(unsafe) var elsewhere = 0
    let bound = try system.establish("bound", at: .softNet, as: .ordered) { here in runs[here.cpu!] += 1 }
    let anywhere = try system.establish("anywhere", at: .softNet, as: .ordered, .anywhere) { _ in
      elsewhere += 1
    }
    for cpu in 0..<cpus {
      system.submit(on: cpu) { here in
        if cpu == 0 {
          // Everybody else's work finds the gate busy, and is marked on it.
          here.raise(exactly: .softNet) { _ in SimulatedMachine.work(50_000) }
        } else {
          SimulatedMachine.work(10_000)
          bound.schedule()
          anywhere.schedule()
          here.checkpoint()
        }
      }
    }
    // Quiet: everybody sleeps for want of work, or has lost it.
    #expect(machine.run(timed: TimedPilot(model())) == .quiet)
    #expect(runs[0] == 0 && runs.dropFirst().allSatisfy { $0 == 1 }, "\(runs)")
    #expect(elsewhere == cpus - 1)
    #expect(system.statistics().total(.softNet).delegated > 0)
    #expect(system.shutdown().isComplete)
  }

  @Test("big-lock work ages also where the big lock is handed from base code to base code and never free")
  func bigLockAges() throws {
    let machine = SimulatedMachine(cpus: 12)
    var configuration = Configuration()
    configuration.spinRounds = 100_000
    let system = try System(on: machine, configuration)
    nonisolated(unsafe) var runs = 0
    let old = try system.establish("old", at: .softNet, as: .bigLock) { _ in
      if SimulatedMachine.now() < 8_000_000 { runs += 1 }
    }
    for cpu in 0..<12 {
      system.submit(on: cpu, as: .bigLock) { here in
        while SimulatedMachine.now() < 8_000_000 {
          // Twelve of these in turn: who waits has always waited for longer than `handOffAfter`.
          for _ in 0..<30 {
            SimulatedMachine.work(1_000)
            here.checkpoint()
          }
          old.schedule(on: (cpu + 1) % 12)
          system.yieldBigLock()
        }
      }
    }
    #expect(machine.run(timed: TimedPilot(model())) == .quiet)
    #expect(runs > 20, "\(runs)")
    #expect(system.shutdown().isComplete)
  }
}
