// A handler that operations share, and what it was promised.
//
// Law: the account is kept by what calls returned, not by what the core did: a promise begins when a call has returned and ends when a
// call that takes it back begins. Between the last shared operation of a call and its return nobody else can run, so the account
// is never ahead of the core.

import Exploration
import SimulatedMachine
import SoftInterrupts

typealias Machinery = SimulatedMachine
typealias System = InterruptSystem<Machinery>

final class StageHandler {
  unowned let stage: Stage
  let name: String
  let level: Level
  let placement: Placement
  private(set) var handler: Handler<Machinery>!
  /// Runs under way, by CPU, and their serial numbers.
  private var active: [Int]
  private(set) var activeRuns: Set<Int> = []
  private(set) var starts = 0
  /// The step after which a run must start, and the step at which the last one started; by CPU. `firm` is what an offline CPU owes
  /// too: what was accepted before it said so.
  private var required: [UInt64]
  private var firm: [UInt64]
  private var started: [UInt64]
  /// Runs with a higher serial number may be beside each other: it is MP-safe, or somebody has begun to make it so after the others.
  private var overlapsFrom: Int
  /// Each run ends the handler.
  var retires = false
  private var hasRetired = false
  private var isGone = false
  private var dropped = 0
  /// Suspensions that were done and that nobody has begun to take back.
  private var suspensions = 0
  /// All that were done and not taken back.
  private var held = 0
  private var resumesBegun = 0
  private let ledger = LedgerWord()

  init(_ stage: Stage, _ name: String, at level: Level, as way: WayIn, _ placement: Placement = .bound) throws
  {
    self.stage = stage
    self.name = name
    self.level = level
    self.placement = placement
    overlapsFrom = way == .mpSafe ? 0 : .max
    let cpus = stage.system.cpuCount
    active = Array(repeating: 0, count: cpus)
    required = Array(repeating: 0, count: cpus)
    firm = required
    started = required
    handler = try stage.system.establish(name, at: level, as: way, placement) { [weak self] here in
      self?.run(here)
    }
    stage.handlers.append(self)
  }

  private func run(_ here: borrowing Here<Machinery>) {
    let cpu = here.cpu ?? 0
    ledger.changed()
    stage.expect(!isGone, "\"\(name)\" starts after it was disestablished")
    stage.expect(suspensions == 0, "\"\(name)\" starts although it is suspended")
    stage.expect(
      active[cpu] == 0 && activeRuns.allSatisfy { $0 > overlapsFrom }, "\"\(name)\" starts while it runs")
    starts += 1
    let serial = stage.nextSerial()
    active[cpu] += 1
    activeRuns.insert(serial)
    started[cpu] = stage.step
    if retires {
      here.retire()
      hasRetired = true
    }
    // Under its own gate in any way in: for an MP-safe run only is this an acquisition.
    here.raise(exactly: level) { _ in stage.touch(level) }
    ledger.changed()
    activeRuns.remove(serial)
    active[cpu] -= 1
  }

  /// Schedules on a CPU; nil is `schedule()`.
  func schedule(on cpu: Int?) {
    let called = stage.step
    let result = cpu.map { handler.schedule(on: $0) } ?? handler.schedule()
    let home = cpu ?? Machinery.runningProcess.map { max(0, stage.world.machine.cpu($0)) } ?? 0
    switch result {
    case .notEstablished:
      stage.expect(
        hasRetired || retires || stage.endsHandlers, "\"\(name)\" is established, and a schedule was refused")
    case .scheduled:
      firm[home] = max(firm[home], called + 1)
      required[home] = max(required[home], called + 1)
    case .coalesced: required[home] = max(required[home], called + 1)
    case .offline:
      stage.expect(stage.takesOffline, "no CPU goes offline, and a schedule said so")
      required[home] = max(required[home], called + 1)
    }
  }

  func disestablish() {
    let result = stage.system.disestablish(handler)
    ledger.compared()
    switch result {
    case .done(let count):
      stage.expect(activeRuns.isEmpty, "\"\(name)\" runs although it has been disestablished")
      stage.expect(!isGone, "\"\(name)\" was disestablished twice")
      isGone = true
      dropped += count
    case .notEstablished:
      stage.expect(isEnding, "\"\(name)\" is established, and cannot be disestablished")
    case .refused: stage.expect(false, "disestablishing \"\(name)\" was refused")
    }
  }

  func suspend() {
    let resumes = resumesBegun
    let result = stage.system.suspend(handler)
    ledger.compared()
    switch result {
    case .done:
      held += 1
      // Somebody else's resume may have taken this one back, and this one stands for that: then nothing is known.
      guard resumes == resumesBegun else { return }
      stage.expect(activeRuns.isEmpty, "\"\(name)\" runs although it has been suspended")
      suspensions += 1
    case .notEstablished: stage.expect(isEnding, "\"\(name)\" is established, and cannot be suspended")
    case .refused: stage.expect(false, "suspending \"\(name)\" was refused")
    }
  }

  func resume() {
    ledger.changed()
    resumesBegun += 1
    suspensions = max(0, suspensions - 1)
    if stage.system.resume(handler) != .notEstablished { held -= 1 }
  }

  func setWay(_ way: WayIn) {
    ledger.compared()
    if way == .mpSafe { overlapsFrom = min(overlapsFrom, stage.serial) }
    let before = activeRuns
    let result = stage.system.setWay(way, of: handler)
    ledger.compared()
    switch result {
    case .done:
      stage.expect(activeRuns.isDisjoint(with: before), "the way in of \"\(name)\" changed during a run")
    case .notEstablished:
      stage.expect(isEnding, "\"\(name)\" is established, and its way in cannot be changed")
    case .refused: stage.expect(false, "changing the way in of \"\(name)\" was refused")
    }
  }

  /// Before somebody outside compares ``activeRuns``.
  func compared() { ledger.compared() }

  private var isEnding: Bool { isGone || hasRetired || retires || stage.endsHandlers }

  /// What was accepted has run, was dropped and counted, or is kept for a reason that the program gave.
  func checkDelivered() {
    if hasRetired || held > 0 { return }
    let debts = placement == .anywhere ? [required.max() ?? 0] : required
    let paid = placement == .anywhere ? [started.max() ?? 0] : started
    let open = debts.indices.filter { cpu in
      if debts[cpu] <= paid[cpu] { return false }
      // An offline CPU keeps what was said to be kept.
      return placement == .anywhere || !stage.isOffline(cpu) || firm[cpu] > started[cpu]
    }
    let reported = stage.report?.pending.first { $0.name == name }?.cpus ?? 0
    stage.expect(
      open.count <= dropped + reported,
      "\"\(name)\" was scheduled on \(open.count) CPU(s) without a run after it; \(dropped + reported) counted as dropped"
    )
  }
}
