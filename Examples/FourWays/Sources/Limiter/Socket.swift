// A datagram socket of this machine, and the log: what three of the four programs call of the operating system.
//
// Law: nothing here waits but `writeLog` and a blocking socket's `receive`.

import Glibc

/// A datagram and who sent it.
public struct Datagram: Sendable {
  public var text: String
  public var peer: UInt16
}

/// A datagram socket on the loopback interface, whose peers are ports of it. Closed by its owner.
public struct Socket: Sendable {
  public let descriptor: Int32
  public let port: UInt16

  /// Binds a socket to a port that is free.
  public init(blocking: Bool = false) {
    let type = Int32(SOCK_DGRAM.rawValue) | (blocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
    let made = socket(AF_INET, type, 0)
    var address = Self.loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = Self.generic(&address) { bind(made, $0, size) == 0 && getsockname(made, $0, &size) == 0 }
    precondition(isBound, "a socket on the loopback interface")
    (descriptor, port) = (made, address.sin_port.bigEndian)
  }

  /// The next datagram. Nil if there is none now; a blocking socket waits, and answers nil when it has been shut down.
  public func receive() -> Datagram? {
    var (bytes, address) = ([UInt8](repeating: 0, count: 512), Self.loopback(0))
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = Self.generic(&address) { recvfrom(descriptor, &bytes, 512, 0, $0, &size) }
    guard count > 0 else { return nil }
    return Datagram(
      text: String(decoding: bytes.prefix(count), as: UTF8.self), peer: address.sin_port.bigEndian)
  }

  /// Sends; a datagram that finds no room is lost, as datagrams are.
  public func send(_ text: String, to peer: UInt16) {
    var (bytes, address) = (Array(text.utf8), Self.loopback(peer))
    _ = Self.generic(&address) {
      sendto(descriptor, &bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }

  /// Wakes who waits in `receive`.
  public func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func generic<R>(_ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> R)
    -> R
  {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}

/// Writes a line of the log, which is standard output. Slow: it waits for who reads.
public func writeLog(_ line: String) {
  var bytes = Array((line + "\n").utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if count < 0 && errno != EINTR { return }
    bytes = bytes.dropFirst(max(count, 0))
  }
}

/// Waits for the end of standard input: the order to stop.
public func waitForEnd() {
  var byte: UInt8 = 0
  while read(0, &byte, 1) != 0 {}
}

/// Runs `body` on a thread of its own.
public func onThread(_ body: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body))
  let error = pthread_create(
    &thread, nil,
    {
      Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  precondition(error == 0, "a thread")
  pthread_detach(thread)
}

private final class Box {
  let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
}
