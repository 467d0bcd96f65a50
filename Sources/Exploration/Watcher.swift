// The pilot that every strategy is: it looks at each step, checks what must always hold, and notes the schedule.
//
// Law: a check reads and changes nothing, so a run is the same with and without it. What is checked at each step costs a few
// loads; what needs more is asked for at the program's own points.

import SimulatedMachine
import SoftInterrupts

class Watcher: Pilot {
  typealias System = InterruptSystem<SimulatedMachine>
  typealias View = AgentView<SimulatedMachine>

  /// Scheduling points so far, and how many of their events were looked at.
  @exclusivity(unchecked) final var step = 0
  @exclusivity(unchecked) final var observed = 0
  @exclusivity(unchecked) final var preemptions = 0
  @exclusivity(unchecked) final var deviations: [Schedule.Deviation] = []
  @exclusivity(unchecked) final var broken: (rule: Rule, message: String)?
  final let clocks = SyncClocks()
  /// Whether the program has declared data: else nothing can race.
  @exclusivity(unchecked) final var watchesData = false
  /// Whether the core's own plain memory is watched, and what of it was accessed after the last event that was looked at.
  @exclusivity(unchecked) final var watchesCore = false
  /// The event that will be given next was looked at early.
  @exclusivity(unchecked) private final var hasSeenLast = false
  @exclusivity(unchecked) private final var touched: [(at: UInt, access: PlainAccess)] = []

  final var system: System?
  /// Called when a process has come to own a gate, with whether somebody asks for it: for bounds that are counted in tenures.
  @exclusivity(unchecked) final var tenure: ((Level, _ process: Int, _ isAskedFor: Bool) -> Void)?
  /// For the names of what is seen.
  weak final var world: World?
  @exclusivity(unchecked) private final var gatesObject: UInt32 = 0
  /// The word of the gates as it was written last.
  @exclusivity(unchecked) private(set) final var gates: UInt = 0
  /// The process that owns each gate; -1 for none.
  final let owners = UnsafeMutablePointer<Int32>.allocate(capacity: Level.count)
  /// The gates that each process owns, a bit a level; and those of them that it took itself. (One that it was granted while it waited
  /// is its own before it knows, and then its IPL is still that of the wait.)
  final let owned = UnsafeMutablePointer<UInt8>.allocate(capacity: SimulatedMachine.processLimit)
  final let taken = UnsafeMutablePointer<UInt8>.allocate(capacity: SimulatedMachine.processLimit)
  /// See ``Limits/overtakes``.
  @exclusivity(unchecked) final var overtakes = Overtakes()
  private final let currents = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(
    capacity: SimulatedMachine.processLimit)
  private final let ipls = UnsafeMutablePointer<UnsafePointer<Level>?>.allocate(
    capacity: SimulatedMachine.processLimit)
  private final let helds = UnsafeMutablePointer<UnsafePointer<GateSet>?>.allocate(
    capacity: SimulatedMachine.processLimit)

  override init() {
    super.init()
    owners.initialize(repeating: -1, count: Level.count)
    owned.initialize(repeating: 0, count: SimulatedMachine.processLimit)
    taken.initialize(repeating: 0, count: SimulatedMachine.processLimit)
    currents.initialize(repeating: nil, count: SimulatedMachine.processLimit)
    ipls.initialize(repeating: nil, count: SimulatedMachine.processLimit)
    helds.initialize(repeating: nil, count: SimulatedMachine.processLimit)
  }

  deinit {
    owners.deallocate()
    owned.deallocate()
    taken.deallocate()
    currents.deallocate()
    ipls.deallocate()
    helds.deallocate()
  }

  /// A run begins: the program is built, and nothing has been chosen.
  func begin(_ machine: SimulatedMachine, _ system: System?) {
    step = 0
    observed = 0
    preemptions = 0
    deviations.removeAll(keepingCapacity: true)
    touched.removeAll(keepingCapacity: true)
    hasSeenLast = false
    broken = nil
    self.system = system
    gatesObject = 0
    gates = 0
    for level in 0..<Level.count { owners[level] = -1 }
    for process in 0..<SimulatedMachine.processLimit {
      owned[process] = 0
      taken[process] = 0
      currents[process] = nil
    }
    overtakes.begin()
  }

  /// The run is over: its last event has not been seen by ``next(_:_:_:)``.
  final func finish(_ machine: SimulatedMachine, _ last: Event) {
    if last.process >= 0 && observed < step && !hasSeenLast { observe(machine, last) }
    system = nil
  }

  // MARK: For strategies

