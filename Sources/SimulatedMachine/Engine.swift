// The engine: announces, chooses, switches.
//
// Law: exactly one coroutine of the thread runs. Every field is its own memory behind one pointer, so nothing of the machine's is
// in the middle of a Swift access when coroutines switch. The choice is a call on the stack of the process that asks; control
// moves only if another one is chosen.

import CSimulated
import SoftInterrupts

/// Why the processes were left.
enum StopReason: UInt8 {
  case none
  /// Nobody can go on, now or ever.
  case stuck
  /// The pilot has seen enough.
  case ended
  case fatal, steps, spinning, horizon
}

struct Engine {
  var processes: UnsafeMutablePointer<Process>
  var processCount = 0
  /// Whose coroutine runs; -1 is the thread itself.
  var running = -1
  /// Processes whose announced operation can be done.
  var ready: ProcessSet = 0
  var spinning: ProcessSet = 0
  /// The CPUs whose interrupts are processes, and the index of the first of those.
  var interruptible = 0
  var firstInterrupt = 0
  /// False while the thread builds or takes down a system: then nobody is asked.
  var isPiloted = false
  /// While not piloted: who the thread waits for.
  var last = Event()
  var spinPolicy = SpinPolicy.wake
  var now: UInt64 = 0
  /// Somebody moves the clock while others can go on.
  var hasClock = false
  var isWeak = false
  var countsEveryWrite = false
  var horizon: UInt64 = .max
  var run: UInt32 = 0
  var objects: UInt32 = 0
  var steps: UInt64 = 0
  var stepBound: UInt64 = 1 << 20
  /// How often in a row time was moved without anything being changed, and by how much for spinning processes.
  var idleRounds: UInt32 = 0
  var quantum: UInt64 = 0
  var stop = StopReason.none
  /// Where processes have clocks of their own (TimedPilot.swift).
  var timed: Unmanaged<TimedPilot>?
  let host: UnsafeMutablePointer<softint_coroutine>
  var pilot: Unmanaged<Pilot>
  unowned(unsafe) let machine: SimulatedMachine
}

struct EngineRef: @unchecked Sendable {
  // Sendable: used on the one thread that runs the simulation.
  let p: UnsafeMutablePointer<Engine>

  /// The engine of this thread's simulation.
  @inline(__always) static var current: EngineRef? {
    guard let pointer = softint_simulation() else { return nil }
    return EngineRef(p: pointer.assumingMemoryBound(to: Engine.self))
  }
  /// The engine, if the caller is one of its processes.
  @inline(__always) static var inProcess: EngineRef? {
    guard let engine = current, engine.p.pointee.running >= 0 else { return nil }
    return engine
  }

  @inline(__always) var me: UnsafeMutablePointer<Process> { p.pointee.processes + p.pointee.running }
  @inline(__always) func process(_ index: Int) -> UnsafeMutablePointer<Process> {
    p.pointee.processes + index
  }

  // MARK: Announcing and doing

  /// Announces an operation and returns when it is the caller's turn to do it.
  @inline(__always)
  func announce(_ kind: OperationKind, _ at: UnsafeMutablePointer<SimulatedWord>?, _ order: MemoryOrder) {
    let process = me
    process.pointee.pending = Operation(kind: kind, order: order, object: at.map(object) ?? 0)
    decide()
  }

  /// The number of a word's object in this run.
  @inline(__always) func object(_ at: UnsafeMutablePointer<SimulatedWord>) -> UInt32 {
    if at.pointee.run != p.pointee.run {
      p.pointee.objects &+= 1
      at.pointee.run = p.pointee.run
      at.pointee.object = p.pointee.objects
      p.pointee.machine.noteObject(p.pointee.objects, at)
    }
    return at.pointee.object
  }

  @inline(__always)
  func didRead(_ kind: OperationKind, _ at: UnsafeMutablePointer<SimulatedWord>, _ value: UInt) {
    let process = me
    p.pointee.last = Event(
      process: Int32(truncatingIfNeeded: p.pointee.running), kind: kind, order: process.pointee.pending.order,
      access: .read, object: process.pointee.pending.object, value: value)
    note(process, at, value)
  }

  @inline(__always)
  func didWrite(_ kind: OperationKind, _ at: UnsafeMutablePointer<SimulatedWord>, _ old: UInt) {
    let process = me
    let value = at.pointee.bits
    let isWrite = value != old || (p.pointee.countsEveryWrite && kind != .compareExchange)
    p.pointee.last = Event(
      process: Int32(truncatingIfNeeded: p.pointee.running), kind: kind, order: process.pointee.pending.order,
      access: isWrite ? .write : .read, object: process.pointee.pending.object, value: value)
    if value == old {
      // A plain store has looked at nothing.
      if kind != .store { note(process, at, value) }
    } else {
      process.pointee.seenCount = 0
      process.pointee.hasChanged = true
      changed()
    }
  }

