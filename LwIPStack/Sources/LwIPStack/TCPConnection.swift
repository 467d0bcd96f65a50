// A TCP connection in callback form: everything happens under the stack's guard.
//
// Law: `pcb` is there exactly as long as lwIP may call for this connection; as long, lwIP's reference keeps the object. Bytes that were
// received and not taken are counted, so that the window is told of each of them once. Exclusivity is not checked at run time for what each
// segment touches: it is under the guard, so one context has it, and each access is a load or a store that is over before anybody is called.

import CLwIPStack

/// A TCP connection. But for what says otherwise, everything is called under the stack's guard: in its callbacks, or inside
/// ``NetworkStack/enter(_:)``.
public final class TCPConnection: @unchecked Sendable {
  // Sendable: every stored property is constant or under the guard.

  public let stack: NetworkStack
  @exclusivity(unchecked) var pcb: OpaquePointer?
  /// How many received bytes the window has not been told of.
  @exclusivity(unchecked) private(set) var untaken = 0
  /// Whether received bytes count as taken before ``onReceive`` is called. If not, call ``take(_:)``: that is the back-pressure.
  @exclusivity(unchecked) public var takesAtOnce = true
  /// What the application keeps with it.
  public var context: AnyObject?

  /// A piece of what came; valid during the call.
  @exclusivity(unchecked) public var onReceive: ((TCPConnection, UnsafeRawBufferPointer) -> Void)?
  /// All pieces of an arrival were handed over.
  @exclusivity(unchecked) public var onArrival: ((TCPConnection) -> Void)?
  /// The other end sends no more.
  @exclusivity(unchecked) public var onEnd: ((TCPConnection) -> Void)?
  /// So many bytes were acknowledged: there is room again.
  @exclusivity(unchecked) public var onSent: ((TCPConnection, Int) -> Void)?
  public var onConnect: ((TCPConnection) -> Void)?
  /// It is over, by an error. Nothing is called after it.
  public var onFailure: ((TCPConnection, NetworkError) -> Void)?
  /// About once a second: for timeouts of the application.
  public var onTick: ((TCPConnection) -> Void)?

  init(_ stack: NetworkStack) { self.stack = stack }

  /// Begins to connect; `onConnect` or `onFailure` says what came of it. Set the callbacks in `prepare`.
  public static func connect(
    _ stack: NetworkStack, to address: NetworkAddress, port: UInt16, _ prepare: (TCPConnection) -> Void
  ) throws(NetworkError) -> TCPConnection {
    guard stack.isRunning else { throw .stopped }
    let connection = TCPConnection(stack)
    prepare(connection)
    var error: Int32 = 0
    var target = address.forLwIP
    let owner = Unmanaged.passRetained(connection)
    connection.pcb = stack.lwip.pointee.tcp_connect(&target, port, owner.toOpaque(), &error)
    guard connection.pcb != nil else {
      owner.release()
      throw NetworkError(error)
    }
    return connection
  }

  /// Whether the other end has answered.
  @exclusivity(unchecked) public private(set) var isConnected = false
  /// Whether it can still be written to or closed.
  public var isOpen: Bool { pcb != nil }

  /// How many bytes ``write(_:more:)`` would take now.
  public var room: Int { pcb.map { Int(stack.lwip.pointee.tcp_room($0)) } ?? 0 }

  /// Queues a copy of as many bytes as there is room for; how many. ``flush()`` sends them, unless a callback of this connection does
  /// so by returning.
  public func write(_ bytes: UnsafeRawBufferPointer, more: Bool = false) throws(NetworkError) -> Int {
    guard let pcb else { throw .notConnected }
    var length = min(bytes.count, Int(stack.lwip.pointee.tcp_room(pcb)), Int(UInt16.max))
    while length > 0 {
      let error = stack.lwip.pointee.tcp_write(
        pcb, bytes.baseAddress, UInt32(length), more || length < bytes.count)
      if error == 0 { return length }
      // Out of segments for so much: for less there may be enough.
      if NetworkError(error) != .exhausted { throw NetworkError(error) }
      length /= 2
    }
    return 0
  }

  /// The same, of an array from an index on.
  public func write(_ bytes: [UInt8], from start: Int = 0, more: Bool = false) throws(NetworkError) -> Int {
    let result = bytes.withUnsafeBytes { all in
      Result { () throws(NetworkError) in
        try write(UnsafeRawBufferPointer(rebasing: all[start...]), more: more)
      }
    }
    return try result.get()
  }

