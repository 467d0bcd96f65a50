// What only code without a gate may do: enter the gate of its own level, and the big lock.
//
// Law: an MP-safe handler may enter its own level's gate, since it has not masked; the big lock is the lowest gate, so only base code
// that holds nothing takes it.

extension At where L: HandlerLevel {
  /// Runs `body` at this handler's own level, with its gate.
  @inlinable @inline(__always)
  public mutating func raise<R: ~Copyable, E: Error>(
    to level: L.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout Held<L, M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = self.agent
    let raised = agent.enter(to: L.level, cumulative: false, forToken: true, .init(file, line))
    return try agent.exiting(raised, first: L.level.gate, cumulative: false) { () throws(E) -> R in
      var held = Held<L, M>(agent)
      return try body(&held)
    }
  }
}

extension At where L == None {
  /// Runs `body` under the big lock. What is above may be raised to inside.
  @inlinable
  public mutating func bigLock<R: ~Copyable, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (inout Held<None, M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = self.agent
    let entered = agent.enterBigLock(.init(file, line), forToken: true)
    defer { if let entered { agent.exitBigLock(entered) } }
    var held = Held<None, M>(agent)
    return try body(&held)
  }
}
