// Making processes, running them, and starting afresh.
//
// Law: a process's stack is unwound only by its own return. Whoever leaves a run in the middle leaves what its stacks own, so
// runs are finished (``finish()``) unless they went wrong.

import CSimulated
public import SoftInterrupts

/// How a run ended.
public enum RunEnd: Sendable, Equatable {
  /// No process can go on, and none is waiting for a time: they have ended, or sleep for ever.
  case quiet
  /// The pilot ended it.
  case ended
  /// A defect that cannot be survived: the message.
  case fatal(String)
  /// More steps than allowed.
  case tooManySteps
  /// Only spinning processes are left, and what they wait for does not come.
  case spinsForEver
  /// The next thing to happen is after the time that was asked for.
  case horizon
}

extension SimulatedMachine {
  // MARK: Processes

  /// Calls `body` with another machine as the calling thread's, and goes back to that which was: how a program that is being built
  /// makes, and takes down, a second system. Its CPUs never run meanwhile; what visits it are processes of the first machine.
  package static func aside<R>(_ machine: SimulatedMachine? = nil, _ body: () throws -> R) rethrows -> R {
    let before = softint_simulation()
    defer { softint_set_simulation(before) }
    if let machine { softint_set_simulation(machine.engine.p) }
    return try body()
  }

  /// Makes a thread that is no CPU and calls `body` on it. Before or during a run. Its index.
  @discardableResult
  public func visitor(_ name: String, _ body: @escaping () -> Void) -> Int {
    make(.visitor, cpu: -1, name, body)
  }

  /// Makes a device: at a point that the scheduler chooses, `body` is called from outside of every CPU; it schedules handlers.
  /// A device that interrupts several times calls ``point()`` in between, or is several devices. Its index.
  @discardableResult
  public func device(_ name: String, _ body: @escaping () -> Void) -> Int {
    make(.device, cpu: -1, name, body)
  }

  public func start(cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError) {
    prepare(cpu, .cpu, cpu: cpu, "CPU \(cpu)", main)
  }

  public func join(cpu: Int) { wait(forProcess: cpu) }

  public func startSubstitute(
    forCPU cpu: Int, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) {
    make(.substitute, cpu: cpu, "CPU \(cpu)'s substitute", main)
  }

  public func startLevelThread(
    cpu: Int, level: Level, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) -> (seat: Seat, join: () -> Void) {
    let index = make(.levelThread, cpu: cpu, "CPU \(cpu) \(level)", main)
    return (makeSeat(), { self.wait(forProcess: index) })
  }

  /// Waits for the end of a process: another process, or the thread that owns the machine.
  public func wait(forProcess index: Int) {
    if let engine = EngineRef.inProcess {
      engine.join(index)
    } else {
      drive { self.hasEnded(index) }
    }
  }

  /// A scheduling point of its own, for programs and devices.
  public static func point() {
    guard let engine = EngineRef.inProcess else { return }
    engine.announce(.point, nil, .relaxed)
    engine.did(.point, .none)
  }

  /// A point that is ordered with others of the same word, as accesses are, and orders nothing else: for who watches from outside
  /// when something begins and ends. Without it a reduction takes a call's return and another's beginning to commute, because
  /// neither is an operation.
  public static func point(_ word: UnsafeMutablePointer<SimulatedWord>, isWrite: Bool) {
    guard let engine = EngineRef.inProcess else { return }
    engine.announce(isWrite ? .store : .load, word, .relaxed)
    engine.did(isWrite ? .store : .load, isWrite ? .write : .read)
  }

  /// Called by a process while a program is being built: it goes on when the run begins. During a run it does nothing.
  public static func waitForRun() {
    guard let engine = EngineRef.inProcess, !engine.p.pointee.isPiloted else { return }
    engine.me.pointee.pending = Operation(kind: .start)
    engine.block(engine.p.pointee.running, .held)
    engine.decide()
    engine.did(.start, .none)
  }

