// Interrupts as a sequence: a task is woken by a handler, and as often as it can keep up.
//
// Law: nothing is buffered. What came while the consumer was busy is one element, which says how many runs it stands for; so the
// producer is never waited for, and a slow consumer costs one word.

public import SoftInterrupts

/// Runs of a handler, coalesced, for one task.
///
/// ```swift
/// let received = try Interrupts(system, "received", at: .softNet)
/// let device = try system.attach(socket) { _ in received.handler.schedule() }
/// for await count in received { … }            // count: runs since the last element
/// ```
///
/// It ends (`next()` returns nil) when the task is cancelled, the system is shut down or the handler is disestablished. One task at a
/// time iterates.
public final class Interrupts<M: Machine>: AsyncSequence, @unchecked Sendable {
  // Sendable: a word; `handler` is set before it is shared.
  public typealias Element = Int
  public typealias Failure = Never

  /// What is scheduled, from anywhere.
  public var handler: Handler<M> { made.unsafelyUnwrapped }
  @usableFromInline var made: Handler<M>?
  @usableFromInline let mailbox: SharedMailbox<M>

  /// Establishes the handler: `.mpSafe`, as it does nothing but say that it ran.
  ///
  /// - Parameters:
  ///   - system: where the handler is established.
  ///   - name: the handler's.
  ///   - level: not `none`.
  @inlinable public init(_ system: InterruptSystem<M>, _ name: String, at level: Level) throws(EstablishError)
  {
    let mailbox = SharedMailbox<M>()
    self.mailbox = mailbox
    // Held by the handler's body alone: its end is the handler's.
    let end = HandlerEnd { Self.answer(mailbox.box.end(), 0) }
    made = try system.establish(name, at: level, as: .mpSafe, .anywhere) { _ in
      Self.answer(mailbox.box.signal(), 1)
      withExtendedLifetime(end) {}
    }
  }

  @inlinable public func makeAsyncIterator() -> Iterator { Iterator(source: self) }

  @usableFromInline typealias Waiter = UnsafeMutablePointer<UnsafeContinuation<Int, Never>>

  /// Answers a waiter that was taken out of the word: so nobody else has it.
  @inlinable static func answer(_ waiter: UInt, _ count: Int) {
    guard let waiter = Waiter(bitPattern: waiter) else { return }
    let continuation = waiter.move()
    waiter.deallocate()
    continuation.resume(returning: count)
  }

  /// Waits for the next element; one at a time.
  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline let source: Interrupts
    @inlinable init(source: Interrupts) { self.source = source }

    /// How often the handler has run since the last element, at least once; waits for a run if it has not. Nil at the end.
    @inlinable public func next() async -> Int? { await next(isolation: nil) }

    @inlinable public func next(isolation actor: isolated (any Actor)?) async -> Int? {
      if Task.isCancelled { return nil }
      let box = source.mailbox.box
      let count = await withTaskCancellationHandler {
        await withUnsafeContinuation { continuation in
          let waiter = Waiter.allocate(capacity: 1)
          waiter.initialize(to: continuation)
          // Once it is in the word it is not ours.
          switch box.wait(UInt(bitPattern: waiter)) {
          case .waiting: break
          case .signals(let count): Interrupts.answer(UInt(bitPattern: waiter), count)
          case .cancelled, .ended: Interrupts.answer(UInt(bitPattern: waiter), 0)
          }
        }
      } onCancel: {
        // On the canceller's thread, perhaps under gates: a mark, and a resume, which enqueues.
        Interrupts.answer(box.cancel(), 0)
      }
      // The runtime calls no `onCancel` after this point.
      box.forgetCancel()
      return count == 0 ? nil : count
    }
  }
}

/// The word, as long as somebody may look at it.
@usableFromInline final class SharedMailbox<M: Machine>: @unchecked Sendable {
  // Sendable: a word.
  @usableFromInline let box = Mailbox<M>()
  @inlinable init() {}
  deinit { box.deallocate() }
}
