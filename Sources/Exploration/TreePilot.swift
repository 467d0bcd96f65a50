// Depth-first search with dynamic partial-order reduction.
//
// Law: for each race of an explored schedule (two events of different processes that do not commute, with nothing between them)
// some schedule in which they are the other way round is explored, unless that could not be or was explored elsewhere. Then every
// class of schedules that differ in commuting operations only is explored at least once (Abdulla et al. 2014, theorem 4.?; for
// the bounded form Coons et al. 2013).
//
// What is ours: a CPU's interrupt is a process that its own CPU's steps enable and disable. It does not commute with them, so
// wherever both can go on both are explored; and where somebody asks a CPU for something *after* a step at which it would have
// been interrupted, asking before that step is explored (`askedTooLate`).

import SimulatedMachine
import SoftInterrupts

final class TreePilot: Watcher {
  enum Reduction {
    case sourceSets, persistentSets, none
    /// Every process that can go on is tried, unless it sleeps: for weak memory, where races say nothing of what may be read.
    case sleepSets
  }

  let reduction: Reduction
  let bound: Int?
  @exclusivity(unchecked) var tree = Tree()
  @exclusivity(unchecked) var trace = Trace()
  /// How many nodes are given by the search; beyond them it is new ground.
  @exclusivity(unchecked) private var given = 0
  /// Who sleeps at the next node.
  @exclusivity(unchecked) private var asleep: ProcessSet = 0
  /// What the run is worth. In all but a new one nothing is noted any more: it goes on to its end, as expected, because a system
  /// is used again only if its CPUs have come to rest.
  enum Worth {
    case new
    /// It repeats another.
    case redundant
    /// Its prefix is another part's.
    case others
    /// It did not do what it did before, at this step.
    case different(Int)
  }
  @exclusivity(unchecked) private(set) var worth = Worth.new
  @exclusivity(unchecked) private(set) var isNew = true
  /// Where the search is split; nil where it is not.
  @exclusivity(unchecked) var split: Split?
  /// Above it every choice is taken.
  let splitDepth: Int
  /// The last interrupt of each CPU that came while the CPU could not go on by itself; an event's number.
  private let interruptedAsleep = UnsafeMutablePointer<UInt32>.allocate(capacity: 64)
  /// The node of the process whose operation is done: options come after it.
  @exclusivity(unchecked) private var chosenAt = 0
  /// What decides whether a CPU would have been interrupted at its step: its IPL, whether it was on top of an interrupt, and from
  /// `admission` on its summary; 255 for who is no CPU.
  @exclusivity(unchecked) private var previousIPL: UInt32 = 255
  static let isNested: UInt32 = 0x40
  static let admission: UInt32 = 8
  /// The processes that are interrupts.
  @exclusivity(unchecked) var firstInterrupt = 0
  @exclusivity(unchecked) var interrupts = 0
  /// How many processes there were when last looked.
  @exclusivity(unchecked) private var known = 0
  /// Rings (events) that ended sleeps with deadlines, where somebody moves the clock.
  @exclusivity(unchecked) var rungSleeps: [(ring: Int, deadline: UInt64)] = []

  /// - Parameter path: where a search is that is gone on with.
  init(_ reduction: Reduction, bound: Int?, split: Split? = nil, path: [Node] = []) {
    self.reduction = reduction
    self.bound = bound
    self.split = split
    splitDepth = split?.depth ?? 0
    super.init()
    for node in path { tree.append(node) }
    given = path.count
  }

  /// Between two runs: where the search is.
  var path: [Node] { Array(UnsafeBufferPointer(start: tree.nodes, count: tree.count)) }
  /// See ``Progress/share``.
  var share: Double { tree.share }

