// The share of lower levels: no level keeps a CPU for itself while lower work waits.
//
// Law: a *row* is a time in which a CPU ran soft interrupts while some lower level, or base code, waited. When a row has lasted for
// `levelBudget`, each level that waited through it without being served, and base code unless it had as much already, gets a *turn*
// of one part in `lowerShare` of the row, one after the other, the lowest first; in a turn the levels above pause, those of the row and those that wait.
// A turn ends when its time is over or when nothing is left to do in it. The clock is read once in sixteen serves, so an unloaded CPU
// never reads it.

/// One CPU's account.
@frozen @usableFromInline struct Share {
  /// When the present row began; 0 when there is none.
  @usableFromInline var rowStart: UInt64 = 0
  /// The same in ticks. In ticks too: when the CPU last went back to base code inside the row, and how much that has had.
  @usableFromInline var rowTicks: UInt64 = 0
  @usableFromInline var leftAt: UInt64 = 0
  @usableFromInline var lower: UInt64 = 0
  @usableFromInline var serves: UInt32 = 0
  /// Serves when the row began, to know how long one takes.
  @usableFromInline var rowServes: UInt32 = 0
  /// Returns to base code: one in `mask + 1` is measured and stands for all. Where serves are short, reading even a cheap
  /// counter twice for each would cost more than it tells.
  @usableFromInline var returns: UInt32 = 0
  @usableFromInline var mask: UInt32 = 0
  /// The levels that were served in the row, and at its end those that waited; bit k is level k.
  @usableFromInline var rowLevels: UInt8 = 0
  /// Who has a turn still to come (bit 0 is base code), and whose it is.
  @usableFromInline var turnsToCome: UInt8 = 0
  @usableFromInline var turn: Level = .none
  /// When the turn is over, and how long each is.
  @usableFromInline var resumeAt: UInt64 = 0
  @usableFromInline var slice: UInt64 = 0
  /// Whether base code may wait for the CPU; false again when its queue was found empty.
  @usableFromInline var baseWaits = false
  @inlinable init() {}
}

extension AgentRef {
  /// `leftAt` is 0 in a dispatch and without a row: it is written by `leaveShare` in a row, and a row ends in a dispatch.
  @inlinable @inline(__always) func enterShare() {
    if p.pointee.share.leftAt != 0 {
      p.pointee.share.lower &+= (M.ticks() &- p.pointee.share.leftAt) &* UInt64(p.pointee.share.mask &+ 1)
      p.pointee.share.leftAt = 0
    }
  }

  @inlinable @inline(__always) func leaveShare(at entry: Level) {
    if p.pointee.share.rowStart == 0 || entry != .none { return }
    p.pointee.share.returns &+= 1
    if p.pointee.share.returns & p.pointee.share.mask == 0 { p.pointee.share.leftAt = M.ticks() }
  }

  /// Accounts for one serving of a level.
  @inlinable @inline(__always) func chargeShare(_ level: Level) {
    p.pointee.share.rowLevels |= UInt8(truncatingIfNeeded: Self.bit(level))
    p.pointee.share.serves &+= 1
    if p.pointee.share.serves & 15 == 0 { lookAtTheClock() }
  }

  /// Once for both: reading it costs as much as a dozen stores.
  @inlinable @inline(never) func lookAtTheClock() {
    let now = M.now()
    charge(now)
    if polls { poll(force: false, at: now) }
  }

  /// Who waits below the levels of the row and was not served in it, and base code.
  @inlinable func waitingBelow() -> (levels: UInt8, base: Bool) {
    let row = p.pointee.share.rowLevels
    let asked = UInt8(truncatingIfNeeded: summary.load(.relaxed))
    // Bit 0 says that base code may have been submitted since this row began.
    let base = p.pointee.share.baseWaits || asked & 1 != 0
    if row == 0 { return (0, base) }
    let highest = GateSet(rawValue: UInt(row)).highest
    return (asked & ~row & UInt8(truncatingIfNeeded: Self.bit(highest) &- 1) & ~1, base)
  }

