// Scheduling: mark, and nothing else.
//
// Law: wait-free and async-signal-safe, from any level and any thread. A schedule that returns `.scheduled` or `.coalesced` is
// followed by a whole run that starts after it. The pending bit is set by a read-modify-write, also when it is set
// already, so that the claim that clears it has acquired what every scheduler wrote before; but for a CPU's own bound work, which the
// same thread claims. The counts come after the ring, where nobody waits for them.

/// A handler that was established; a value that may be copied anywhere and outlive the handler.
@frozen public struct Handler<M: Machine>: Hashable, @unchecked Sendable {
  // Sendable: the slot's memory is never freed, and what is in it is guarded as HandlerSlot.swift says.
  @usableFromInline let slot: UnsafeMutablePointer<HandlerSlot<M>>
  @usableFromInline let generation: UInt

  @inlinable init(slot: UnsafeMutablePointer<HandlerSlot<M>>, generation: UInt) {
    self.slot = slot
    self.generation = generation
  }
}

/// What became of a schedule.
@frozen public enum ScheduleResult: Sendable {
  /// It is pending now.
  case scheduled
  /// It was pending already; that run starts after this call as well.
  case coalesced
  /// The handler has been disestablished, perhaps during this call: no run of it is promised.
  case notEstablished
  /// The CPU is offline and the handler is bound to it: it stays pending and runs when the CPU is online again.
  case offline
}

extension Handler {
  /// Makes the handler pending on the calling CPU; a thread that is no CPU makes it pending on CPU 0.
  ///
  /// Any level, any thread, any signal handler. Wait-free: a bounded number of atomic operations, and a system call if the CPU sleeps.
  @inlinable @discardableResult public func schedule() -> ScheduleResult {
    if let current = M.current {
      let agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
      if agent.p.pointee.role == .cpu && agent.p.pointee.system == slot.pointee.system {
        return markHere(agent)
      }
      return markFrom(agent)
    }
    return markElsewhere(cpu: 0, from: nil)
  }

  /// By who is no CPU of this system: at CPU 0, and by a level's thread at its own.
  @inlinable @inline(never) func markFrom(_ agent: AgentRef<M>) -> ScheduleResult {
    let isHome = agent.p.pointee.isLevelThread && agent.p.pointee.system == slot.pointee.system
    return markElsewhere(cpu: isHome ? agent.cpu : 0, from: agent)
  }

  /// Makes the handler pending on a CPU.
  ///
  /// Any level, any thread, any signal handler. Wait-free. `cpu` counts from 0 and must exist.
  @inlinable @discardableResult public func schedule(on cpu: Int) -> ScheduleResult {
    let current = M.current
    return markElsewhere(cpu: cpu, from: current.map { AgentRef($0.assumingMemoryBound(to: Agent<M>.self)) })
  }

  /// The generation is compared first: with a stale handle even the system may be gone.
  @inlinable func markElsewhere(cpu: Int, from agent: AgentRef<M>?) -> ScheduleResult {
    // An agent of another system is none that this system asks for schedules in flight.
    var own: AgentRef<M>?
    if let agent, agent.p.pointee.system == slot.pointee.system { own = agent }
    let inflight = own?.p.pointee.inflight
    enter(inflight)
    defer { exit(inflight) }
    guard isCurrent else { return .notEstablished }
    let system = slot.pointee.system
    precondition(cpu >= 0 && cpu < system.cpuCount, "schedule: no such CPU")
    return markCurrent(home: system.agent(ofCPU: cpu), from: own)
  }

  /// On the calling CPU.
  @inlinable @inline(__always) func markHere(_ agent: AgentRef<M>) -> ScheduleResult {
    let inflight = agent.p.pointee.inflight
    enter(inflight)
    guard isCurrent else {
      exit(inflight)
      return .notEstablished
    }
    if let result = coalesceHere(agent) {
      exit(inflight)
      return result
    }
    return markOwnAndExit(agent)
  }

  /// Bound work of this CPU is claimed by this very thread, unless it is dropped. If it is pending, the run therefore comes after this in program
  /// order and sees what was written before: there is nothing to publish, and a look does. Who drops it ends the handler; a look that comes too
  /// early to see that comes before it.
  @inlinable @inline(__always)
  func coalesceHere(_ agent: AgentRef<M>) -> ScheduleResult? {
    M.touches(slot, .read)
    guard
      slot.pointee.isBound && agent.p.pointee.levelSeats == nil
        && agent.pending(slot.pointee.level).load(.relaxed) & slot.pointee.bit != 0
    else { return nil }
    Home<M>.bump(slot.pointee.home(agent.cpu).coalesced)
    return isCurrent ? .coalesced : .notEstablished
  }

