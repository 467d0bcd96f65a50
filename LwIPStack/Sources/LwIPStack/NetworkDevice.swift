// What a device is to the stack: something that fills a ring of frames at `vm` and empties another.
//
// Law: `incoming` is filled by the device's handlers at `vm` on the port's CPU; `outgoing` is filled under the stack's guard, and emptied by
// `transmit`, under the guard, or by what that hands it to: one consumer.

public import HostedMachine
public import SoftInterrupts

/// Why a device cannot be used.
public struct DeviceFailure: Error, Sendable, CustomStringConvertible {
  public var description: String
}

/// The stack's side of a device.
public final class DevicePort: @unchecked Sendable {
  // Sendable: constant but for `isTransmitPending` and `netif`, which are under the stack's guard.
  public let system: InterruptSystem<HostedMachine>
  /// Where the device's handlers run.
  public let cpu: Int
  public let incoming: FrameRing
  public let outgoing: FrameRing
  /// Where the stack's input is made pending.
  let inputCPU: Int
  let device: any NetworkDevice
  // It has its ports, and outlives what calls them.
  unowned(unsafe) let stack: NetworkStack
  /// Nil in the baseline, where the device has a thread.
  var input: Handler<HostedMachine>?
  var transmit: Handler<HostedMachine>?
  // Exclusivity is not checked: under the guard, and each access is a load or a store.
  @exclusivity(unchecked) var isTransmitPending = false
  @exclusivity(unchecked) var netif: OpaquePointer?

  init(
    _ device: any NetworkDevice, _ stack: NetworkStack, cpu: Int, inputCPU: Int, capacity: Int
  ) {
    self.device = device
    self.stack = stack
    system = stack.system
    self.cpu = cpu
    self.inputCPU = inputCPU
    // Ethernet with VLAN, rounded up to lines.
    let slotSize = (device.mtu + 18 + 63) / 64 * 64
    incoming = FrameRing(capacity: capacity, slotSize: slotSize)
    outgoing = FrameRing(capacity: capacity, slotSize: slotSize)
  }

  /// The device has filled ``incoming``. At `vm`.
  func received() { input?.schedule(on: inputCPU) }
}

/// A source and sink of Ethernet frames.
public protocol NetworkDevice: AnyObject, Sendable {
  /// The hardware address that the stack is to have.
  var hardwareAddress: HardwareAddress { get }
  /// The longest IP packet, in bytes.
  var mtu: Int { get }
  /// Frames that the kernel has dropped because the device did not fetch them in time; nil where the device cannot tell. What the stack's
  /// ring has no room for is no part of it (``FrameRing/dropped``). Any thread.
  var droppedByKernel: UInt64? { get }
  /// Attaches itself at `vm` to the port's CPU. Called once, by a thread that is no CPU.
  func attach(to port: DevicePort) throws(DeviceFailure)
  /// Sends what is in the port's ``DevicePort/outgoing``. Under the stack's guard, once for a batch.
  func transmit(_ port: DevicePort)
  /// Ends it: no handler of its runs any more when this returns. By a thread that is no CPU.
  func detach()
}

extension NetworkDevice {
  public var droppedByKernel: UInt64? { nil }
}

/// A device that is a descriptor, so that a plain thread can drive it as well.
protocol DescriptorDevice: NetworkDevice {
  var descriptor: Int32 { get }
  /// Whether ``push(_:)`` may be called beside ``pull(_:)``.
  var pushesBesidePulls: Bool { get }
  /// Opens what is not open yet.
  func open(_ port: DevicePort) throws(DeviceFailure)
  /// Moves what has come into the port, a batch at most. One caller at a time.
  func pull(_ port: DevicePort)
  /// Sends what is in the port. One caller at a time.
  func push(_ port: DevicePort)
}

/// An Ethernet address.
public struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
  public var bytes: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ e: UInt8, _ f: UInt8) {
    bytes = (a, b, c, d, e, f)
  }
  init(_ list: [UInt8]) { self.init(list[0], list[1], list[2], list[3], list[4], list[5]) }
  var list: [UInt8] { [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5] }
  public static func == (a: Self, b: Self) -> Bool { a.list == b.list }
  public func hash(into hasher: inout Hasher) { hasher.combine(list) }
  public var description: String {
    list.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
