// A wire in memory: between two stacks, or between a stack and clients that need no system call.
//
// Law: what one end sends is taken from its `outgoing` ring by the other end's handler at `vm`, which is bound to the other end's CPU: one
// consumer, and one producer of the other's `incoming`. A frame for which there is no room is lost, as on a wire.

import CNetworkDevices
import Glibc
import HostedMachine
import SoftInterrupts
import Synchronization

/// One end of a wire in memory.
///
/// Its backlog is the ring of the end that receives, which counts what it has no room for.
public final class MemoryDevice: NetworkDevice, @unchecked Sendable {
  // Sendable: `source` and `port` are set before the receiver can run, and the receiver's CPU alone uses them; the rest is constant or in
  // the mutex, for the other end may come and go while this one sends.
  public let hardwareAddress: HardwareAddress
  public let mtu: Int
  private let clients: MemoryClients?
  private unowned(unsafe) var port: DevicePort!
  private let wire = Mutex(Wire())

  private struct Wire {
    /// The other end, if it is a stack.
    var peer: MemoryDevice?
    /// What this end has sent, for the other one: it outlives this end's port.
    var sent: FrameRing?
    var receiver: Handler<HostedMachine>?
    var cpu = 0
  }

  /// The stack's address for clients.
  public static let ipv4 = IPv4Configuration(
    address: NetworkAddress("10.1.0.2")!, mask: NetworkAddress("255.255.255.0")!,
    gateway: NetworkAddress("0.0.0.0")!)

  private init(_ last: UInt8, mtu: Int, _ clients: MemoryClients?) {
    hardwareAddress = HardwareAddress(0x02, 0x53, 0x49, 0, 1, last)
    self.mtu = mtu
    self.clients = clients
  }

  /// Two ends, for two stacks.
  public static func pair(mtu: Int = 1500) -> (MemoryDevice, MemoryDevice) {
    let ends = (MemoryDevice(3, mtu: mtu, nil), MemoryDevice(4, mtu: mtu, nil))
    ends.0.wire.withLock { $0.peer = ends.1 }
    ends.1.wire.withLock { $0.peer = ends.0 }
    return ends
  }

  /// The end at which a stack serves `clients`.
  public convenience init(_ clients: MemoryClients) { self.init(2, mtu: 1500, clients) }

  public func attach(to port: DevicePort) throws(DeviceFailure) {
    self.port = port
    let me = Unmanaged.passUnretained(self)
    let receiver: Handler<HostedMachine>
    do {
      receiver = try port.system.establish("memory", at: .vm, as: .mpSafe) { _ in
        me._withUnsafeGuaranteedRef { $0.receive() }
      }
    } catch { throw DeviceFailure(description: "\(error)") }
    if let clients { try clients.open(port) }
    wire.withLock { wire in
      wire.receiver = receiver
      wire.cpu = port.cpu
      wire.sent = port.outgoing
    }
    // What the other end has sent meanwhile.
    receiver.schedule(on: port.cpu)
  }

  public func transmit(_ port: DevicePort) {
    if clients != nil { ring() } else { wire.withLock { $0.peer }?.ring() }
  }

  /// Makes the receiver pending, if there is one.
  private func ring() {
    let (receiver, cpu) = wire.withLock { ($0.receiver, $0.cpu) }
    receiver?.schedule(on: cpu)
  }

  /// At `vm` on the port's CPU.
  private func receive() {
    if let clients {
      clients.run(port)
    } else if let source = wire.withLock({ $0.peer })?.wire.withLock({ $0.sent }) {
      while let slot = source.next() {
        port.incoming.put(UnsafeRawBufferPointer(start: slot.bytes, count: slot.length))
        source.release(slot)
      }
    }
    if port.incoming.waiting > 0 { port.received() }
  }

  public func detach() {
    // Copied out: who is asked to let go may be ringing.
    let (receiver, peer) = wire.withLock { wire in
      defer { (wire.receiver, wire.peer) = (nil, nil) }
      return (wire.receiver, wire.peer)
    }
    peer?.wire.withLock { $0.peer = nil }
    if let receiver, let port {
      port.system.disestablish(receiver)
      clients?.close(port)
    }
  }
}

/// What clients in memory have seen.
public struct MemoryClientCounts: Sendable {
  public var requests, errors, resets, repeated: UInt64
  /// Since when it is counted, in nanoseconds.
  public var elapsed: UInt64
  public var times: TimeBuckets
  public var requestsPerSecond: Double { elapsed == 0 ? 0 : Double(requests) * 1e9 / Double(elapsed) }
}

