// Slots between owners: quarantine and reuse; the handler that ends itself.
//
// Law: a slot leaves quarantine only when, after its generation was changed and a heavy fence, every counter of schedules in
// flight was seen 0 and every CPU outside an MP-safe run of the level once, and nobody is about to change it. A schedule or run
// that began later has seen the new generation, or no way in.

/// Slots of each level that the core uses itself.
@frozen @usableFromInline enum InternalSlots {
  @inlinable static var crossCalls: Int { 0 }
  @inlinable static var orderedCallouts: Int { 1 }
  @inlinable static var mpSafeCallouts: Int { 2 }
  @inlinable static var bigLockCallouts: Int { 3 }
  @inlinable static var count: Int { 4 }
  @inlinable static var mask: UInt { 0b1111 }
}

extension InterruptSystem {
  /// Table lock held.
  @inlinable func quarantine(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) {
    let ways = ways(slot.pointee.level)
    // Under the table lock, but for the first look of `reclaim`: release, so that its heavy fence comes after the change of the
    // generation.
    ways.anywhere.fetchAnd(~slot.pointee.bit, .relaxed)
    ways.quarantined.fetchOr(slot.pointee.bit, .release)
  }

  /// Frees the quarantined slots of a level that nothing can reach any more.
  @inlinable func reclaim(_ level: Level) {
    let ways = ways(level)
    // Relaxed: the fence that follows is one of this thread's too, and acquires for it.
    let waiting = ways.quarantined.load(.relaxed)
    if waiting == 0 { return }
    M.heavy()
    var bodies: [HandlerBody<M>?] = []
    let slots = (0..<UInt.bitWidth).filter { waiting & (1 << UInt($0)) != 0 }
    bodies.reserveCapacity(slots.count)
    lockedTable {
      guard !isShutDown, isQuiet(level) else { return }
      for index in slots {
        let slot = slotMemory(level, index)
        // A changer that came too late has still to take back its keeping away of dispatch.
        if slot.pointee.changes != 0 { continue }
        // Two threads may have come with the same list; only one finds the bit.
        guard ways.quarantined.fetchAnd(~slot.pointee.bit, .relaxed) & slot.pointee.bit != 0 else {
          continue
        }
        _ = clearPending(slot)
        M.touches(slot, part: 1, .write)
        bodies.append(slot.replaceBody())
        ways.used.fetchAnd(~slot.pointee.bit, .relaxed)
      }
    }
    withExtendedLifetime(bodies) {}
  }

  /// Whether no schedule is in flight and no MP-safe handler of the level runs. Table lock held, after a heavy fence.
  @inlinable func isQuiet(_ level: Level) -> Bool {
    if Mutant.isOn(.reuseAtOnce) { return true }
    for cpu in 0..<cpuCount where agent(ofCPU: cpu).p.pointee.epochs[Int(level.rawValue)].isOdd {
      return false
    }
    return noScheduleInFlight()
  }

  /// Whether no schedule is between its look at the generation and its mark. After a heavy fence, so that one that is not seen has
  /// seen what was changed before.
  @inlinable func noScheduleInFlight() -> Bool {
    if foreignInflight.load(.acquire) != 0 { return false }
    for cpu in 0..<cpuCount where agent(ofCPU: cpu).p.pointee.inflight.load(.acquire) != 0 { return false }
    for thread in levelThreads where thread.agent.pointee.inflight.load(.acquire) != 0 { return false }
    return visitorsAreQuiet()
  }

  /// A handler that ends itself: no later run starts, and its slot is given back after this one.
  @inlinable func retireSelf(_ agent: AgentRef<M>) {
    // In a callout's body or a cross-call the run is one of the core's own handlers, which serve all callouts and calls.
    guard let slot = agent.context.pointee.slot,
      slot.pointee.bit & InternalSlots.mask == 0 || Mutant.isOn(.retireInternals)
    else { return }
    let ways = ways(slot.pointee.level)
    lockedTable {
      // Relaxed: under the lock, as `disestablish`.
      guard slot.pointee.generation.load(.relaxed) & 1 != 0 else { return }
      slot.pointee.generation.fetchAdd(1, .relaxed)
      ways.set(slot.pointee.bit, nil)
      slot.pointee.retiring = true
    }
  }

  /// After the last run of a handler that ended itself. Its body stays until no other CPU can be in it.
  @inlinable func finishRetiring(_ slot: UnsafeMutablePointer<HandlerSlot<M>>, _ agent: AgentRef<M>) {
    lockedTable {
      guard slot.pointee.retiring else { return }
      slot.pointee.retiring = false
      _ = clearPending(slot)
      quarantine(slot)
    }
  }

  /// The memory of a slot, made at its first use. Table lock held.
  @inlinable func slotMemory(_ level: Level, _ index: Int) -> UnsafeMutablePointer<HandlerSlot<M>> {
    let place = slots + Int(level.rawValue) * UInt.bitWidth + index
    if let slot = place.pointee { return slot }
    let slot = UnsafeMutablePointer<HandlerSlot<M>>.slot(level, bit: 1 << UInt(index), of: core)
    place.pointee = slot
    return slot
  }
}

extension UnsafeMutablePointer where Pointee: MachineWord {
  /// The word at an index, as an epoch. Acquire: what happened before it became even is visible.
  @usableFromInline subscript(index: Int) -> (isOdd: Bool, value: UInt) {
    let value = (self + index).load(.acquire)
    return (value & 1 != 0, value)
  }
}
