// Random programs that are correct on one processor, on two to eight CPUs: no update is ever seen half-done, nothing is lost,
// nothing is re-entered, and every program ends.
//
// A program is base code on every CPU, visitors, handlers of every kind at every soft level, callouts, masks with per-CPU data
// and LevelLocks. Each datum has a guard and is updated in two steps. A failure names its seed. By default some seconds;
// `SOFTINT_STRESS_SECONDS` sets how long.

import Glibc
import Synchronization
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

/// Two numbers that are equal whenever nobody is in the middle of an update.
final class Datum: @unchecked Sendable {
  private var first = 0
  private var second = 0
  let updates = Counter()
  let torn = Counter()
  func update(_ pause: Int) {
    if first != second { torn.add() }
    first += 1
    for round in 0..<pause { HostedMachine.pause(round) }
    second += 1
    updates.add()
  }
  var isWhole: Bool { torn.count == 0 && first == second && first == updates.count }
}

/// One random program and its invariants.
final class RandomProgram: @unchecked Sendable {
  static let guards: [Level] = [.softClock, .softBio, .softNet, .softSerial, .vm]

  struct Entry {
    let handler: HandlerOf
    let kind: WayIn
    let inside = Counter()
    let lastScheduled = Counter()
    let lastStarted = Counter()
  }

  let system: System
  let seed: UInt64
  let budget = Counter()
  let clock = Counter()
  let seeds = Counter()
  let reentered = Counter()
  let underBigLock = Datum()
  private(set) var data: [Level: Datum] = [:]
  private(set) var cells: [Level: PerCPU<[Int], HostedMachine>] = [:]
  private(set) var locks: [Level: LevelLock<Datum, HostedMachine>] = [:]
  private(set) var entries: [Entry] = []
  private(set) var callouts: [CalloutOf] = []
  let tornCells = Counter()

  init(seed: UInt64, cpus: Int, budget count: Int) throws {
    var random = Seeded(seed)
    self.seed = seed
    var configuration = Configuration()
    configuration.onViolation = .collect
    configuration.patience = [1, 2, 8].randomElement(using: &random)!
    configuration.drainBudget = [1, 2, 16].randomElement(using: &random)!
    configuration.dispatchBudget = [1, 3, 64].randomElement(using: &random)!
    configuration.handOffAfter = [0, 10_000, 100_000].randomElement(using: &random)!
    configuration.turn = [0, 5_000, 50_000].randomElement(using: &random)!
    configuration.turnCheck = [1, 8].randomElement(using: &random)!
    configuration.pollRounds = [0, 64, 4_096].randomElement(using: &random)!
    configuration.reservationLapse = [0, 20_000, 200_000].randomElement(using: &random)!
    configuration.spinRounds = [0, 4, 64].randomElement(using: &random)!
    configuration.idleRounds = [0, 100].randomElement(using: &random)!
    configuration.levelBudget = [20_000, 2_000_000].randomElement(using: &random)!
    configuration.lowerShare = [0, 2, 16].randomElement(using: &random)!
    configuration.pollInterval = [0, 20_000].randomElement(using: &random)!
    configuration.timing = Bool.random(using: &random)
    system = try System(on: .hosted(cpus: cpus), configuration)
    budget.count = count
    for level in Self.guards {
      data[level] = Datum()
      cells[level] = system.perCPU(at: level) { _ in [0, 0] }
      locks[level] = system.levelLock(at: level, Datum())
    }
    for level in Self.guards {
      for (way, placement) in [
        (WayIn.ordered, Placement.bound), (.ordered, .anywhere), (.bigLock, .bound), (.bigLock, .anywhere),
        (.mpSafe, .bound), (.mpSafe, .anywhere), (.disjoint, .anywhere),
      ] {
        let index = entries.count
        let handler = try system.establish("\(way) \(index)", at: level, as: way, placement) {
          [unowned self] here in
          self.run(index, here)
        }
        entries.append(Entry(handler: handler, kind: way))
      }
    }
    for (level, guardLevel, way) in [
      (Level.softClock, Level.softNet, WayIn.ordered), (.softClock, .softSerial, .mpSafe),
      (.softBio, .softBio, .bigLock), (.softNet, .vm, .ordered),
    ] {
      for exactly in [false, true] {
        let cpu = Int.random(in: 0..<cpus, using: &random)
        let callout = try system.callout(
          "callout", at: level, guard: guardLevel, as: way, exactly: exactly, cpu: cpu
        ) { [unowned self] _ in
          self.data[guardLevel]!.update(3)
          if !exactly { self.data[level]!.update(1) }
        }
        callouts.append(callout)
      }
    }
  }

