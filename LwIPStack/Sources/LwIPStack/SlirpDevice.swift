// libslirp as a device: a small network on this process's own sockets; the default, for it needs no root.
//
// Law: libslirp is not thread-safe either. It is touched at `vm` on the port's CPU, by two MP-safe handlers bound to it: level and CPU
// exclude, no lock does. What the stack sends goes there through the ring.

import CNetworkDevices
import Glibc
import HostedMachine
import SoftInterrupts

/// This process's own sockets as an Ethernet, by libslirp.
///
/// It has no backlog: libslirp is asked when there is something to do, and what waits meanwhile waits in the sockets that it reads, TCP's for as
/// long as need be. A frame that it makes then and for which the stack's ring has no room is dropped, and counted by the ring.
public final class SlirpDevice: NetworkDevice, DescriptorDevice, @unchecked Sendable {
  // Sendable: the rest is touched as the law says, or before the device is attached and after it is detached.

  /// A port of the host's loopback addresses that leads to the same port of the stack.
  public struct Forward: Sendable {
    public var port: UInt16
    public var isUDP: Bool
    public init(port: UInt16, isUDP: Bool = false) {
      self.port = port
      self.isUDP = isUDP
    }
  }

  public let hardwareAddress = HardwareAddress(0x02, 0x53, 0x49, 0, 0, 0x15)
  public let mtu = 1500
  /// The stack's addresses in libslirp's network.
  public static let ipv4 = IPv4Configuration(
    address: NetworkAddress("10.0.2.15")!, mask: NetworkAddress("255.255.255.0")!,
    gateway: NetworkAddress("10.0.2.2")!)
  public static let ipv6 = NetworkAddress("fd00::15")!

  private let forwards: [Forward]
  private var slirp: OpaquePointer?
  private unowned(unsafe) var port: DevicePort!
  private var attachment: Attachment?
  private var sender: Handler<HostedMachine>?

  public init(forwarding forwards: [Forward]) { self.forwards = forwards }

  deinit { if let slirp { netdev_slirp_close(slirp) } }

  var descriptor: Int32 { slirp.map { netdev_slirp_descriptor($0) } ?? -1 }
  let pushesBesidePulls = false

  func open(_ port: DevicePort) throws(DeviceFailure) {
    self.port = port
    let me = Unmanaged.passUnretained(self)
    slirp = netdev_slirp_open(
      { context, bytes, length in
        // Called inside run and send below, on the port's CPU at `vm`.
        Unmanaged<SlirpDevice>.fromOpaque(context!)._withUnsafeGuaranteedRef { device in
          _ = device.port.incoming.put(UnsafeRawBufferPointer(start: bytes, count: Int(length)))
        }
      }, me.toOpaque())
    guard let slirp else {
      throw DeviceFailure(description: "libslirp could not be started: no memory or no descriptors")
    }
    for forward in forwards {
      let error = netdev_slirp_forward(slirp, forward.isUDP, false, forward.port, forward.port)
      if error < 0 {
        throw DeviceFailure(
          description:
            "port \(forward.port) of 127.0.0.1 cannot be had (\(String(cString: strerror(-error)))): give another by --port"
        )
      }
      // A host without IPv6 is no reason not to run.
      _ = netdev_slirp_forward(slirp, forward.isUDP, true, forward.port, forward.port)
    }
    netdev_slirp_settle(slirp)
  }

  public func attach(to port: DevicePort) throws(DeviceFailure) {
    try open(port)
    let me = Unmanaged.passUnretained(self)
    do {
      sender = try port.system.establish("slirp transmit", at: .vm, as: .mpSafe) { _ in
        me._withUnsafeGuaranteedRef { $0.push($0.port) }
      }
      attachment = try port.system.attach(descriptor, at: .vm, on: port.cpu, name: "slirp") { _ in
        me._withUnsafeGuaranteedRef { $0.pull($0.port) }
      }
    } catch { throw DeviceFailure(description: "\(error)") }
  }

  public func transmit(_ port: DevicePort) { sender?.schedule(on: port.cpu) }

  /// On the port's CPU at `vm`, or by the one thread of the baseline.
  func pull(_ port: DevicePort) {
    netdev_slirp_run(slirp)
    netdev_slirp_settle(slirp)
    if port.incoming.waiting > 0 { port.received() }
  }

  /// On the port's CPU at `vm`, or by the one thread of the baseline.
  func push(_ port: DevicePort) {
    while let slot = port.outgoing.next() {
      netdev_slirp_send(slirp, slot.bytes, UInt32(slot.length))
      port.outgoing.release(slot)
    }
    // Who was answered has perhaps asked again: one look here is one system call, an interrupt four. So a busy device is polled, once a batch,
    // and interrupts when it has been idle.
    pull(port)
  }

  public func detach() {
    guard let port else { return }
    if let attachment { port.system.detach(attachment) }
    if let sender { port.system.disestablish(sender) }
    attachment = nil
    // `sender` stays: a transmission that is under way may still schedule it, and is refused.
  }
}
