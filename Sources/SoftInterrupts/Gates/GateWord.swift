// The packed word of all gates, and the argument why its protocols lose nothing.
//
// Every write to the word is a read-modify-write, so its writes are totally ordered and each synchronises with all
// earlier ones that release (release sequences are never broken). *Publish, then announce*: who marks or waits first publishes (a mark,
// a waiter's state), then sets ATTN with `announce`. Either the old value shows the gate free, and the announcer tries
// itself; or the holder's freeing operation comes later in the word's order, sees ATTN and has acquired what was
// published. So no store–load fence is needed anywhere around a gate. Why one word: Documentation/Decisions/0001.

extension GateSet {
  /// The bits of the word: owned; to be looked at by whoever frees the gate; free but kept for one waiter.
  @inlinable var heldBits: UInt { rawValue }
  @inlinable var attentionBits: UInt { rawValue << 8 }
  @inlinable var reservedBits: UInt { rawValue << 16 }
  /// Somebody is in its queue and has said so, or was at the last look, or it was handed on for a turn: it may have to be handed on when it
  /// is left. Set, it may be wrong; clear, it is not.
  @inlinable var awaitedBits: UInt { rawValue << 24 }
}

/// The packed word of a set of gates, or (with one gate of it in use) of a LevelLock.
@frozen @usableFromInline struct GateWord<M: Machine> {
  @usableFromInline let word: UnsafeMutablePointer<M.Word>
  @inlinable init(_ word: UnsafeMutablePointer<M.Word>) { self.word = word }

  /// Takes all gates of the set in one step, if each is free and unreserved. Repeats only if the word changed under it
  /// while they are free. The acquire pairs with the release in ``free(_:)``. "Raise before you acquire" is for what interrupts
  /// this thread, so the local fence keeps it.
  @inlinable @inline(__always) func take(_ gates: GateSet) -> Bool {
    M.localFence()
    var seen = word.load(.relaxed)
    while seen & (gates.heldBits | gates.reservedBits) == 0 {
      if word.compareExchange(seen, seen | gates.heldBits, .acquire) { return true }
      seen = word.load(.relaxed)
    }
    return false
  }

  /// As ``take(_:)``, on the guess that no gate of the system is held, reserved or wanted: then the locked instruction waits for no load of
  /// a word that the last freeing has just changed. Where the guess is wrong it has changed nothing, and brought the line that `take` needs; who
  /// waits does not guess.
  @inlinable @inline(__always) func takeGuessing(_ gates: GateSet) -> Bool {
    M.localFence()
    return word.compareExchange(0, gates.heldBits, .acquire) || take(gates)
  }

  /// Whether a gate has an owner now; a hint.
  @inlinable func isHeld(_ gate: GateSet) -> Bool { word.load(.relaxed) & gate.heldBits != 0 }

  /// Which of the gates have an owner now, or are kept for a waiter; a hint.
  @inlinable func busy(_ gates: GateSet) -> GateSet {
    let seen = word.load(.relaxed)
    return GateSet(rawValue: (seen | seen >> 16) & gates.heldBits)
  }

  /// Takes one gate that is free, ending its reservation in the same step. Queue lock held. Acquire: the last holder may have
  /// freed it without that lock.
  @inlinable func takeKept(_ gate: GateSet) -> Bool {
    var seen = word.load(.relaxed)
    while seen & gate.heldBits == 0 {
      if word.compareExchange(seen, (seen & ~gate.reservedBits) | gate.heldBits, .acquire) {
        return true
      }
      seen = word.load(.relaxed)
    }
    clearReserved(gate)
    return false
  }

  /// Whether one of the gates is reserved and all are without an owner: then a try has to ask the queue.
  @inlinable func isOnlyReserved(_ gates: GateSet) -> Bool {
    let seen = word.load(.relaxed)
    return seen & gates.heldBits == 0 && seen & gates.reservedBits != 0
  }

  /// Frees the gates, which the caller holds; the gates among them that somebody announced something for.
  /// The release pairs with the acquire in ``take(_:)``; what was announced is acquired by ``clearAttention(_:)``. "Release before you
  /// lower" is for what interrupts this thread: the local fence.
  @inlinable @inline(__always) func free(_ gates: GateSet) -> GateSet {
    // A subtraction: the bits are set, so it clears just them, and unlike an and whose old value is wanted it is one instruction.
    let old = word.fetchAdd(0 &- gates.heldBits, .release)
    M.localFence()
    return GateSet(rawValue: (old & gates.attentionBits) >> 8)
  }

  /// Says that something was published for these gates; whether one of them was free, so that the caller has to try.
  /// Always a read-modify-write, also when the bit is set: a failed compare-exchange would announce nothing. Release: who clears
  /// the bit sees what was published. What was freed is acquired by who takes it. The local fence keeps what the caller notes next
  /// (that it has tried) after it, for what interrupts it.
  /// A waiter also says that the gate is awaited.
  @inlinable func announce(_ gate: GateSet, waits: Bool = false) -> Bool {
    M.announces(word, gate.attentionBits)
    let old = word.fetchOr(gate.attentionBits | (waits ? gate.awaitedBits : 0), .release)
    M.localFence()
    return old & gate.heldBits == 0
  }

  /// The gates of the set that want attention now; a hint.
  @inlinable @inline(__always) func attention(_ gates: GateSet) -> GateSet {
    GateSet(rawValue: (word.load(.relaxed) & gates.attentionBits) >> 8)
  }

  /// Whether somebody is in the queue of a gate, or was; a hint.
  @inlinable func isAwaited(_ gate: GateSet) -> Bool { word.load(.relaxed) & gate.awaitedBits != 0 }

  /// Whether one of the gates wants attention or is awaited now; a hint, read before a leaving to choose its path.
  @inlinable @inline(__always) func wantsCare(_ gates: GateSet) -> Bool {
    word.load(.relaxed) & (gates.attentionBits | gates.awaitedBits) != 0
  }

  /// Clears the attention bit before a look: what is announced later sets it again. Queue lock held. Acquire: pairs with the
  /// release in ``announce(_:waits:)``. With nobody in the queue the gate is awaited no longer: who joins it says so again.
  @inlinable func clearAttention(_ gate: GateSet, isAwaited: Bool) {
    let old = word.fetchAnd(~(gate.attentionBits | (isAwaited ? 0 : gate.awaitedBits)), .acquire)
    M.looks(word, old & gate.attentionBits)
  }
  /// Sets it again for what is still there. Queue lock held, and relaxed: who looks takes the lock, and marks go on with the
  /// release sequence of their announcement.
  @inlinable func setAttention(_ gate: GateSet) { word.fetchOr(gate.attentionBits, .relaxed) }
  /// Sets or clears the reservation. Queue lock held, and relaxed: who finds the bit asks under the lock.
  @inlinable func setReserved(_ gate: GateSet) { word.fetchOr(gate.reservedBits, .relaxed) }
  @inlinable func clearReserved(_ gate: GateSet) { word.fetchAnd(~gate.reservedBits, .relaxed) }
}
