// What any thread gives to a level: a list that is pushed without waiting and taken as a whole.
//
// Law: an item is in one list at most, from its push until it is taken; items come out in the order of their pushes. Exactly one push
// of each batch finds the list empty, and says so: who is told must look.
//
// Where it comes from: the stack of Treiber (1986), taken by one exchange as a whole. Nobody pops single items, so an address that
// comes back (ABA) is no defect: what a push compares is only that its link is still the head.

public import SoftInterrupts

/// Something with a word of its own that links it, and with an address.
@usableFromInline package protocol Linked {
  /// Never 0.
  var bits: UInt { get }
  init(bits: UInt)
  /// The word that belongs to the list while the item is in one.
  var link: UnsafeMutablePointer<UInt> { get }
}

/// A list for many producers and one consumer at a time.
@frozen @usableFromInline package struct Incoming<M: Machine, Item: Linked> {
  @usableFromInline let head: UnsafeMutablePointer<M.Word>

  @inlinable package init() {
    // A cache line of its own: producers write it.
    let size = max(64, MemoryLayout<M.Word>.stride)
    head = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: max(64, MemoryLayout<M.Word>.alignment)
    )
    .bindMemory(to: M.Word.self, capacity: 1)
    head.initialize(to: M.Word(0))
  }

  @inlinable package func deallocate() { head.deallocate() }

  /// Adds an item; whether the list was empty. Lock-free; any thread and level.
  ///
  /// Release: pairs with the acquire in `takeAll`, which reads the last push of the batch; the pushes before it head release
  /// sequences that go on through the read-modify-writes of the later ones, so all that was written before any of them is seen.
  @inlinable package func push(_ item: Item) -> Bool {
    var first = M.Word.load(head, .relaxed)
    #if Mutants
      let seen = first
    #endif
    while true {
      // Ours until the exchange below publishes it.
      item.link.pointee = first
      #if Mutants
        let order = MemoryOrder.release.unless(.relaxedPush)
      #else
        let order = MemoryOrder.release
      #endif
      if M.Word.compareExchange(head, first, item.bits, order) { break }
      first = M.Word.load(head, .relaxed)
    }
    // What the exchange found, not what was seen before: between the two the consumer may have taken everything.
    #if Mutants
      if ActorMutant.isOn(.missedNotify) { return seen == 0 }
    #endif
    return first == 0
  }

  /// Takes what there is, first pushed first; 0 if there is nothing. The items are linked, the last one to 0. For the consumer.
  @inlinable package func takeAll() -> UInt {
    #if Mutants
      let order = MemoryOrder.acquire.unless(.relaxedTake)
    #else
      let order = MemoryOrder.acquire
    #endif
    var next = M.Word.exchange(head, 0, order)
    #if Mutants
      if ActorMutant.isOn(.lastFirst) { return next }
    #endif
    var reversed: UInt = 0
    while next != 0 {
      let link = Item(bits: next).link
      let after = link.pointee
      link.pointee = reversed
      reversed = next
      next = after
    }
    return reversed
  }

  /// Whether there is something; stale at once. Relaxed: who acts on it takes, which acquires.
  @inlinable package var isEmpty: Bool { M.Word.load(head, .relaxed) == 0 }
}
