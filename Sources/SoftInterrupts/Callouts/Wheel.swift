// One CPU's callouts: a hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987),
// with an occupancy bit for each slot, so that empty time is skipped.
//
// Law: under the lock of `LockedWheel`. An armed node hangs in a slot that time reaches no later than the node's tick; when `elapsed` reaches the slot
// the node is due, or goes to the slot of the highest six-bit digit in which its tick differs from `elapsed` (or of the highest that there is). So
// a node that is cancelled, or moved to a later time, stays where it hangs, and nothing but its own line is touched; what is left of it goes when
// its slot comes, when it is armed for an earlier time, or when its callout is retired. Arming and cancelling are O(1), independent of how many
// are armed; each arming moves on at most eight times (at half the way, if it is far, and down the digits), and is looked at once more for
// what it left.

/// A wheel and its lock, each in memory of its own: a change of the wheel is an access to all of it. The lock is kept for the life
/// of the process: a stale callout takes it to learn that its node has gone.
@frozen @usableFromInline struct LockedWheel<M: Machine> {
  @usableFromInline let lock: UnsafeMutablePointer<M.Word>
  @usableFromInline let wheel: UnsafeMutablePointer<Wheel<M>>
  /// What its callouts are called.
  @usableFromInline let names: CalloutNames

  @inlinable init(now: UInt64) {
    lock = .words(1)
    wheel = .allocate(capacity: 1)
    wheel.initialize(to: Wheel(now: now))
    names = CalloutNames()
  }

  @inlinable func deallocate() {
    wheel.pointee.deallocate()
    wheel.deallocate()
    names.deallocate()
  }
}

@frozen @usableFromInline struct Wheel<M: Machine> {
  /// One tick is 2^14 ns, 16.4 µs: a callout is never early, and late by a tick at most for the wheel's part.
  @inlinable static var tickShift: UInt64 { 14 }
  @inlinable static var levels: Int { 8 }
  @inlinable static var slots: Int { 64 }
  /// From 2^18 ticks on, 4.3 s, a callout is far ahead; see `changeSlot(_:_:)`.
  @inlinable static var far: UInt64 { 1 << 18 }
  /// The farthest deadline that fits, in ticks from `elapsed`: 2^47 ticks are 73 years.
  @inlinable static var horizon: UInt64 { 1 << 47 }