  @discardableResult
  func make(_ kind: ProcessKind, cpu: Int, _ name: String, _ body: @escaping () -> Void) -> Int {
    let index = engine.p.pointee.processCount
    precondition(index < Self.processLimit, "more than \(Self.processLimit) processes")
    engine.p.pointee.processCount = index + 1
    prepare(index, kind, cpu: cpu, name, body)
    return index
  }

  func prepare(_ index: Int, _ kind: ProcessKind, cpu: Int, _ name: String, _ body: @escaping () -> Void) {
    let process = engine.process(index)
    let (seen, capacity) = (process.pointee.seen, process.pointee.seenCapacity)
    process.pointee = Process()
    process.pointee.seen = seen
    process.pointee.seenCapacity = capacity
    process.pointee.kind = kind
    process.pointee.cpu = Int32(cpu)
    process.pointee.maker = Int32(engine.p.pointee.running)
    if engine.p.pointee.running >= 0, let weak = engine.weak {
      engine.p.pointee.pilot._withUnsafeGuaranteedRef { $0.willMake(self, engine.p.pointee.last) }
      weak.inherit(index, from: engine.p.pointee.running)
    }
    if kind == .interrupt { return }
    while bodies.count <= index {
      bodies.append(nil)
    }
    while names.count <= index { names.append("") }
    bodies[index] = body
    names[index] = name
    if stacksInUse == stacks.count {
      let stack = UnsafeMutablePointer<softint_coroutine>.allocate(capacity: 1)
      precondition(softint_coroutine_make(stack, stackSize), "no memory for a stack of \(stackSize) bytes")
      stacks.append(stack)
    }
    let coroutine = stacks[stacksInUse]
    stacksInUse += 1
    softint_coroutine_reset(
      coroutine,
      { argument in
        let engine = EngineRef.current!
        engine.live(Int(bitPattern: argument))
      }, UnsafeMutableRawPointer(bitPattern: index))
    process.pointee.coroutine = coroutine
    // Visitors and devices are the program's: they begin with the run. CPUs may be settled before.
    if engine.p.pointee.running < 0 && (kind == .visitor || kind == .device) {
      process.pointee.state = .held
    } else {
      process.pointee.state = .ready
      engine.p.pointee.ready.insert(index)
    }
  }

  // MARK: Runs

  /// Runs the processes under a pilot until it says so, nobody can go on, or one of the bounds is reached.
  ///
  /// - Parameters:
  ///   - pilot: who decides at each scheduling point.
  ///   - spins: what a spin wait is to the scheduler.
  ///   - steps: the most scheduling points.
  ///   - horizon: the latest virtual time, in nanoseconds.
  public func run(
    _ pilot: Pilot, spins: SpinPolicy = .wake, steps: UInt64 = 1 << 20, until horizon: UInt64 = .max
  ) -> RunEnd {
    withExtendedLifetime(pilot) {
      softint_catch_traps {
        guard let engine = EngineRef.inProcess else { return }
        engine.p.pointee.machine.fatalMessage = "the program trapped (its message is on standard error)"
        engine.abandon(.fatal)
      }
      let p = engine.p
      p.pointee.pilot = Unmanaged.passUnretained(pilot)
      p.pointee.isPiloted = true
      p.pointee.spinPolicy = spins
      p.pointee.stepBound = steps
      p.pointee.steps = 0
      p.pointee.horizon = horizon
      p.pointee.stop = .none
      p.pointee.last = Event()
      p.pointee.idleRounds = 0
      p.pointee.quantum = 0
      for index in 0..<p.pointee.processCount where engine.process(index).pointee.state == .held {
        engine.process(index).pointee.state = .ready
        p.pointee.ready.insert(index)
      }
      if memory == .rc11 { weakMemory.begin(processes: p.pointee.processCount) }
      enter()
      p.pointee.isPiloted = false
      p.pointee.horizon = .max
    }
    switch engine.p.pointee.stop {
    case .none, .ended: return .ended
    case .stuck: return .quiet
    case .fatal: return .fatal(fatalMessage ?? "")
    case .steps: return .tooManySteps
    case .spinning: return .spinsForEver
    case .horizon: return .horizon
    }
  }

