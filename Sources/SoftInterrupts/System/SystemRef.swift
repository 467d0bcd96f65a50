// What the hot paths need of a system, behind one pointer: no reference is counted on the way to it.

/// Constant but for `stopBy`, which is written before `stopping` is.
@frozen @usableFromInline struct SystemCore<M: Machine> {
  @usableFromInline let gateWord: GateWord<M>
  @usableFromInline let queues: UnsafeMutablePointer<GateQueue<M>>
  @usableFromInline let agents: UnsafeMutablePointer<Agent<M>>
  /// Each CPU's callouts.
  @usableFromInline let wheels: UnsafeMutablePointer<LockedWheel<M>>
  @usableFromInline let wayWords: UnsafeMutablePointer<M.Word>
  /// 8 levels × the bits of a word. Entries are set once, under the table lock; published by the pending bit.
  @usableFromInline let slots: UnsafeMutablePointer<UnsafeMutablePointer<HandlerSlot<M>>?>
  @usableFromInline let foreignInflight: UnsafeMutablePointer<M.Word>
  /// How many waits for CPUs are registered; see `waitForCPUs`.
  @usableFromInline let quiescers: UnsafeMutablePointer<M.Word>
  /// 1 when the CPUs are to stop.
  @usableFromInline let stopping: UnsafeMutablePointer<M.Word>
  @usableFromInline let cpuCount: Int
  @usableFromInline let configuration: Configuration
  /// When a shutdown's grace ends.
  @usableFromInline var stopBy: UInt64 = .max
  /// The object, for slow paths. It outlives its CPUs, and its visitors while they are inside.
  @usableFromInline unowned(unsafe) var object: InterruptSystem<M>

  @inlinable init(object: InterruptSystem<M>, cpuCount: Int, configuration: Configuration) {
    self.object = object
    self.cpuCount = cpuCount
    self.configuration = configuration
    let line = Agent<M>.wordsPerLine
    gateWord = GateWord<M>(.words(line))
    queues = .allocate(capacity: Level.count)
    // From a line's start, and each fills its lines: the first fields of one CPU's are written all the time, and the last of another's.
    agents = UnsafeMutableRawPointer.allocate(
      byteCount: cpuCount * MemoryLayout<Agent<M>>.stride, alignment: 64
    ).bindMemory(to: Agent<M>.self, capacity: cpuCount)
    wheels = .allocate(capacity: cpuCount)
    for cpu in 0..<cpuCount { (wheels + cpu).initialize(to: LockedWheel(now: M.now())) }
    wayWords = .words(Level.count * Ways<M>.size)
    slots = .allocate(capacity: Level.count * UInt.bitWidth)
    slots.initialize(repeating: nil, count: Level.count * UInt.bitWidth)
    foreignInflight = .words(line)
    quiescers = .words(line)
    stopping = .words(line)
    for level in Level.allCases {
      (queues + Int(level.rawValue)).initialize(
        to: GateQueue(word: gateWord, level: level, gate: level.gate))
    }
  }

  /// Gives the memory back, but for slots, the in-flight counter, the wheels' locks and the core's own: stale handles and threads
  /// that visited may ask them, or compare the core's address, for ever.
  @inlinable func deallocate() {
    for level in Level.allCases { queues[Int(level.rawValue)].deallocate() }
    queues.deallocate()
    agents.deallocate()
    for cpu in 0..<cpuCount { wheels[cpu].deallocate() }
    slots.deallocate()
    gateWord.word.deallocate()
    for block in [wayWords, quiescers, stopping] { block.deallocate() }
  }
}

/// A section of a core-internal lock, from its making to `end()`; see ``SystemRef/locked(_:_:)``. For hot paths, where a closure of some
/// size would be a call.
@frozen @usableFromInline struct Section<M: Machine> {
  @usableFromInline let lock: UnsafeMutablePointer<M.Word>
  @usableFromInline let agent: AgentRef<M>?
  @usableFromInline let saved: Level

  @inlinable @inline(__always) init(_ lock: UnsafeMutablePointer<M.Word>, _ agent: AgentRef<M>?) {
    self.lock = lock
    self.agent = agent
    if let agent {
      saved = agent.ipl
      agent.ipl = .high
      // As `uninterrupted`: these keep the compiler from moving the section out.
      M.localFence()
    } else {
      saved = .none
    }
    spinLock(M.self, lock)
  }

