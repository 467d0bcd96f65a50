// From a thread that must not wait to a level: a bounded ring whose producer is told to stop and, once, to go on.
//
// Law: an element that was accepted is in the ring until it is taken. A refusal is followed by exactly one answer "the producer
// waits" of `giveBack`, once there is room; in between the producer asks for nothing. Room is counted in one word, by
// read-modify-writes, so there is no pair of words ("full", "waits") that the two sides could see in two orders.
//
// Attacked and found to hold:
// - The ring is full, the producer is about to say that it waits, and the consumer empties the ring: the room is in the word by then,
//   so the exchange of "nothing" by "waits" fails, and the producer takes the room instead.
// - It comes the other way round: the consumer's addition finds "waits", and nothing else, and so answers for it. A second addition
//   finds its room there and does not.
// - Two sources behind one producer: one was refused, and the other, which takes the word as a whole, takes "waits" with it and finds
//   room that came after. The first would never be told. So a refused producer is refused until it has heard (`goOn`).
// - Room that was taken from the word is the ring's room: the consumer's release comes after its last read of the slots.

public import SoftInterrupts

/// A bounded queue into a level with back-pressure, for one producer and one consumer at a time.
///
/// The producer is a thread that waits for nothing, such as an event loop; the consumer is a bound or ordered handler. Wait-free but
/// for a refusal, which tries again while room comes.
///
/// ```swift
/// if !intake.offer(packet) { … }        // producer: keep it, read no more; schedule the handler in either case
/// while let packet = intake.take() { … }  // consumer, in the handler
/// if intake.giveBack() { … }            // consumer, at its end: tell the producer to call goOn() and offer what it kept
/// ```
public final class Intake<Element: Sendable, M: Machine>: @unchecked Sendable {
  // Sendable: the ring and a word; the rest belongs to one side.
  @usableFromInline let ring: Ring<Element, M>
  /// Bit 0: the producer waits. The rest: room that was given back and is not yet taken.
  @usableFromInline let word: UnsafeMutablePointer<M.Word>
  /// The producer's: room that it has in hand, and that it was refused and has not heard since.
  @usableFromInline var room: UInt
  @usableFromInline var isRefused = false
  /// The consumer's: what it has taken and not given back.
  @usableFromInline var taken: UInt = 0

  /// - Parameter capacity: how many elements it holds, 1 to 2^30; rounded up to a power of two.
  @inlinable public init(capacity: Int) {
    ring = Ring(capacity: capacity)
    room = 1
    while room < UInt(capacity) { room <<= 1 }
    word = .allocate(capacity: 1)
    word.initialize(to: M.Word(0))
  }

  deinit { word.deallocate() }

  /// Producer only. False if there is no room: then nothing is accepted until ``giveBack()`` has answered true and the producer has
  /// been told by ``goOn()``.
  @inlinable public func offer(_ element: Element) -> Bool {
    #if Mutants
      let isRefused = self.isRefused && !ActorMutant.isOn(.askedWhileRefused)
    #endif
    if isRefused { return false }
    while room == 0 {
      // Acquire: pairs with the release in `giveBack`; the reads of the slots are over.
      room = M.Word.exchange(word, 0, .acquire) >> 1
      if room != 0 { break }
      // Relaxed: it publishes nothing; the answer to it comes by `goOn`.
      if M.Word.compareExchange(word, 0, 1, .relaxed) {
        self.isRefused = true
        return false
      }
    }
    room -= 1
    let isIn = ring.push(element)
    precondition(isIn, "an intake has one producer")
    return true
  }

  /// Producer only, when it has been told that there is room after a refusal.
  @inlinable public func goOn() { isRefused = false }

  /// Consumer only. The next element; nil if there is none.
  @inlinable public func take() -> Element? {
    guard let element = ring.pop() else { return nil }
    taken += 1
    return element
  }

  /// Consumer only: makes what was taken room again. True, once for each refusal, if the producer waits and is to be told.
  @inlinable public func giveBack() -> Bool {
    if taken == 0 { return false }
    let back = taken << 1
    taken = 0
    #if Mutants
      if ActorMutant.isOn(.missedRefusal) {
        let isWaiting = M.Word.load(word, .acquire) == 1
        _ = M.Word.fetchAdd(word, back, .release)
        return isWaiting
      }
    #endif
    // Release: pairs with the acquire in `offer`, so that the ring's index is seen to have moved. (The simulated machine has no stale
    // loads, so no exploration misses this order.) What the addition found tells who is the first since the refusal.
    return M.Word.fetchAdd(word, back, .release) == 1
  }

  /// Consumer only: whether there is nothing. What was offered before the schedule that this run answers is seen.
  @inlinable public var isEmpty: Bool { ring.count == 0 }
}