  /// The rest of ``markHere(_:)`` if it may be an own mark (AgentRef+OwnMark.swift): `markCurrent` without a ring, and without a frame. And without
  /// a look whether the CPU goes offline: it does not before its base code has ended, and what is pending then has run.
  @inlinable @inline(never) func markOwnAndExit(_ agent: AgentRef<M>) -> ScheduleResult {
    let bit = slot.pointee.bit
    let pending = agent.pending(slot.pointee.level)
    let seen = pending.load(.relaxed)
    // Acquire: as `markCurrent`. No release: this thread claims it, and who drops it looks at nothing that was written before. A signal handler
    // may have come since the look for what is pending already.
    guard
      slot.pointee.isBound && agent.admitsOwnMark && seen & bit == 0
        && pending.compareExchange(seen, seen | bit, .acquire)
    else { return markHereAndExit(agent) }
    // Bit, then look again: as `markCurrent`.
    guard isCurrent || Mutant.isOn(.noSecondLook) else {
      exit(agent.p.pointee.inflight)
      return .notEstablished
    }
    let record = slot.pointee.home(agent.cpu)
    // A plain store: the mark is claimed by this thread or dropped, and while we are in flight the slot gets no next owner; so no later
    // mark has been stamped. Who stamps an earlier one late finds this, or is written over.
    record.stamp.store(seen, .relaxed)
    agent.setOwnMark(slot)
    Home<M>.bump(record.marked)
    exit(agent.p.pointee.inflight)
    return .scheduled
  }

  /// The rest, in a frame that what is pending already does not need.
  @inlinable @inline(never) func markHereAndExit(_ agent: AgentRef<M>) -> ScheduleResult {
    let result = markCurrent(home: agent, from: agent)
    exit(agent.p.pointee.inflight)
    return result
  }

  /// Relaxed: who has the handle has seen it being established, and while a schedule is in flight a slot that was seen to be of
  /// this generation gets no next owner.
  @inlinable var isCurrent: Bool {
    slot.pointee.generation.load(.relaxed) == generation || Mutant.isOn(.staleHandles)
  }

  /// Says that this thread is between its look at the generation and its mark. The light fence pairs with the heavy one of
  /// who changed the generation and looks for schedules in flight: either that sees the counter, or the generation that is read
  /// here is the changed one. (Sequential consistency of the counter alone would not do: it orders no later load that is not.)
  /// A signal handler in between adds and subtracts.
  @inlinable @inline(__always) func enter(_ inflight: UnsafeMutablePointer<M.Word>?) {
    if let inflight {
      inflight.store(inflight.load(.relaxed) &+ 1, .relaxed)
    } else {
      slot.pointee.foreignInflight.fetchAdd(1, .relaxed)
    }
    M.light()
  }

  /// Release: the mark is visible to who sees the counter at 0 (also through other threads' additions, which are
  /// read-modify-writes and go on with the release sequence).
  @inlinable @inline(__always) func exit(_ inflight: UnsafeMutablePointer<M.Word>?) {
    if let inflight {
      inflight.store(inflight.load(.relaxed) &- 1, .release)
    } else {
      slot.pointee.foreignInflight.fetchAdd(0 &- 1, .release)
    }
  }

  @inlinable @inline(__always)
  func markCurrent(home: AgentRef<M>, from agent: AgentRef<M>?) -> ScheduleResult {
    let level = slot.pointee.level
    let bit = slot.pointee.bit
    let isHere = home.p == agent?.p
    let record = slot.pointee.home(home.cpu)
    M.touches(slot, .read)
    if Mutant.isOn(.coalesceByLoad) && home.pending(level).load(.relaxed) & bit != 0 { return .coalesced }
    // Release: the claim acquires what the scheduler wrote. Acquire: for the second look, and for what a change of the handler
    // that has looked at the word before this mark has done: the ring below passes it on.
    let old = home.pending(level).fetchOr(bit, .acquireRelease)
    // Bit, then look again: who ends the handler changes the generation before its read-modify-write takes the bit. If that found
    // no bit of ours, it came before our mark in the word's order, so we see what it changed, and promise nothing.
    let isStill = slot.pointee.generation.load(.relaxed) == generation || Mutant.isOn(.noSecondLook)
    if old & bit != 0 {
      if let agent, agent.isCPU && !agent.p.pointee.isLevelThread {
        Home<M>.bump(slot.pointee.home(agent.cpu).coalesced)
      } else {
        record.bumpShared(record.coalescedByOthers)
      }
      return isStill ? .coalesced : .notEstablished
    }
    if !isStill { return .notEstablished }
    M.touches(slot, .read)
    let system = slot.pointee.system
    if system.configuration.timing {
      record.pendingSince.store(UInt(truncatingIfNeeded: M.now()) | 1, .relaxed)
    }
    // The stamp before the ring, whose release it needs: who is scheduled after us, by whomever, rings after us, and what that brings
    // to the CPU brings our stamp too. Its line is the schedulers' own, mostly.
    if slot.pointee.isBound && !Mutant.isOn(.stampLate) { record.stampMark(old) }
    // Publish (the bit), then ask: the release pairs with the CPU's clear of the summary before it reads the pending word.
    home.ring(level, isHere: isHere)
    if Mutant.isOn(.stampLate) { record.stampMark(old) }
    if let agent, agent.isCPU && !agent.p.pointee.isLevelThread {
      Home<M>.bump(slot.pointee.home(agent.cpu).marked)
    } else {
      record.bumpShared(record.markedByOthers)
    }
    // Bit, then flag: pairs with flag, then look, of a CPU that goes offline; store–load, so the fence.
    M.light()
    if home.p.pointee.offline.load(.relaxed) != OfflineState.inUse && !Mutant.isOn(.noFlagLook) {
      return system.object.reroute(self, from: home)
    }
    return .scheduled
  }
}