  /// Says what the caller did to something that is no word.
  @inline(__always) func did(_ kind: OperationKind, _ access: Access, value: UInt = 0) {
    let pending = me.pointee.pending
    p.pointee.last = Event(
      process: Int32(truncatingIfNeeded: p.pointee.running), kind: kind, order: pending.order,
      access: access, object: pending.object, value: value)
  }

  /// Somebody has changed something: spinning processes may have seen another value.
  @inline(__always) func changed() {
    p.pointee.idleRounds = 0
    p.pointee.quantum = 0
    if p.pointee.spinning != 0 && p.pointee.spinPolicy == .wake { wakeSpinning() }
  }

  @inline(never) func wakeSpinning() {
    var left = p.pointee.spinning
    while left != 0 {
      let index = left.first
      left.remove(index)
      if seesChange(index) { wake(index) }
    }
  }

  func seesChange(_ index: Int) -> Bool {
    let process = process(index)
    for entry in 0..<process.pointee.seenCount {
      let seen = process.pointee.seen![entry]
      if seen.at.pointee.bits != seen.value { return true }
    }
    return false
  }

  func wake(_ index: Int) {
    process(index).pointee.state = .ready
    p.pointee.spinning.remove(index)
    p.pointee.ready.insert(index)
  }

  /// Remembers what a process has read since it changed something.
  @inline(__always)
  func note(
    _ process: UnsafeMutablePointer<Process>, _ at: UnsafeMutablePointer<SimulatedWord>, _ value: UInt
  ) {
    if process.pointee.seenCount == process.pointee.seenCapacity { growSeen(process) }
    let count = process.pointee.seenCount
    (process.pointee.seen! + count).initialize(to: SeenValue(at: at, value: value))
    process.pointee.seenCount = count + 1
  }

  /// Shortens the list to the last value of each word.
  func shortenSeen(_ process: UnsafeMutablePointer<Process>) {
    guard let seen = process.pointee.seen else { return }
    var kept = 0
    for entry in 0..<process.pointee.seenCount {
      var place = 0
      while place < kept && seen[place].at != seen[entry].at { place += 1 }
      seen[place] = seen[entry]
      if place == kept { kept += 1 }
    }
    process.pointee.seenCount = kept
  }

  /// A list that is full is shortened, and enlarged if that does not help.
  @inline(never) func growSeen(_ process: UnsafeMutablePointer<Process>) {
    shortenSeen(process)
    if process.pointee.seen != nil && process.pointee.seenCount * 2 <= process.pointee.seenCapacity { return }
    let capacity = max(32, process.pointee.seenCapacity * 2)
    let grown = UnsafeMutablePointer<SeenValue>.allocate(capacity: capacity)
    if let seen = process.pointee.seen {
      grown.initialize(from: seen, count: process.pointee.seenCount)
      seen.deallocate()
    }
    process.pointee.seen = grown
    process.pointee.seenCapacity = capacity
  }

  // MARK: Choosing

  /// Chooses who goes on; returns when the caller may do what it announced. Interrupts that come first are taken here.
  func decide() {
    let index = p.pointee.running
    let process = process(index)
    while true {
      let target = chosen()
      if target != index { transfer(from: process.pointee.coroutine!, to: target) }
      if !process.pointee.takesInterrupt {
        process.pointee.steps &+= 1
        return
      }
      takeInterrupt(index, process)
    }
  }

  /// Who goes on: the index of a coroutine, -1 for the thread. An interrupt is turned into its CPU.
  @inline(__always) func chosen() -> Int {
    var enabled = p.pointee.ready
    if p.pointee.interruptible != 0 { enabled |= admittedInterrupts() }
    while enabled == 0 {
      if !idle() { return -1 }
      enabled = p.pointee.ready
    }
    let next: Int
    if p.pointee.isPiloted {
      p.pointee.steps &+= 1
      if p.pointee.steps > p.pointee.stepBound {
        p.pointee.stop = .steps
        return -1
      }
      next = p.pointee.pilot._withUnsafeGuaranteedRef { $0.next(p.pointee.machine, p.pointee.last, enabled) }
      if next < 0 {
        if p.pointee.stop == .none { p.pointee.stop = .ended }
        return -1
      }
    } else {
      let running = Int(p.pointee.last.process)
      next = running >= 0 && enabled.has(running) ? running : enabled.first
    }
    if process(next).pointee.kind != .interrupt { return next }
    let cpu = Int(process(next).pointee.cpu)
    let process = process(cpu)
    p.pointee.last = Event(
      process: Int32(truncatingIfNeeded: next), kind: .interrupt, access: .none, object: 0,
      value: process.pointee.interrupts!.summary.pointee.bits)
    process.pointee.takesInterrupt = true
    process.pointee.lastSummary = process.pointee.interrupts!.summary.pointee.bits
    process.pointee.lastSteps = process.pointee.steps
    return cpu
  }