  /// Lets the thread's coroutines run until one of them comes back.
  func enter() {
    let target = engine.chosen()
    if target < 0 { return }
    softint_arm_traps(true)
    engine.transfer(from: engine.p.pointee.host, to: target)
    softint_arm_traps(false)
  }

  /// Runs the processes, outside of a piloted run, until `isDone` (asked when nobody can go on, and after each that has ended or
  /// paused): how a thread that builds or takes down a system waits for its CPUs.
  func drive(until isDone: () -> Bool) {
    while !isDone() {
      engine.p.pointee.stop = .none
      engine.p.pointee.spinPolicy = .wake
      enter()
      if engine.p.pointee.stop == .fatal { fatalError(fatalMessage ?? "") }
      precondition(isDone() || engine.p.pointee.stop == .none, "the processes of the machine wait for ever")
    }
  }

  /// Lets the processes go on until none can without the clock.
  public func settle() {
    driveOnce()
  }

  func driveOnce() {
    let horizon = engine.p.pointee.horizon
    engine.p.pointee.horizon = engine.p.pointee.now
    engine.p.pointee.stop = .none
    engine.p.pointee.spinPolicy = .wake
    if engine.p.pointee.ready != 0 { enter() }
    engine.p.pointee.horizon = horizon
    if engine.p.pointee.stop == .fatal { fatalError(fatalMessage ?? "") }
  }

  /// Starts afresh: no process but the CPUs' interrupts, no ring, time 0. What was left of the last run is forgotten.
  public func reset() {
    marked = []
    forget()
    stacksInUse = 0
    for cpu in 0..<cpuCount { engine.process(cpu).pointee.state = .ended }
    for cpu in 0..<cpuCount { engine.process(cpu).pointee.interrupts = nil }
    makeInterrupts()
  }

  /// Marks the machine, all of whose CPUs sleep for ever, to come back to by ``rewind()``. False if one does not.
  public func mark() -> Bool {
    for cpu in 0..<cpuCount where !sleepsForEver(cpu) { return false }
    marked = (0..<cpuCount).map { engine.process($0).pointee }
    return true
  }

  /// Goes back to the mark: the CPUs sleep as they did then, everybody else is gone, time is 0.
  ///
  /// - Returns: false, and nothing done, if there is no mark, or a CPU does not sleep as it did then.
  public func rewind() -> Bool {
    if marked.isEmpty { return false }
    for cpu in 0..<cpuCount where !sleepsForEver(cpu) { return false }
    forget()
    stacksInUse = cpuCount
    for cpu in 0..<cpuCount {
      let process = engine.process(cpu)
      let (seen, capacity) = (process.pointee.seen, process.pointee.seenCapacity)
      process.pointee = marked[cpu]
      process.pointee.seen = seen
      process.pointee.seenCapacity = capacity
      process.pointee.seenCount = 0
      process.pointee.pending.object = engine.object(seat(ofCPU: cpu).word)
      process.pointee.end = SimulatedWord(0)
      seats[cpu].pointee.sleeper = Int32(cpu)
    }
    makeInterrupts()
    return true
  }

  private func sleepsForEver(_ cpu: Int) -> Bool {
    let process = engine.process(cpu)
    return process.pointee.state == .parked && process.pointee.deadline == .max
      && process.pointee.interruptDepth == 0 && process.pointee.parkedOn == seats[cpu]
  }

  /// What a run leaves behind, but for the CPUs.
  private func forget() {
    let p = engine.p
    precondition(p.pointee.running < 0, "called by the thread that owns the machine")
    for index in 0..<bodies.count where bodies[index] != nil { bodies[index] = nil }
    for seat in 0..<seatsInUse { seats[seat].pointee = SeatMemory() }
    seatsInUse = cpuCount
    p.pointee.run &+= 1
    p.pointee.objects = 0
    p.pointee.ready = 0
    p.pointee.spinning = 0
    p.pointee.now = 0
    p.pointee.hasClock = false
    p.pointee.last = Event()
    p.pointee.stop = .none
    p.pointee.isPiloted = false
    fatalMessage = nil
    hostCurrent = nil
    sources = []
    for index in cpuCount..<max(cpuCount, p.pointee.processCount) {
      p.pointee.processes[index].state = .ended
      p.pointee.processes[index].interrupts = nil
    }
    p.pointee.processCount = cpuCount
    softint_set_simulation(p)
  }