  /// Sends what is queued.
  public func flush() { if let pcb { _ = stack.lwip.pointee.tcp_output(pcb) } }

  /// The application has done with so many received bytes; only if it does not ``takesAtOnce``.
  public func take(_ count: Int) {
    let count = min(count, untaken)
    untaken -= count
    if let pcb, count > 0 { stack.lwip.pointee.tcp_taken(pcb, UInt32(count)) }
  }

  /// Ends it in order, after what was written; no callback comes any more. Bytes not taken yet are dropped.
  public func close() {
    guard let pcb else { return }
    take(untaken)
    if stack.lwip.pointee.tcp_close(pcb) < 0 {
      // No memory even for the end: then without one.
      stack.lwip.pointee.tcp_abort(pcb)
    }
    leave()
  }

  /// Sends no more, and goes on receiving.
  public func closeSending() throws(NetworkError) {
    guard let pcb else { throw .notConnected }
    let error = stack.lwip.pointee.tcp_shutdown_send(pcb)
    if error < 0 { throw NetworkError(error) }
  }

  /// Resets it; no callback comes any more.
  public func abort() {
    guard let pcb else { return }
    stack.lwip.pointee.tcp_abort(pcb)
    leave()
  }

  /// Whether small segments go out at once.
  public func setNoDelay(_ on: Bool) { if let pcb { stack.lwip.pointee.tcp_no_delay(pcb, on) } }

  /// The other end, if it is open.
  public var peer: (address: NetworkAddress, port: UInt16)? {
    guard let pcb else { return nil }
    var address = lwip_address()
    var port: UInt16 = 0
    stack.lwip.pointee.tcp_peer(pcb, &address, &port)
    return (NetworkAddress(address), port)
  }

  /// lwIP has let go of it: nothing is called any more, and what the callbacks keep is let go as well.
  private func leave() {
    guard pcb != nil else { return }
    pcb = nil
    (onReceive, onArrival, onEnd, onSent) = (nil, nil, nil, nil)
    (onConnect, onFailure, onTick) = (nil, nil, nil)
    Unmanaged.passUnretained(self).release()
  }

  // MARK: What lwIP calls

  static func installHooks(_ hooks: inout lwip_hooks) {
    hooks.adopt = { listener, pcb in
      let listener = Unmanaged<TCPListener>.fromOpaque(listener!).takeUnretainedValue()
      let connection = TCPConnection(listener.stack)
      connection.pcb = pcb
      connection.isConnected = true
      return Unmanaged.passRetained(connection).toOpaque()
    }
    hooks.accept = { listener, owner in
      let listener = Unmanaged<TCPListener>.fromOpaque(listener!).takeUnretainedValue()
      // Who has closed it in the callback has decided; `abort` does nothing then.
      withConnection(owner) { connection in
        if !listener.onAccept(connection) { connection.abort() }
      }
    }
    hooks.connected = { owner in
      withConnection(owner) { connection in
        connection.isConnected = true
        connection.onConnect?(connection)
      }
    }
    hooks.received = { owner, bytes, length in
      withConnection(owner) { connection in
        connection.untaken += Int(length)
        if connection.takesAtOnce { connection.take(Int(length)) }
        connection.onReceive?(connection, UnsafeRawBufferPointer(start: bytes, count: Int(length)))
      }
    }
    hooks.arrived = { owner in withConnection(owner) { $0.onArrival?($0) } }
    hooks.ended = { owner in withConnection(owner) { $0.onEnd?($0) } }
    hooks.sent = { owner, length in withConnection(owner) { $0.onSent?($0, Int(length)) } }
    hooks.polled = { owner in withConnection(owner) { $0.onTick?($0) } }
    hooks.failed = { owner, error in
      withConnection(owner) { connection in
        let tell = connection.onFailure
        connection.leave()
        tell?(connection, NetworkError(error))
      }
    }
  }
}

/// The connection that lwIP means. Retained for the call: closing it in a callback drops lwIP's reference.
private func withConnection(_ owner: UnsafeMutableRawPointer?, _ body: (TCPConnection) -> Void) {
  body(Unmanaged<TCPConnection>.fromOpaque(owner!).takeUnretainedValue())
}
