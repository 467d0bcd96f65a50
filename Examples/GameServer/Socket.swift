// UDP over IPv4, as much of it as the server and the bots need.
//
// Law: nothing here blocks. A descriptor is closed by its owner, once.

import Glibc

/// A peer, as the operating system knows it: both in network order.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  var address: UInt32
  var port: UInt16

  /// From `A.B.C.D`; nil if it is not an address.
  init?(_ text: String, port: UInt16) {
    var parsed = in_addr()
    guard inet_pton(AF_INET, text, &parsed) == 1 else { return nil }
    address = parsed.s_addr
    self.port = port.bigEndian
  }
  init(address: UInt32, port: UInt16) { (self.address, self.port) = (address, port) }
  init(_ raw: sockaddr_in) { (address, port) = (raw.sin_addr.s_addr, raw.sin_port) }

  var raw: sockaddr_in {
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_addr.s_addr = address
    raw.sin_port = port
    return raw
  }
  var description: String {
    let host = UInt32(bigEndian: address)
    return "\(host >> 24).\(host >> 16 & 255).\(host >> 8 & 255).\(host & 255):\(UInt16(bigEndian: port))"
  }
}

/// What a program ends with that cannot go on: one line, and a status of sysexits.
struct Failure: Error {
  var status: Int32
  var line: String
  static func usage(_ line: String) -> Failure { Failure(status: 64, line: "\(line); see --help") }
  static func system(_ line: String, _ status: Int32 = 71) -> Failure {
    Failure(status: status, line: "\(line): \(String(cString: strerror(errno)))")
  }
}

struct Socket: Sendable {
  let descriptor: Int32

  /// Bound to an endpoint; port 0 is any. `isShared`: several sockets of this program on one port, of which the kernel chooses.
  init(bound endpoint: Endpoint, isShared: Bool = false) throws(Failure) {
    descriptor = socket(
      AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .system("no socket") }
    var size: Int32 = 1 << 20
    // Best effort: the kernel cuts it to what it permits.
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
    var one: Int32 = 1
    if isShared { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, 4) }
    var raw = endpoint.raw
    let result = withUnsafePointer(to: &raw) {
      // What the call asks for: an address of any family is read by its first field.
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result != 0 {
      let failure = Failure.system("\(endpoint) cannot be bound", errno == EACCES ? 77 : 69)
      Glibc.close(descriptor)
      throw failure
    }
  }

  /// Where it is bound to.
  var endpoint: Endpoint {
    var raw = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &raw) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return Endpoint(raw)
  }

  /// One datagram into `buffer`: how long it was (more than the buffer if it was cut) and whose; nil if there is none.
  func receive(_ buffer: inout [UInt8]) -> (count: Int, from: Endpoint)? {
    while true {
      var raw = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = withUnsafeMutablePointer(to: &raw) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(descriptor, &buffer, buffer.count, Int32(MSG_TRUNC), $0, &length)
        }
      }
      if count >= 0 { return (count, Endpoint(raw)) }
      // An error of an earlier datagram's way is reported here; there may be more to read.
      guard errno == EINTR || errno == ECONNREFUSED else { return nil }
    }
  }

  /// Sends `head` and `body` as one datagram; false if the kernel did not take it, as it may with any datagram.
  @discardableResult func send(_ head: [UInt8], _ body: [UInt8] = [], to endpoint: Endpoint) -> Bool {
    var raw = endpoint.raw
    // The pointers are used by the call only, inside the closures that lend them.
    return head.withUnsafeBytes { head in
      body.withUnsafeBytes { body in
        withUnsafeMutablePointer(to: &raw) { raw in
          let parts = [
            iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count),
          ]
          return parts.withUnsafeBufferPointer { parts in
            var message = msghdr()
            message.msg_name = UnsafeMutableRawPointer(raw)
            message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            message.msg_iov = UnsafeMutablePointer(mutating: parts.baseAddress)
            message.msg_iovlen = parts.count
            while true {
              let count = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
              if count >= 0 { return true }
              guard errno == EINTR else { return false }
            }
          }
        }
      }
    }
  }

  func close() { Glibc.close(descriptor) }
}
