// A listening TCP port.
//
// Law: `pcb` is there until it is closed; as long, lwIP's reference keeps the object.

import CLwIPStack

/// A TCP port that accepts connections.
public final class TCPListener: @unchecked Sendable {
  // Sendable: every stored property is constant or under the guard.
  public let stack: NetworkStack
  private var pcb: OpaquePointer?
  /// Called under the guard with each connection, whose callbacks it sets. False resets it.
  let onAccept: (TCPConnection) -> Bool

  /// Listens on a port of one address, or of all. Any thread below softNet.
  public init(
    _ stack: NetworkStack, address: NetworkAddress? = nil, port: UInt16,
    _ onAccept: @escaping (TCPConnection) -> Bool
  ) throws(NetworkError) {
    self.stack = stack
    self.onAccept = onAccept
    try stack.enter { () throws(NetworkError) in
      guard stack.isRunning else { throw .stopped }
      var error: Int32 = 0
      let owner = Unmanaged.passRetained(self)
      if var target = address?.forLwIP {
        pcb = stack.lwip.pointee.tcp_listen(&target, port, 255, owner.toOpaque(), &error)
      } else {
        pcb = stack.lwip.pointee.tcp_listen(nil, port, 255, owner.toOpaque(), &error)
      }
      guard pcb != nil else {
        owner.release()
        throw NetworkError(error)
      }
    }
  }

  /// Accepts no more. Any thread below softNet. After the stack's shutdown it does nothing.
  public func close() {
    stack.enter {
      guard let pcb else { return }
      if stack.isRunning { stack.lwip.pointee.tcp_close_listener(pcb) }
      self.pcb = nil
      Unmanaged.passUnretained(self).release()
    }
  }
}
