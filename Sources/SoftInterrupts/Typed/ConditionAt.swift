// Waiting for a condition, in types: a section that begins when something is true.
//
// Law: who waits holds nothing but the level's gate, which the wait takes and gives up itself. So there is no outer section that the
// wait would cut in two, nothing read before it that could be stale, and no guard that is open meanwhile: the predicate and the body
// are each given the token anew. (The conditional critical region of Hoare, "Towards a Theory of Parallel Programming", 1972.)

/// A condition on data that level `L` guards; a value that may be copied anywhere.
///
/// ```swift
/// let changed = system.condition(guardedBy: SoftNet.self)
/// let first = system.base { base in
///   base.raise(to: SoftNet.self, when: changed) { net in !net[queue].isEmpty } then: { net in net[queue].removeFirst() }
/// }
/// ```
@frozen public struct ConditionAt<L: HandlerLevel, M: Machine>: Sendable {
  /// The same condition for untyped code.
  public let untyped: Condition<M>
  @inlinable init(_ untyped: Condition<M>) { self.untyped = untyped }

  /// Lets every waiter test again. Waits for nothing; O(waiters).
  @inlinable public func broadcast(
    under held: borrowing Held<L, M>, file: StaticString = #fileID, line: UInt = #line
  ) {
    untyped.broadcast(file: file, line: line)
  }
}

extension InterruptSystem {
  /// Makes a condition on data that level `L` guards.
  @inlinable public func condition<L: HandlerLevel>(guardedBy level: L.Type) -> ConditionAt<L, M> {
    ConditionAt(condition(guardedBy: L.level))
  }
}

extension At where L == None {
  /// Raises to `T`, exactly, waits until `isTrue` holds there, and runs `body`: the predicate was tested under the same hold of the gate.
  ///
  /// While it waits nothing is held and everything is served. `isTrue` is called under the gate each time somebody broadcasts. Base
  /// code and visitors; who holds something by untyped code, or brings another system's condition, stops the program.
  @inlinable public mutating func raise<T: HandlerLevel, R: ~Copyable, E: Error>(
    to level: T.Type, when condition: ConditionAt<T, M>, file: StaticString = #fileID, line: UInt = #line,
    _ isTrue: (borrowing Held<T, M>) -> Bool, then body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R {
    let agent = self.agent
    let site = Violation.Site(file, line)
    if !agent.isBare { agent.assumedInVain(.none, site) }
    if condition.untyped.system != agent.system {
      agent.system.object.report(.guardOfOtherSystem, agent, T.level, "a condition", site, mustTrap: true)
    }
    return try rise(level, cumulative: false, site) { (held: inout Held<T, M>) throws(E) in
      let isDone = condition.untyped.wait(file: file, line: line) { isTrue(Held<T, M>(agent)) }
      precondition(isDone, "a wait that holds its gate alone is in order")
      return try body(&held)
    }
  }
}
