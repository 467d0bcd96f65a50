// `micro costs`: what the operations of this machine cost, as a model that `softint simulate` predicts by.
//
// Law: only operations on one word, sleeps, and the stages of the meter on *one* CPU go into the model. The checks below it (raises,
// dispatches, sections of two CPUs) are measured and simulated with the model, and nothing of them goes in but one figure: the
// plain instructions of the core, from the ordered dispatch of one CPU.
//
// Each figure is the lower quartile of many short rounds: what disturbs a round only lengthens it. The tenth and the
// ninetieth percentile stand beside it.

import Gauges
import Glibc
import HostedMachine
import HotPaths
import PacketCapture
import SimulatedMachine
import SoftInterrupts
import Workloads

/// A figure and its rounds.
struct Measured {
  var name: String
  var rounds: [Double]
  func percentile(_ part: Double) -> Double {
    let sorted = rounds.filter(\.isFinite).sorted()
    return sorted.isEmpty ? 0 : sorted[min(Int(part * Double(sorted.count)), sorted.count - 1)]
  }
  var value: Double { percentile(0.25) }
  var json: String {
    "\"\(name)\": {\"nanoseconds\": \(short(value)), \"p10\": \(short(percentile(0.1))), "
      + "\"p90\": \(short(percentile(0.9))), \"rounds\": \(rounds.count)}"
  }
}

