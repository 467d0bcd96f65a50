// The memory of handlers: one slot for each (level, bit), kept for the life of the process.
//
// Law: a slot is never freed, so a stale handle may always ask it; `generation` is odd while a handler is established in
// it. A slot gets its next owner only after every `schedule` that had compared the old generation has set its bit (and the
// bit was cleared again), so a stale handle can never reach the next owner.

/// How a handler is let in at its level.
public enum WayIn: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// Not migrated: under the big lock and the gate of its level.
  case bigLock
  /// Under the gate of its level: at most one CPU at a time, never twice at once.
  case ordered
  /// As ordered, and it promises to raise to no other soft level.
  case disjoint
  /// Under no gate: on many CPUs at once, with locks of its own.
  case mpSafe

  @inlinable public var description: String {
    switch self {
    case .bigLock: "bigLock"
    case .ordered: "ordered"
    case .disjoint: "disjoint"
    case .mpSafe: "mpSafe"
    }
  }
}

/// On which CPU a handler runs.
public enum Placement: UInt8, Sendable {
  /// On the CPU that it was scheduled on: it may use per-CPU data.
  case bound
  /// On any CPU: whoever holds the gate may run it when it leaves.
  case anywhere
}

/// What a handler did on behalf of one CPU: counts, relaxed, which order nothing. One line that the CPU writes for itself, and one for others.
@frozen @usableFromInline struct Home<M: Machine> {
  @usableFromInline let words: UnsafeMutablePointer<M.Word>
  @inlinable init(_ words: UnsafeMutablePointer<M.Word>) { self.words = words }
  @inlinable static var size: Int { 16 }

  /// Marks that this CPU made, here or elsewhere (plain read and write: a signal handler in between may cost one count), and its schedules
  /// that found a mark.
  @inlinable var marked: UnsafeMutablePointer<M.Word> { words }
  @inlinable var coalesced: UnsafeMutablePointer<M.Word> { words + 1 }
  @inlinable var runs: UnsafeMutablePointer<M.Word> { words + 2 }
  /// The claim count after the last claim of this handler here. The claimer's own; bound handlers are claimed at home.
  @inlinable var lastClaim: UnsafeMutablePointer<M.Word> { words + 3 }
  /// Times, in nanoseconds modulo the word (only with `Configuration/timing`).
  @inlinable var runTime: UnsafeMutablePointer<M.Word> { words + 4 }
  @inlinable var queueing: UnsafeMutablePointer<M.Word> { words + 5 }

  /// When the pending bit was set: see PendingWord.swift.
  @inlinable var stamp: UnsafeMutablePointer<M.Word> { words + 8 }
  /// When it became pending, in nanoseconds modulo the word (only with `Configuration/timing`).
  @inlinable var pendingSince: UnsafeMutablePointer<M.Word> { words + 9 }
  /// Marks here, and schedules that found one, by threads that are no CPU.
  @inlinable var markedByOthers: UnsafeMutablePointer<M.Word> { words + 10 }
  @inlinable var coalescedByOthers: UnsafeMutablePointer<M.Word> { words + 11 }
  @inlinable var drainedRuns: UnsafeMutablePointer<M.Word> { words + 12 }

  /// Adds one to a counter that only one thread writes.
  @inlinable static func bump(_ word: UnsafeMutablePointer<M.Word>, by step: UInt = 1) {
    word.store(word.load(.relaxed) &+ step, .relaxed)
  }

  @inlinable func countRun(drained: Bool) { drained ? bumpShared(drainedRuns) : Self.bump(runs) }
  @inlinable func bumpShared(_ word: UnsafeMutablePointer<M.Word>) { word.fetchAdd(1, .relaxed) }

  /// Accounts for the time between mark and run; the time now.
  @inlinable func startRun(now: UInt64) -> UInt64 {
    let since = pendingSince.load(.relaxed)
    if since != 0 { queueing.fetchAdd(UInt(truncatingIfNeeded: now) &- since, .relaxed) }
    return now
  }
}

/// A handler's body in an object of its own: who runs it takes no reference, as for a closure read from memory it would.
@usableFromInline final class HandlerBody<M: Machine> {
  @usableFromInline let call: (borrowing Here<M>) -> Void
  @inlinable init(_ call: @escaping (borrowing Here<M>) -> Void) { self.call = call }
}