  private func makeInterrupts() {
    let p = engine.p
    p.pointee.interruptible = recognition == .anywhere ? cpuCount : 0
    p.pointee.firstInterrupt = cpuCount
    if recognition != .anywhere { return }
    for cpu in 0..<cpuCount {
      make(.interrupt, cpu: cpu, "", {})
      while names.count <= cpuCount + cpu { names.append("") }
      names[cpuCount + cpu] = "CPU \(cpu)'s interrupt"
    }
  }
}

extension EngineRef {
  /// The life of a process, on its own stack.
  func live(_ index: Int) -> Never {
    // `transfer` came here because its start was chosen.
    let process = process(index)
    if process.pointee.takesInterrupt {
      // An interrupt before the first step finds no current CPU and does nothing.
      process.pointee.takesInterrupt = false
    }
    did(.start, .none)
    runBody(index)
    // The last step is an operation: who joins depends on it.
    process.pointee.pending = Operation(kind: .end, order: .release, object: object(endWord(index)))
    decide()
    weak?.ring(index, Int(endWord(index).pointee.object), endWord(index))
    did(.end, .write)
    process.pointee.end.bits = 1
    process.pointee.state = .ended
    p.pointee.ready.remove(index)
    for other in 0..<p.pointee.processCount
    where self.process(other).pointee.state == .joining && Int(self.process(other).pointee.joins) == index {
      self.process(other).pointee.state = .ready
      p.pointee.ready.insert(other)
    }
    changed()
    let target = p.pointee.isPiloted ? chosen() : -1
    transfer(from: process.pointee.coroutine!, to: target)
    fatalError("a process that had ended went on")
  }

  /// In a function that returns: what is held on a path that never ends is never released, and through the body of a CPU that is
  /// its system, and its machine with all stacks.
  @inline(never) private func runBody(_ index: Int) {
    let machine = p.pointee.machine
    let body = machine.bodies[index]!
    machine.bodies[index] = nil
    body()
  }
}

extension SimulatedMachine {
  /// An access to declared data, whose object `word` is. What it holds is the caller's.
  public static func access(_ word: UnsafeMutablePointer<SimulatedWord>, isWrite: Bool) {
    guard let engine = EngineRef.inProcess else { return }
    engine.announce(isWrite ? .write : .read, word, .relaxed)
    engine.did(isWrite ? .write : .read, isWrite ? .write : .read)
    if isWrite {
      // Its bits count the writes, so that a spin wait on declared data sees a change.
      word.pointee.bits &+= 1
      engine.me.pointee.hasChanged = true
      engine.me.pointee.seenCount = 0
      engine.changed()
    } else {
      engine.note(engine.me, word, word.pointee.bits)
    }
  }

  #if Mutants
    /// Plain memory of the core's is accessed: no scheduling point, but what orders it is watched.
    public static func accessed(_ at: UnsafeRawPointer, _ access: PlainAccess) {
      guard let engine = EngineRef.inProcess, engine.p.pointee.isPiloted else { return }
      engine.p.pointee.pilot._withUnsafeGuaranteedRef { $0.accessed(UInt(bitPattern: at), access) }
    }
  #endif

  /// Whether a read-modify-write or store that leaves the value as it was is a write to who watches: it is where it matters what it
  /// releases, and not only what it changes.
  public var countsEveryWrite: Bool {
    get { engine.p.pointee.countsEveryWrite }
    set { engine.p.pointee.countsEveryWrite = newValue }
  }

  /// Leaves the run from inside of a process, because something is wrong: ``run(_:spins:steps:until:)`` returns ``RunEnd/ended``.
  public static func endRun() {
    EngineRef.inProcess?.abandon(.ended)
  }

  /// The process that runs; nil on the thread that owns the machine.
  public static var runningProcess: Int? { EngineRef.inProcess?.p.pointee.running }
}
