// A handler whose runs can be awaited.
//
// Law: a waiter is answered by the end of a run that began after it had registered, or by its cancel, or by the handler's end; exactly
// once, by whoever takes its state. A run takes the waiters before its body begins, so whoever comes during it waits for the next.
//
// Registering and the end: a waiter is pushed, then the word `ended` is read by a read-modify-write; who ends it writes that word by one,
// then takes the waiters. Whichever of the two comes first in the order of that word: either the end comes after the push and
// takes the waiter, or the waiter sees the end and takes them itself.

public import SoftInterrupts
import Synchronization

/// A handler that tasks can wait for.
///
/// ```swift
/// let flush = try AwaitedHandler(system, "flush", at: .softBio, as: .ordered) { _ in journal.flush() }
/// try await flush.run()        // scheduled, and a whole run has ended
/// ```
public final class AwaitedHandler<M: Machine>: @unchecked Sendable {
  // Sendable: words; `made` is set before it is shared.

  /// The handler, to be scheduled from anywhere.
  public var handler: Handler<M> { made.unsafelyUnwrapped }
  @usableFromInline var made: Handler<M>?
  @usableFromInline let waiters: Waiters<M>

  /// Establishes it, as `InterruptSystem/establish(_:at:as:_:_:)` does. A run, on whatever CPU, answers those who came before it.
  /// What a cancelled wait leaves (some 100 bytes) is given back by the next run.
  @inlinable public init(
    _ system: InterruptSystem<M>, _ name: String, at level: Level, as way: WayIn,
    _ placement: Placement = .bound,
    _ body: @escaping (borrowing Here<M>) -> Void
  ) throws(EstablishError) {
    let waiters = Waiters<M>()
    self.waiters = waiters
    let end = HandlerEnd { waiters.end() }
    made = try system.establish(name, at: level, as: way, placement) { here in
      let batch = waiters.list.takeAll()
      body(here)
      waiters.answer(batch, nil)
      withExtendedLifetime(end) {}
    }
  }

  /// Schedules the handler and waits until a run that began after this call has ended.
  ///
  /// - Throws: `CancellationError` if the task is cancelled; the run comes all the same. ``LevelActorError/ended`` if none will come.
  @inlinable public nonisolated(nonsending) func run() async throws {
    try await waiters.wait { self.handler.schedule() }
  }

  /// Waits until a run that began after this call has ended, whoever schedules it.
  ///
  /// - Throws: as ``run()``.
  @inlinable public nonisolated(nonsending) func nextRun() async throws { try await waiters.wait {} }
}

/// Who waits for a run.
@usableFromInline final class Waiters<M: Machine>: @unchecked Sendable {
  // Sendable: words.
  @usableFromInline let list = Incoming<M, RunWaiter>()
  private let ended = Atomic<UInt>(0)
  @usableFromInline init() {}
  deinit { list.deallocate() }

  @usableFromInline nonisolated(nonsending) func wait(_ ask: () -> Void) async throws {
    let state = RunWaiter.State()
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
        guard state.begin(continuation) else { return continuation.resume(throwing: CancellationError()) }
        // Register, then ask: so the run that is asked for begins after.
        _ = list.push(RunWaiter(state))
        if ended.add(0, ordering: .acquiringAndReleasing).newValue != 0 { answer(list.takeAll(), .ended) }
        ask()
      }
    } onCancel: {
      state.cancel()
    }
  }

  @usableFromInline func end() {
    ended.add(1, ordering: .acquiringAndReleasing)
    answer(list.takeAll(), .ended)
  }

  @usableFromInline func answer(_ batch: UInt, _ error: LevelActorError?) {
    var next = batch
    while next != 0 {
      let waiter = RunWaiter(bits: next)
      next = waiter.link.pointee
      waiter.take().answer(error)
    }
  }
}

/// A waiter in the list: memory of its own, which holds its state.
@usableFromInline package struct RunWaiter: Linked {
  private typealias Memory = (link: UInt, state: Unmanaged<State>)
  private let memory: UnsafeMutablePointer<Memory>

  init(_ state: State) {
    memory = .allocate(capacity: 1)
    memory.initialize(to: (0, .passRetained(state)))
  }
  @usableFromInline package init(bits: UInt) { memory = .init(bitPattern: bits).unsafelyUnwrapped }
  @usableFromInline package var bits: UInt { UInt(bitPattern: memory) }
  @usableFromInline package var link: UnsafeMutablePointer<UInt> {
    // The first of the tuple's members, at its address.
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt.self)
  }
  /// Out of the list: gives its memory back.
  func take() -> State {
    let state = memory.pointee.state.takeRetainedValue()
    memory.deallocate()
    return state
  }

  /// Whose turn it is to resume the task.
  final class State: Sendable {
    // 0: not begun; 1: waits; 2: answered, or cancelled before it began.
    private let word = Atomic<UInt>(0)
    nonisolated(unsafe) private var continuation: UnsafeContinuation<Void, any Error>?

    /// False if it was cancelled before.
    func begin(_ continuation: UnsafeContinuation<Void, any Error>) -> Bool {
      self.continuation = continuation
      // Release: who takes the state sees the continuation.
      return word.compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged
    }
    func answer(_ error: LevelActorError?) {
      // Whoever takes it from 1 answers.
      guard word.exchange(2, ordering: .acquiringAndReleasing) == 1 else { return }
      if let error { continuation?.resume(throwing: error) } else { continuation?.resume() }
    }
    /// A mark, and a resume; waits for nothing.
    func cancel() {
      guard word.exchange(2, ordering: .acquiringAndReleasing) == 1 else { return }
      continuation?.resume(throwing: CancellationError())
    }
  }
}