/// Three decimals are picoseconds.
func short(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

// MARK: One CPU

@inline(never) private func loads(_ word: HostedWord, _ count: Int) -> UInt {
  var sum: UInt = 0
  for _ in 0..<count { sum &+= HostedMachine.Word.load(word, .acquire) }
  return sum
}
@inline(never) private func stores(_ word: HostedWord, _ count: Int) {
  for value in 0..<count { HostedMachine.Word.store(word, UInt(value), .release) }
}
@inline(never) private func modifies(_ word: HostedWord, _ count: Int) {
  for _ in 0..<count { _ = HostedMachine.Word.fetchAdd(word, 1, .acquireRelease) }
}

/// Hits, pauses, clocks, fences.
private func onOneCPU() -> [Measured] {
  let word = hostedWords(8)
  defer { word.deallocate() }
  func rounds(_ name: String, _ count: Int, _ body: (Int) -> Void) -> Measured {
    Measured(name: name, rounds: (0..<400).map { _ in time(count, body) })
  }
  return [
    rounds("loadHit", 10_000) { _ = loads(word, $0) },
    rounds("storeHit", 10_000) { stores(word, $0) },
    rounds("readModifyWriteHit", 5_000) { modifies(word, $0) },
    rounds("pause", 1_000) { for _ in 0..<$0 { HostedMachine.pause(0) } },
    rounds("clock", 1_000) { for _ in 0..<$0 { _ = HostedMachine.now() } },
    rounds("ticks", 1_000) { for _ in 0..<$0 { _ = HostedMachine.ticks() } },
  ]
}

/// A fence on all processors, with another thread of the process at work.
private func heavyFence() throws -> Measured {
  nonisolated(unsafe) let over = hostedWords(8)
  nonisolated(unsafe) var times: [Double] = []
  defer { over.deallocate() }
  try together(
    {
      times = (0..<400).map { _ in time(10) { for _ in 0..<$0 { HostedMachine.heavyFence() } } }
      HostedMachine.Word.store(over, 1, .release)
    }, { while HostedMachine.Word.load(over, .acquire) == 0 { HostedMachine.pause(0) } })
  return Measured(name: "heavyFence", rounds: times)
}

// MARK: Two CPUs

/// Reading a block of lines that the other CPU has just written: nanoseconds for a line.
private func streamedLine() throws -> Measured {
  let lines = 128
  nonisolated(unsafe) let turn = hostedWords(8)
  nonisolated(unsafe) let block = UnsafeMutableRawPointer.allocate(byteCount: 64 * lines, alignment: 128)
    .bindMemory(to: UInt64.self, capacity: 8 * lines)
  block.initialize(repeating: 0, count: 8 * lines)
  nonisolated(unsafe) var times: [Double] = []
  nonisolated(unsafe) var sink: UInt64 = 0
  let rounds = 800 as UInt
  try together(
    {
      for round in 0..<rounds {
        awaitValue(turn, 2 * round)
        for index in 0..<8 * lines { block[index] &+= UInt64(round) }
        HostedMachine.Word.store(turn, 2 * round + 1, .release)
      }
    },
    {
      for round in 0..<rounds {
        awaitValue(turn, 2 * round + 1)
        let start = HostedMachine.now()
        // All of it, as who parses a frame does.
        for index in 0..<8 * lines { sink &+= block[index] }
        times.append(Double(HostedMachine.now() - start) / Double(lines))
        HostedMachine.Word.store(turn, 2 * round + 2, .release)
      }
    })
  turn.deallocate()
  block.deallocate()
  return Measured(name: "streamedLine", rounds: times)
}

/// Ringing a sleeper: the ringer's time, and from its end to the sleeper's next step.
private func wakes() throws -> [Measured] {
  nonisolated(unsafe) let words = hostedWords(24)
  defer { words.deallocate() }
  let machine = HostedMachine(cpus: 1)
  let seat = machine.makeVisitorSeat()
  let rounds = 500 as UInt
  nonisolated(unsafe) var ring: [Double] = []
  nonisolated(unsafe) var wake: [Double] = []
  // Words on lines of their own: how often the sleeper went to sleep, how often it was awake, and when.
  let (asleep, awake, since) = (words, words + 8, words + 16)
  nonisolated(unsafe) let (a, b, c) = (asleep, awake, since)
  try together(
    {
      for round in 1...rounds {
        awaitValue(a, round)
        // Until it sleeps; what is asleep is asleep for as long as we like.
        let settled = HostedMachine.now() + 60_000
        while HostedMachine.now() < settled {}
        let start = HostedMachine.now()
        HostedMachine.unpark(seat)
        let end = HostedMachine.now()
        while HostedMachine.Word.load(b, .acquire) != round {}
        ring.append(Double(end - start))
        let woken = UInt64(HostedMachine.Word.load(c, .relaxed))
        wake.append(woken > end ? Double(woken - end) : 0)
      }
    },
    {
      for round in 1...rounds {
        HostedMachine.Word.store(a, round, .release)
        machine.park(seat, until: .max)
        HostedMachine.Word.store(c, UInt(HostedMachine.now()), .relaxed)
        HostedMachine.Word.store(b, round, .release)
      }
    })
  machine.releaseSeat(seat)
  return [Measured(name: "ringSleeper", rounds: ring), Measured(name: "wakeSleeper", rounds: wake)]
}

/// What it takes to move lines.
///
/// A virtual machine's processors are now nearer to each other and now further, as its host likes: a line takes one of two times that
/// are far apart. The model takes the session in which lines were slowest; the fastest stands beside it.
private func transfers(_ model: CostModel) throws -> [Measured] {
  // A turn: the line comes for the look that sees the news, and once more for the change, since the other has a copy by then.
  let hits = model.loadHit + model.readModifyWriteHit
  var sessions: [(transfer: Measured, streamed: Measured)] = []
  for _ in 0..<8 {
    let turns = try pingPong(rounds: 400)
    sessions.append(
      (Measured(name: "lineTransfer", rounds: turns.map { max($0 - hits, 0) / 2 }), try streamedLine())
    )
    usleep(300_000)
  }
  sessions.sort { $0.transfer.value < $1.transfer.value }
  let last = sessions[sessions.count - 1]
  // With two CPUs a line that nobody writes is nobody's to be fetched from but the cache that both share.
  return [
    last.transfer, Measured(name: "sharedFetch", rounds: last.transfer.rounds), last.streamed,
    Measured(name: "lineTransferLeast", rounds: sessions[0].transfer.rounds),
  ]
}

// MARK: All

/// The model, the checks and the stages.
func measureCosts(capture path: String) throws -> (
  model: CostModel, figures: [Measured], checks: [Check], stages: [Measured]
) {
  var figures = onOneCPU()
  figures.append(try heavyFence())
  func value(_ name: String) -> Double { figures.first { $0.name == name }?.value ?? 0 }
  var model = CostModel()
  model.loadHit = value("loadHit")
  model.storeHit = value("storeHit")
  model.readModifyWriteHit = value("readModifyWriteHit")
  model.pause = value("pause")
  model.clock = value("clock")
  model.ticks = value("ticks")
  model.heavyFence = value("heavyFence")
  figures += try transfers(model)
  model.lineTransfer = value("lineTransfer")
  model.sharedFetch = value("sharedFetch")
  figures += try wakes()
  model.ringSleeper = value("ringSleeper")
  model.wakeSleeper = value("wakeSleeper")
  figures.append(plainStep(&model))
  let checks = try measureChecks(model)
  let loaded = try LoadedCapture(path: path)
  var stages = StageCosts.names.map { Measured(name: $0.name, rounds: []) }
  for _ in 0..<15 {
    let costs = try measureStages(loaded, clockTicks: model.ticks)
    for (index, entry) in StageCosts.names.enumerated() {
      stages[index].rounds.append(costs[keyPath: entry.path])
    }
  }
  return (model, figures, checks, stages)
}

func printCosts(capture: String, json: Bool) throws {
  let (_, figures, checks, stages) = try measureCosts(capture: capture)
  if !json {
    for figure in figures + stages {
      print(column(figure.name, 22), column(fixed(figure.value, 2), 10, right: true), "ns")
    }
    for check in checks {
      print(
        column(check.hosted.name, 30), column(fixed(check.hosted.value, 1), 9, right: true), "ns",
        "(p10 \(fixed(check.hosted.percentile(0.1), 1)), p90 \(fixed(check.hosted.percentile(0.9), 1)));",
        "simulated", fixed(check.simulated, 1))
    }
    return
  }
  var date = time_t()
  Glibc.time(&date)
  var parts = tm()
  gmtime_r(&date, &parts)
  func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let checkLines = checks.map {
    "\"\($0.hosted.name)\": {\"hosted\": \(short($0.hosted.value)), \"p10\": \(short($0.hosted.percentile(0.1))), "
      + "\"p90\": \(short($0.hosted.percentile(0.9))), \"simulated\": \(short($0.simulated))}"
  }
  let name = capture.split(separator: "/").last.map(String.init) ?? capture
  print(
    """
    {
      "schema": "softint.costs/1",
      "machine": {"cpu": "\(MachineInfo.processor)", "os": "\(MachineInfo.os)", "processors": \(HostedMachine.allowedProcessors().count)},
      "date": "\(1900 + parts.tm_year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))",
      "command": "micro costs --json \(name)",
      "costs": {
        \(figures.map(\.json).joined(separator: ",\n    "))
      },
      "stages": {
        \(stages.map(\.json).joined(separator: ",\n    "))
      },
      "checks": {
        \(checkLines.joined(separator: ",\n    "))
      }
    }
    """)
}
