// What the tests share: a stack that is checked when it ends, sockets of the host, and waits that are bounded.
//
// Law: there is one stack in a process, so the suites are parts of one that runs one test at a time. Nothing sleeps to let something happen.

import Dispatch
import Glibc
import HostedMachine
import Testing

@testable import LwIPStack

@Suite("The stack", .serialized)
enum StackTests {}

/// Whether a second lwIP can be loaded: not with a sanitizer, whose runtime is in the program and not in another namespace.
let canLoadAnother = dlsym(nil, "__tsan_init") == nil && dlsym(nil, "__asan_init") == nil

/// Something that happens, and can be waited for by a thread that is no CPU.
final class Event: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  func signal() { semaphore.signal() }
  @discardableResult func wait() -> Bool { semaphore.wait(timeout: .now() + .seconds(20)) == .success }
}

/// Looks until it holds; false if it does not for 20 s.
func eventually(_ condition: () -> Bool) -> Bool {
  let end = HostedMachine.now() + 20_000_000_000
  while !condition() {
    if HostedMachine.now() > end { return false }
    sched_yield()
  }
  return true
}

/// A stack under a discipline, with libslirp forwarding `port`. In the end: its assertions were asked, none failed, and lwIP has nothing left.
func withStack(
  _ discipline: StackDiscipline = .ordered, cpus: Int = 2, forwarding port: UInt16? = nil,
  mostConnections: Int = 0, _ body: (NetworkStack) throws -> Void
) throws {
  var configuration = StackConfiguration()
  configuration.discipline = discipline
  configuration.cpus = cpus
  configuration.trapsUnguarded = false
  configuration.mostConnections = mostConnections
  let stack = try NetworkStack(configuration)
  do {
    let forwards =
      port.map { [SlirpDevice.Forward(port: $0), SlirpDevice.Forward(port: $0, isUDP: true)] } ?? []
    // Device and stack on different CPUs, so that they do run at once.
    try stack.attach(
      SlirpDevice(forwarding: forwards), ipv4: SlirpDevice.ipv4, ipv6: [SlirpDevice.ipv6], inputCPU: 1)
    try body(stack)
    let counts = stack.counts
    #expect(counts.assertions > 0)
    #expect(counts.failures == 0)
  } catch {
    stack.shutdown()
    throw error
  }
  let report = stack.shutdown()
  #expect(report.isComplete)
}

/// A TCP or UDP socket of the host, connected to a port of a loopback address; closed with it.
final class HostSocket {
  let descriptor: Int32
  init(_ port: UInt16, isUDP: Bool = false, isIPv6: Bool = false) throws {
    let type = Int32((isUDP ? SOCK_DGRAM : SOCK_STREAM).rawValue)
    descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    var result: Int32
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    try #require(result == 0, "connect: \(String(cString: strerror(errno)))")
  }
  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      done += count
    }
  }
  func send(_ text: String) { send(Array(text.utf8)) }
  func endSending() { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

  /// Up to `count` bytes; fewer at the end or when nothing comes.
  func receive(_ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while all.count < count {
      let got = recv(descriptor, &buffer, min(buffer.count, count - all.count), 0)
      if got <= 0 { break }
      all += buffer[..<got]
    }
    return all
  }
  /// One datagram.
  func datagram() -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let got = recv(descriptor, &buffer, buffer.count, 0)
    return got > 0 ? Array(buffer[..<got]) : []
  }
}

/// A port that nobody has now.
func freePort() throws -> UInt16 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let result = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
      bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
    }
  }
  try #require(result == 0)
  return UInt16(bigEndian: address.sin_port)
}

/// Bytes that are not the same everywhere.
func pattern(_ count: Int) -> [UInt8] {
  var state: UInt32 = 1
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(truncatingIfNeeded: state >> 24)
  }
}
