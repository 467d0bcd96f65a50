// A multiprocessor under a scheduler that is asked at every shared operation.
//
// Law: all CPUs, visitors and devices are coroutines of one thread; the same program and the same choices give the same run, to
// the bit. The machine is used by one thread; its statics find it by that thread.

import CSimulated
public import SoftInterrupts

/// A machine of virtual CPUs, on which the same source of the core runs as on real ones.
///
/// Build a system on it (nothing is scheduled meanwhile), give it base code, visitors and devices, and ``run(_:spins:steps:until:)`` it
/// under a ``Pilot``. Then ``reset()`` it for the next run. One thread; several threads may each have machines of their own.
public final class SimulatedMachine: Machine, @unchecked Sendable {
  // Sendable: used on one thread, of which the coroutines are parts.

  public typealias Word = SimulatedWord

  /// Where a process sleeps.
  public struct Seat: @unchecked Sendable {
    // Sendable: as the machine.
    let memory: UnsafeMutablePointer<SeatMemory>
    /// The word that stands for the seat as an object.
    public var word: UnsafeMutablePointer<SimulatedWord> {
      UnsafeMutableRawPointer(memory).assumingMemoryBound(to: SimulatedWord.self)
    }
  }

  #if ManyCPUs
    /// The most processes of a run: CPUs, their interrupts, visitors, devices.
    public static var processLimit: Int { 256 }
  #else
    /// The most processes of a run: CPUs, their interrupts, visitors, devices.
    public static var processLimit: Int { 128 }
  #endif

  public let cpuCount: Int
  /// Where interrupts come.
  public let recognition: Recognition
  /// The memory that the words have.
  public let memory: MemoryModel
  let weakMemory = WeakMemory()
  let engine: EngineRef
  let stackSize: Int
  var bodies: [(() -> Void)?] = []
  var names: [String] = []
  var seats: [UnsafeMutablePointer<SeatMemory>] = []
  var seatsInUse = 0
  var stacks: [UnsafeMutablePointer<softint_coroutine>] = []
  var stacksInUse = 0
  /// The devices that CPUs look at; see ``setPolledSource(on:look:nextDue:)``.
  var sources: [(look: () -> Void, nextDue: () -> UInt64)?] = []
  /// The CPUs' records at the mark; empty without one.
  var marked: [Process] = []
  /// The word of each object of the run; index 0 is none.
  var objectWords: UnsafeMutablePointer<UnsafeMutablePointer<SimulatedWord>?>
  var objectCapacity = 256
  /// What ``fatal(_:)`` or a trap said.
  public internal(set) var fatalMessage: String?

  /// - Parameters:
  ///   - cpus: 1 to ``processLimit``; to 40 where interrupts are recognised anywhere.
  ///   - recognition: when CPUs recognise what is pending.
  ///   - memory: what a load may return.
  ///   - stackSize: bytes for each process; unused pages cost nothing.
  public init(
    cpus: Int, recognition: Recognition = .points, memory: MemoryModel = .sequentiallyConsistent,
    stackSize: Int = 256 << 10
  ) {
    let most = recognition == .anywhere ? 40 : Self.processLimit
    precondition(cpus >= 1 && cpus <= most, "1 to \(most) CPUs")
    cpuCount = cpus
    self.recognition = recognition
    self.memory = memory
    self.stackSize = stackSize
    let processes = UnsafeMutablePointer<Process>.allocate(capacity: Self.processLimit)
    processes.initialize(repeating: Process(), count: Self.processLimit)
    let host = UnsafeMutablePointer<softint_coroutine>.allocate(capacity: 1)
    host.initialize(to: softint_coroutine())
    let memory = UnsafeMutablePointer<Engine>.allocate(capacity: 1)
    engine = EngineRef(p: memory)
    objectWords = .allocate(capacity: objectCapacity)
    objectWords.initialize(repeating: nil, count: objectCapacity)
    memory.initialize(
      to: Engine(processes: processes, host: host, pilot: Unmanaged.passUnretained(Pilot()), machine: self))
    clock.initialize(to: SimulatedWord(0))
    for _ in 0..<cpus { _ = makeSeat() }
    engine.p.pointee.isWeak = self.memory == .rc11
    reset()
  }

  deinit { giveBack() }
  var isGivenBack = false

  // MARK: The hot requirements

  public static var current: UnsafeMutableRawPointer? {
    guard let engine = EngineRef.current else { return nil }
    return engine.p.pointee.running >= 0 ? engine.me.pointee.current : engine.p.pointee.machine.hostCurrent
  }
  /// Stands for the clock, as an object.
  let clock = UnsafeMutablePointer<SimulatedWord>.allocate(capacity: 1)
  var hostCurrent: UnsafeMutableRawPointer?

