// Who waits for one gate, in the order of arrival, and whose asynchronous work is marked on it.
//
// Law: the list, `since`, `passes`, `turnEnds` and the reservation are read and written under `lock` only. `lock` is held at
// IPL `high` for a few instructions, and no gate is waited for under it. A waiter's `state` word is a compare-exchange
// variable of its own CPU and of the holder of the gate:
//
//      waiting ──(who looks, under lock)──▶ woken       it was told that the gate is free: it tries, or looks itself
//      waiting, woken ──(holder, under lock)──▶ granted the gate is the waiter's; it was unlinked
//      waiting, woken ──(own CPU)──▶ serving            suspended under a handler: passed over, keeps its place
//      serving, woken ──(own CPU)──▶ waiting            before it announces itself again
//
// While the attention bit is clear, whoever is `waiting` in the queue has one before or behind it that is `woken`, or is about to
// announce itself. (Who takes the gate from the queue sets the bit, under the lock, if others are there.)
//
// The word is relaxed everywhere. What it says only decides who goes on: what others do to it is done under the lock, which a
// waiter takes before it goes on with a gate that it was granted (who reads `granted` reads it from inside that section, so its own
// section comes later); and its own changes are followed by an announcement (GateWord.swift), which releases.

import Synchronization

/// The states of a waiter's word.
@usableFromInline enum WaiterState {
  @inlinable static var waiting: UInt { 0 }
  @inlinable static var serving: UInt { 1 }
  @inlinable static var granted: UInt { 2 }
  @inlinable static var woken: UInt { 3 }
}

/// One wait of one agent. The memory belongs to the agent and outlives the wait.
@frozen @usableFromInline struct Waiter<M: Machine> {
  @usableFromInline let state: UnsafeMutablePointer<M.Word>
  @usableFromInline var next: UnsafeMutablePointer<Waiter<M>>?
  @usableFromInline var agent: UnsafeMutablePointer<Agent<M>>?
  /// The queue of its present or last wait. Its own CPU's, like `agent`.
  @usableFromInline var queue: UnsafeMutablePointer<GateQueue<M>>?
  @usableFromInline var since: UInt64 = 0
  @usableFromInline var passes: Int = 0
  /// Its own CPU's: it was woken, and has not tried since. Who interrupts it in between looks in its stead (H52).
  @usableFromInline var owesTry = false

  @inlinable init() {
    state = .words(1)
  }
  /// A new one in the memory of one that nobody knows any more.
  @inlinable init(after old: Self) {
    state = old.state
    state.initialize(to: M.Word(0))
  }
  @inlinable func deallocate() { state.deallocate() }
}

@frozen @usableFromInline struct GateQueue<M: Machine> {
  @usableFromInline let word: GateWord<M>
  /// The one gate of `word` that this queue is for.
  @usableFromInline let gate: GateSet
  /// Its level: at which its holder runs.
  @usableFromInline let level: Level
  @usableFromInline let lock: UnsafeMutablePointer<M.Word>
  /// CPUs that have asynchronous work for this gate, a bit each.
  @usableFromInline let marks: UnsafeMutablePointer<M.Word>
  @usableFromInline var head: UnsafeMutablePointer<Waiter<M>>?
  @usableFromInline var tail: UnsafeMutablePointer<Waiter<M>>?
  /// For whom the gate is kept while it is free, and since when it has been free.
  @usableFromInline var reservedFor: UnsafeMutablePointer<Waiter<M>>?
  @usableFromInline var freeSince: UInt64 = 0
  /// Until when who got the gate from the queue has its turn.
  @usableFromInline var turnEnds: UInt64 = 0
  /// The gate's holder's, with or without the lock: until when nobody in the queue is due and no turn ends, as the last look had it; and
  /// how many leavings may go by before the next look at the clock.
  @usableFromInline var calmUntil: UInt64 = 0
  @usableFromInline var calmLeavings = 0

