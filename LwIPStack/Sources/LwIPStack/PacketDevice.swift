// A raw socket on a network interface (AF_PACKET): the stack as a host on an Ethernet, with the interface's own hardware address.
//
// Law: what comes lies in memory that the kernel shares (a ring of TPACKET_V2), and is taken at `vm` on the port's CPU, by two MP-safe
// handlers bound to it: level and CPU exclude. What goes is sent under the stack's guard, one system call a batch. Both may be at once.

import CNetworkDevices
import Glibc
import HostedMachine
import SoftInterrupts
import Synchronization

/// Needs CAP_NET_RAW. The interface is to have no IP address of the kernel's, and the sender's offloads are to be off: lwIP takes no segment
/// longer than the MTU, and verifies checksums.
///
/// Its backlog is the memory that the kernel shares, 4 MiB: 2,048 frames at an MTU of 1,500. What comes beyond that the kernel drops and counts,
/// ``droppedByKernel``; the stack's own ring drops nothing, for a frame is taken only where it has room.
public final class PacketDevice: NetworkDevice, DescriptorDevice, @unchecked Sendable {
  // Sendable: constant but for the attachment, which is touched before and after the CPUs use it; the counts are the port's CPU's.
  public let hardwareAddress: HardwareAddress
  public let mtu: Int
  var descriptor: Int32 { ring.pointee.descriptor }
  let pushesBesidePulls = true
  private let ring: UnsafeMutablePointer<netdev_packet>
  private var attachment: (system: InterruptSystem<HostedMachine>, attachment: Attachment)?
  private var looker: Handler<HostedMachine>?
  /// The slots that are read into next.
  private var reading: [FrameRing.Slot] = []
  /// The slots that are being written from; empty between the calls.
  private var writing: [FrameRing.Slot] = []
  private static let batch = 64
  /// What the kernel has told of so far. Relaxed: a count, which publishes nothing.
  private let drops = Atomic<UInt64>(0)
  /// A system call. Callers at the same time are each told a part, and what each adds is the sum.
  public var droppedByKernel: UInt64? {
    drops.wrappingAdd(UInt64(netdev_packet_dropped(ring)), ordering: .relaxed).newValue
  }

  public init(_ interface: String) throws(DeviceFailure) {
    ring = .allocate(capacity: 1)
    ring.initialize(to: netdev_packet())
    let error = -netdev_packet_open(ring, interface)
    guard error == 0 else {
      ring.deallocate()
      let reason = String(cString: strerror(error))
      throw DeviceFailure(
        description: error == EPERM
          ? "a raw socket needs CAP_NET_RAW (\(reason)): run it as root, in a network namespace of its own, or use --device slirp"
          : "interface \(interface) cannot be used (\(reason))")
    }
    let mac = ring.pointee.mac
    hardwareAddress = HardwareAddress(mac.0, mac.1, mac.2, mac.3, mac.4, mac.5)
    mtu = Int(ring.pointee.mtu)
  }

  deinit {
    netdev_packet_close(ring)
    ring.deallocate()
  }

  public func attach(to port: DevicePort) throws(DeviceFailure) {
    let me = Unmanaged.passUnretained(self)
    let thePort = Unmanaged.passUnretained(port)
    do {
      looker = try port.system.establish("packet ring", at: .vm, as: .mpSafe) { _ in
        me._withUnsafeGuaranteedRef { device in thePort._withUnsafeGuaranteedRef { device.pull($0) } }
      }
      attachment = (
        port.system,
        try port.system.attach(descriptor, at: .vm, on: port.cpu, name: "packet socket") { _ in
          me._withUnsafeGuaranteedRef { device in thePort._withUnsafeGuaranteedRef { device.pull($0) } }
        }
      )
    } catch { throw DeviceFailure(description: "\(error)") }
  }

  func open(_ port: DevicePort) throws(DeviceFailure) {}

  func pull(_ port: DevicePort) {
    // Slots that nothing came into stay for the next time: what a pull costs is what it brings.
    while reading.count < Self.batch, port.incoming.hasSpace,
      let slot = port.incoming.space(port.incoming.slotSize)
    { reading.append(slot) }
    // No room: the kernel keeps what comes, or drops it.
    if reading.isEmpty { return port.received() }
    withUnsafeTemporaryAllocation(of: netdev_slot.self, capacity: Self.batch) { slots in
      for (index, slot) in reading.enumerated() {
        slots[index] = netdev_slot(bytes: slot.bytes, length: UInt32(port.incoming.slotSize))
      }
      let got = max(0, Int(netdev_packet_receive(ring, slots.baseAddress, Int32(reading.count))))
      for index in 0..<got {
        if slots[index].length > 0 {
          port.incoming.put(reading[index], length: Int(slots[index].length))
        } else {
          port.incoming.keep(reading[index])
        }
      }
      reading.removeFirst(got)
      if port.incoming.waiting > 0 { port.received() }
    }
  }

  public func transmit(_ port: DevicePort) {
    push(port)
    // Who was answered has perhaps asked again, and the ring shows it without a system call: while it is busy no interrupt is waited for.
    if netdev_packet_waits(ring) { looker?.schedule(on: port.cpu) }
  }

  func push(_ port: DevicePort) {
    withUnsafeTemporaryAllocation(of: netdev_slot.self, capacity: Self.batch) { slots in
      while true {
        while writing.count < Self.batch, let slot = port.outgoing.next() {
          slots[writing.count] = netdev_slot(bytes: slot.bytes, length: UInt32(slot.length))
          writing.append(slot)
        }
        if writing.isEmpty { return }
        var done = 0
        // A frame that the kernel does not take is lost, as on a wire; TCP sends it again.
        while done < writing.count {
          let sent = netdev_packet_send(descriptor, slots.baseAddress! + done, Int32(writing.count - done))
          if sent <= 0 { break }
          done += Int(sent)
        }
        for slot in writing { port.outgoing.release(slot) }
        writing.removeAll(keepingCapacity: true)
      }
    }
  }

  public func detach() {
    if let attachment {
      attachment.system.detach(attachment.attachment)
      if let looker { attachment.system.disestablish(looker) }
    }
    attachment = nil
    // `looker` stays: a transmission that is under way may still schedule it, and is refused.
  }
}
