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

  /// What it runs on.
  public let machine: M
  /// The bounds and policies that it was made with.
  public let configuration: Configuration
  /// How many CPUs it has, offline ones included.
  public let cpuCount: Int

  @usableFromInline let core: SystemRef<M>
  @usableFromInline let tableLock: UnsafeMutablePointer<M.Word>
  @usableFromInline let visitorLock: UnsafeMutablePointer<M.Word>
  /// CPUs that take no more base code; each entry under that CPU's job lock.
  @usableFromInline let closed: UnsafeMutablePointer<Closing>
  /// Cross-calls that will not run.
  @usableFromInline let droppedCalls: UnsafeMutablePointer<M.Word>
  /// The threads of levels. Written at start and, under the table lock, at shutdown only.
  @usableFromInline var levelThreads: [(agent: UnsafeMutablePointer<Agent<M>>, join: () -> Void)] = []
  // Table lock.
  @usableFromInline var isShutDown = false
  /// Callout nodes that nobody owns, for each CPU. Table lock.
  @usableFromInline var freeNodes: [UnsafeMutablePointer<CalloutNode<M>>?]
  @usableFromInline var slabs: [UnsafeMutablePointer<CalloutNode<M>>] = []
  // Visitor lock.
  @usableFromInline var visitors: [UnsafeMutablePointer<Agent<M>>] = []
  /// Agents of a program that is over, for the next one's visitors (``rewind(to:)``): making one takes longer than a short run.
  @usableFromInline var spareVisitors: [UnsafeMutablePointer<Agent<M>>] = []
  @usableFromInline var quiescing: [M.Seat] = []
  @usableFromInline var collected: [Violation] = []
  /// The gates of levels of the program's own. Table lock.
  @usableFromInline let userGates = UserGates<M>()
  // The lock of the CPU's entry.
  @usableFromInline let jobs: UnsafeMutablePointer<JobQueue<M>>

  /// Makes a system and starts the machine's CPUs.
  ///
  /// - Throws: ``MachineError`` if a CPU could not be started; none runs then.
  @inlinable public init(on machine: M, _ configuration: Configuration = Configuration()) throws(MachineError)
  {
    precondition(configuration.patience >= 1, "Configuration.patience is at least 1")
    // A callout has a byte for its CPU.
    precondition(machine.cpuCount >= 1 && machine.cpuCount <= 256, "1 to 256 CPUs")
    self.machine = machine
    self.configuration = configuration
    let cpuCount = machine.cpuCount
    self.cpuCount = cpuCount
    core = SystemRef(.allocate(capacity: 1))
    freeNodes = Array(repeating: nil, count: cpuCount)
    jobs = .allocate(capacity: cpuCount)
    closed = .allocate(capacity: cpuCount)
    closed.initialize(repeating: [], count: cpuCount)
    droppedCalls = .words(1)
    tableLock = .words(Agent<M>.wordsPerLine)
    visitorLock = .words(Agent<M>.wordsPerLine)
    core.p.initialize(to: SystemCore(object: self, cpuCount: cpuCount, configuration: configuration))
    for cpu in 0..<cpuCount {
      (jobs + cpu).initialize(to: JobQueue())
      (core.p.pointee.agents + cpu).initialize(
        to: Agent(system: core, cpu: cpu, seat: machine.seat(ofCPU: cpu)))
      core.p.pointee.agents[cpu].wheel = core.p.pointee.wheels[cpu]
    }
    try startUp()
  }

  deinit {
    let agents = core.p.pointee.agents
    for cpu in 0..<cpuCount {
      // Calls that were linked while the shutdown refused them.
      for level in Level.allCases { dropCalls(cpu, level) }
      agents[cpu].deallocate()
      jobs[cpu].deallocate()
    }
    releaseVisitors()
    userGates.deallocate()
    jobs.deinitialize(count: cpuCount)
    jobs.deallocate()
    closed.deallocate()
    tableLock.deallocate()
    droppedCalls.deallocate()
    visitorLock.deallocate()
    core.p.pointee.deallocate()
  }

  // MARK: Where things are

  @inlinable func agent(ofCPU cpu: Int) -> AgentRef<M> { core.agent(ofCPU: cpu) }
  @inlinable func ways(_ level: Level) -> Ways<M> { core.ways(level) }
  @inlinable var slots: UnsafeMutablePointer<UnsafeMutablePointer<HandlerSlot<M>>?> { core.p.pointee.slots }
  @inlinable var agents: UnsafeMutablePointer<Agent<M>> { core.p.pointee.agents }
  @usableFromInline var foreignInflight: UnsafeMutablePointer<M.Word> { core.p.pointee.foreignInflight }
  @usableFromInline var quiescers: UnsafeMutablePointer<M.Word> { core.p.pointee.quiescers }
  @usableFromInline var stopping: UnsafeMutablePointer<M.Word> { core.p.pointee.stopping }

  /// Runs `body` under the table lock.
  @inlinable func lockedTable(_ body: () -> Void) { core.locked(tableLock, body) }
}
