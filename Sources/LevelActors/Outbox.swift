// From a level to a thread that takes what has come as one batch.
//
// Law: what was posted is taken once, in the order of the posts; exactly one post of each batch finds the box empty and says so: who
// is told must see that it is emptied. The list is `Incoming`, the other way round: handlers post, one thread takes.
//
// Closing and posting: a post that found the box empty then reads `closed` by a read-modify-write; who closes writes that word by one, and
// then takes for the last time. Whichever comes first in the order of that word: either the last take comes after the post and finds
// the element, or the post finds the box closed, and its caller takes what is there.

public import SoftInterrupts

/// What a post found.
@frozen public enum PostResult: Sendable {
  /// The box was empty: somebody is to be told that there is something.
  case first
  /// Somebody has been told, or will be.
  case queued
  /// Nobody takes any more: the caller is to take what there is.
  case closed
}

/// A queue out of levels for many producers, at any level and under any gates, and one consumer at a time.
///
/// Unbounded: who posts asks elsewhere whether it should. A post allocates, and waits for nothing.
public final class Outbox<Element: Sendable, M: Machine>: @unchecked Sendable {
  // Sendable: words.
  @usableFromInline let list = Incoming<M, Posted<Element>>()
  @usableFromInline let closed: UnsafeMutablePointer<M.Word>

  /// Open and empty.
  @inlinable public init() {
    closed = .allocate(capacity: 1)
    closed.initialize(to: M.Word(0))
  }

  deinit {
    takeAll { _ in }
    closed.deallocate()
    list.deallocate()
  }

  /// Adds an element. Lock-free; any thread and level but signal handlers.
  @inlinable public func post(_ element: Element) -> PostResult {
    #if Mutants
      let early = M.Word.load(closed, .acquire)
    #endif
    guard list.push(Posted(element)) else { return .queued }
    #if Mutants
      if ActorMutant.isOn(.closedBeforePost) { return early == 0 ? .first : .closed }
    #endif
    // Release: who closes after this sees the element. Acquire: who finds it closed takes after the last take. An addition of 0 would be
    // compiled to a fence and a load on x86-64, which is no change of the word (`MachineWord.rewrite`).
    return M.Word.rewrite(closed, .acquireRelease) == 0 ? .first : .closed
  }

  /// No element that is posted from here on is taken by the consumer, who takes once more after this.
  @inlinable public func close() { _ = M.Word.fetchOr(closed, 1, .acquireRelease) }

  /// Takes all that there is, first posted first. The consumer, or whoever found the box closed; `body` may post.
  @inlinable public func takeAll(_ body: (Element) -> Void) {
    var next = list.takeAll()
    while next != 0 {
      let posted = Posted<Element>(bits: next)
      next = posted.link.pointee
      body(posted.take())
    }
  }
}

/// An element in the list: memory of its own.
@usableFromInline package struct Posted<Element>: Linked {
  @usableFromInline typealias Memory = (link: UInt, element: Element)
  @usableFromInline let memory: UnsafeMutablePointer<Memory>

  @inlinable init(_ element: Element) {
    memory = .allocate(capacity: 1)
    memory.initialize(to: (0, element))
  }
  @inlinable package init(bits: UInt) { memory = .init(bitPattern: bits).unsafelyUnwrapped }
  @inlinable package var bits: UInt { UInt(bitPattern: memory) }
  @inlinable package var link: UnsafeMutablePointer<UInt> {
    // The first of the tuple's members, at its address.
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt.self)
  }
  /// Out of the list: gives its memory back.
  @inlinable func take() -> Element {
    let element = memory.move().element
    memory.deallocate()
    return element
  }
}