/// HTTP clients that live at `vm` on a CPU of the stack's: TCP by hand, one request in flight on each connection.
public final class MemoryClients: @unchecked Sendable {
  // Sendable: touched at `vm` on the port's CPU, by two MP-safe handlers that are bound there.
  private let count: Int
  private let path: String
  private let tcpPort: UInt16
  private var clients: OpaquePointer?
  private var clock: Attachment?
  private unowned(unsafe) var port: DevicePort!
  private var began: UInt64 = 0
  private var isStarted = false
  private let isStopped = Atomic<Bool>(false)
  /// By who stops them.
  private var ended: UInt64?
  /// How long nothing comes before a request is repeated.
  private static let patience: UInt64 = 250_000_000

  public init(count: Int, port: UInt16, path: String = "/") {
    (self.count, tcpPort, self.path) = (count, port, path)
  }

  deinit { if let clients { netdev_clients_close(clients) } }

  fileprivate func open(_ port: DevicePort) throws(DeviceFailure) {
    self.port = port
    let me = Unmanaged.passUnretained(self)
    clients = netdev_clients_open(
      Int32(count), tcpPort, path,
      { context, bytes, length in
        // Called inside `run` and `tick`.
        let clients = Unmanaged<MemoryClients>.fromOpaque(context!)
        clients._withUnsafeGuaranteedRef {
          $0.port.incoming.put(UnsafeRawBufferPointer(start: bytes, count: Int(length)))
          return
        }
      }, me.toOpaque())
    guard clients != nil else { throw DeviceFailure(description: "no memory for \(count) clients") }
    do {
      clock = try port.system.attachTimer(every: .milliseconds(50), on: port.cpu, name: "clients' clock") {
        _ in
        me._withUnsafeGuaranteedRef { $0.tick() }
      }
    } catch { throw DeviceFailure(description: error.description) }
  }

  fileprivate func run(_ port: DevicePort) {
    // One look at the clock for a few frames.
    var now: UInt64 = 0
    var count = 0
    while let slot = port.outgoing.next() {
      if count & 15 == 0 { now = HostedMachine.now() }
      count += 1
      // Not a reset, either, that is sent when the stack ends. Relaxed: who sends it has stopped us before, and the ring orders the two.
      if !isStopped.load(ordering: .relaxed) {
        netdev_clients_frame(
          clients!, slot.bytes.assumingMemoryBound(to: UInt8.self), UInt32(slot.length), now)
      }
      port.outgoing.release(slot)
    }
  }

  private func tick() {
    if isStopped.load(ordering: .relaxed) { return }
    let now = HostedMachine.now()
    if isStarted {
      netdev_clients_tick(clients!, now, Self.patience)
    } else {
      // The listener is there: whoever attaches the device has begun to listen.
      isStarted = true
      began = now
      netdev_clients_start(clients!, now)
    }
    if port.incoming.waiting > 0 { port.received() }
  }

  fileprivate func close(_ port: DevicePort) {
    if let clock { port.system.detach(clock) }
    clock = nil
  }

  /// They ask no more. By a thread that is no CPU.
  public func stop() {
    isStopped.store(true, ordering: .relaxed)
    if ended == nil { ended = HostedMachine.now() }
  }

  /// What was counted, once the stack has been shut down.
  public var counts: MemoryClientCounts {
    guard let clients else {
      return MemoryClientCounts(
        requests: 0, errors: 0, resets: 0, repeated: 0, elapsed: 0, times: TimeBuckets())
    }
    let c = netdev_clients_count(clients)!
    var times = TimeBuckets()
    withUnsafeBytes(of: c.pointee.times) { times.add($0.bindMemory(to: UInt64.self)) }
    return MemoryClientCounts(
      requests: c.pointee.requests, errors: c.pointee.errors, resets: c.pointee.resets,
      repeated: c.pointee.repeated, elapsed: (ended ?? HostedMachine.now()) - began, times: times)
  }
}

/// How often something took how long: eight steps to each doubling.
public struct TimeBuckets: Sendable {
  private var counts = [UInt64](repeating: 0, count: Int(NETDEV_BUCKETS))
  public init() {}
  public mutating func add(nanoseconds: UInt64) {
    counts.withUnsafeMutableBufferPointer { netdev_times_add($0.baseAddress!, nanoseconds) }
  }
  mutating func add(_ others: UnsafeBufferPointer<UInt64>) {
    for (index, count) in others.enumerated() { counts[index] += count }
  }
  public var total: UInt64 { counts.reduce(0, +) }
  /// The time that a share of them did not exceed, in nanoseconds; 0 if there are none.
  public func quantile(_ share: Double) -> UInt64 {
    let wanted = UInt64(Double(total) * share)
    var seen: UInt64 = 0
    for (index, count) in counts.enumerated() {
      seen += count
      if seen > wanted { return netdev_bucket_limit(Int32(index)) }
    }
    return 0
  }
}