  @inlinable @inline(__always) func end() {
    spinUnlock(M.self, lock)
    if let agent {
      M.localFence()
      agent.ipl = saved
    }
  }
}

/// The system as its own code sees it.
@frozen @usableFromInline struct SystemRef<M: Machine>: Equatable, @unchecked Sendable {
  // Sendable: what it points to is constant, words, or guarded as said there.
  @usableFromInline let p: UnsafeMutablePointer<SystemCore<M>>
  @inlinable @inline(__always) init(_ p: UnsafeMutablePointer<SystemCore<M>>) { self.p = p }

  @inlinable var object: InterruptSystem<M> { p.pointee.object }
  @inlinable @inline(__always) var gateWord: GateWord<M> { p.pointee.gateWord }
  @inlinable var quiescers: UnsafeMutablePointer<M.Word> { p.pointee.quiescers }
  @inlinable var stopping: UnsafeMutablePointer<M.Word> { p.pointee.stopping }
  @inlinable var stopBy: UInt64 { p.pointee.stopBy }
  @inlinable var cpuCount: Int { p.pointee.cpuCount }
  @inlinable @inline(__always) var configuration: Configuration { p.pointee.configuration }

  @inlinable @inline(__always) func queue(_ level: Level) -> UnsafeMutablePointer<GateQueue<M>> {
    p.pointee.queues + Int(level.rawValue)
  }
  @inlinable func agent(ofCPU cpu: Int) -> AgentRef<M> { AgentRef(p.pointee.agents + cpu) }
  /// The bit that stands for a CPU in the marks of a gate. With more CPUs than bits, those whose numbers differ by as many share one, and
  /// who finds it looks at each of them: a mark is a hint, so one that is there for another CPU costs a look, and nothing else.
  @inlinable @inline(__always) func mark(ofCPU cpu: Int) -> UInt { 1 &<< UInt(truncatingIfNeeded: cpu) }
  /// The CPUs of a bit of the marks, given by its place.
  @inlinable @inline(__always) func cpus(marked place: Int) -> StrideTo<Int> {
    stride(from: place, to: cpuCount, by: UInt.bitWidth)
  }
  @inlinable func ways(_ level: Level) -> Ways<M> {
    Ways(p.pointee.wayWords + Int(level.rawValue) &* Ways<M>.size)
  }
  @inlinable func slot(_ level: Level, bit: UInt) -> UnsafeMutablePointer<HandlerSlot<M>> {
    p.pointee.slots[Int(level.rawValue) &* UInt.bitWidth &+ bit.trailingZeroBitCount]!
  }

  /// The agent of the calling thread, made if need be. One load and one compare when it exists.
  @inlinable @inline(__always) func currentAgent() -> AgentRef<M> {
    if let current = M.current {
      let agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
      if agent.p.pointee.system.p == p { return agent }
    }
    return visitorAgent()
  }
  @inlinable @inline(never) func visitorAgent() -> AgentRef<M> { object.visitorAgent() }

  /// The agent of the calling thread, if it has one of this system.
  @inlinable func existingAgent() -> AgentRef<M>? {
    guard let current = M.current else { return nil }
    let agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
    return agent.p.pointee.system.p == p ? agent : nil
  }

  /// Runs `body` under a core-internal lock, at IPL `high` if the thread has an IPL. One that has none is interrupted by nothing but
  /// signals, which take no locks.
  @inlinable func locked<R>(_ lock: UnsafeMutablePointer<M.Word>, _ body: () -> R) -> R {
    let section = Section(lock, existingAgent())
    let result = body()
    section.end()
    return result
  }

  /// See ``InterruptSystem``.
  @inlinable @inline(never) func report(
    _ rule: Violation.Rule, _ agent: AgentRef<M>, _ to: Level, _ other: String, _ site: Violation.Site,
    mustTrap: Bool = false
  ) {
    object.report(rule, agent, to, other, site, mustTrap: mustTrap)
  }

  /// The levels that have big-lock handlers, as summary bits.
  @inlinable func bigLockLevels() -> UInt {
    var bits: UInt = 0
    for level in Level.allCases where ways(level).bigLock.load(.relaxed) != 0 {
      bits |= AgentRef<M>.bit(level)
    }
    return bits
  }
}
