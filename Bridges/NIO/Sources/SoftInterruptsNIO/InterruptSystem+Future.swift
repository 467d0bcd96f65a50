// A raised section for an event loop: it asks, goes on, and gets the answer as a future.
//
// Law: the future is completed exactly once: with what the section answered, or with `LevelPortError` if it will not run. The section runs
// in base code of a CPU, and the future is completed after it has been left, so no gate is held while NIO is called.

public import NIOCore
public import SoftInterrupts
import Synchronization

extension InterruptSystem {
  /// Runs `body` at level `L`, with its gate, on a CPU of this system: what a raise is for threads that may wait, for an event loop,
  /// which may not. The answer comes on `loop`.
  ///
  /// Base code of the CPU runs it, one after the other, below all handlers: for what is asked now and then; streams of messages are a
  /// ``LevelPort``'s affair. Any thread; waits for nothing.
  /// - Returns: a future that fails with what `body` throws, or with ``SectionNotRun`` if the system was shut down before.
  public func future<L: HandlerLevel, R: Sendable>(
    on loop: any EventLoop, raisedTo level: L.Type, cpu: Int = 0,
    _ body: @escaping @Sendable (inout Held<L, M>) throws -> R
  ) -> EventLoopFuture<R> {
    let answer = Answer(loop.makePromise(of: R.self))
    // Refused: `answer` dies with the closure, which fails the promise.
    submit(on: cpu) { _ in
      answer.set(Result { try self.raise(to: level) { held in try body(&held) } })
    }
    return answer.future
  }
}

/// A section that was asked for by ``SoftInterrupts/InterruptSystem/future(on:raisedTo:cpu:_:)`` will not run: the system was shut down.
public struct SectionNotRun: Error, Sendable, CustomStringConvertible {
  public var description: String { "the section will not run: the system was shut down before it could" }
}

/// A promise that is kept or, by its end, failed.
private final class Answer<R: Sendable>: Sendable {
  private let promise: EventLoopPromise<R>
  private let isSet = Atomic<Bool>(false)
  init(_ promise: EventLoopPromise<R>) { self.promise = promise }
  var future: EventLoopFuture<R> { promise.futureResult }
  func set(_ result: Result<R, any Error>) {
    // Relaxed: whoever ends this object has waited for us.
    isSet.store(true, ordering: .relaxed)
    promise.completeWith(result)
  }
  deinit { if !isSet.load(ordering: .relaxed) { promise.fail(SectionNotRun()) } }
}