  public static func setCurrent(_ pointer: UnsafeMutableRawPointer?) {
    guard let engine = EngineRef.current else { return }
    guard engine.p.pointee.running >= 0 else {
      engine.p.pointee.machine.hostCurrent = pointer
      return
    }
    let process = engine.me
    process.pointee.current = pointer
    if process.pointee.kind == .cpu && engine.p.pointee.interruptible != 0 {
      // Not by `flatMap`: in debug builds what that returns for nil is taken for a state by who reads it here.
      guard let pointer else {
        process.pointee.interrupts = nil
        return
      }
      process.pointee.interrupts = InterruptSystem<SimulatedMachine>.interruptState(of: pointer)
    }
  }

  /// A point at which an interrupt may come, where interrupts come anywhere; otherwise nothing.
  public static func localFence() {
    guard let engine = EngineRef.inProcess, engine.p.pointee.interruptible != 0 else { return }
    engine.fence(.localFence)
  }
  /// Where interrupts come anywhere a ring is one, as on bare metal; where recognition points are calls it is none.
  public static var interruptsByRinging: Bool {
    guard let engine = EngineRef.inProcess else { return true }
    return engine.p.pointee.interruptible != 0
  }
  public static func lightFence() {
    guard let engine = EngineRef.inProcess else { return }
    engine.fence(.lightFence)
    engine.weak?.lightFence(engine.p.pointee.running)
  }
  /// The caller's fence, then one of each other process, each a scheduling point: so whatever a process does between is between. (They
  /// are done in the order of their numbers.)
  public static func heavyFence() {
    guard let engine = EngineRef.inProcess else { return }
    engine.fence(.heavyFence)
    guard let weak = engine.weak else { return }
    weak.fence(engine.p.pointee.running)
    for other in 0..<engine.p.pointee.processCount where other != engine.p.pointee.running {
      // One that has ended is passed as well, by a step of its own: what it knew counts, and its end then commutes with this.
      if engine.process(other).pointee.kind == .interrupt { continue }
      engine.fence(.heavyFence)
      weak.passed(other)
    }
    engine.fence(.heavyFence)
    weak.fence(engine.p.pointee.running)
  }

  public static func now() -> UInt64 {
    guard let engine = EngineRef.current else { return 0 }
    if let timed = engine.p.pointee.timed { return engine.readClock(timed, isTicks: false) }
    // With somebody who moves the clock, looking at it is an operation.
    if engine.p.pointee.hasClock, engine.p.pointee.running >= 0 {
      engine.announce(.load, engine.p.pointee.machine.clock, .relaxed)
      engine.did(.load, .read)
    }
    return engine.p.pointee.now
  }

  /// Moves the clock from inside of a process: time passes here, whoever could go on.
  public static func elapse(_ nanoseconds: UInt64) {
    guard let engine = EngineRef.inProcess else { return }
    engine.announce(.store, engine.p.pointee.machine.clock, .relaxed)
    engine.p.pointee.now &+= nanoseconds
    engine.did(.store, .write)
    engine.wakeDue()
    engine.changed()
  }

  /// Makes looking at the clock an operation: before a run in which somebody calls ``elapse(_:)``.
  public func watchClock() { engine.p.pointee.hasClock = true }
  /// The word that stands for the clock, where looking at it is an operation; else nil.
  public var clockWord: UnsafeMutablePointer<SimulatedWord>? { engine.p.pointee.hasClock ? clock : nil }
  public static func ticks() -> UInt64 {
    if let engine = EngineRef.current, let timed = engine.p.pointee.timed {
      return engine.readClock(timed, isTicks: true)
    }
    return now()
  }

  public func pollDevices(cpu: Int) { if cpu < sources.count { sources[cpu]?.look() } }
  public var schedulingNote: String? { nil }
  public static func isSame(_ a: Seat, _ b: Seat) -> Bool { a.memory == b.memory }

  /// Ends the run as a violation; outside of a run, the program.
  public static func fatal(_ message: String) -> Never {
    guard let engine = EngineRef.inProcess else { fatalError(message) }
    engine.p.pointee.machine.fatalMessage = message
    engine.abandon(.fatal)
  }

  // MARK: For pilots

  /// Under weak memory: how far of each process happens before what this one does now; nil under sequential consistency. An
  /// entry for each process and some more; valid until the next operation.
  public func happensBefore(_ process: Int) -> UnsafePointer<UInt32>? {
    memory == .rc11 ? weakMemory.clock(of: process) : nil
  }

