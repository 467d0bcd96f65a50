// Putting a system back to how it was before a program: what makes thousands of runs a second of a system possible, of which the
// making alone would take longer than a run.
//
// Law: between marking and rewinding the CPUs sleep in their loops, with nothing begun, pending or armed, in both moments; so their
// stacks are the same, and all that differs is memory that is listed here. What the program has established, armed or visited
// since is taken away; its handles are dead.

// Not in Embedded Swift: nothing is explored there.
#if !hasFeature(Embedded)
  /// A system's memory at one moment.
  @usableFromInline package final class SystemMark {
    fileprivate struct Region {
      var at: UnsafeMutableRawPointer
      var bytes: Int
      var offset: Int
    }
    fileprivate var regions: [Region] = []
    fileprivate var size = 0
    fileprivate var copy = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 16)

    fileprivate init() {}
    deinit { copy.deallocate() }

    fileprivate func add<T>(_ at: UnsafeMutablePointer<T>, _ count: Int) {
      let bytes = count * MemoryLayout<T>.stride
      regions.append(Region(at: UnsafeMutableRawPointer(at), bytes: bytes, offset: size))
      size += (bytes + 15) / 16 * 16
    }

    fileprivate func take() {
      copy.deallocate()
      copy = .allocate(byteCount: max(size, 16), alignment: 16)
      for region in regions { (copy + region.offset).copyMemory(from: region.at, byteCount: region.bytes) }
    }

    @usableFromInline package func put() {
      let copy = copy
      for region in regions { region.at.copyMemory(from: copy + region.offset, byteCount: region.bytes) }
    }
  }

  extension InterruptSystem {
    /// Whether every CPU sleeps in its loop with nothing begun, and nothing of a program is under way.
    @inlinable package var isPristine: Bool {
      if isShutDown || stopping.load(.relaxed) != 0 || configuration.execution != .inline { return false }
      for cpu in 0..<cpuCount {
        let agent = agent(ofCPU: cpu)
        if agent.p.pointee.waitDepth != 0 || agent.context != agent.p.pointee.base || !agent.held.isEmpty
          || agent.ipl != .none || agent.p.pointee.offline.load(.relaxed) != 0
          || !closed[cpu].isEmpty
          || hasJobsLeft(cpu)
          || agent.p.pointee.wheel!.wheel.pointee.armed != 0 || agent.p.pointee.throttled != 0
          || agent.p.pointee.retry != 0
        {
          return false
        }
      }
      return quiescing.isEmpty
    }

    /// Marks the system as it is, which is pristine and has no program's handlers.
    ///
    /// Every region is plain bytes: words, counters, and pointers to memory that stays. The bodies and names of slots are references
    /// and are left out: those of the core's own slots do not change, the others are taken away by ``rewind(to:)``.
    package func mark() -> SystemMark {
      let mark = SystemMark()
      let line = Agent<M>.wordsPerLine
      for word in [core.gateWord.word, foreignInflight, quiescers, stopping, tableLock, visitorLock] {
        mark.add(word, line)
      }
      mark.add(droppedCalls, 1)
      mark.add(core.p.pointee.wayWords, Level.count * Ways<M>.size)
      mark.add(core.p.pointee.queues, Level.count)
      for level in Level.allCases {
        mark.add(core.queue(level).pointee.lock, 1)
        mark.add(core.queue(level).pointee.marks, 1)
      }
      mark.add(agents, cpuCount)
      for cpu in 0..<cpuCount {
        let agent = agents + cpu
        mark.add(agent.pointee.block, Agent<M>.lines * line)
        mark.add(agent.pointee.waiters, Agent<M>.nodes)
        for node in 0..<Agent<M>.nodes { mark.add(agent.pointee.waiters[node].state, 1) }
        mark.add(agent.pointee.takings, Level.count)
        mark.add(agent.pointee.tries, Level.count)
        mark.add(agent.pointee.statistics, Level.count)
        mark.add(agent.pointee.base, 1)
        let wheel = agent.pointee.wheel!
        mark.add(wheel.lock, 1)
        mark.add(wheel.wheel, 1)
        mark.add(jobs[cpu].lock, 1)
      }
      // The core's own slots.
      for place in 0..<Level.count * UInt.bitWidth {
        guard let slot = slots[place] else { continue }
        mark.add(slot.pointee.generation, 1)
        mark.add(slot.pointee.homes, cpuCount * Home<M>.size)
      }
      mark.take()
      return mark
    }

    /// Puts the system, which is pristine, back to a mark. What programs' handlers and callouts hold is released.
    @inlinable package func rewind(to mark: SystemMark) {
      for level in Level.allCases {
        let programs = ways(level).used.load(.relaxed) & PendingWord.handlers & ~InternalSlots.mask
        var bits = programs
        while bits != 0 {
          let slot = core.slot(level, bit: bits)
          bits &= bits &- 1
          _ = slot.replaceBody()
          slot.pointee.suspensions = 0
          slot.pointee.changes = 0
          slot.pointee.retiring = false
          slot.pointee.generation.initialize(to: M.Word(0))
          slot.pointee.homes.initialize(repeating: M.Word(0), count: cpuCount * Home<M>.size)
        }
      }
      for slab in slabs {
        for index in 0..<Self.slabSize {
          slab[index] = CalloutNode(cpu: Int(slab.pointee.cpu))
          if index > 0 {
            slab[index].next = slab + (index - 1)
          }
        }
      }
      // One list for each CPU through all its slabs, as the first one was made.
      for cpu in 0..<cpuCount { freeNodes[cpu] = nil }
      for slab in slabs {
        let cpu = Int(slab.pointee.cpu)
        slab.pointee.next = freeNodes[cpu]
        freeNodes[cpu] = slab + (Self.slabSize - 1)
      }
      if !visitors.isEmpty {
        spareVisitors.append(contentsOf: visitors)
        visitors.removeAll(keepingCapacity: true)
      }
      if !collected.isEmpty { collected = [] }
      userGates.clear()
      for cpu in 0..<cpuCount { agents[cpu].wheel!.wheel.pointee.clear() }
      mark.put()
    }
  }
#endif
