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
  @exclusivity(unchecked) private var tree = Tree()
  @exclusivity(unchecked) private var trace = Trace()
  /// How many nodes are given by the search; beyond them it is new ground.
  @exclusivity(unchecked) private var given = 0
  /// Who sleeps at the next node.
  @exclusivity(unchecked) private var asleep: ProcessSet = 0
  /// The run repeats another: nothing new is noted in it.
  @exclusivity(unchecked) private(set) var isRedundantRun = false
  /// The last interrupt of each CPU that came while the CPU could not go on by itself; an event's number.
  private let interruptedAsleep = UnsafeMutablePointer<UInt32>.allocate(capacity: 64)
  /// The node of the process whose operation is done: options come after it.
  @exclusivity(unchecked) private var chosenAt = 0
  @exclusivity(unchecked) private var previousIPL: UInt8 = 255
  /// In the IPL of an event: it was done on top of an interrupt.
  private static let isNested: UInt8 = 0x40

  init(_ reduction: Reduction, bound: Int?) {
    self.reduction = reduction
    self.bound = bound
    super.init()
  }

  deinit {
    tree.deallocate()
    trace.deallocate()
    interruptedAsleep.deallocate()
  }

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    super.begin(machine, system)
    if followsTrace { trace.begin(processes: machine.processCount) }
    asleep = 0
    isRedundantRun = false
    interruptedAsleep.initialize(repeating: 0, count: 64)
  }

  private var followsTrace: Bool { reduction == .sourceSets || reduction == .persistentSets }

  /// After a run: goes to the next schedule; false if there is none.
  func advance(_ machine: SimulatedMachine) -> Bool {
    // A run that ended early has not used them all; only a violation does that, and nothing follows it.
    guard tree.advance(machine, bound: bound) else { return false }
    given = tree.count
    return true
  }

  override func isRedundant(_ machine: SimulatedMachine, _ last: Event) {
    if last.process >= 0 { observe(machine, last) }
    isRedundantRun = true
  }

  // MARK: Choosing

  override func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    if isRedundantRun { return Expected.choice(machine, running: running, enabled) }
    let index = step
    chosenAt = index
    let chosen: Int
    if index < given {
      chosen = Int(tree.nodes[index].chosen)
      precondition(enabled.has(chosen), "the program does not do the same in the same schedule")
    } else {
      var candidates = enabled & ~asleep
      // The first step of a process touches nothing and its last only what joins it: with the many choices of weak memory they
      // are not worth being tried in every place.
      if !followsTrace && machine.memory == .rc11, let process = local(machine, candidates) {
        return process
      }
      var node = Node(
        enabled: enabled, done: asleep, backtrack: 0, chosen: 0,
        running: running < 0 ? 255 : UInt8(running), preemptions: UInt16(clamping: preemptions))
      if let bound { candidates &= withUnsafeMutablePointer(to: &node) { Tree.affordable($0, bound) } }
      if candidates == 0 {
        // All that can be done here is explored elsewhere.
        isRedundantRun = true
        tree.cut(index)
        return Expected.choice(machine, running: running, enabled)
      }
      chosen = Expected.choice(machine, running: running, candidates)
      node.chosen = UInt8(chosen)
      node.backtrack = followsTrace ? .only(chosen) : enabled
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
            running: 255,
            preemptions: UInt16(clamping: preemptions)))
        return process
      }
    }
    return nil
  }

  override func chooseOption(_ machine: SimulatedMachine, _ count: Int) -> Int {
    if isRedundantRun { return 0 }
    if step < given { return Int(tree.nodes[step].chosen) }
    let all = (ProcessSet(1) << ProcessSet(count)) - 1
    tree.append(
      Node(
        enabled: all, done: 0, backtrack: all, chosen: 0, running: 254,
        preemptions: UInt16(clamping: preemptions)))
    return 0
  }

  /// A CPU's step and its interrupt do not commute: where both can be, both are explored.
  private func interruptsAndSteps(
    _ machine: SimulatedMachine, _ index: Int, _ chosen: Int, _ enabled: ProcessSet
  ) {
    let cpu = machine.cpu(chosen)
    previousIPL = 255
    guard cpu >= 0, let interrupt = machine.interrupt(ofCPU: cpu) else { return }
    if chosen == cpu {
      previousIPL = machine.ipl(ofCPU: cpu) | (machine.interruptDepth(cpu) > 0 ? Self.isNested : 0)
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
      if !isRedundantRun && index + 1 >= given { weakSleepers(machine, event) }
      return
    }
    let process = Int(event.process)
    let object = Int(event.object)
    trace.touch(object)
    let cpu = event.kind == .interrupt ? machine.cpu(process) : -1
    if isRedundantRun { return }
    let isNew = index + 1 >= given
    precondition(process < trace.stride, "a run makes at most four processes on its way")
    let k = trace.append(process, ipl: previousIPL, also: cpu)
    if event.object != 0 { order(machine, event, k, process, object, isNew) }
    if cpu >= 0 { interrupted(machine, cpu) }
    trace.seal(k, process, also: cpu)
    if event.object != 0 { remember(event, k, process, object) }
    if isNew && machine.recognition == .anywhere {
      if event.access == .write || event.kind == .unpark { askedTooLate(machine, event, k) }
      if event.kind == .park && process < machine.cpuCount && interruptedAsleep[process] != 0 {
        reverse(Int(interruptedAsleep[process]) - 1, k, blockedBy: 0)
        interruptedAsleep[process] = 0
      }
    }
    if index + 1 >= given { sleepers(machine, event, index) }
  }

  /// What an interrupt comes after: what its CPU did (joined by `append`), and who asked for it.
  private func interrupted(_ machine: SimulatedMachine, _ cpu: Int) {
    guard let summary = machine.summary(ofCPU: cpu), let interrupt = machine.interrupt(ofCPU: cpu) else {
      return
    }
    let object = Int(machine.objectNumber(summary))
    if object == 0 { return }
    trace.touch(object)
    let write = trace.writes[object]
    if write != 0 { trace.join(trace.clock(interrupt), trace.row(Int(write) - 1)) }
  }

  /// Finds the races that an event ends, and joins what it comes after.
  @inline(__always)
  private func order(
    _ machine: SimulatedMachine, _ event: Event, _ k: Int, _ process: Int, _ object: Int, _ isNew: Bool
  ) {
    let clock = trace.clock(process)
    let write = Int(trace.writes[object])
    if event.access == .write {
      let readers = trace.readers(object)
      if isNew {
        var latest = 0
        for reader in 0..<trace.stride where reader != process {
          let number = Int(readers[reader])
          if number == 0 { continue }
          latest = max(latest, number)
          if clock[reader] < readers[reader] && !isCovered(number, readers, process) {
            reverse(number - 1, k, blockedBy: number - 1 < 0 ? 0 : laterReader(number, readers, process))
          }
        }
        if latest == 0 && write != 0 { raceWithWrite(write, k, process, clock) }
      }
      for reader in 0..<trace.stride where readers[reader] != 0 {
        trace.join(clock, trace.row(Int(readers[reader]) - 1))
      }
    } else if isNew && write != 0 {
      raceWithWrite(write, k, process, clock)
    }
    if write != 0 { trace.join(clock, trace.row(write - 1)) }
  }

  @inline(__always)
  private func raceWithWrite(_ write: Int, _ k: Int, _ process: Int, _ clock: UnsafeMutablePointer<UInt32>) {
    let writer = Int(trace.processes[write - 1])
    if writer != process && clock[writer] < UInt32(truncatingIfNeeded: write) {
      reverse(write - 1, k, blockedBy: 0)
    }
  }

  /// Whether a read comes before another reader's read: then it is not next to the write.
  private func isCovered(_ number: Int, _ readers: UnsafeMutablePointer<UInt32>, _ process: Int) -> Bool {
    for other in 0..<trace.stride where other != process {
      let later = Int(readers[other])
      if later > number && trace.isBefore(number - 1, later - 1) { return true }
    }
    return false
  }

  /// Another read, after this one, that the write comes after too; a number, 0 for none.
  private func laterReader(_ number: Int, _ readers: UnsafeMutablePointer<UInt32>, _ process: Int) -> Int {
    var found = 0
    for other in 0..<trace.stride where other != process && Int(readers[other]) > number {
      found = max(found, Int(readers[other]))
    }
    return found
  }

  @inline(__always)
  private func remember(_ event: Event, _ k: Int, _ process: Int, _ object: Int) {
    if event.access == .write {
      trace.writes[object] = UInt32(truncatingIfNeeded: k + 1)
      trace.readers(object).update(repeating: 0, count: trace.stride)
    } else if event.access == .read {
      trace.readers(object)[process] = UInt32(truncatingIfNeeded: k + 1)
    }
  }

  /// Somebody has asked a CPU for something: the last step of the CPU's, not ordered with this, at which it would have been
  /// interrupted for it. That this comes before the step is explored; the interrupt is then possible there.
  /// (Inside of an interrupt that is a ring; see ``EngineRef/admittedInterrupts()``.)
  private func askedTooLate(_ machine: SimulatedMachine, _ event: Event, _ k: Int) {
    let isRing = event.kind == .unpark
    for cpu in 0..<machine.cpuCount where cpu != Int(event.process) {
      guard let summary = machine.summary(ofCPU: cpu),
        machine.objectNumber(isRing ? machine.seat(ofCPU: cpu).word : summary) == event.object
      else { continue }
      let asked = isRing ? summary.value : event.value
      let row = trace.row(k)
      var at = k - 1
      while at >= 0 && row[cpu] < UInt32(truncatingIfNeeded: at + 1) {
        let ipl = trace.ipls[at] & ~Self.isNested
        if Int(trace.processes[at]) == cpu && ipl < 8 && (asked >> 1) >> UInt(ipl) != 0
          && (!isRing || trace.ipls[at] & Self.isNested != 0)
        {
          reverse(at, k, blockedBy: 0)
          return
        }
        at -= 1
      }
    }
  }

  // MARK: Backtrack points

  /// Event `k` races with event `e`: somebody is to be chosen at e's node so that k, or what leads to it, comes first.
  private func reverse(_ e: Int, _ k: Int, blockedBy later: Int) {
    let node = tree.nodes + e
    let process = Int(trace.processes[k])
    if reduction == .persistentSets {
      if node.pointee.enabled.has(process) {
        node.pointee.backtrack.insert(process)
      } else {
        node.pointee.backtrack |= node.pointee.enabled
      }
      if bound != nil { addConservatively(process, e) }
      return
    }
    // The events after e that do not come after it, then k: v. Its initials are those whose first event in v has nothing of v
    // before it. If one of them is explored at this node (or sleeps there), so is a schedule with the race reversed.
    let known = node.pointee.backtrack | node.pointee.done
    var seen: ProcessSet = 0
    var initials: ProcessSet = 0
    let before = UInt32(truncatingIfNeeded: e + 1)
    let owner = Int(trace.processes[e])
    for at in (e + 1)..<k {
      let row = trace.row(at)
      if row[owner] >= before { continue }
      let other = Int(trace.processes[at])
      if seen.has(other) { continue }
      seen.insert(other)
      if isInitial(row, other, before) {
        if known.has(other) { return }
        initials.insert(other)
      }
    }
    if !seen.has(process) && later == 0 && isInitial(trace.clock(process), process, before, except: owner) {
      if known.has(process) { return }
      initials.insert(process)
    }
    initials &= node.pointee.enabled
    if initials == 0 { return }
    node.pointee.backtrack.insert(initials.has(process) ? process : initials.first)
  }

  /// Whether everything before an event with this clock, of other processes, is at or before the node's event.
  @inline(__always)
  private func isInitial(
    _ row: UnsafeMutablePointer<UInt32>, _ process: Int, _ before: UInt32, except owner: Int = -1
  ) -> Bool {
    for other in 0..<trace.stride
    where other != process && other != owner && row[other] > before {
      return false
    }
    return true
  }

  /// Under a bound a switch may be affordable only where the run of steps that it interrupts began: the point is added there too.
  private func addConservatively(_ process: Int, _ e: Int) {
    var at = e
    while at > 0 && tree.nodes[at].chosen == tree.nodes[at - 1].chosen { at -= 1 }
    let node = tree.nodes + at
    if node.pointee.enabled.has(process) {
      node.pointee.backtrack.insert(process)
    } else {
      node.pointee.backtrack |= node.pointee.enabled
    }
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
    if event.kind == .interrupt { return machine.cpu(actor) != process }
    let pending = machine.pending(process)
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
