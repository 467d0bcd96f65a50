// A capture as a device: what came once comes again, as fast as the stack takes it.
//
// Law: one handler, bound to the port's CPU, fills `incoming`. It is at `softClock`, beneath the stack: on a full ring it asks for itself again
// and comes after the stack has taken something, so no frame of the capture is lost for want of room.

import HostedMachine
import PacketCapture
import SoftInterrupts
import Synchronization

/// The Ethernet frames of a pcap or pcapng file, sent to the stack once, in their order and without their times. What the stack answers is
/// counted and thrown away (``StackConfiguration/capture`` keeps it). It is read whole: about its size of memory.
public final class ReplayDevice: NetworkDevice, @unchecked Sendable {
  // Sendable: the frames are constant; `next` is the handler's; `handler` is touched before and after the CPUs use it.

  /// That of the first frame to a single receiver, so that the stack takes what was meant for somebody.
  public let hardwareAddress: HardwareAddress
  public let mtu = 1500
  /// Frames to be sent; and those left out, since they are no Ethernet, were cut when they were captured, or are longer than ``mtu`` allows.
  public let frames: Int
  public let leftOut: Int
  /// Frames that the stack has been given, and those that it has sent.
  public var played: Int { sent.load(ordering: .acquiring) }
  public var answers: Int { answered.load(ordering: .relaxed) }

  private let bytes: [UInt8]
  /// Where each frame begins in `bytes`, and where the last one ends.
  private let starts: [Int]
  private var next = 0
  private let sent = Atomic<Int>(0)
  private let answered = Atomic<Int>(0)
  private var handler: (system: InterruptSystem<HostedMachine>, handler: Handler<HostedMachine>)?
  private static let batch = 64

  public init(_ path: String) throws(DeviceFailure) {
    var bytes: [UInt8] = []
    var starts = [0]
    var leftOut = 0
    let longest = mtu + 18
    var receiver: HardwareAddress?
    do throws(CaptureError) {
      var reader = try CaptureReader(path: path)
      while try reader.next({ header, frame in
        guard header.link == .ethernet, header.capturedLength == header.wireLength,
          (14...longest).contains(frame.count)
        else {
          leftOut += 1
          return
        }
        // The lowest bit of the first byte is that of a group.
        if receiver == nil && frame[0] & 1 == 0 { receiver = HardwareAddress(Array(frame[..<6])) }
        bytes.append(contentsOf: frame)
        starts.append(bytes.count)
      }) {}
    } catch { throw DeviceFailure(description: error.description) }
    guard starts.count > 1 else {
      throw DeviceFailure(description: "\(path) has no whole Ethernet frame to replay")
    }
    self.bytes = bytes
    self.starts = starts
    self.leftOut = leftOut
    frames = starts.count - 1
    hardwareAddress = receiver ?? HardwareAddress(0x02, 0x53, 0x49, 0, 0, 0x17)
  }

  public func attach(to port: DevicePort) throws(DeviceFailure) {
    let me = Unmanaged.passUnretained(self)
    let thePort = Unmanaged.passUnretained(port)
    do {
      let made = try port.system.establish("replay", at: .softClock, as: .mpSafe) { _ in
        me._withUnsafeGuaranteedRef { device in thePort._withUnsafeGuaranteedRef { device.play($0) } }
      }
      handler = (port.system, made)
      made.schedule(on: port.cpu)
    } catch { throw DeviceFailure(description: "\(error)") }
  }

  /// At `softClock` on the port's CPU.
  private func play(_ port: DevicePort) {
    guard next < frames else { return }
    let last = min(frames, next + Self.batch)
    bytes.withUnsafeBytes { bytes in
      while next < last && port.incoming.hasSpace {
        port.incoming.put(UnsafeRawBufferPointer(rebasing: bytes[starts[next]..<starts[next + 1]]))
        next += 1
      }
    }
    port.received()
    // Release: who sees the last frame played may look at what came of it.
    sent.store(next, ordering: .releasing)
    if next < frames { handler?.handler.schedule(on: port.cpu) }
  }

  public func transmit(_ port: DevicePort) {
    while let slot = port.outgoing.next() {
      port.outgoing.release(slot)
      answered.add(1, ordering: .relaxed)
    }
  }

  public func detach() {
    if let handler { handler.system.disestablish(handler.handler) }
    handler = nil
  }
}