  private func nextRandom() -> Seeded { Seeded(seed &* 1_000_003 &+ UInt64(seeds.add())) }

  private func run(_ index: Int, _ here: borrowing Here<HostedMachine>) {
    let entry = entries[index]
    entry.lastStarted.count = clock.add()
    if entry.inside.add() != 1 && entry.kind != .mpSafe { reentered.add() }
    var random = nextRandom()
    switch entry.kind {
    case .mpSafe: break
    case .bigLock:
      underBigLock.update(2)
      data[here.level]!.update(2)
    case .ordered, .disjoint: data[here.level]!.update(2)
    }
    act(here, entry: here.level, way: entry.kind, 2, &random)
    entry.inside.add(-1)
  }

  /// One to three things that a context may do; `entry` is where it started. Nothing is held but what its dispatch took.
  func act(
    _ here: borrowing Here<HostedMachine>, entry: Level, way: WayIn, _ count: Int, _ random: inout Seeded
  ) {
    for _ in 0..<Int.random(in: 1...count, using: &random) {
      let above = Self.guards.filter { $0 > entry }
      let pause = Int.random(in: 0..<12, using: &random)
      switch UInt8.random(in: 0..<9, using: &random) {
      case 0 where !above.isEmpty && way != .disjoint:
        // Cumulatively: everything from above the floor up to the level is ours.
        let target = above.randomElement(using: &random)!
        here.raise(to: target) { inside in
          for level in Self.guards where level > entry && level <= target {
            self.data[level]!.update(pause / 4)
          }
          if let higher = above.last, higher > target {
            inside.raise(to: higher) { _ in self.data[higher]!.update(1) }
          }
        }
      case 1 where !above.isEmpty && way != .disjoint:
        let target = above.randomElement(using: &random)!
        here.raise(exactly: target) { inside in
          self.data[target]!.update(pause)
          if let higher = above.last, higher > target {
            inside.raise(exactly: higher) { _ in self.data[higher]!.update(1) }
          }
        }
      case 2 where way == .mpSafe && entry != .none:
        here.raise(exactly: entry) { _ in self.data[entry]!.update(pause) }
      case 3:
        let level = Self.guards.filter { $0 >= entry }.randomElement(using: &random)!
        guard here.cpu != nil else { continue }
        here.mask(to: level) { inside in
          self.cells[level]!.open { pair in
            if pair[0] != pair[1] { self.tornCells.add() }
            pair[0] += 1
            inside.checkpoint()
            pair[1] += 1
          }
        }
      case 4 where way == .mpSafe:
        let level = Self.guards.filter { $0 >= entry }.randomElement(using: &random)!
        self.locks[level]!.withLock { $0.update(pause) }
      case 5: here.checkpoint()
      case 6:
        let callout = callouts.randomElement(using: &random)!
        if Bool.random(using: &random) {
          callout.schedule(afterNanoseconds: UInt64.random(in: 0..<200_000, using: &random))
        } else {
          callout.cancel()
        }
      default:
        guard budget.add(-1) > 0 else { continue }
        schedule(Int.random(in: entries.indices, using: &random), &random)
      }
    }
  }

  func schedule(_ index: Int, _ random: inout Seeded) {
    let entry = entries[index]
    let now = clock.add()
    // The tick is taken before, and noted after: a later note of an earlier tick must not lower it.
    let result =
      Bool.random(using: &random)
      ? entry.handler.schedule(on: Int.random(in: 0..<system.cpuCount, using: &random))
      : entry.handler.schedule()
    if result == .scheduled || result == .coalesced { entry.lastScheduled.raise(to: now) }
  }

