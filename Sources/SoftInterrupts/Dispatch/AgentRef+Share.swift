// The share of lower levels: no level keeps a CPU for itself while lower work waits.
//
// Law: a level that has run for `levelBudget` in a row while lower work waited pauses until lower levels and base code had
// one part in `lowerShare` of that time. The clock is read once in sixteen runs, so an unloaded CPU never reads it.

/// One CPU's account.
@frozen @usableFromInline struct Share {
  /// When the present row began; 0 when there is none.
  @usableFromInline var rowStart: UInt64 = 0
  /// The same in ticks. In ticks too: when the CPU last went back to lower work inside the row, and how much that has had.
  @usableFromInline var rowTicks: UInt64 = 0
  @usableFromInline var leftAt: UInt64 = 0
  @usableFromInline var lower: UInt64 = 0
  @usableFromInline var serves: UInt32 = 0
  /// Serves when the row began, to know how long one takes.
  @usableFromInline var rowServes: UInt32 = 0
  /// Returns to lower work: one in `mask + 1` is measured and stands for all. Where serves are short, reading even a cheap
  /// counter twice for each would cost more than it tells.
  @usableFromInline var returns: UInt32 = 0
  @usableFromInline var mask: UInt32 = 0
  /// Until when the paused levels pause.
  @usableFromInline var resumeAt: UInt64 = 0
  /// Whether base code may wait for the CPU; false again when its queue was found empty.
  @usableFromInline var baseWaits = false
  @inlinable init() {}
}

extension AgentRef {
  @inlinable func enterShare() {
    if p.pointee.share.rowStart != 0 && p.pointee.share.leftAt != 0 {
      p.pointee.share.lower &+= (M.ticks() &- p.pointee.share.leftAt) &* UInt64(p.pointee.share.mask &+ 1)
      p.pointee.share.leftAt = 0
    }
  }

  @inlinable func leaveShare() {
    if p.pointee.share.rowStart == 0 || ipl != .none { return }
    p.pointee.share.returns &+= 1
    if p.pointee.share.returns & p.pointee.share.mask == 0 { p.pointee.share.leftAt = M.ticks() }
  }

  /// Accounts for one serving of a level.
  @inlinable func chargeShare(_ level: Level) {
    p.pointee.share.serves &+= 1
    if p.pointee.share.serves & 15 == 0 {
      charge(level)
      poll(force: false)
    }
  }

  @inlinable @inline(never) func charge(_ level: Level) {
    let configuration = system.configuration
    if configuration.lowerShare == 0 || Mutant.isOn(.noBudget) { return }
    let below = summary.load(.relaxed) & ~Self.bits(above: level) & ~Self.bit(level) & ~1
    // Bit 0 says that base code may have been submitted since this row began.
    let base = p.pointee.share.baseWaits || summary.load(.relaxed) & 1 != 0
    guard base || below != 0 else {
      p.pointee.share.rowStart = 0
      return
    }
    let now = M.now()
    if p.pointee.share.rowStart == 0 {
      p.pointee.share.rowStart = now
      p.pointee.share.rowTicks = M.ticks()
      p.pointee.share.lower = 0
      p.pointee.share.leftAt = 0
      p.pointee.share.rowServes = p.pointee.share.serves
      return
    }
    let row = now &- p.pointee.share.rowStart
    // Below a microsecond for a serve, one return in sixteen is measured.
    let serves = UInt64(max(p.pointee.share.serves &- p.pointee.share.rowServes, 1))
    p.pointee.share.mask = row / serves < 1_000 ? 15 : 0
    if row < configuration.levelBudget { return }
    let owed = row / UInt64(configuration.lowerShare)
    // Lower work's part of the row, by a counter that is cheap to read: only the ratio of its differences counts.
    let ticks = max(M.ticks() &- p.pointee.share.rowTicks, 1)
    let paid = UInt64(Double(row) * min(Double(p.pointee.share.lower) / Double(ticks), 1))
    p.pointee.share.rowStart = 0
    if paid >= owed { return }
    p.pointee.throttled |= UInt8(1 << level.rawValue)
    p.pointee.share.resumeAt = now &+ owed &- paid
    counters(level).pointee.throttled &+= 1
  }

  /// Ends the pause of the throttled levels when it is over, or when nothing lower wants the CPU.
  @inlinable func readmitThrottled() {
    let paused = UInt(p.pointee.throttled)
    if paused == 0 { return }
    let lowest = GateSet(rawValue: paused).lowest
    let below = summary.load(.relaxed) & (Self.bit(lowest) &- 1) & ~1
    if (!p.pointee.share.baseWaits && below == 0 && ipl == .none)
      || M.now() >= p.pointee.share.resumeAt
    {
      p.pointee.throttled = 0
    }
  }
}