  @inlinable init(word: GateWord<M>, level: Level, gate: GateSet) {
    self.word = word
    self.gate = gate
    self.level = level
    lock = .words(1)
    marks = .words(1)
  }

  @inlinable func deallocate() {
    lock.deallocate()
    marks.deallocate()
  }

  // MARK: Under the lock

  /// Tells the first waiter that is at the top of its CPU that the gate is free; nil if there is none, or if the first one was
  /// told already and has not tried since: it will try, or look itself when it cannot.
  @inlinable func wakeFirst() -> UnsafeMutablePointer<Waiter<M>>? {
    var at = head
    while let here = at {
      let state = here.pointee.state
      if state.compareExchange(WaiterState.waiting, WaiterState.woken, .relaxed) { return here }
      if state.load(.relaxed) == WaiterState.woken { return nil }
      at = here.pointee.next
    }
    return nil
  }
}

// Under the lock too. On the address, field by field: a mutating method would be an access to the whole queue, also to what
// is read without the lock.
extension UnsafeMutablePointer {
  @inlinable func append<M: Machine>(_ waiter: UnsafeMutablePointer<Waiter<M>>)
  where Pointee == GateQueue<M> {
    waiter.pointee.next = nil
    if let tail = pointee.tail { tail.pointee.next = waiter } else { pointee.head = waiter }
    pointee.tail = waiter
  }

  /// Takes a waiter out of the list, and its reservation with it.
  @inlinable func remove<M: Machine>(_ waiter: UnsafeMutablePointer<Waiter<M>>)
  where Pointee == GateQueue<M> {
    var previous: UnsafeMutablePointer<Waiter<M>>?
    var at = pointee.head
    while let here = at, here != waiter {
      previous = here
      at = here.pointee.next
    }
    guard at == waiter else { return }
    if let previous {
      previous.pointee.next = waiter.pointee.next
    } else {
      pointee.head = waiter.pointee.next
    }
    if pointee.tail == waiter { pointee.tail = previous }
    waiter.pointee.next = nil
    if pointee.reservedFor == waiter {
      pointee.reservedFor = nil
      pointee.word.clearReserved(pointee.gate)
    }
  }
}

/// Runs `body` under a core-internal spin lock. The caller is at IPL `high` or otherwise sure not to be interrupted by who wants it.
/// Acquire and release: what one section did is seen by the next.
@inlinable func spinLocked<M: Machine, R>(
  _: M.Type, _ lock: UnsafeMutablePointer<M.Word>, _ body: () -> R
) -> R {
  spinLock(M.self, lock)
  let result = body()
  spinUnlock(M.self, lock)
  return result
}

/// The first half of ``spinLocked``.
@inlinable func spinLock<M: Machine>(_: M.Type, _ lock: UnsafeMutablePointer<M.Word>) {
  var round = 0
  while lock.load(.relaxed) != 0 || lock.exchange(1, .acquire) != 0 {
    M.pause(round)
    round &+= 1
  }
  M.touches(lock, .write)
}

/// The other half.
@inlinable func spinUnlock<M: Machine>(_: M.Type, _ lock: UnsafeMutablePointer<M.Word>) {
  countsStand()
  lock.store(0, .release)
}

/// Before a store that lets others in: references that were copied before it are counted before it.
///
/// LLVM's pass for Swift's reference counts (`LLVMARCOpts`, `performLocalRetainMotion`) moves a retain behind any store, which "can't do a
/// release", and makes no exception for one that releases: so what was copied under a lock was counted after it, when others had perhaps let go of
/// the last count. It passes no fence and no read-modify-write (gates are left by one). This fence orders nothing that the store
/// does not order; it is no instruction on x86-64, and `dmb ishld` on arm64. `Benchmarks/check-assembly` looks.
@inlinable @inline(__always) func countsStand() { atomicMemoryFence(ordering: .acquiring) }
