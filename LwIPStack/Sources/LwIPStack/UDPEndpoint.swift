// A UDP port.
//
// Law: as that of a listener.

import CLwIPStack

/// A UDP port that receives and sends datagrams.
public final class UDPEndpoint: @unchecked Sendable {
  // Sendable: every stored property is constant or under the guard.
  public let stack: NetworkStack
  private var pcb: OpaquePointer?
  /// Called under the guard with each datagram, valid during the call, and where it came from.
  let onDatagram: (UDPEndpoint, UnsafeRawBufferPointer, NetworkAddress, UInt16) -> Void

  /// Binds a port (0: any) of one address, or of all. Any thread below softNet.
  public init(
    _ stack: NetworkStack, address: NetworkAddress? = nil, port: UInt16,
    _ onDatagram: @escaping (UDPEndpoint, UnsafeRawBufferPointer, NetworkAddress, UInt16) -> Void
  ) throws(NetworkError) {
    self.stack = stack
    self.onDatagram = onDatagram
    try stack.enter { () throws(NetworkError) in
      guard stack.isRunning else { throw .stopped }
      var error: Int32 = 0
      let owner = Unmanaged.passRetained(self)
      if var target = address?.forLwIP {
        pcb = stack.lwip.pointee.udp_bind(&target, port, owner.toOpaque(), &error)
      } else {
        pcb = stack.lwip.pointee.udp_bind(nil, port, owner.toOpaque(), &error)
      }
      guard pcb != nil else {
        owner.release()
        throw NetworkError(error)
      }
    }
  }

  /// The port it is bound to. Any thread below softNet.
  public var port: UInt16 {
    stack.enter { pcb.map { stack.isRunning ? stack.lwip.pointee.udp_local_port($0) : 0 } ?? 0 }
  }

  /// Sends a datagram, of which lwIP takes a copy. Any thread below softNet, and callbacks.
  public func send(
    _ bytes: UnsafeRawBufferPointer, to address: NetworkAddress, port: UInt16
  ) throws(NetworkError) {
    try stack.enter { () throws(NetworkError) in
      guard let pcb, stack.isRunning else { throw .stopped }
      var target = address.forLwIP
      let error = stack.lwip.pointee.udp_send(
        pcb, bytes.baseAddress, UInt32(clamping: bytes.count), &target, port)
      if error < 0 { throw NetworkError(error) }
    }
  }

  /// Any thread below softNet. After the stack's shutdown it does nothing.
  public func close() {
    stack.enter {
      guard let pcb else { return }
      if stack.isRunning { stack.lwip.pointee.udp_close(pcb) }
      self.pcb = nil
      Unmanaged.passUnretained(self).release()
    }
  }

  static func installHooks(_ hooks: inout lwip_hooks) {
    hooks.datagram = { owner, bytes, length, from, port in
      let endpoint = Unmanaged<UDPEndpoint>.fromOpaque(owner!).takeUnretainedValue()
      endpoint.onDatagram(
        endpoint, UnsafeRawBufferPointer(start: bytes, count: Int(length)), NetworkAddress(from!.pointee),
        port)
    }
  }
}
