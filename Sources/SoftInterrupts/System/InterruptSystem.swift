// The system: CPUs, gates, handlers and their tables, made at once and kept until shutdown.
//
// Law: what is reached through a `let` here is never moved. The table lock guards which slots have owners; it is held at IPL
// `high` and nothing is waited for under it.

/// Soft interrupts on the CPUs of a machine.
///
/// ```swift
/// let system = try InterruptSystem(on: .hosted(cpus: 2))
/// let input = try system.establish("input", at: .softNet, as: .ordered) { here in … }
/// input.schedule()
/// system.shutdown()
/// ```
public final class InterruptSystem<M: Machine>: @unchecked Sendable {
  // Sendable: every stored property is constant, a word, or guarded by the lock that its comment names.

  public let machine: M
  public let configuration: Configuration
  public let cpuCount: Int

  @usableFromInline let gateWord: GateWord<M>
  @usableFromInline let queues: UnsafeMutablePointer<GateQueue<M>>
  @usableFromInline let agents: UnsafeMutablePointer<Agent<M>>
  @usableFromInline let wayWords: UnsafeMutablePointer<M.Word>
  /// 8 levels × the bits of a word. Entries are set once, under the table lock; published by the pending bit.
  @usableFromInline let slots: UnsafeMutablePointer<UnsafeMutablePointer<HandlerSlot<M>>?>
  @usableFromInline let tableLock: UnsafeMutablePointer<M.Word>
  @usableFromInline let visitorLock: UnsafeMutablePointer<M.Word>
  @usableFromInline let foreignInflight: UnsafeMutablePointer<M.Word>
  /// How many waits for CPUs are registered; see `waitForCPUs`.
  @usableFromInline let quiescers: UnsafeMutablePointer<M.Word>
  /// 1 when the CPUs are to stop, and how many have.
  @usableFromInline let stopping: UnsafeMutablePointer<M.Word>

  /// When a shutdown's grace ends. Written before `stopping`, read after it.
  @usableFromInline var stopBy: UInt64 = .max
  /// CPUs that take no more base code; each entry under that CPU's job lock.
  let closed: UnsafeMutablePointer<Bool>
  // Table lock.
  var isShutDown = false
  /// Callout nodes that nobody owns. Table lock.
  var freeNodes: UnsafeMutablePointer<CalloutNode<M>>?
  // Visitor lock.
  var visitors: [UnsafeMutablePointer<Agent<M>>] = []
  var idleVisitors: [UnsafeMutablePointer<Agent<M>>] = []
  @usableFromInline var quiescing: [M.Seat] = []
  var collected: [Violation] = []
  // The lock of the CPU's entry.
  @usableFromInline let jobs: UnsafeMutablePointer<JobQueue<M>>

  /// Makes a system and starts the machine's CPUs.
  ///
  /// - Throws: ``MachineError`` if a CPU could not be started; none runs then.
  public init(on machine: M, _ configuration: Configuration = Configuration()) throws(MachineError) {
    precondition(configuration.patience >= 1, "Configuration.patience is at least 1")
    precondition(machine.cpuCount >= 1 && machine.cpuCount <= UInt.bitWidth, "1 to \(UInt.bitWidth) CPUs")
    self.machine = machine
    self.configuration = configuration
    let cpuCount = machine.cpuCount
    self.cpuCount = cpuCount
    let word = GateWord<M>(.words(Agent<M>.wordsPerLine))
    gateWord = word
    queues = .allocate(capacity: Level.count)
    for level in Level.allCases {
      (queues + Int(level.rawValue)).initialize(to: GateQueue(word: word, level: level, gate: level.gate))
    }
    agents = .allocate(capacity: cpuCount)
    jobs = .allocate(capacity: cpuCount)
    closed = .allocate(capacity: cpuCount)
    closed.initialize(repeating: false, count: cpuCount)
    wayWords = .words(Level.count * Ways<M>.size)
    slots = .allocate(capacity: Level.count * UInt.bitWidth)
    slots.initialize(repeating: nil, count: Level.count * UInt.bitWidth)
    tableLock = .words(Agent<M>.wordsPerLine)
    visitorLock = .words(Agent<M>.wordsPerLine)
    foreignInflight = .words(Agent<M>.wordsPerLine)
    quiescers = .words(Agent<M>.wordsPerLine)
    stopping = .words(Agent<M>.wordsPerLine)
    for cpu in 0..<cpuCount {
      (jobs + cpu).initialize(to: JobQueue())
      (agents + cpu).initialize(to: Agent(system: self, cpu: cpu, seat: machine.seat(ofCPU: cpu)))
      agents[cpu].wheel = .allocate(capacity: 1)
      agents[cpu].wheel!.initialize(to: Wheel(now: machine.now()))
    }
    try startUp()
  }

  deinit {
    // Slots and the in-flight counter stay: stale handles may ask them for ever.
    for cpu in 0..<cpuCount {
      agents[cpu].wheel!.pointee.deallocate()
      agents[cpu].wheel!.deallocate()
      agents[cpu].deallocate()
      (jobs + cpu).pointee.deallocate()
    }
    for level in Level.allCases { queues[Int(level.rawValue)].deallocate() }
    agents.deallocate()
    (jobs).deinitialize(count: cpuCount)
    jobs.deallocate()
    queues.deallocate()
    slots.deallocate()
    closed.deallocate()
    gateWord.word.deallocate()
    for block in [wayWords, tableLock, visitorLock, quiescers, stopping] { block.deallocate() }
  }

  // MARK: Where things are

  @inlinable @inline(__always) func queue(_ level: Level) -> UnsafeMutablePointer<GateQueue<M>> {
    queues + Int(level.rawValue)
  }
  @inlinable func agent(ofCPU cpu: Int) -> AgentRef<M> { AgentRef(agents + cpu) }
  @inlinable func ways(_ level: Level) -> Ways<M> {
    Ways(wayWords + Int(level.rawValue) * Ways<M>.size)
  }
  @inlinable func slot(_ level: Level, bit: UInt) -> UnsafeMutablePointer<HandlerSlot<M>> {
    slots[Int(level.rawValue) * UInt.bitWidth + bit.trailingZeroBitCount]!
  }

  /// The levels that have big-lock handlers, as summary bits.
  @inlinable func bigLockLevels() -> UInt {
    var bits: UInt = 0
    for level in Level.allCases where ways(level).bigLock.load(.relaxed) != 0 {
      bits |= AgentRef<M>.bit(level)
    }
    return bits
  }

  /// Runs `body` under the table lock, at IPL `high` if this thread can be interrupted by handlers.
  func lockedTable(_ body: () -> Void) {
    if let agent = existingAgent() {
      agent.locked(tableLock, body)
    } else {
      spinLock(M.self, tableLock)
      body()
      tableLock.store(0, .release)
    }
  }
}