  /// How many processes there are now.
  public var processCount: Int { engine.p.pointee.processCount }
  /// What a process has announced.
  public func pending(_ process: Int) -> Operation { engine.process(process).pointee.pending }
  /// What a process is.
  public func kind(_ process: Int) -> ProcessKind { engine.process(process).pointee.kind }
  /// The CPU that a process is or interrupts; -1 for others.
  public func cpu(_ process: Int) -> Int { Int(engine.process(process).pointee.cpu) }
  /// What a process is called in stories.
  public func name(_ process: Int) -> String { names[process] }
  /// The process of a CPU's interrupt; nil where they come at recognition points only.
  public func interrupt(ofCPU cpu: Int) -> Int? {
    cpu < engine.p.pointee.interruptible ? engine.p.pointee.firstInterrupt + cpu : nil
  }
  /// The IPL of a CPU as its interrupts see it; 255 before it has started.
  public func ipl(ofCPU cpu: Int) -> UInt8 {
    engine.process(cpu).pointee.interrupts?.ipl.pointee.rawValue ?? 255
  }
  /// The word of a CPU's summary, where interrupts come anywhere.
  public func summary(ofCPU cpu: Int) -> UnsafeMutablePointer<SimulatedWord>? {
    engine.process(cpu).pointee.interrupts?.summary
  }
  /// How many objects were announced in this run.
  public var objectCount: Int { Int(engine.p.pointee.objects) }
  /// The word that an object is; nil for 0.
  public func word(_ object: UInt32) -> UnsafeMutablePointer<SimulatedWord>? {
    object == 0 ? nil : objectWords[Int(object)]
  }
  /// The number of a word's object in this run; 0 if it has none yet.
  public func objectNumber(_ word: UnsafeMutablePointer<SimulatedWord>) -> UInt32 {
    word.pointee.run == engine.p.pointee.run ? word.pointee.object : 0
  }
  /// What was done last: by the end of a run its pilot may not have seen it.
  public var lastEvent: Event { engine.p.pointee.last }
  /// Whether a process has returned.
  public func hasEnded(_ process: Int) -> Bool { engine.process(process).pointee.state == .ended }
  /// The process that made a process during the run; -1 for one that was made before.
  public func maker(_ process: Int) -> Int { Int(engine.process(process).pointee.maker) }
  /// What `Machine/current` is in a process.
  public func current(_ process: Int) -> UnsafeMutableRawPointer? { engine.process(process).pointee.current }
  /// Whether a process spins until somebody writes what it has read.
  public func isSpinning(_ process: Int) -> Bool { engine.process(process).pointee.state == .spinning }
  /// Whether a process sleeps on its seat.
  public func isParked(_ process: Int) -> Bool { engine.process(process).pointee.state == .parked }
  /// Whether a process waits for another to end.
  public func isJoining(_ process: Int) -> Bool { engine.process(process).pointee.state == .joining }
  /// How many interrupts a process is in.
  public func interruptDepth(_ process: Int) -> Int { Int(engine.process(process).pointee.interruptDepth) }
  /// Whether a word stands for the seat of a CPU's, or for one on which the process sleeps.
  public func isSeat(_ word: UnsafeMutablePointer<SimulatedWord>, of process: Int) -> Bool {
    let at = UnsafeMutableRawPointer(word)
    if process < cpuCount && at == UnsafeMutableRawPointer(seats[process]) { return true }
    return engine.process(process).pointee.parkedOn.map { UnsafeMutableRawPointer($0) == at } ?? false
  }
  /// The simulated time, in nanoseconds.
  public var time: UInt64 { engine.p.pointee.now }
  /// Scheduling points of this run.
  public var stepCount: UInt64 { engine.p.pointee.steps }

  func noteObject(_ object: UInt32, _ word: UnsafeMutablePointer<SimulatedWord>) {
    if Int(object) >= objectCapacity {
      let grown = UnsafeMutablePointer<UnsafeMutablePointer<SimulatedWord>?>.allocate(
        capacity: objectCapacity * 2)
      grown.initialize(from: objectWords, count: objectCapacity)
      (grown + objectCapacity).initialize(repeating: nil, count: objectCapacity)
      objectWords.deallocate()
      objectWords = grown
      objectCapacity *= 2
    }
    objectWords[Int(object)] = word
  }
}

extension UnsafeMutablePointer where Pointee == SimulatedWord {
  /// What the word holds, for who watches: no operation, no scheduling point.
  public var value: UInt { pointee.bits }
}

extension EngineRef {
  @inline(__always) func fence(_ kind: OperationKind) {
    announce(kind, nil, .sequentiallyConsistent)
    did(kind, .none)
  }
}