  /// Runs it to its end; what is wrong, in words.
  func execute() -> [String] {
    let jobs = Event()
    for cpu in 0..<system.cpuCount {
      for way in [BaseWay.mpSafe, .bigLock] {
        system.submit(on: cpu, as: way) { [unowned self] here in
          var random = self.nextRandom()
          for _ in 0..<60 {
            if way == .bigLock { self.underBigLock.update(1) }
            self.act(here, entry: .none, way: way == .bigLock ? .bigLock : .mpSafe, 4, &random)
            here.checkpoint()
            if way == .bigLock && Bool.random(using: &random) { self.system.yieldBigLock() }
          }
          jobs.signal()
        }
      }
    }
    let visitors = (0..<2).map { _ in
      Visitor { [unowned self] in
        var random = self.nextRandom()
        for _ in 0..<60 {
          self.system.raise(exactly: .softClock) { _ in self.data[.softClock]!.update(1) }
          self.system.raise(to: .softNet) { here in self.data[.softNet]!.update(1) }
          self.system.bigLock { here in
            self.underBigLock.update(1)
            here.raise(to: .softSerial) { _ in self.data[.softSerial]!.update(1) }
          }
          self.schedule(Int.random(in: self.entries.indices, using: &random), &random)
        }
      }
    }
    for _ in 0..<(2 * system.cpuCount) where !jobs.wait() { return ["base code did not end: " + dump()] }
    for visitor in visitors where !visitor.join() { return ["a visitor did not end: " + dump()] }
    // A shutdown that hangs is a defect too: it is watched from outside.
    nonisolated(unsafe) var report = ShutdownReport()
    let shutdown = Visitor { [system] in report = system.shutdown(grace: .seconds(20)) }
    if !shutdown.join() { return ["shutdown did not end: " + dump()] }
    var faults: [String] = []
    if !report.isComplete { faults.append("lost: \(report.pending) \(report.jobs) \(report.crossCalls)") }
    for entry in entries where entry.lastStarted.count < entry.lastScheduled.count {
      faults.append("\(entry.handler.slot.pointee.name) did not run after its last schedule")
    }
    if reentered.count != 0 { faults.append("\(reentered.count) re-entries") }
    for (level, datum) in data where !datum.isWhole { faults.append("torn datum of \(level)") }
    for (level, lock) in locks where !lock.value.pointee.isWhole {
      faults.append("torn LevelLock of \(level)")
    }
    if !underBigLock.isWhole { faults.append("torn datum of the big lock") }
    if tornCells.count != 0 { faults.append("\(tornCells.count) torn cells") }
    faults += system.violations.prefix(3).map { "\($0)" }
    return faults
  }

  /// The state of a system that hangs.
  func dump() -> String {
    var text = "gates \(String(system.core.gateWord.word.load(.acquire), radix: 16))"
    for level in Level.allCases {
      text += "; \(level): \(system.queueLength(level)) wait, marks "
      text += String(system.core.queue(level).pointee.marks.load(.acquire), radix: 2)
    }
    for cpu in 0..<system.cpuCount {
      let agent = system.agent(ofCPU: cpu)
      text += "; CPU \(cpu): summary \(String(agent.summary.load(.acquire), radix: 2)), pending"
      for level in Level.allCases {
        text += " " + String(agent.pending(level).load(.acquire) & PendingWord.handlers, radix: 2)
      }
      text += ", IPL \(agent.ipl), held [\(agent.held)], deferred \(agent.p.pointee.deferred)"
      text += ", aged \(agent.p.pointee.aged), throttled \(agent.p.pointee.throttled)"
      text += ", offline \(agent.p.pointee.offline.load(.acquire)), own [\(agent.p.pointee.base.pointee.own)]"
      let calls = Level.allCases.filter { agent.p.pointee.calls[Int($0.rawValue)].value != 0 }
      let odd = Level.allCases.filter { agent.p.pointee.epochs[Int($0.rawValue)].isOdd }
      text += ", calls \(calls), in MP-safe runs of \(odd), waits \(agent.p.pointee.waitDepth)"
    }
    text += "; waits for CPUs \(system.quiescers.load(.acquire))"
    return text
  }
}

extension Counter {
  func raise(to value: Int) { _ = storage.max(value, ordering: .sequentiallyConsistent) }
}

@Suite("Random programs", .serialized)
struct StressTests {
  static let seconds = getenv("SOFTINT_STRESS_SECONDS").flatMap { Double(String(cString: $0)) } ?? 6
  static let firstSeed = getenv("SOFTINT_STRESS_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

  @Test("spl-correct programs run on any number of CPUs as they did on one")
  func programs() throws {
    let end = HostedMachine.now() + UInt64(Self.seconds * 1e9)
    var seed = Self.firstSeed
    repeat {
      let cpus = 2 + Int(seed % 7)
      let program = try RandomProgram(seed: seed, cpus: cpus, budget: 1_500)
      let faults = program.execute()
      #expect(faults.isEmpty, "seed \(seed), \(cpus) CPUs: \(faults)")
      if !faults.isEmpty {
        // Its CPUs may still run.
        _ = Unmanaged.passRetained(program)
        return
      }
      seed += 1
    } while HostedMachine.now() < end
  }
}
