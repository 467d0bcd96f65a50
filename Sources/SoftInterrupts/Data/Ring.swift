// A ring: one producer, one consumer, no guard.
//
// Law: the slots head ..< tail (indices modulo the capacity) hold elements; the producer alone writes `tail` and empty slots, the
// consumer alone writes `head` and full ones. Each side keeps a copy of the other's index and looks again only when the copy
// says full or empty (as in FastForward and in Lamport's bounded buffer with cached indices).

/// A bounded queue between one producer and one consumer, which may be on different CPUs and levels.
///
/// Wait-free. Who produces and who consumes is the program's affair: a bound handler, or an ordered one, is one producer.
public final class Ring<Element, M: Machine>: @unchecked Sendable {
  // Sendable: each slot is handed from one side to the other by the release of an index and its acquire.
  @usableFromInline let capacity: UInt
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  /// head, then on lines of their own tail and the two copies.
  @usableFromInline let head: UnsafeMutablePointer<M.Word>
  @usableFromInline let tail: UnsafeMutablePointer<M.Word>
  @usableFromInline let knownTail: UnsafeMutablePointer<M.Word>
  @usableFromInline let knownHead: UnsafeMutablePointer<M.Word>

  /// - Parameter capacity: how many elements fit; rounded up to a power of two.
  @inlinable public init(capacity: Int) {
    precondition(capacity > 0 && capacity <= 1 << 30, "a ring holds 1 to 2^30 elements")
    var size: UInt = 1
    while size < UInt(capacity) { size <<= 1 }
    self.capacity = size
    slots = .allocate(capacity: Int(size))
    let line = Agent<M>.wordsPerLine
    head = .words(2 * line)
    knownTail = head + 1
    tail = head + line
    knownHead = tail + 1
  }

  deinit {
    while pop() != nil {}
    slots.deallocate()
    head.deallocate()
  }

  /// Producer only. False, and nothing done, if it is full.
  @inlinable public func push(_ element: consuming sending Element) -> Bool {
    // Relaxed: our own. The copy of the other's index is ours as well.
    let at = tail.load(.relaxed)
    if at &- knownHead.load(.relaxed) == capacity {
      // Acquire: pairs with the consumer's release; its read of the slot is over.
      knownHead.store(head.load(.acquire), .relaxed)
      if at &- knownHead.load(.relaxed) == capacity { return false }
    }
    M.touches(slots + Int(at & (capacity &- 1)), .write)
    (slots + Int(at & (capacity &- 1))).initialize(to: element)
    countsStand()
    // Release: publishes the slot.
    tail.store(at &+ 1, .release)
    return true
  }

  /// Consumer only. Nil if it is empty.
  @inlinable public func pop() -> Element? {
    let at = head.load(.relaxed)
    if at == knownTail.load(.relaxed) {
      // Acquire: pairs with the producer's release.
      knownTail.store(tail.load(.acquire), .relaxed)
      if at == knownTail.load(.relaxed) { return nil }
    }
    M.touches(slots + Int(at & (capacity &- 1)), .write)
    let element = (slots + Int(at & (capacity &- 1))).move()
    // Release: the slot is free once this is seen.
    head.store(at &+ 1, .release)
    return element
  }

  /// How many elements it holds; exact for producer and consumer in between their own calls, a hint for others.
  @inlinable public var count: Int { Int(tail.load(.relaxed) &- head.load(.relaxed)) }
}
