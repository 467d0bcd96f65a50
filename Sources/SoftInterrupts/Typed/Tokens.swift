// Tokens: what a context may do, as values that the compiler follows.
//
// Law: a token is handed to a synchronous closure and to nothing else; it can be neither copied nor stored, so it is the calling
// thread's, inside the call. No public declaration returns one (a test looks). Raising needs the token exclusively (`inout`), opening
// only borrows it: inside a raise the outer token can at most open.

/// Proof that a context is at a level: ``Held``, ``Masked`` or ``At``. There is no other; do not conform to it.
public protocol OrderToken: ~Copyable, ~Escapable {
  /// The level.
  associatedtype L: OrderLevel
  /// The machine of the system that it is of.
  associatedtype M: Machine
  /// Whose it is.
  var seal: TokenSeal<M> { get }
}

/// Whose a token is. Cannot be made outside of the core.
@frozen public struct TokenSeal<M: Machine> {
  @usableFromInline let agent: AgentRef<M>
  @inlinable init(_ agent: AgentRef<M>) { self.agent = agent }
}

/// At level `L`, *with* its gate: in an ordered handler, or a raise. Opens what ``Guarded`` keeps for `L`; raises to what is above.
@frozen public struct Held<L: OrderLevel, M: Machine>: ~Copyable, ~Escapable, OrderToken {
  public let seal: TokenSeal<M>
  @_lifetime(immortal)
  @inlinable init(_ agent: AgentRef<M>) { seal = TokenSeal(agent) }
}

/// At level `L` on this CPU, *without* its gate: inside a mask or under a ``LevelLock``. Opens what is per CPU and what locks guard;
/// raises to what is above.
@frozen public struct Masked<L: OrderLevel, M: Machine>: ~Copyable, ~Escapable, OrderToken {
  public let seal: TokenSeal<M>
  @_lifetime(immortal)
  @inlinable init(_ agent: AgentRef<M>) { seal = TokenSeal(agent) }
}

/// At level `L` as entered, *without* its gate: in an MP-safe handler, or (`At<None>`) in base code and on a visiting thread. Opens
/// nothing by itself; raises to `L` and above, masks to `L` and above.
@frozen public struct At<L: OrderLevel, M: Machine>: ~Copyable, ~Escapable, OrderToken {
  public let seal: TokenSeal<M>
  @_lifetime(immortal)
  @inlinable init(_ agent: AgentRef<M>) { seal = TokenSeal(agent) }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  /// The agent. Debug builds look that it is the calling thread's.
  @inlinable @inline(__always) var agent: AgentRef<M> {
    assert(
      M.current == UnsafeMutableRawPointer(seal.agent.p),
      "a token is used by a thread that it was not made for")
    return seal.agent
  }

  /// The CPU this runs on, counted from 0; nil for a visitor.
  @inlinable public var cpu: Int? { seal.agent.isCPU ? seal.agent.cpu : nil }

  /// What every typed raise comes down to. The compiler has seen the order; the precondition is for conformances that lie, and folds
  /// away: ranks are constants.
  @inlinable @inline(__always)
  mutating func rise<T: OrderLevel, R: ~Copyable, E: Error>(
    _ level: T.Type, cumulative: Bool, _ site: @autoclosure () -> Violation.Site,
    _ body: (inout Held<T, M>) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.rank > L.rank, "a conformance to BelowX or AtMostX lies: the level is not below the other")
    let agent = self.agent
    let raised = agent.enter(to: T.level, cumulative: cumulative, forToken: true, site())
    return try agent.exiting(raised, first: Self.gates(T.self, cumulative), cumulative: cumulative) {
      () throws(E) -> R in
      var held = Held<T, M>(agent)
      return try body(&held)
    }
  }

  /// As `rise`, with the outer token lent to the body.
  @inlinable @inline(__always)
  mutating func rise<T: OrderLevel, R: ~Copyable, E: Error>(
    _ level: T.Type, cumulative: Bool, _ site: @autoclosure () -> Violation.Site,
    lending body: (inout Held<T, M>, borrowing Self) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.rank > L.rank, "a conformance to BelowX or AtMostX lies: the level is not below the other")
    let agent = self.agent
    let raised = agent.enter(to: T.level, cumulative: cumulative, forToken: true, site())
    return try agent.exiting(raised, first: Self.gates(T.self, cumulative), cumulative: cumulative) {
      () throws(E) -> R in
      var held = Held<T, M>(agent)
      return try body(&held, self)
    }
  }

  /// What a raise from where nothing is held takes.
  @inlinable @inline(__always) static func gates<T: OrderLevel>(_ level: T.Type, _ cumulative: Bool)
    -> GateSet
  {
    cumulative ? .above(.none, through: T.level) : T.level.gate
  }

  /// What every typed mask comes down to.
  @inlinable @inline(__always)
  mutating func cover<T: OrderLevel, R: ~Copyable, E: Error>(
    _ level: T.Type, _ site: @autoclosure () -> Violation.Site, _ body: (inout Masked<T, M>) throws(E) -> R
  ) throws(E) -> R {
    precondition(
      T.rank >= L.rank, "a conformance to BelowX or AtMostX lies: the level is not at most the other")
    let agent = self.agent
    let saved = agent.mask(to: T.level, site())
    defer { agent.unmask(saved) }
    var masked = Masked<T, M>(agent)
    return try body(&masked)
  }
}
