// What an exploration may see of a system: the one place where somebody outside looks into the core.
//
// Law: nothing here changes anything. It is called between two steps of a simulated run, or when none is under way, so it reads
// plainly what belongs to threads that stand still. The single exception says so: `releaseForGood`.

// Not in Embedded Swift: nothing is explored there.
#if !hasFeature(Embedded)
  /// An agent as an exploration sees it.
  @usableFromInline package struct AgentView<M: Machine>: @unchecked Sendable {
    // Sendable: reads memory of a machine of which one thing at a time runs.
    @usableFromInline let agent: AgentRef<M>
    /// The IPL and the gates noted as held: read at each step.
    @usableFromInline package let ipl: UnsafePointer<Level>
    @usableFromInline package let held: UnsafePointer<GateSet>

    @inlinable init?(_ current: UnsafeMutableRawPointer) {
      agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
      guard let ipl = agent.p.pointer(to: \.ipl), let held = agent.p.pointer(to: \.held) else { return nil }
      self.ipl = UnsafePointer(ipl)
      self.held = UnsafePointer(held)
    }

    @inlinable package var isCPU: Bool { agent.isCPU }
    package var cpu: Int { agent.cpu }

    /// The gates of the top context's frames.
    @inlinable package var topOwned: GateSet { agent.context.pointee.own }

    /// The runs on its stack, the lowest first: "net" for a handler's.
    package var runs: [String] {
      var names: [String] = []
      var at: UnsafeMutablePointer<Context<M>>? = agent.context
      while let context = at {
        if let slot = context.pointee.slot { names.append(slot.pointee.name) }
        at = context.pointee.parent
      }
      return names.reversed()
    }

    /// The handler whose run is on top; nil for base code and visitors.
    package var run: String? { agent.context.pointee.slot?.pointee.name }
    /// How many runs are on its stack.
    package var depth: Int {
      var count = 0
      var at = agent.context.pointee.parent
      while let context = at {
        count += 1
        at = context.pointee.parent
      }
      return count
    }

    /// One wait of its: for a gate or a LevelLock, by the word of that and the waiter's own.
    package typealias Wait = (
      level: Level, isLock: Bool, word: UnsafeMutablePointer<M.Word>, state: UnsafeMutablePointer<M.Word>
    )
    /// What it waits for, the innermost wait last.
    package var waits: [Wait] {
      (0..<agent.p.pointee.waitDepth).compactMap { index in
        guard let queue = agent.p.pointee.waiters[index].queue else { return nil }
        let level = queue.pointee.level
        return (
          level, queue != agent.system.queue(level), queue.pointee.word.word,
          agent.p.pointee.waiters[index].state
        )
      }
    }

    /// The CPUs for which it waits: its cross-calls that are still in a list, or, in a wait for CPUs, who runs MP-safe handlers.
    package var awaited: [(cpu: Int, level: Level, isCall: Bool)] {
      let system = agent.system.object
      var list: [(cpu: Int, level: Level, isCall: Bool)] = []
      let isQuiescing = system.quiescing.contains { M.isSame($0, agent.p.pointee.seat) }
      for cpu in 0..<system.cpuCount where !(isCPU && cpu == self.cpu) {
        let other = system.agent(ofCPU: cpu)
        for level in Level.allCases where level != .none {
          var address = (other.p.pointee.calls + Int(level.rawValue)).load(.relaxed)
          while let call = UnsafeMutablePointer<CrossCall<M>>(bitPattern: address) {
            if let waiter = call.pointee.waiter, M.isSame(waiter, agent.p.pointee.seat) {
              list.append((cpu, level, true))
            }
            address = call.pointee.next
          }
          if isQuiescing && other.p.pointee.epochs[Int(level.rawValue)].isOdd {
            list.append((cpu, level, false))
          }
        }
      }
      return list
    }

    /// What it has counted at a level.
    package func counters(_ level: Level) -> LevelCounters { agent.counters(level).pointee }

    /// Whether a CPU stands in its loop with nothing begun.
    @inlinable package var isAtRest: Bool {
      agent.p.pointee.waitDepth == 0 && agent.context == agent.p.pointee.base && agent.held.isEmpty
        && agent.ipl == .none
    }
  }

  extension InterruptSystem {
    @inlinable package static func view(of current: UnsafeMutableRawPointer) -> AgentView<M>? {
      AgentView(current)
    }

    /// The agent to whose wait a state word belongs, and the gate it waits for. None for LevelLocks, which are no gates.
    package func waiter(
      of word: UnsafeMutablePointer<M.Word>
    ) -> (agent: UnsafeMutableRawPointer, gate: GateSet)? {
      for agent in (0..<cpuCount).map({ agents + $0 }) + visitors {
        for index in 0..<Agent<M>.nodes where agent.pointee.waiters[index].state == word {
          guard let queue = agent.pointee.waiters[index].queue, queue == core.queue(queue.pointee.level)
          else {
            return nil
          }
          return (UnsafeMutableRawPointer(agent), queue.pointee.gate)
        }
      }
      return nil
    }

    /// Who is in the queue of a gate, the first first.
    package func waiters(at level: Level) -> [UnsafeMutableRawPointer] {
      var list: [UnsafeMutableRawPointer] = []
      var at = core.queue(level).pointee.head
      while let waiter = at {
        if let agent = waiter.pointee.agent { list.append(UnsafeMutableRawPointer(agent)) }
        at = waiter.pointee.next
      }
      return list
    }

    /// The word of all gates.
    @inlinable package var gatesWord: UnsafeMutablePointer<M.Word> { core.gateWord.word }
    /// The bits of ``gatesWord`` that say which gates are owned.
    package static var ownedMask: UInt { 0xff }
    /// The word that a handler's schedules compare, to be read without an operation.
    @inlinable package static func generationWord(of handler: Handler<M>) -> UnsafeMutablePointer<M.Word> {
      handler.slot.pointee.generation
    }
    /// Whether a shutdown has told the CPUs that its grace runs. Any thread; relaxed: nothing is read by it.
    package var isStopping: Bool { stopping.load(.relaxed) & 1 != 0 }
    @inlinable package func isOffline(_ cpu: Int) -> Bool {
      agent(ofCPU: cpu).p.pointee.offline.load(.relaxed) != 0
    }

    /// The bits of ``gatesWord`` that say that somebody waits for a gate, or has work for it.
    package static func attentionBit(of level: Level) -> UInt {
      level.gate.attentionBits | level.gate.awaitedBits
    }

    /// How long the CPUs have waited for gates and locks, in nanoseconds, where ``Configuration/timing`` is on.
    package var timeWaited: UInt64 {
      (0..<cpuCount).reduce(0) { sum, cpu in
        (0..<Level.count).reduce(sum) { $0 &+ agents[cpu].statistics[$1].waitTime }
      }
    }

    @inlinable package var collectedCount: Int { collected.count }
    @inlinable package var collectedViolations: [Violation] { collected }

    /// Work that is pending and may run, CPU by CPU: nobody should be asleep with it.
    @inlinable package func unservedWork() -> [(cpu: Int, level: Level, name: String)] {
      var list: [(cpu: Int, level: Level, name: String)] = []
      for cpu in 0..<cpuCount {
        let agent = agent(ofCPU: cpu)
        if agent.p.pointee.offline.load(.relaxed) != 0 { continue }
        for level in Level.allCases where level != .none {
          let ways = ways(level)
          var bits = agent.pending(level).load(.relaxed) & PendingWord.handlers & ways.admitted
          bits &= ~ways.suspended.load(.relaxed)
          while bits != 0 {
            list.append((cpu, level, core.slot(level, bit: bits).pointee.name))
            bits &= bits &- 1
          }
        }
        if hasJobsLeft(cpu) { list.append((cpu, .none, "base code")) }
      }
      return list
    }

    /// What a word is, for a story; nil for one that is none of the core's.
    package func name(of word: UnsafeMutablePointer<M.Word>) -> String? {
      func within(_ base: UnsafeMutablePointer<M.Word>, _ count: Int) -> Int? {
        word >= base && word < base + count ? word - base : nil
      }
      if word == core.gateWord.word { return "gates" }
      if word == core.stopping { return "stopping" }
      if word == quiescers { return "quiescers" }
      if word == foreignInflight { return "in flight" }
      if word == tableLock { return "table lock" }
      if word == visitorLock { return "visitor lock" }
      if let index = within(core.p.pointee.wayWords, Level.count * Ways<M>.size) {
        let names = [
          "bigLock", "ordered", "disjoint", "mpSafe", "anywhere", "suspended", "used", "quarantined",
        ]
        return "\(names[index % Ways<M>.size]) of \(Level(raw: UInt8(index / Ways<M>.size)))"
      }
      for level in Level.allCases {
        let queue = core.queue(level)
        if word == queue.pointee.lock { return "queue lock \(level)" }
        if word == queue.pointee.marks { return "marks \(level)" }
      }
      for (index, agent) in ((0..<cpuCount).map({ agents + $0 }) + visitors).enumerated() {
        let who = index < cpuCount ? "CPU \(index)" : "visitor \(index - cpuCount)"
        let line = Agent<M>.wordsPerLine
        if let place = within(agent.pointee.block, Agent<M>.lines * line) {
          let kinds = ["pending", "calls", "offline", "epoch", "in flight", "visit"]
          let others = [0: "summary", 2 * line + 1: "parking", 4 * line + 1: "rest"]
          let kind = others[place] ?? kinds[place / line]
          let hasLevel = place > 0 && [0, 1, 3].contains(place / line) && place % line < Level.count
          return hasLevel ? "\(kind) \(Level(raw: UInt8(place % line))) of \(who)" : "\(kind) of \(who)"
        }
        for node in 0..<Agent<M>.nodes where agent.pointee.waiters[node].state == word {
          return "wait of \(who)"
        }
        if let wheel = agent.pointee.wheel, wheel.lock == word { return "wheel lock of \(who)" }
        if index < cpuCount, (jobs + index).pointee.lock == word { return "job lock of \(who)" }
      }
      for place in 0..<Level.count * UInt.bitWidth {
        guard let slot = slots[place] else { continue }
        if slot.pointee.generation == word { return "generation of \(slot.pointee.name)" }
        if within(slot.pointee.homes, cpuCount * Home<M>.size) != nil {
          return "counts of \(slot.pointee.name)"
        }
      }
      return nil
    }

    /// Gives back what a system keeps for ever, because elsewhere stale handles may ask it: the caller knows of every handle that there
    /// is, and that it is dead. After ``shutdown(grace:)``; nothing of the system may be used after it but its end.
    ///
    /// - Returns: the memory to deallocate when the system itself is gone.
    package func releaseForGood() -> [UnsafeMutableRawPointer] {
      for place in 0..<Level.count * UInt.bitWidth {
        guard let slot = slots[place] else { continue }
        slots[place] = nil
        slot.releaseSlot()
      }
      for slab in slabs {
        slab.deinitialize(count: Self.slabSize)
        slab.deallocate()
      }
      slabs = []
      for cpu in 0..<cpuCount {
        freeNodes[cpu] = nil
        core.p.pointee.wheels[cpu].lock.deallocate()
      }
      foreignInflight.deallocate()
      releaseVisitorsForGood()
      return [UnsafeMutableRawPointer(core.p), UnsafeMutableRawPointer(core.p.pointee.wheels)]
    }

    /// Gives back the memory of a system that is left in the middle: its CPUs and visitors are stacks that never go on. These hold the
    /// object, so it has no end of its own: it stays, with nothing behind it, and nothing of the system may be used any more.
    package func leaveBehind() {
      _ = Unmanaged.passRetained(self)
      for place in 0..<Level.count * UInt.bitWidth {
        guard let slot = slots[place] else { continue }
        slot.releaseSlot()
      }
      for slab in slabs {
        slab.deinitialize(count: Self.slabSize)
        slab.deallocate()
      }
      for visitor in visitors + spareVisitors {
        visitor.pointee.deallocate()
        visitor.deallocate()
      }
      (slabs, visitors, spareVisitors, collected) = ([], [], [], [])
      for cpu in 0..<cpuCount {
        core.p.pointee.wheels[cpu].lock.deallocate()
        agents[cpu].deallocate()
        jobs[cpu].deallocate()
      }
      jobs.deallocate()
      closed.deallocate()
      for words in [tableLock, visitorLock, droppedCalls, foreignInflight] { words.deallocate() }
      core.p.pointee.deallocate()
      core.p.pointee.wheels.deallocate()
    }

    /// Agents whose thread was a coroutine and is no more.
    private func releaseVisitorsForGood() {
      for visitor in visitors { _ = visitor.pointee.visit.exchange(VisitState.idle, .relaxed) }
    }
  }
#endif
