// The callback form with the token of the stack's level, so that what an application keeps there is opened by the compiler's leave.
//
// Law: the token is handed out where the gate is looked at, in every build: `assume` asks the calling context. That the stack's guard *is*
// the gate of the level that was named is asked when the callback is set: under an explicit lock a token would lie.

public import HostedMachine
public import SoftInterrupts

extension NetworkStack {
  /// Whether the stack's guard is the gate of `level`, so that its callbacks may be given a token of it: under `oneCPU`, `bigLock`, `ordered`,
  /// `disjoint` and `mixed`, at the level of the stack. Any thread.
  public func isGuarded(by level: Level) -> Bool {
    plan.guarding == .gate && !plan.isGateOff && plan.level == level
  }

  /// Runs `body` under the stack's guard, with its token. A no-op for who holds it. Any thread below that level; waits in order.
  ///
  /// ```swift
  /// let sessions = Guarded<[UInt16: Int], SoftNet>([:])
  /// let count = stack.enter(at: SoftNet.self) { net in net.open(sessions) { $0.count } }
  /// ```
  /// Traps unless ``isGuarded(by:)``.
  public func enter<L: HandlerLevel, R, E: Error>(
    at level: L.Type, _ body: (inout Held<L, HostedMachine>) throws(E) -> R
  ) throws(E) -> R {
    requireGate(level)
    return try enter { () throws(E) -> R in try system.assume(level, body) }
  }

  func requireGate<L: HandlerLevel>(_ level: L.Type) {
    precondition(
      isGuarded(by: L.level),
      "a token of \(L.level) says nothing of this stack: it is at \(plan.level), discipline \(plan.name)")
  }
}

extension TCPListener {
  /// Listens, with the token of the stack's level in the callback. Any thread below it. Traps unless ``NetworkStack/isGuarded(by:)``.
  public convenience init<L: HandlerLevel>(
    _ stack: NetworkStack, at level: L.Type, address: NetworkAddress? = nil, port: UInt16,
    _ onAccept: @escaping (inout Held<L, HostedMachine>, TCPConnection) -> Bool
  ) throws(NetworkError) {
    stack.requireGate(level)
    let system = stack.system
    try self.init(stack, address: address, port: port) { connection in
      system.assume(level) { held in onAccept(&held, connection) }
    }
  }
}

extension TCPConnection {
  /// Sets ``onReceive``, ``onEnd``, ``onSent``, ``onConnect``, ``onFailure`` or ``onTick`` to a callback that is given the token of the stack's level.
  ///
  /// ```swift
  /// connection.on(SoftNet.self).receive { net, connection, bytes in net[received] += bytes.count }
  /// ```
  /// As ``onReceive``: under the stack's guard. Traps unless ``NetworkStack/isGuarded(by:)``.
  public func on<L: HandlerLevel>(_ level: L.Type) -> TypedCallbacks<L> {
    stack.requireGate(level)
    return TypedCallbacks(connection: self)
  }

  /// The callbacks of a connection, each with the token of the stack's level.
  public struct TypedCallbacks<L: HandlerLevel> {
    /// The token of the stack's level.
    public typealias Token = Held<L, HostedMachine>
    let connection: TCPConnection

    /// See ``TCPConnection/onReceive``.
    public func receive(_ body: @escaping (inout Token, TCPConnection, UnsafeRawBufferPointer) -> Void) {
      let system = connection.stack.system
      connection.onReceive = { connection, bytes in system.assume(L.self) { body(&$0, connection, bytes) } }
    }
    /// See ``TCPConnection/onArrival``.
    public func arrival(_ body: @escaping (inout Token, TCPConnection) -> Void) {
      connection.onArrival = with(body)
    }
    /// See ``TCPConnection/onEnd``.
    public func end(_ body: @escaping (inout Token, TCPConnection) -> Void) { connection.onEnd = with(body) }
    /// See ``TCPConnection/onSent``.
    public func sent(_ body: @escaping (inout Token, TCPConnection, Int) -> Void) {
      let system = connection.stack.system
      connection.onSent = { connection, count in system.assume(L.self) { body(&$0, connection, count) } }
    }
    /// See ``TCPConnection/onConnect``.
    public func connect(_ body: @escaping (inout Token, TCPConnection) -> Void) {
      connection.onConnect = with(body)
    }
    /// See ``TCPConnection/onFailure``.
    public func failure(_ body: @escaping (inout Token, TCPConnection, NetworkError) -> Void) {
      let system = connection.stack.system
      connection.onFailure = { connection, error in system.assume(L.self) { body(&$0, connection, error) } }
    }
    /// See ``TCPConnection/onTick``.
    public func tick(_ body: @escaping (inout Token, TCPConnection) -> Void) {
      connection.onTick = with(body)
    }

    private func with(_ body: @escaping (inout Token, TCPConnection) -> Void) -> (TCPConnection) -> Void {
      let system = connection.stack.system
      return { connection in system.assume(L.self) { body(&$0, connection) } }
    }
  }
}

extension UDPEndpoint {
  /// Binds a port, with the token of the stack's level in the callback. Any thread below it. Traps unless ``NetworkStack/isGuarded(by:)``.
  public convenience init<L: HandlerLevel>(
    _ stack: NetworkStack, at level: L.Type, address: NetworkAddress? = nil, port: UInt16,
    _ onDatagram:
      @escaping (inout Held<L, HostedMachine>, UDPEndpoint, UnsafeRawBufferPointer, NetworkAddress, UInt16) ->
      Void
  ) throws(NetworkError) {
    stack.requireGate(level)
    let system = stack.system
    try self.init(stack, address: address, port: port) { endpoint, bytes, address, port in
      system.assume(level) { onDatagram(&$0, endpoint, bytes, address, port) }
    }
  }
}
