// Where the calling context stands: what code that is handed no token may ask.
//
// Law: the answer depends on the calling context alone, as every verdict does: never on a context that it interrupted.

extension InterruptSystem {
  /// Whether the calling context's own frames hold the gate of `level`: by its dispatch or by a raise of its own. Any thread, any
  /// level; makes no visitor, waits for nothing. Always false with ``Execution/threads``, where there are no gates.
  @inlinable public func holds(_ level: Level) -> Bool {
    existingAgent()?.context.pointee.own.contains(level.gate) ?? false
  }

  /// The CPU that the calling thread is, counted from 0; nil for a thread that is none of this system's. Any level.
  @inlinable public var currentCPU: Int? {
    guard let agent = existingAgent(), agent.isCPU else { return nil }
    return agent.cpu
  }
}
