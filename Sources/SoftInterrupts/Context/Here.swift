// Where code runs: handed to handlers and to raised sections, and to nothing that outlives them.
//
// Law: a `Here` is the calling thread's, inside the call it was handed to: it can be neither copied nor stored.

/// The context of a handler's run or of a raised section.
public struct Here<M: Machine>: ~Copyable, ~Escapable {
  @usableFromInline let agent: AgentRef<M>

  @_lifetime(immortal)
  @inlinable init(_ agent: AgentRef<M>) { self.agent = agent }

  /// The agent, for what changes it. Debug builds look that it is the calling thread's: inside ``leaveCPU(file:line:_:)`` it is not.
  @inlinable @inline(__always) var mine: AgentRef<M> {
    assert(
      M.current == UnsafeMutableRawPointer(agent.p),
      "a Here is used by a thread that has left its CPU: use the system")
    return agent
  }

  /// The CPU this runs on, counted from 0; nil for a visitor.
  @inlinable public var cpu: Int? { agent.isCPU ? agent.cpu : nil }
  /// The IPL now.
  @inlinable public var level: Level { agent.ipl }
  /// The gates that this context has taken or was dispatched with.
  @inlinable public var gates: GateSet { agent.context.pointee.own }
  /// In a callout's body: how long ago its deadline was, in nanoseconds. Asked first thing in the body, how late it was called.
  @inlinable public var lateness: UInt64 {
    let (now, deadline) = (M.now(), agent.p.pointee.calloutDeadline)
    return now > deadline ? now &- deadline : 0
  }

  /// See ``InterruptSystem/raise(to:file:line:_:)-(Level,_,_,_)``.
  @inlinable @inline(__always)
  public func raise<R: ~Copyable, E: Error>(
    to level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let raised = mine.enter(to: level, cumulative: true, .init(file, line))
    return try agent.exiting(raised) { () throws(E) -> R in try body(Here(agent)) }
  }

  /// See ``InterruptSystem/raise(exactly:file:line:_:)``.
  @inlinable @inline(__always)
  public func raise<R: ~Copyable, E: Error>(
    exactly level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let raised = mine.enter(to: level, cumulative: false, .init(file, line))
    return try agent.exiting(raised) { () throws(E) -> R in try body(Here(agent)) }
  }

  /// See ``InterruptSystem/mask(to:file:line:_:)``.
  @inlinable @inline(__always)
  public func mask<R: ~Copyable, E: Error>(
    to level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: (borrowing Here<M>) throws(E) -> R
  ) throws(E) -> R {
    let saved = mine.mask(to: level, .init(file, line))
    defer { agent.unmask(saved) }
    return try body(Here(agent))
  }

  /// Ends the handler that this is a run of: no later run starts. Its slot and body are given back when no CPU can be in
  /// it any more. What is pending is dropped. In base code, a callout's body or a cross-call, which are no run of a handler that was
  /// established, it does nothing: a callout ends by ``Callout/retire(file:line:)``.
  @inlinable public func retire() { agent.system.object.retireSelf(agent) }

  /// A recognition point in long base code; see ``InterruptSystem/checkpoint()``.
  @inlinable public func checkpoint() { mine.checkpoint() }
}