  @inlinable func charge(_ now: UInt64) {
    let configuration = system.configuration
    if configuration.lowerShare == 0 || Mutant.isOn(.noBudget) || p.pointee.throttled != 0 { return }
    let (levels, base) = waitingBelow()
    guard base || levels != 0 else {
      p.pointee.share.rowStart = 0
      p.pointee.share.rowLevels = 0
      return
    }
    if p.pointee.share.rowStart == 0 {
      p.pointee.share.rowStart = now
      p.pointee.chargedAt = now
      p.pointee.share.rowTicks = M.ticks()
      p.pointee.share.lower = 0
      p.pointee.share.leftAt = 0
      p.pointee.share.rowServes = p.pointee.share.serves
      return
    }
    // Where few returns are measured serves are short, and so long a time between two looks is base code's own mostly: it was not measured, and would
    // be owed to it once more. What is not known counts for one budget.
    let since = now &- p.pointee.chargedAt
    p.pointee.chargedAt = now
    if since > configuration.levelBudget && p.pointee.share.mask != 0 {
      p.pointee.share.rowStart &+= since &- configuration.levelBudget
    }
    let row = now &- p.pointee.share.rowStart
    // Below a microsecond for a serve, one return in sixteen is measured, and below a tenth of one, one in sixty-four: in a row of two
    // milliseconds there are some hundred of them in either case.
    let serves = UInt64(max(p.pointee.share.serves &- p.pointee.share.rowServes, 1))
    p.pointee.share.mask = row < serves &* 100 ? 63 : row < serves &* 1_000 ? 15 : 0
    if row < configuration.levelBudget { return }
    let owed = row / UInt64(configuration.lowerShare)
    // Base code's part of the row, by a counter that is cheap to read: only the ratio of its differences counts.
    let ticks = max(M.ticks() &- p.pointee.share.rowTicks, 1)
    let paid = UInt64(Double(row) * min(Double(p.pointee.share.lower) / Double(ticks), 1))
    p.pointee.share.rowStart = 0
    p.pointee.share.slice = owed
    // Who waits pauses too while it is the turn of who is below.
    p.pointee.share.rowLevels |= levels
    p.pointee.share.turnsToCome = levels | (base && paid < owed ? 1 : 0)
    nextTurn(now)
  }

  /// Gives the next who waits its turn; without one the row is over, and nobody pauses.
  @inlinable @inline(never) func nextTurn(_ now: UInt64) {
    while p.pointee.share.turnsToCome != 0 {
      let level = GateSet(rawValue: UInt(p.pointee.share.turnsToCome)).lowest
      p.pointee.share.turnsToCome &= p.pointee.share.turnsToCome &- 1
      let pausing = p.pointee.share.rowLevels & UInt8(truncatingIfNeeded: Self.bits(above: level))
      if pausing == 0 { continue }
      p.pointee.share.turn = level
      p.pointee.share.resumeAt = now &+ p.pointee.share.slice
      p.pointee.throttled = pausing
      for paused in Level.allCases where pausing & UInt8(truncatingIfNeeded: Self.bit(paused)) != 0 {
        counters(paused).pointee.throttled &+= 1
      }
      return
    }
    p.pointee.throttled = 0
    p.pointee.share.rowLevels = 0
  }

  /// Whether a level pauses: then a serving of it ends after the present run, as with its budget used up.
  @inlinable @inline(__always) func pauses(_ level: Level) -> Bool {
    UInt(p.pointee.throttled) & Self.bit(level) != 0
  }

  /// Ends the present turn when its time is over, or when there is nothing to do in it.
  @inlinable @inline(__always) func readmitThrottled() {
    if p.pointee.throttled != 0 { endTurnIfOver() }
  }

  @inlinable @inline(never) func endTurnIfOver() {
    let turn = p.pointee.share.turn
    let asked = summary.load(.relaxed)
    // Inside a run of the turn's level, or of base code that raised, its bit says nothing.
    let isIdle =
      turn == .none
      ? !p.pointee.share.baseWaits && asked & 1 == 0 && ipl == .none
      : asked & Self.bit(turn) == 0 && ipl < turn
    let now = M.now()
    if isIdle || now >= p.pointee.share.resumeAt { nextTurn(now) }
  }
}