  /// Chooses among `enabled`; -1 ends the run.
  func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    Expected.choice(machine, running: running, enabled)
  }
  /// The event of step `index` has happened.
  func happened(_ machine: SimulatedMachine, _ event: Event, _ index: Int) {}

  /// Who changed a word last, where that is known: for who waits on it.
  func setter(of word: UnsafeMutablePointer<SimulatedWord>) -> Int? { nil }
  /// Who has the LevelLock of a word.
  func lockOwner(of word: UnsafeMutablePointer<SimulatedWord>) -> Int? { nil }

  // MARK: Pilot

  final override func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    lookAt(machine, last)
    if broken != nil { return -1 }
    let running = Expected.goingOn(machine, last)
    let next = choose(machine, running: running, enabled)
    if next < 0 { return -1 }
    if next != running {
      if next != Expected.choice(machine, running: running, enabled) {
        deviations.append(.init(step: step, process: next))
      }
      if running >= 0 && enabled.has(running) { preemptions += 1 }
    }
    step += 1
    return next
  }

  /// Chooses one of `count` options of an operation; 0 is the newest.
  func chooseOption(_ machine: SimulatedMachine, _ count: Int) -> Int { 0 }

  final override func option(_ machine: SimulatedMachine, _ count: Int) -> Int {
    let option = chooseOption(machine, count)
    if option != 0 { deviations.append(.init(step: step, process: option)) }
    // A step of its own, that no event follows.
    step += 1
    observed += 1
    return option
  }

  override func idled(_ machine: SimulatedMachine, _ last: Event, woken: ProcessSet) {
    lookAt(machine, last)
  }

  // MARK: Checks

  final func observe(_ machine: SimulatedMachine, _ event: Event) {
    let index = observed
    observed += 1
    if watchesData { clocks.happened(machine, event) }
    let process = Expected.running(machine, event)
    if !touched.isEmpty { lookAtTouched(process) }
    // First who owns what: the process has gone on since, up to its next operation.
    if event.access == .write { wrote(machine, event, process) }
    if let current = machine.current(process) {
      if currents[process] != current { look(process, current) }
      if let held = helds[process], let ipl = ipls[process],
        (held.pointee.rawValue | UInt(taken[process])) >> (UInt(ipl.pointee.rawValue) &+ 1) != 0,
        event.kind != .end
      {
        let gates = held.pointee.union(GateSet(rawValue: UInt(taken[process])))
        fail(.gateAboveIPL, "\(machine.name(process)) holds \(gates) at IPL \(ipl.pointee)")
      }
    }
    happened(machine, event, index)
    if watchesData && (event.kind == .read || event.kind == .write), let race = clocks.race {
      fail(.dataRace, race)
    }
  }

  /// Looks at what was done last, unless that was done already.
  private final func lookAt(_ machine: SimulatedMachine, _ last: Event) {
    if last.process >= 0 && !hasSeenLast { observe(machine, last) }
    hasSeenLast = false
  }

  override func willMake(_ machine: SimulatedMachine, _ last: Event) {
    if last.process >= 0 && !hasSeenLast { observe(machine, last) }
    hasSeenLast = true
  }

  override func accessed(_ at: UInt, _ access: PlainAccess) {
    guard watchesCore else { return }
    if hasSeenLast, let process = SimulatedMachine.runningProcess {
      clocks.accessed(process, at, access)
    } else {
      touched.append((at, access))
    }
  }

  private final func lookAtTouched(_ process: Int) {
    for (at, access) in touched { clocks.accessed(process, at, access) }
    touched.removeAll(keepingCapacity: true)
    if let race = clocks.race { fail(.dataRace, race) }
  }

  private final func look(_ process: Int, _ current: UnsafeMutableRawPointer) {
    currents[process] = current
    let view = System.view(of: current)
    ipls[process] = view?.ipl
    helds[process] = view?.held
  }

  /// Follows who owns each gate: who sets its bit, until it is cleared or granted to a waiter.
  @inline(__always)
  private final func wrote(_ machine: SimulatedMachine, _ event: Event, _ process: Int) {
    if event.object == gatesObject {
      let changed = (event.value ^ gates) & System.ownedMask
      gates = event.value
      if changed != 0 {
        gatesChanged(
          machine, process, taken: UInt8(truncatingIfNeeded: changed & event.value),
          freed: UInt8(truncatingIfNeeded: changed & ~event.value))
      }
    } else if gatesObject == 0 || event.value == 2 {
      wroteRarely(machine, event, process)
    }
  }

  private final func wroteRarely(_ machine: SimulatedMachine, _ event: Event, _ process: Int) {
    guard let system, let word = machine.word(event.object) else { return }
    if word == system.gatesWord {
      gatesObject = event.object
      wrote(machine, event, process)
    } else if event.kind == .compareExchange, event.value == 2, let waiter = system.waiter(of: word) {
      for other in 0..<machine.processCount where machine.current(other) == waiter.agent {
        granted(machine, by: process, to: other, waiter.gate)
      }
    }
  }

  /// What an event's object is called.
  final func name(_ machine: SimulatedMachine, _ event: Event) -> String {
    guard event.object != 0, let word = machine.word(event.object) else { return "" }
    for process in 0..<machine.processCount where machine.isSeat(word, of: process) {
      return machine.name(process)
    }
    return world?.name(of: word) ?? "a word of the core"
  }

  final func fail(_ rule: Rule, _ message: String) {
    if broken == nil { broken = (rule, message) }
  }
}

/// Follows a given schedule; where it says nothing, what is expected.
class Follower: Watcher {
  var schedule: [Schedule.Deviation] = []
  private var at = 0
  /// The schedule asked for somebody who could not go on.
  private(set) var isLost = false

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    super.begin(machine, system)
    at = 0
    isLost = false
  }

  override func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    if at < schedule.count && schedule[at].step == step {
      let process = schedule[at].process
      at += 1
      if enabled.has(process) { return process }
      isLost = true
    }
    return Expected.choice(machine, running: running, enabled)
  }

  override func chooseOption(_ machine: SimulatedMachine, _ count: Int) -> Int {
    guard at < schedule.count && schedule[at].step == step else { return 0 }
    let option = schedule[at].process
    at += 1
    if option < count { return option }
    isLost = true
    return 0
  }
}