  deinit {
    tree.deallocate()
    trace.deallocate()
    interruptedAsleep.deallocate()
  }

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    super.begin(machine, system)
    if followsTrace { trace.begin(processes: machine.processCount) }
    known = machine.processCount
    (firstInterrupt, interrupts) = (machine.cpuCount, machine.recognition == .anywhere ? machine.cpuCount : 0)
    if !rungSleeps.isEmpty { rungSleeps.removeAll(keepingCapacity: true) }
    asleep = 0
    worth = .new
    isNew = true
    interruptedAsleep.initialize(repeating: 0, count: 64)
  }

  /// The run is over: what it was worth. One that ended above the split is a prefix as well.
  func ended() -> Worth {
    if isNew && step < given && broken == nil { give(.different(step)) }
    guard split != nil else { return worth }
    split!.number()
    if case .different = worth { return worth }
    return split!.isOwn ? worth : .others
  }

  private var followsTrace: Bool { reduction == .sourceSets || reduction == .persistentSets }

  /// After a run: goes to the next schedule; false if there is none.
  func advance(_ machine: SimulatedMachine) -> Bool {
    guard tree.advance(machine, bound: bound) else { return false }
    given = tree.count
    split?.advance(given)
    return true
  }

  override func isRedundant(_ machine: SimulatedMachine, _ last: Event) {
    if last.process >= 0 { observe(machine, last) }
    give(.redundant)
  }

  private func give(_ worth: Worth) {
    if !isNew { return }
    self.worth = worth
    isNew = false
  }

  /// At the first choice below the split; true if what follows is another part's.
  @inline(never) private func isOthers() -> Bool {
    split!.number()
    if split!.isOwn { return false }
    give(.others)
    return true
  }

  // MARK: Choosing

  override func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    if !isNew { return Expected.choice(machine, running: running, enabled) }
    let index = step
    chosenAt = index
    let chosen: Int
    if index < given {
      let node = tree.nodes + index
      chosen = Int(node.pointee.chosen)
      if node.pointee.running == Node.option || !enabled.has(chosen)
        || (node.pointee.enabled != enabled && machine.memory != .rc11)
      {
        give(.different(index))
        return Expected.choice(machine, running: running, enabled)
      }
    } else {
      if index == splitDepth && split != nil && isOthers() {
        return Expected.choice(machine, running: running, enabled)
      }
      var candidates = enabled & ~asleep
      // The first step of a process touches nothing and its last only what joins it: with the many choices of weak memory they
      // are not worth being tried in every place.
      if !followsTrace && machine.memory == .rc11, let process = local(machine, candidates) {
        return process
      }
      var node = Node(
        enabled: enabled, done: asleep, backtrack: 0, chosen: 0,
        running: running < 0 ? Node.nobody : UInt8(running), preemptions: UInt16(clamping: preemptions))
      if let bound { candidates &= withUnsafeMutablePointer(to: &node) { Tree.affordable($0, bound) } }
      if candidates == 0 {
        // All that can be done here is explored elsewhere.
        give(.redundant)
        return Expected.choice(machine, running: running, enabled)
      }
      chosen = Expected.choice(machine, running: running, candidates)
      node.chosen = UInt8(chosen)
      node.backtrack = followsTrace && index >= splitDepth ? .only(chosen) : enabled
      tree.append(node)
    }
    if machine.recognition == .anywhere && followsTrace {
      interruptsAndSteps(machine, index, chosen, enabled)
    }
    return chosen
  }

  private func local(_ machine: SimulatedMachine, _ enabled: ProcessSet) -> Int? {
    var left = enabled
    while left != 0 {
      let process = left.first
      left.remove(process)
      let kind = machine.pending(process).kind
      if machine.kind(process) != .interrupt && (kind == .start || kind == .end) {
        tree.append(
          Node(
            enabled: .only(process), done: asleep, backtrack: .only(process), chosen: UInt8(process),
            running: Node.nobody,
            preemptions: UInt16(clamping: preemptions)))
        return process
      }
    }
    return nil
  }

  override func chooseOption(_ machine: SimulatedMachine, _ count: Int) -> Int {
    if !isNew { return 0 }
    let all = (ProcessSet(1) << ProcessSet(count)) - 1
    if step < given {
      let node = tree.nodes + step
      if node.pointee.running == Node.option && node.pointee.enabled == all {
        return Int(node.pointee.chosen)
      }
      give(.different(step))
      return 0
    }
    if step == splitDepth && split != nil && isOthers() { return 0 }
    tree.append(
      Node(
        enabled: all, done: 0, backtrack: all, chosen: 0, running: Node.option,
        preemptions: UInt16(clamping: preemptions)))
    return 0
  }

  /// A CPU's step and its interrupt do not commute: where both can be, both are explored. So with a ring: on top of an interrupt that
  /// was taken before it one more may come.
  private func interruptsAndSteps(
    _ machine: SimulatedMachine, _ index: Int, _ chosen: Int, _ enabled: ProcessSet
  ) {
    let cpu = machine.cpu(chosen)
    previousIPL = 255
    let pending = machine.pending(chosen)
    if pending.kind == .unpark {
      for rung in 0..<machine.cpuCount
      where machine.objectNumber(machine.seat(ofCPU: rung).word) == pending.object {
        if let interrupt = machine.interrupt(ofCPU: rung), enabled.has(interrupt) {
          add(interrupt, at: index)
        }
      }
    }
    guard cpu >= 0, let interrupt = machine.interrupt(ofCPU: cpu) else { return }
    if chosen == cpu {
      let summary = machine.summary(ofCPU: cpu)?.value ?? 0
      previousIPL =
        UInt32(machine.ipl(ofCPU: cpu)) | (machine.interruptDepth(cpu) > 0 ? Self.isNested : 0)
        | UInt32(truncatingIfNeeded: summary) << Self.admission
      if enabled.has(interrupt) { add(interrupt, at: index) }
    } else if chosen == interrupt {
      if enabled.has(cpu) {
        add(cpu, at: index)
      } else {
        interruptedAsleep[cpu] = UInt32(truncatingIfNeeded: index + 1)
      }
    }
  }

  private func add(_ process: Int, at index: Int) {
    tree.nodes[index].backtrack.insert(process)
    if bound != nil { addConservatively(process, index) }
  }

  // MARK: What happened

  override func happened(_ machine: SimulatedMachine, _ event: Event, _ index: Int) {
    if reduction == .none { return }
    if reduction == .sleepSets {
      if isNew && index + 1 >= given { weakSleepers(machine, event) }
      return
    }
    let process = Int(event.process)
    let object = Int(event.object)
    let cpu = event.kind == .interrupt ? machine.cpu(process) : -1
    if !isNew { return }
    trace.touch(object)
    let isNew = index + 1 >= given
    let k = trace.append(process, ipl: previousIPL, also: cpu)
    if event.object != 0 { order(machine, event, k, process, object, isNew) }
    if cpu >= 0 { interrupted(machine, cpu) }
    // The clock's object; 0 before anybody has asked for it.
    let clock = machine.clockWord.map { Int(machine.objectNumber($0)) }
    if let clock, event.kind == .park { parked(event, k, process, clock) }
    trace.seal(k, process, also: cpu)
    if event.object != 0 { remember(event, k, process, object) }
    if isNew && machine.recognition == .anywhere {
      if event.access == .write || event.kind == .unpark { askedTooLate(machine, event, k) }
      let wakes =
        event.kind == .park || event.kind == .join
        || (event.kind == .pause && reduction == .persistentSets)
      if wakes && process < machine.cpuCount && interruptedAsleep[process] != 0 {
        reverse(Int(interruptedAsleep[process]) - 1, k, blockedBy: 0)
        interruptedAsleep[process] = 0
      }
    }
    if isNew, let clock, object == clock, event.access == .write { timeCameTooLate(machine, k) }
    if machine.processCount != known { made(machine, k) }
    if isNew { sleepers(machine, event, index) }
  }

  /// Somebody has made processes: they begin after what it did last.
  @inline(never) private func made(_ machine: SimulatedMachine, _ k: Int) {
    if machine.processCount > trace.stride { trace.widen(processes: machine.processCount) }
    for process in known..<machine.processCount { trace.join(trace.clock(process), trace.row(k)) }
    known = machine.processCount
  }

  // MARK: Sleep sets

  /// Who sleeps at the next node: who slept here, or was explored here before, and commutes with what was done.
  private func sleepers(_ machine: SimulatedMachine, _ event: Event, _ index: Int) {
    guard reduction == .sourceSets else { return }
    let node = tree.nodes + index
    var left = node.pointee.done & ~.only(Int(node.pointee.chosen))
    asleep = 0
    while left != 0 {
      let process = left.first
      left.remove(process)
      if commutes(machine, process, event) { asleep.insert(process) }
    }
  }

  private func commutes(_ machine: SimulatedMachine, _ process: Int, _ event: Event) -> Bool {
    let actor = Int(event.process)
    if machine.kind(process) == .interrupt {
      let cpu = machine.cpu(process)
      if actor == cpu { return false }
      guard event.access == .write, let summary = machine.summary(ofCPU: cpu) else { return true }
      return machine.objectNumber(summary) != event.object
    }
    let pending = machine.pending(process)
    if event.kind == .interrupt {
      let cpu = machine.cpu(actor)
      if cpu == process { return false }
      // A ring after the interrupt lets one more come on top of it; one before does not.
      return pending.kind != .unpark || pending.object != machine.objectNumber(machine.seat(ofCPU: cpu).word)
    }
    if pending.object == 0 || pending.object != event.object { return true }
    return pending.kind.access != .write && event.access != .write
  }

  // MARK: Sleep sets under weak memory

  /// As ``sleepers(_:_:_:)``, by what commutes there (Godefroid 1996: with every process tried that does not sleep, one schedule of
  /// each class is left). A process that sleeps has been explored with all that its operation may read or where it may write;
  /// what commutes with it does not change what that is.
  private func weakSleepers(_ machine: SimulatedMachine, _ event: Event) {
    let node = tree.nodes + chosenAt
    var left = node.pointee.done & ~.only(Int(node.pointee.chosen))
    asleep = 0
    while left != 0 {
      let process = left.first
      left.remove(process)
      if commutesWeakly(machine.pending(process), event) { asleep.insert(process) }
    }
  }

  /// Whether an announced operation and an event of another process commute in the machine of WeakMemory.swift: they do if they
  /// touch different words and not both the order of SC accesses. Each touches its own process's views, its word's history and, if
  /// it is SC, that order; a heavy fence besides that the light rows of others, which light fences write. Two reads of a word
  /// commute; what may write does not, whatever came of it. Who spins is let go on by any write.
  private func commutesWeakly(_ pending: Operation, _ event: Event) -> Bool {
    let (mine, its) = (pending.kind, event.kind)
    if Self.isConsistent(mine, pending.order) && Self.isConsistent(its, event.order) { return false }
    if (mine == .lightFence && its == .heavyFence) || (mine == .heavyFence && its == .lightFence) {
      return false
    }
    if (mine == .pause && (its.access == .write || its == .unpark))
      || (its == .pause && (mine.access == .write || mine == .unpark))
    {
      return false
    }
    if pending.object == 0 || pending.object != event.object { return true }
    return mine.access == .read && its.access == .read
  }

  private static func isConsistent(_ kind: OperationKind, _ order: MemoryOrder) -> Bool {
    switch kind {
    case .heavyFence: true
    case .load, .store, .exchange, .fetchAdd, .fetchOr, .fetchAnd, .compareExchange:
      order == .sequentiallyConsistent
    default: false
    }
  }

  /// A heavy fence passes all processes, so it does not commute with the making of one.
  override func willMake(_ machine: SimulatedMachine, _ last: Event) {
    super.willMake(machine, last)
    if reduction == .sleepSets {
      fail(.fatal, "under RC11 only programs that make no process in a run are explored exhaustively")
    }
  }

  override func idled(_ machine: SimulatedMachine, _ last: Event, woken: ProcessSet) {
    super.idled(machine, last, woken: woken)
    asleep = 0
    if followsTrace { trace.barrier(woken) }
  }
}