@frozen @usableFromInline struct HandlerSlot<M: Machine> {
  // Set once, when the slot is made.
  @usableFromInline let level: Level
  /// The bit in the pending words of the level.
  @usableFromInline let bit: UInt
  /// Behind the slot, in its memory.
  @usableFromInline let generation: UnsafeMutablePointer<M.Word>
  @usableFromInline let homes: UnsafeMutablePointer<M.Word>
  /// Counts schedules in flight on threads without an agent. Shared by a system's slots, kept as they are.
  @usableFromInline let foreignInflight: UnsafeMutablePointer<M.Word>
  @usableFromInline let system: SystemRef<M>

  // Set by `establish`, before the generation is.
  @usableFromInline var isBound = true
  /// The slot's own reference; changed by `replaceBody` only. What runs ask for ends here, with the first cache line.
  @usableFromInline var body: Unmanaged<HandlerBody<M>>?
  @usableFromInline var name = ""

  // Under the table lock.
  @usableFromInline var suspensions = 0
  /// Changes under way: each keeps dispatch away until it is done.
  @usableFromInline var changes = 0
  /// Asked for from inside the handler: what is left is done when the run ends.
  @usableFromInline var retiring = false

  @inlinable init(
    level: Level, bit: UInt, system: SystemRef<M>, generation: UnsafeMutablePointer<M.Word>,
    homes: UnsafeMutablePointer<M.Word>
  ) {
    self.level = level
    self.bit = bit
    self.system = system
    self.foreignInflight = system.p.pointee.foreignInflight
    self.generation = generation
    self.homes = homes
  }

  /// Starts a new owner's place in the order of a CPU: until it is stamped, no stamp is valid. (Neither the one of the last owner,
  /// whose last mark may have been dropped, nor the 0 of fresh memory, which would pass for the number of a first mark.) A schedule
  /// of the last owner's that still has to stamp bears an older count. Relaxed: published with the generation.
  @inlinable func beginOrder(_ cpu: Int, claims: UInt) {
    if Mutant.isOn(.freshStamp) { return }
    home(cpu).lastClaim.store(claims, .relaxed)
    home(cpu).stamp.store((claims &- 1) << PendingWord.half, .relaxed)
  }

  /// Starts the counts of a new owner. Stamps and claims go on.
  @inlinable func clearStatistics(_ cpuCount: Int) {
    for cpu in 0..<cpuCount {
      let home = home(cpu)
      for word in 0..<Home<M>.size
      where home.words + word != home.stamp && home.words + word != home.lastClaim {
        (home.words + word).store(0, .relaxed)
      }
    }
  }

  @inlinable func home(_ cpu: Int) -> Home<M> { Home(homes + cpu &* Home<M>.size) }
}

extension UnsafeMutablePointer {
  /// A slot, its generation and its homes in one block: each on cache lines of its own, but for the generation.
  @inlinable static func slot<M: Machine>(
    _ level: Level, bit: UInt, of system: SystemRef<M>
  ) -> Self where Pointee == HandlerSlot<M> {
    let word = MemoryLayout<M.Word>.stride
    let line = Agent<M>.wordsPerLine
    // Rounded up to where a word may be; a word's alignment divides its stride.
    let place = (MemoryLayout<Pointee>.size + word - 1) / word
    let homes = (place + 1 + line - 1) / line * line
    let words = UnsafeMutablePointer<M.Word>.words(homes + system.cpuCount * Home<M>.size)
    let slot = UnsafeMutableRawPointer(words).bindMemory(to: Pointee.self, capacity: 1)
    slot.initialize(
      to: HandlerSlot(
        level: level, bit: bit, system: system, generation: words + place, homes: words + homes))
    return slot
  }

  /// Gives back all the memory of a slot that nobody knows any more.
  func releaseSlot<M: Machine>() where Pointee == HandlerSlot<M> {
    _ = replaceBody()
    deinitialize(count: 1)
    UnsafeMutableRawPointer(self).deallocate()
  }