  /// The CPUs that admit what is asked of them: hardware would interrupt them now.
  ///
  /// On top of an interrupt that has not raised the IPL yet only who rings anew interrupts again: the recognition that is under way
  /// serves whatever is asked, and a doorbell that was answered is silent. (Otherwise interrupts would nest for ever.)
  @inline(never) func admittedInterrupts() -> ProcessSet {
    var set: ProcessSet = 0
    for cpu in 0..<p.pointee.interruptible {
      let process = process(cpu)
      guard let state = process.pointee.interrupts, process.pointee.state != .ended else { continue }
      let summary = state.summary.pointee.bits
      let above = (summary >> 1) & ~(UInt(state.throttled.pointee) >> 1)
      if above >> UInt(state.ipl.pointee.rawValue) == 0 { continue }
      if process.pointee.interruptDepth > 0, state.ipl.pointee.rawValue <= process.pointee.interruptedIPL,
        p.pointee.machine.seats[cpu].pointee.rings == process.pointee.interruptedRings
      {
        continue
      }
      if process.pointee.lastSteps == process.pointee.steps && process.pointee.lastSummary == summary {
        continue
      }
      set.insert(p.pointee.firstInterrupt + cpu)
    }
    return set
  }

  /// Serves what interrupted, on top of the caller's stack, and comes back to what it had announced.
  @inline(never) func takeInterrupt(_ index: Int, _ process: UnsafeMutablePointer<Process>) {
    process.pointee.takesInterrupt = false
    let (pending, state, deadline) = (
      process.pointee.pending, process.pointee.state, process.pointee.deadline
    )
    let (seat, joins) = (process.pointee.parkedOn, process.pointee.joins)
    process.pointee.state = .ready
    p.pointee.ready.insert(index)
    p.pointee.spinning.remove(index)
    seat?.pointee.sleeper = -1
    let (ipl, rings) = (process.pointee.interruptedIPL, process.pointee.interruptedRings)
    process.pointee.interruptedIPL = process.pointee.interrupts?.ipl.pointee.rawValue ?? 0
    process.pointee.interruptedRings = p.pointee.machine.seats[index].pointee.rings
    process.pointee.interruptDepth += 1
    InterruptSystem<SimulatedMachine>.interruptArrived()
    process.pointee.interruptDepth -= 1
    // What is left was not served now, and the doorbell was answered: the CPU goes on before it is interrupted for it again.
    process.pointee.lastSteps = process.pointee.steps
    process.pointee.lastSummary = process.pointee.interrupts?.summary.pointee.bits ?? 0
    process.pointee.interruptedIPL = ipl
    process.pointee.interruptedRings = rings
    process.pointee.pending = pending
    process.pointee.deadline = deadline
    process.pointee.parkedOn = seat
    process.pointee.joins = joins
    switch state {
    case .parked: sleepUnlessRung(index)
    case .joining: if self.process(Int(joins)).pointee.state != .ended { block(index, .joining) }
    // It looks again: what it watched may have been changed by what interrupted it.
    case .spinning, .ready, .held, .ended: break
    }
  }

  func block(_ index: Int, _ state: ProcessState) {
    process(index).pointee.state = state
    p.pointee.ready.remove(index)
  }

  func sleepUnlessRung(_ index: Int) {
    let process = process(index)
    let seat = process.pointee.parkedOn!
    if seat.pointee.ring.bits == 0 && process.pointee.deadline > p.pointee.now {
      block(index, .parked)
      seat.pointee.sleeper = Int32(index)
    }
  }

  /// Goes on elsewhere; returns when somebody comes back.
  @inline(__always)
  func transfer(from: UnsafeMutablePointer<softint_coroutine>, to target: Int) {
    p.pointee.running = target
    let coroutine = target < 0 ? p.pointee.host : process(target).pointee.coroutine!
    softint_coroutine_switch(from, coroutine)
  }

  /// Leaves the processes for good; what is on their stacks is forgotten.
  func abandon(_ reason: StopReason) -> Never {
    p.pointee.stop = reason
    let from = me.pointee.coroutine!
    transfer(from: from, to: -1)
    fatalError("a process that was abandoned went on")
  }
}
