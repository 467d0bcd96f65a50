// File descriptors and timers as devices: they raise interrupts at the hard levels.
//
// Law: a device is reported once and is quiet until its handler has run, so a handler that is suspended or pending costs nothing;
// the handler belongs to one CPU and is MP-safe.

import CHosted
import Glibc
public import SoftInterrupts

/// One attached descriptor.
final class Device: @unchecked Sendable {
  // Sendable: constant but for the handler, which is set before the descriptor is registered, and what is under the machine's lock.
  let descriptor: Int32
  let events: UInt32
  let cpu: Int
  let token: UInt64
  let ownsDescriptor: Bool
  var handler: Handler<HostedMachine>?
  /// Somebody is detaching it, or has. Under the machine's lock.
  var isDetaching = false
  /// Its descriptor is watched no longer, and may be closed and its number another's. Under the machine's lock.
  var isGone = false

  init(_ descriptor: Int32, _ events: UInt32, _ cpu: Int, _ token: UInt64, owns: Bool) {
    self.descriptor = descriptor
    self.events = events
    self.cpu = cpu
    self.token = token
    ownsDescriptor = owns
  }
}

/// What a descriptor is watched for.
public struct DeviceEvents: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Something can be read, or the other end has closed.
  public static let readable = DeviceEvents(rawValue: 0x001)
  /// Something can be written.
  public static let writable = DeviceEvents(rawValue: 0x004)
}

/// Why a device could not be attached.
public struct DeviceError: Error, Sendable, CustomStringConvertible {
  public var description: String
}

/// An attached device; see `InterruptSystem/detach(_:)`.
public struct Attachment: Sendable {
  let device: Device
  /// The device's handler, for statistics, suspending and resuming.
  public let handler: Handler<HostedMachine>
}

extension HostedMachine {
  /// A descriptor became ready: its handler is scheduled, on the CPU that looked.
  func deliver(_ token: UInt64) {
    var device: Device?
    locked { device = devices[token] }
    if let device { device.handler?.schedule(on: device.cpu) }
  }
}

extension InterruptSystem where M == HostedMachine {
  /// Calls `body` at `level` (`vm` or above) on a CPU whenever `descriptor` is ready: as an MP-safe handler of that CPU.
  ///
  /// The descriptor is best non-blocking, and `body` reads what there is; if it leaves something it is called again. The caller
  /// keeps the descriptor open until ``detach(_:)``. Any thread; allocates.
  public func attach(
    _ descriptor: Int32, for events: DeviceEvents = .readable, at level: Level = .vm, on cpu: Int = 0,
    name: String = "device", _ body: @escaping (borrowing Here<HostedMachine>) -> Void
  ) throws(DeviceError) -> Attachment {
    try attach(descriptor, events, level, cpu, name, owns: false, body)
  }

  /// Calls `body` at `level` on a CPU every `period`: a hardware timer. Ticks that were missed are one call.
  public func attachTimer(
    every period: Duration, at level: Level = .vm, on cpu: Int = 0, name: String = "timer",
    _ body: @escaping (borrowing Here<HostedMachine>) -> Void
  ) throws(DeviceError) -> Attachment {
    let (seconds, attoseconds) = period.components
    guard period > .zero, seconds < 1_000_000_000 else {
      throw DeviceError(description: "a timer's period is above 0 and below 30 years")
    }
    // Less than a nanosecond is one: none at all would be a timer that never interrupts.
    let nanoseconds = max(1, UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
    let descriptor = softint_timer(nanoseconds)
    guard descriptor >= 0 else {
      throw DeviceError(description: "the timer could not be made: \(String(cString: strerror(-descriptor)))")
    }
    do {
      return try attach(descriptor, .readable, level, cpu, name, owns: true) { here in
        var ticks: UInt64 = 0
        if read(descriptor, &ticks, 8) == 8 { body(here) }
      }
    } catch {
      close(descriptor)
      throw error
    }
  }

  private func attach(
    _ descriptor: Int32, _ events: DeviceEvents, _ level: Level, _ cpu: Int, _ name: String, owns: Bool,
    _ body: @escaping (borrowing Here<HostedMachine>) -> Void
  ) throws(DeviceError) -> Attachment {
    guard level >= .vm else {
      throw DeviceError(
        description: "devices interrupt at vm or above, not at \(level): schedule a soft handler from there")
    }
    guard cpu >= 0 && cpu < cpuCount else { throw DeviceError(description: "there is no CPU \(cpu)") }
    let machine = self.machine
    let seat = machine.seats[cpu].memory
    var token: UInt64 = 0
    var failure: Int32 = 0
    machine.locked {
      token = machine.nextToken
      machine.nextToken += 1
      if seat.pointee.epoll < 0 { failure = softint_seat_open(seat) }
    }
    if failure < 0 { throw DeviceError(description: "no epoll: \(String(cString: strerror(-failure)))") }
    let device = Device(descriptor, events.rawValue, cpu, token, owns: owns)
    let handler: Handler<HostedMachine>
    do {
      handler = try establish(name, at: level, as: .mpSafe) { here in
        body(here)
        // Ready again only after the body has looked. It may have ended itself, and have been detached meanwhile.
        machine.locked {
          if !device.isGone {
            _ = softint_device_again(seat, device.descriptor, device.events, device.token)
          }
        }
      }
    } catch { throw DeviceError(description: error.description) }
    device.handler = handler
    machine.locked {
      machine.devices[token] = device
      // The CPU learns of its first device when it is rung below.
      failure = softint_device_add(seat, descriptor, events.rawValue, token)
      if failure < 0 { machine.devices[token] = nil }
    }
    if failure < 0 {
      disestablish(handler)
      throw DeviceError(
        description: "descriptor \(descriptor) cannot be watched: \(String(cString: strerror(-failure)))")
    }
    HostedMachine.unpark(machine.seats[cpu])
    return Attachment(device: device, handler: handler)
  }

  /// Ends an attachment: when this returns, `body` does not run and never will. In order where a wait for CPUs at its level is.
  /// `ChangeResult/notEstablished` if the handler has ended itself, or the system has been shut down: then what is left of the device
  /// is ended. Detaching twice does nothing more.
  @discardableResult public func detach(_ attachment: Attachment) -> ChangeResult {
    let device = attachment.device
    let seat = machine.seats[device.cpu].memory
    let isFirst = machine.locked {
      defer { device.isDetaching = true }
      return !device.isDetaching
    }
    guard isFirst else { return .notEstablished }
    let result = disestablish(attachment.handler)
    if case .refused = result {
      machine.locked { device.isDetaching = false }
      return result
    }
    // A handler that has ended itself may still be in its last run: that has read already, and tells epoll nothing from here on.
    machine.locked {
      device.isGone = true
      machine.devices[device.token] = nil
      _ = softint_device_remove(seat, device.descriptor)
      if device.ownsDescriptor { close(device.descriptor) }
    }
    return result
  }
}
