// A raised section for who must not wait: the caller suspends, and the section runs as a job of the level.
//
// Law: the section is synchronous, so no gate is held across an `await`; and nobody's thread waits for the gate.

public import SoftInterrupts

extension InterruptSystem {
  /// Runs `body` at the level of an executor of this system, on a CPU, holding that one gate: what `raise(exactly:file:line:_:)` is
  /// for threads that may wait, for a task whose thread may not.
  ///
  /// What `body` reads is current; what was read before the call is stale. A task that is cancelled runs it all the same: `body` may
  /// ask `Task.isCancelled`. It is an exact raise: the gates of lower levels are not held.
  @inlinable
  public nonisolated(nonsending) func withRaised<R: Sendable, E: Error>(
    on executor: LevelExecutor, _ body: @Sendable (borrowing Here<M>) throws(E) -> R
  ) async throws(E) -> R {
    precondition(
      executor.systemIdentity == ObjectIdentifier(self),
      "the executor \"\(executor.name)\" is another system's")
    return try await Section(levelExecutor: executor).run { () throws(E) -> R in
      // Held already: this makes a `Here`, and takes nothing.
      try self.raise(exactly: executor.level) { (here: borrowing Here<M>) throws(E) -> R in try body(here) }
    }
  }

  /// The same, with the token of a level whose global actor this system has: on its executor.
  ///
  /// ``LevelActors/LevelActors/bootstrap(_:on:budget:)`` was called with this system; other systems name an executor.
  @inlinable
  public nonisolated(nonsending) func withRaised<L: GateLevel, R: Sendable, E: Error>(
    to level: L.Type, _ body: @Sendable (inout Held<L, M>) throws(E) -> R
  ) async throws(E) -> R {
    guard let executor = LevelActors.executor(of: L.level), executor.systemIdentity == ObjectIdentifier(self)
    else {
      preconditionFailure(
        "this system is not the one of the global actors: call LevelActors.bootstrap(system), or name an executor"
      )
    }
    return try await Section(levelExecutor: executor).run { () throws(E) -> R in
      try self.assume(level, body)
    }
  }
}

/// One section.
@usableFromInline actor Section: LevelActor {
  @usableFromInline nonisolated let levelExecutor: LevelExecutor
  @usableFromInline init(levelExecutor: LevelExecutor) { self.levelExecutor = levelExecutor }
  @usableFromInline func run<R: Sendable, E: Error>(_ body: @Sendable () throws(E) -> R) throws(E) -> R {
    try body()
  }
}
