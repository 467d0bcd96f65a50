// A TAP interface: the kernel's own stack at the other end of the wire.
//
// Law: as that of PacketDevice.

import CNetworkDevices
import Glibc
import HostedMachine
import SoftInterrupts

/// Needs /dev/net/tun and CAP_NET_ADMIN, or an interface that was made for the user. The kernel's end does its checksums and segments itself.
///
/// Its backlog is the interface's queue (`txqueuelen`, 1,000 frames): a frame is taken only where the stack's ring has room. What the queue has no
/// room for the kernel drops, and counts for the interface (`ip -s link`, TX dropped).
public final class TapDevice: NetworkDevice, DescriptorDevice, @unchecked Sendable {
  // Sendable: constant but for the attachment, which is touched before and after the CPUs use it.
  public let hardwareAddress = HardwareAddress(0x02, 0x53, 0x49, 0, 0, 0x16)
  public let mtu: Int
  let descriptor: Int32
  let pushesBesidePulls = true
  private var attachment: (system: InterruptSystem<HostedMachine>, attachment: Attachment)?
  private static let batch = 32

  public init(_ interface: String) throws(DeviceFailure) {
    var mtu: UInt32 = 0
    descriptor = netdev_tap_open(interface, &mtu)
    guard descriptor >= 0 else {
      throw DeviceFailure(
        description:
          "TAP interface \(interface) cannot be used (\(String(cString: strerror(-descriptor)))): it needs /dev/net/tun and CAP_NET_ADMIN; --device slirp needs neither"
      )
    }
    self.mtu = Int(mtu)
  }

  deinit { close(descriptor) }

  public func attach(to port: DevicePort) throws(DeviceFailure) {
    let me = Unmanaged.passUnretained(self)
    let thePort = Unmanaged.passUnretained(port)
    do {
      attachment = (
        port.system,
        try port.system.attach(descriptor, at: .vm, on: port.cpu, name: "tap") { _ in
          me._withUnsafeGuaranteedRef { device in thePort._withUnsafeGuaranteedRef { device.pull($0) } }
        }
      )
    } catch { throw DeviceFailure(description: error.description) }
  }

  func open(_ port: DevicePort) throws(DeviceFailure) {}

  func pull(_ port: DevicePort) {
    for _ in 0..<Self.batch {
      // No room: the kernel keeps what comes, or drops it. So it is looked for before a slot is asked for, which would count a drop.
      guard port.incoming.hasSpace, let slot = port.incoming.space(port.incoming.slotSize) else { break }
      let length = netdev_tap_receive(descriptor, slot.bytes, UInt32(port.incoming.slotSize))
      guard length > 0 else {
        port.incoming.keep(slot)
        break
      }
      port.incoming.put(slot, length: length)
    }
    if port.incoming.waiting > 0 { port.received() }
  }

  public func transmit(_ port: DevicePort) { push(port) }

  func push(_ port: DevicePort) {
    while let slot = port.outgoing.next() {
      // A frame that the kernel does not take is lost, as on a wire; TCP sends it again.
      _ = write(descriptor, slot.bytes, slot.length)
      port.outgoing.release(slot)
    }
  }

  public func detach() {
    if let attachment { attachment.system.detach(attachment.attachment) }
    attachment = nil
  }
}
