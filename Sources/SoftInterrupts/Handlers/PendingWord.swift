// The pending word of one CPU and level, and the order among its handlers.
//
// Law: the lower half of the word has a bit for each handler (the only truth), the upper half counts the claims. A claim clears
// a bit and counts in one step, so the old value that a schedule's mark returns says exactly which claims came before the
// mark, and which handlers were pending then. Between two claims bits are only added, which makes the word a greater number; so of two marks
// the first has found the lesser one. That is the stamp, as it was found: nothing is drawn for it, and nothing worked out. It is valid
// for the handler's present mark if its claims are no older than the handler's last claim; one written late by a schedule that was delayed
// over a claim is older, and ignored. A mark without a valid stamp comes last: its schedule has not returned, so no order is promised for it yet.
// Counts are compared modulo half a word; so a handler that stays pending (suspended) while 2^31 others are
// claimed at its level (2^15 on 32-bit machines) may lose its place, and nothing else.

@frozen @usableFromInline enum PendingWord {
  @inlinable static var half: UInt { UInt(UInt.bitWidth / 2) }
  /// The bits of the handlers.
  @inlinable static var handlers: UInt { (1 << half) &- 1 }
  @inlinable static func claims(_ word: UInt) -> UInt { word >> half }
  /// Clears a bit and counts; the count after it, or nil if the bit was not set. Acquire: what the schedulers wrote. Release: a
  /// schedule whose mark comes later, or finds none, sees what its claimer had changed before (`markCurrent`'s second look).
  @inlinable @inline(__always)
  static func claim<W: MachineWord>(_ word: UnsafeMutablePointer<W>, _ bit: UInt) -> UInt? {
    var seen = word.load(.relaxed)
    while true {
      // A read-modify-write also when the bit is clear: a mark comes before it and is found, or after it and sees what we changed.
      if seen & bit == 0 {
        seen = word.rewrite(.release)
        if seen & bit == 0 { return nil }
      }
      if Mutant.isOn(.claimByStore) {
        word.store((seen & ~bit) &+ (1 << half), .relaxed)
        return claims(seen &+ (1 << half))
      }
      if word.compareExchange(seen, (seen & ~bit) &+ (1 << half), .acquireRelease) {
        return claims(seen &+ (1 << half))
      }
      seen = word.load(.relaxed)
    }
  }
}

extension Home {
  /// Stamps the mark that found `old`. Repeats only while delayed schedules of earlier marks write, of which each writes once.
  @inlinable @inline(__always) func stampMark(_ new: UInt) {
    while true {
      let seen = stamp.load(.relaxed)
      // An older mark's stamp, or none: replace it. A newer one stays.
      if Int(bitPattern: (new & ~PendingWord.handlers) &- (seen & ~PendingWord.handlers)) < 0 { return }
      if Mutant.isOn(.stampOver) { return stamp.store(new, .relaxed) }
      if stamp.compareExchange(seen, new, .relaxed) { return }
    }
  }
}

extension SystemRef {
  /// The handler among `bits` that became pending first at `home`. The second is expected to run after it.
  @inlinable @inline(__always) func oldest(
    of bits: UInt, at level: Level, home: AgentRef<M>
  ) -> UnsafeMutablePointer<HandlerSlot<M>> {
    if bits & (bits &- 1) == 0 || Mutant.isOn(.ignoreStamps) { return slot(level, bit: bits) }
    return oldestOfSeveral(bits, at: level, home: home)
  }

  @inlinable @inline(never) func oldestOfSeveral(
    _ bits: UInt, at level: Level, home: AgentRef<M>
  ) -> UnsafeMutablePointer<HandlerSlot<M>> {
    var best = slot(level, bit: bits)
    var second: UnsafeMutablePointer<HandlerSlot<M>>?
    var secondStamp: UInt?
    var left = bits & (bits &- 1)
    let claims = PendingWord.claims(home.pending(level).load(.relaxed))
    var bestStamp = stamp(best.pointee.home(home.cpu), claims)
    while left != 0 {
      let next = slot(level, bit: left)
      left &= left &- 1
      guard let stamp = stamp(next.pointee.home(home.cpu), claims) else { continue }
      if let known = bestStamp, Int(bitPattern: stamp &- known) >= 0 {
        if let known = secondStamp, Int(bitPattern: stamp &- known) >= 0 { continue }
        second = next
        secondStamp = stamp
      } else {
        second = best
        secondStamp = bestStamp
        best = next
        bestStamp = stamp
      }
    }
    if let second { expectRun(second) }
    return best
  }

  /// A hint: it runs next but one. Its stamp was read just now, so its first line and its record are there; what a run reads besides comes while the
  /// one before it runs (Documentation/Decisions/0023).
  @inlinable @inline(__always) func expectRun(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) {
    M.willRead(slot.pointee.generation)
    if let body = slot.pointee.body { M.willRead(body.toOpaque()) }
  }

  /// The stamp of a mark; nil if it has no valid one yet. Ages are counted back from the present count.
  @inlinable func stamp(_ record: Home<M>, _ claims: UInt) -> UInt? {
    let stamp = record.stamp.load(.relaxed)
    let age = (claims &- stamp >> PendingWord.half) & PendingWord.handlers
    let lastClaim = (claims &- record.lastClaim.load(.relaxed)) & PendingWord.handlers
    return age <= lastClaim ? stamp : nil
  }
}