  @usableFromInline let lists: UnsafeMutablePointer<CalloutList<M>>
  @usableFromInline let occupied: UnsafeMutablePointer<UInt64>
  /// Due callouts: by level, and by way in (bigLock, ordered, mpSafe).
  @usableFromInline let due: UnsafeMutablePointer<CalloutList<M>>
  /// The ticks that have passed.
  @usableFromInline var elapsed: UInt64
  @usableFromInline var armed = 0
  /// The time by which its CPU looks at it, as far as arming knows: of an earlier deadline it is told.
  @usableFromInline var looksBy: UInt64 = .max
  /// The number of the last arming or cancelling.
  @usableFromInline var generation: UInt32 = 0

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
    return deadline >> tickShift &+ (deadline & ((1 << tickShift) - 1) == 0 ? 0 : 1)
  }

  /// A number that nothing that was popped has.
  @inlinable mutating func renew(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    generation = generation &+ 1
    node.pointee.generation = generation
  }

  /// Arms a node for its deadline, armed or not before. One that is due already goes into the next tick.
  @inlinable @inline(__always) mutating func insert(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    renew(node)
    if node.pointee.place != .wheel {
      if node.pointee.place == .due { takeFromDue(node) } else { armed &+= 1 }
      node.pointee.place = .wheel
    }
    let tick = Self.tick(of: node.pointee.deadline)
    // It may stay in a slot that comes no later: there it is looked at again. (What hangs nowhere does not pass.)
    if node.pointee.hungAt <= tick || Mutant.isOn(.staysInSlot) && node.pointee.isHung { return }
    changeSlot(node, tick)
  }

  /// Hangs a node into another slot, or its first. One that is far ahead comes to half the way: so most later changes of its time find
  /// it in a slot that comes early enough, for one look more at those that nobody cancels. (Time itself sends it all the way on.)
  @inlinable @inline(never)
  mutating func changeSlot(_ node: UnsafeMutablePointer<CalloutNode<M>>, _ tick: UInt64) {
    takeFromSlot(node)
    let ahead = min(max(tick, elapsed &+ 1), elapsed &+ (Self.horizon &- 1)) &- elapsed
    hang(node, at: elapsed &+ (ahead < Self.far ? ahead : ahead / 2))
  }

  @inlinable mutating func hang(_ node: UnsafeMutablePointer<CalloutNode<M>>, at tick: UInt64) {
    // The highest digit wraps: no deadline is farther than half a turn of it.
    let digit = min((63 &- ((elapsed ^ tick) | 63).leadingZeroBitCount) / 6, Self.levels &- 1)
    let slot = Int((tick &>> UInt64(digit &* 6)) & 63)
    let index = digit &* Self.slots &+ slot
    lists[index].append(node)
    occupied[digit] |= 1 &<< UInt64(slot)
    node.pointee.wheelSlot = UInt16(truncatingIfNeeded: index)
    node.pointee.hungAt = tick & (UInt64.max &<< UInt64(digit &* 6))
  }

  /// Disarms a node. In the wheel it stays where it hangs: nobody but the wheel looks at it there.
  @inlinable @inline(__always) mutating func remove(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    if node.pointee.place == .idle { return }
    if node.pointee.place == .due { takeFromDue(node) }
    node.pointee.place = .idle
    armed &-= 1
  }

  @inlinable @inline(never) mutating func takeFromDue(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    due[Self.dueIndex(node.pointee.rules)].remove(node)
  }

  /// Takes a node off its due list, for a dispatch.
  @inlinable mutating func pop(_ node: UnsafeMutablePointer<CalloutNode<M>>, of index: Int) {
    due[index].remove(node)
    node.pointee.place = .idle
    armed &-= 1
    node.pointee.isPopped = true
    node.pointee.isCancelled = false
  }

  /// Takes a node out of the slot that it hangs in, if it does.
  @inlinable mutating func takeFromSlot(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    guard node.pointee.isHung else { return }
    let index = Int(node.pointee.wheelSlot)
    lists[index].remove(node)
    if lists[index].head == nil { occupied[index / Self.slots] &= ~(1 << UInt64(index % Self.slots)) }
    node.pointee.hungAt = CalloutNode<M>.notHung
  }

  /// Forgets what cancelled callouts left behind: nothing is armed, and the nodes are made anew.
  @inlinable mutating func clear() {
    looksBy = .max
    for digit in 0..<Self.levels {
      while occupied[digit] != 0 {
        lists[digit * Self.slots + occupied[digit].trailingZeroBitCount] = CalloutList()
        occupied[digit] &= occupied[digit] &- 1
      }
    }
  }

  @inlinable static func dueIndex(_ rules: CalloutRules) -> Int { dueIndex(rules.level, rules.way) }
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

  /// The time of the machine's clock at which something has to be done next; `UInt64.max` if nothing has. It may be before the
  /// earliest deadline: also a slot in which only something was left has to be looked at.
  @inlinable func nextDeadline() -> UInt64 {
    guard armed > 0, let next = nextSlot() else { return .max }
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
      let list = lists[index]
      lists[index] = CalloutList()
      occupied[next.digit] &= ~(1 << UInt64(next.slot))
      touched |= empty(list)
    }
    elapsed = max(elapsed, target)
    return touched
  }

  /// A hint: what its body captures is read soon. A closure is two words, of which the second says where that is; if it said anything else,
  /// the hint would be of no use, and do no harm (Documentation/Decisions/0023).
  @inlinable @inline(__always) func expectRun(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    let captured = UnsafeRawPointer(node).load(fromByteOffset: MemoryLayout<UInt>.size, as: UInt.self)
    if let at = UnsafeRawPointer(bitPattern: captured) { M.willRead(at) }
  }

  /// Sends the nodes of a slot that time has reached on: to the due lists, to slots of lower digits, or, if they are not armed, nowhere.
  @inlinable mutating func empty(_ list: CalloutList<M>) -> UInt64 {
    var found = CalloutList<M>()
    var isSorted = true
    var kinds: UInt64 = 0
    var rest = list.head
    while let node = rest {
      rest = node.pointee.next
      node.pointee.hungAt = CalloutNode<M>.notHung
      guard node.pointee.place == .wheel || Mutant.isOn(.dueWithSlot) else { continue }
      let tick = Self.tick(of: node.pointee.deadline)
      if tick > elapsed && !Mutant.isOn(.dueWithSlot) {
        hang(node, at: min(tick, elapsed &+ (Self.horizon &- 1)))
        continue
      }
      node.pointee.place = .due
      expectRun(node)
      kinds |= 1 << UInt64(Self.dueIndex(node.pointee.rules))
      if let last = found.tail { isSorted = isSorted && last.pointee.isBefore(node) }
      found.append(node)
    }
    if !isSorted { found.sort() }
    // Mostly all are of one level and way in.
    if kinds.nonzeroBitCount == 1 {
      due[kinds.trailingZeroBitCount].append(contentsOf: found)
      return kinds
    }
    rest = found.head
    while let node = rest {
      rest = node.pointee.next
      due[Self.dueIndex(node.pointee.rules)].append(node)
    }
    return kinds
  }
}