  /// Puts another body, or none, in place; returns the last one, which is to die outside of any lock. No run is under way and none
  /// starts: who ends a handler, and who gives its slot to another, has seen to that.
  ///
  /// Of the pointer and not of the slot: a mutating method would be an access to all of the slot, of which others read what is constant.
  @inlinable func replaceBody<M: Machine>(_ new: HandlerBody<M>? = nil) -> HandlerBody<M>?
  where Pointee == HandlerSlot<M> {
    let old = pointee.body
    pointee.body = new.map(Unmanaged.passRetained)
    return old?.takeRetainedValue()
  }

  /// Calls the body. No reference is taken: the slot keeps its own until no run is under way (see `replaceBody`).
  @inlinable @inline(__always) func callBody<M: Machine>(_ here: borrowing Here<M>)
  where Pointee == HandlerSlot<M> {
    pointee.body!._withUnsafeGuaranteedRef { $0.call(here) }
  }
}

/// The handlers of a level by their way in: words that every dispatch reads and only establishing, changing and suspending
/// write, under the table lock.
@frozen @usableFromInline struct Ways<M: Machine> {
  @usableFromInline let base: UnsafeMutablePointer<M.Word>
  @inlinable init(_ base: UnsafeMutablePointer<M.Word>) { self.base = base }
  @inlinable static var size: Int { 8 }

  @inlinable var bigLock: UnsafeMutablePointer<M.Word> { base }
  /// Ordered and disjoint.
  @inlinable var ordered: UnsafeMutablePointer<M.Word> { base + 1 }
  @inlinable var disjoint: UnsafeMutablePointer<M.Word> { base + 2 }
  @inlinable var mpSafe: UnsafeMutablePointer<M.Word> { base + 3 }
  @inlinable var anywhere: UnsafeMutablePointer<M.Word> { base + 4 }
  @inlinable var suspended: UnsafeMutablePointer<M.Word> { base + 5 }
  /// Slots that have an owner or wait for their last schedules.
  @inlinable var used: UnsafeMutablePointer<M.Word> { base + 6 }
  /// Slots that wait for their last schedules.
  @inlinable var quarantined: UnsafeMutablePointer<M.Word> { base + 7 }

  /// Which of the handlers that are pending at a CPU may be run by one of the ways: who is suspended, who is let in, and again who
  /// is suspended. Called inside what keeps changes *from* this way out: its gate, or its epoch.
  ///
  /// - Changed from this way before: the first look at the suspensions sees the keeping away, or (acquire) that it is over, and then
  ///   that the way is another.
  /// - Changed *to* this way, for which nobody waits for us, and suspended: who sees the new way (acquire) sees the suspension after
  ///   it. With one look, before, it would be run in spite of it.
  /// - Admitted again: what was done before is seen with the last look (acquire).
  ///
  /// The bits of `pending` only choose: the claim acquires.
  @inlinable func runnable(
    by way: UnsafeMutablePointer<M.Word>, of pending: UnsafeMutablePointer<M.Word>
  ) -> UInt {
    let before = suspended.load(.acquire)
    let letIn = way.load(.acquire)
    let after = Mutant.isOn(.suspensionsOnce) ? before : suspended.load(.acquire)
    return letIn & ~(before | after) & pending.load(.relaxed)
  }

  /// Lets a handler in by one way, and by no other. Release: pairs with the acquire in ``runnable(by:of:)``.
  @inlinable func set(_ bit: UInt, _ way: WayIn?) {
    // Out first: a dispatch in between finds it under no way and leaves it pending. Relaxed: who dispatches by the old way and
    // might not have seen this yet was waited for (by its gate or its epoch) or comes after.
    for word in [bigLock, ordered, disjoint, mpSafe] { word.fetchAnd(~bit, .relaxed) }
    guard let way else { return }
    if way == .disjoint { disjoint.fetchOr(bit, .relaxed) }
    (way == .mpSafe ? mpSafe : way == .bigLock ? bigLock : ordered).fetchOr(bit, .release)
  }

  /// The handlers that have a way in. Relaxed: whoever lets one in rings for what is pending.
  @inlinable var admitted: UInt { ordered.load(.relaxed) | mpSafe.load(.relaxed) | bigLock.load(.relaxed) }

  @inlinable func way(of bit: UInt) -> WayIn {
    if mpSafe.load(.relaxed) & bit != 0 { return .mpSafe }
    if disjoint.load(.relaxed) & bit != 0 { return .disjoint }
    return bigLock.load(.relaxed) & bit != 0 ? .bigLock : .ordered
  }
}
