// One CPU's callouts: a hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987),
// with an occupancy bit for each slot, so that empty time is skipped.
//
// Law: under the lock of `LockedWheel`. A node in the wheel hangs in the slot of the highest six-bit digit in which its tick differs from
// `elapsed` (or in the highest that there is); so when `elapsed` reaches a slot of level 0 all its nodes are due, and a slot of a higher level is spread over
// the lower ones. Arming and cancelling are O(1), independent of how many are armed; each callout moves down at most seven times.

/// A wheel and its lock, each in memory of its own: a change of the wheel is an access to all of it. The lock is kept for the life
/// of the process: a stale callout takes it to learn that its node has gone.
@frozen @usableFromInline struct LockedWheel<M: Machine> {
  @usableFromInline let lock: UnsafeMutablePointer<M.Word>
  @usableFromInline let wheel: UnsafeMutablePointer<Wheel<M>>

  @inlinable init(now: UInt64) {
    lock = .words(1)
    wheel = .allocate(capacity: 1)
    wheel.initialize(to: Wheel(now: now))
  }

  @inlinable func deallocate() {
    wheel.pointee.deallocate()
    wheel.deallocate()
  }
}

@frozen @usableFromInline struct Wheel<M: Machine> {
  /// One tick is 2^14 ns, 16.4 µs: a callout is never early, and late by a tick at most for the wheel's part.
  @inlinable static var tickShift: UInt64 { 14 }
  @inlinable static var levels: Int { 8 }
  @inlinable static var slots: Int { 64 }
  /// The farthest deadline that fits, in ticks from `elapsed`: 2^47 ticks are 73 years.
  @inlinable static var horizon: UInt64 { 1 << 47 }

  @usableFromInline let lists: UnsafeMutablePointer<CalloutList<M>>
  @usableFromInline let occupied: UnsafeMutablePointer<UInt64>
  /// Due callouts: by level, and by way in (bigLock, ordered, mpSafe).
  @usableFromInline let due: UnsafeMutablePointer<CalloutList<M>>
  /// The ticks that have passed.
  @usableFromInline var elapsed: UInt64
  @usableFromInline var armed = 0

  @inlinable init(now: UInt64) {
    lists = .allocate(capacity: Self.levels * Self.slots)
    lists.initialize(repeating: CalloutList(), count: Self.levels * Self.slots)
    occupied = .allocate(capacity: Self.levels)
    occupied.initialize(repeating: 0, count: Self.levels)
    due = .allocate(capacity: Level.count * 4)
    due.initialize(repeating: CalloutList(), count: Level.count * 4)
    elapsed = now >> Self.tickShift
  }

  @inlinable func deallocate() {
    lists.deallocate()
    occupied.deallocate()
    due.deallocate()
  }

  /// The tick at whose end a deadline has passed.
  @inlinable static func tick(of deadline: UInt64) -> UInt64 {
    if Mutant.isOn(.earlyTick) { return deadline >> tickShift }
    let (sum, overflow) = deadline.addingReportingOverflow((1 << tickShift) - 1)
    return (overflow ? .max : sum) >> tickShift
  }

  /// Puts a node where its deadline says. One that is due already goes into the next tick.
  @inlinable mutating func insert(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    let limit = elapsed &+ (Self.horizon &- 1)
    let tick = min(max(Self.tick(of: node.pointee.deadline), elapsed &+ 1), limit)
    hang(node, at: tick)
    armed += 1
  }

  @inlinable mutating func hang(_ node: UnsafeMutablePointer<CalloutNode<M>>, at tick: UInt64) {
    // The highest digit wraps: no deadline is farther than half a turn of it.
    let digit = min((63 - ((elapsed ^ tick) | 63).leadingZeroBitCount) / 6, Self.levels - 1)
    let slot = Int((tick >> UInt64(digit * 6)) & 63)
    let index = digit * Self.slots + slot
    lists[index].append(node)
    occupied[digit] |= 1 << UInt64(slot)
    node.pointee.place = .wheel
    node.pointee.wheelSlot = UInt16(index)
  }

  /// Takes a node out of wheel or due list.
  @inlinable mutating func remove(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    switch node.pointee.place {
    case .idle: return
    case .due: due[Self.dueIndex(node.pointee.level, node.pointee.way)].remove(node)
    case .wheel:
      let index = Int(node.pointee.wheelSlot)
      lists[index].remove(node)
      if lists[index].head == nil { occupied[index / Self.slots] &= ~(1 << UInt64(index % Self.slots)) }
    }
    node.pointee.place = .idle
    armed -= 1
  }

  @inlinable static func dueIndex(_ level: Level, _ way: WayIn) -> Int {
    Int(level.rawValue) * 4 + Int(way.rawValue)
  }

  /// The next slot that time will reach: its digit, its index and the tick at which it begins; nil if the wheel is empty.
  @inlinable func nextSlot() -> (digit: Int, slot: Int, tick: UInt64)? {
    for digit in 0..<Self.levels where occupied[digit] != 0 {
      let shift = UInt64(digit * 6)
      let here = (elapsed >> shift) & 63
      // Nodes of a digit lie ahead of the present one, within the same turn of the digit above. (The top digit may wrap.)
      let rotated = occupied[digit] &>> here | (here == 0 ? 0 : occupied[digit] &<< (64 &- here))
      let distance = UInt64(rotated.trailingZeroBitCount)
      let begin = ((elapsed >> shift) &+ distance) << shift
      return (digit, Int((here &+ distance) & 63), begin)
    }
    return nil
  }

  /// The time of the machine's clock at which something has to be done next; `UInt64.max` if nothing has.
  @inlinable func nextDeadline() -> UInt64 {
    guard let next = nextSlot() else { return .max }
    return next.tick << Self.tickShift
  }

  /// Moves what is due by `now` to the due lists, in the order of the deadlines; the levels that got something, a bit for each
  /// level × 4 + way.
  @inlinable mutating func advance(to now: UInt64) -> UInt64 {
    let target = now >> Self.tickShift
    var touched: UInt64 = 0
    while let next = nextSlot(), next.tick <= target {
      elapsed = max(elapsed, next.tick)
      let index = next.digit * Self.slots + next.slot
      var list = lists[index]
      lists[index] = CalloutList()
      occupied[next.digit] &= ~(1 << UInt64(next.slot))
      if next.digit == 0 { list.sort() }
      while let node = list.popFirst() {
        if next.digit > 0 {
          let tick = min(max(Self.tick(of: node.pointee.deadline), elapsed), elapsed &+ (Self.horizon &- 1))
          hang(node, at: tick)
        } else {
          let dueList = Self.dueIndex(node.pointee.level, node.pointee.way)
          node.pointee.place = .due
          due[dueList].append(node)
          touched |= 1 << UInt64(dueList)
        }
      }
    }
    elapsed = max(elapsed, target)
    return touched
  }
}
