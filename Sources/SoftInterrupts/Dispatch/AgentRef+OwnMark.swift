// Own marks: what a CPU's base code schedules on it, and nothing else asks.
//
// Law: the pending bit is the truth, and the summary its hint, as always; an own mark stands in for the hint. There is at most one, and only
// this CPU's own thread knows it: so it costs no locked instruction to make and none to clear, and who is to run is known. It is served as
// it is, by a shorter way, if nothing else asks at the next recognition point, and if under the gate nobody else of the level is pending; else
// the summary says it then. Where a ring is an interrupt there are none: an interrupt looks at the summary.
//
// A signal handler on this thread schedules too. One inside a schedule finds that one in flight, and one while a mark is there finds it: both
// ring. So between the look that finds no mark and the store of one there is no other, nor between the look that finds it and its clearing.
// One that comes when the CPU has said that it sleeps rings.

extension AgentRef {
  /// `asks` if there is an own mark and nothing else.
  @inlinable @inline(__always) static var ownMarkAsks: UInt32 { UInt32(littleEndian: 1 << 16) }

  /// Whether a schedule on this CPU, by it, may be an own mark. By base code, as handlers stand above `none`; and by one that has interrupted no
  /// other schedule.
  @inlinable @inline(__always) var admitsOwnMark: Bool {
    !M.interruptsByRinging && p.pointee.takesOwnMarks && notices == 0 && ipl == .none
      && p.pointee.inflight.load(.relaxed) == 1 && p.pointee.parking.load(.relaxed) == 0
  }

  @inlinable @inline(__always) func setOwnMark(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) {
    p.pointee.ownMark = slot
    asks = Self.ownMarkAsks
  }

  /// Has the summary say what the own mark says; whether there is one. Said before it is cleared: a signal in between finds it there.
  @inlinable @inline(__always) @discardableResult func sayOwnMark() -> Bool {
    if p.pointee.hasOwnMark == 0 { return false }
    let level = p.pointee.ownMark.unsafelyUnwrapped.pointee.level
    // Relaxed: this CPU's own, for itself.
    if !Mutant.isOn(.ownUnsaid) { summary.fetchOr(Self.bit(level), .relaxed) }
    p.pointee.hasOwnMark = 0
    return true
  }

  /// Serves the own mark if nothing else asks, and then what has come meanwhile.
  @inlinable @inline(never) func recogniseOwnMark() {
    let slot = p.pointee.ownMark.unsafelyUnwrapped
    let level = slot.pointee.level
    let ways = system.ways(level)
    // Relaxed, as in `serve`: this only chooses. Who is suspended, or has ended, takes no gate.
    let mayRun = pending(level).load(.relaxed) & ~ways.suspended.load(.relaxed) & ~ways.bigLock.load(.relaxed)
    guard
      otherNotices == 0 && p.pointee.waiting == nil && ipl == .none && mayRun & slot.pointee.bit != 0
        && (summary.load(.relaxed) & ~1 == 0 || Mutant.isOn(.ownFirst))
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
      let bits = ways.runnable(by: ways.ordered, of: pending(level))
      if bits == slot.pointee.bit && otherNotices == 0 || Mutant.isOn(.ownUnlooked) {
        if claimHere(slot, at: level) {
          let disjoint = ways.disjoint.load(.relaxed) & slot.pointee.bit != 0
          runBody(
            slot, as: disjoint ? .disjoint : .ordered, at: level, own: level.gate, home: self, isTimed: false)
        }
      } else if bits != 0 {
        // The level pauses since it waited for its gate; or others are pending, before ours too, as it may have ended meanwhile and its slot be
        // another's. Their order is known to who has cleared the summary's bit: that brings the stamps.
        summary.fetchOr(Self.bit(level), .relaxed)
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
    if ways.runnable(by: ways.mpSafe, of: pending(level)) & slot.pointee.bit != 0
      || Mutant.isOn(.ownUnlooked),
      claimHere(slot, at: level)
    {
      runBody(slot, as: .mpSafe, at: level, own: [], home: self, isTimed: false)
    }
    leaveEpoch(level)
  }
}
