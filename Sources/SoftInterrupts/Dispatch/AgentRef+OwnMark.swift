// Own marks: what a CPU's base code schedules on it, and nothing else asks.
//
// Law: the pending bit is the truth, and the summary its hint, as always; an own mark stands in for the hint. There is at most one, of a handler
// that was the only one pending at its level here, and only this CPU's own thread knows it: so it costs no locked instruction to make and
// none to clear, and who is to run is known. It is served as it is, by a shorter way, if nothing else asks at the next recognition point;
// if something does, the summary says it then. Where a ring is an interrupt there are none: an interrupt looks at the summary.
//
// A signal handler on this thread schedules too. One inside a schedule finds that one in flight, and one while a mark is there finds it: both
// ring. So between the look that finds no mark and the store of one there is no other, nor between the look that finds it and its clearing.
// One that comes when the CPU has said that it sleeps rings.

extension AgentRef {
  /// `asks` if there is an own mark and nothing else.
  @inlinable @inline(__always) static var ownMarkAsks: UInt32 { UInt32(littleEndian: 1 << 16) }

  /// Whether a schedule on this CPU, by it, may be an own mark. By base code, as handlers stand above `none`.
  @inlinable @inline(__always) var admitsOwnMark: Bool {
    !M.interruptsByRinging && p.pointee.takesOwnMarks && asks == 0 && ipl == .none
      && p.pointee.parking.load(.relaxed) == 0
  }

  @inlinable @inline(__always) func setOwnMark(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) {
    p.pointee.ownMark = slot
    asks = Self.ownMarkAsks
  }

  /// Has the summary say what the own mark says, if there is one.
  @inlinable @inline(__always) func sayOwnMark() {
    if p.pointee.hasOwnMark == 0 { return }
    let level = p.pointee.ownMark.unsafelyUnwrapped.pointee.level
    p.pointee.hasOwnMark = 0
    // Relaxed: this CPU's own, for itself.
    summary.fetchOr(Self.bit(level), .relaxed)
  }

  /// Serves the own mark if nothing else asks, and then what has come meanwhile.
  @inlinable @inline(never) func recogniseOwnMark() {
    let slot = p.pointee.ownMark.unsafelyUnwrapped
    let level = slot.pointee.level
    let ways = system.ways(level)
    guard
      otherNotices == 0 && p.pointee.waiting == nil && ipl == .none && summary.load(.relaxed) & ~1 == 0
        && ways.bigLock.load(.relaxed) & slot.pointee.bit == 0
    else {
      sayOwnMark()
      return recogniseSlowly()
    }
    asks = 0
    enterShare()
    if ways.mpSafe.load(.relaxed) & slot.pointee.bit != 0 {
      runOwnMPSafe(slot, at: level, ways)
    } else if takeForDispatch(level, returningTo: .none) {
      // As `runOrdered`, of one.
      if ways.runnable(by: ways.ordered, of: pending(level)) & slot.pointee.bit != 0,
        claimHere(slot, at: level)
      {
        let disjoint = ways.disjoint.load(.relaxed) & slot.pointee.bit != 0
        runBody(
          slot, as: disjoint ? .disjoint : .ordered, at: level, own: level.gate, home: self, isTimed: false)
      }
      leave(level.gate, keeping: held.subtracting(level.gate), returningTo: .none)
    }
    ipl = .none
    chargeShare(level)
    leaveShare(at: .none)
    if summary.load(.relaxed) & ~1 != 0 || notices != 0 { recogniseSlowly() }
  }

  /// As `serveMPSafe`, of one.
  @inlinable @inline(never) func runOwnMPSafe(
    _ slot: UnsafeMutablePointer<HandlerSlot<M>>, at level: Level, _ ways: Ways<M>
  ) {
    ipl = level
    enterEpoch(level)
    if ways.runnable(by: ways.mpSafe, of: pending(level)) & slot.pointee.bit != 0, claimHere(slot, at: level)
    {
      runBody(slot, as: .mpSafe, at: level, own: [], home: self, isTimed: false)
    }
    leaveEpoch(level)
  }
}
