// The baseline's thread: a device that always has an answer must not keep it from the rest of the device.

import HostedMachine
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("The baseline's thread")
  struct CoreLockTests {
    /// Answers each frame at once, as libslirp acknowledges each segment; gives up after far more than any bound.
    final class AnsweringDevice: NetworkDevice, DescriptorDevice, @unchecked Sendable {
      // Sendable: one thread.
      let hardwareAddress = HardwareAddress(2, 0, 0, 0, 0, 9)
      let mtu = 1500
      let descriptor: Int32 = -1
      let pushesBesidePulls = false
      var pushes = 0
      func attach(to port: DevicePort) throws(DeviceFailure) {}
      func open(_ port: DevicePort) throws(DeviceFailure) {}
      func transmit(_ port: DevicePort) {}
      func detach() {}
      func pull(_ port: DevicePort) {}
      func push(_ port: DevicePort) {
        pushes += 1
        while let slot = port.outgoing.next() {
          port.outgoing.release(slot)
          if pushes < 10_000 {
            port.incoming.put(UnsafeRawBufferPointer(start: slot.bytes, count: slot.length))
          }
        }
      }
    }

    @Test("it looks at the device again although there is always more to send")
    func exchangeIsBounded() throws {
      try withStack { stack in
        let device = AnsweringDevice()
        let port = DevicePort(device, stack, cpu: 0, inputCPU: 0, capacity: 16)
        // lwIP's part: an answer to each answer.
        func input() {
          while let slot = port.incoming.next() {
            port.outgoing.put(UnsafeRawBufferPointer(start: slot.bytes, count: slot.length))
            port.incoming.release(slot)
          }
        }
        [UInt8](repeating: 1, count: 60).withUnsafeBytes { _ = port.outgoing.put($0) }
        #expect(CoreLock.exchange(port, device, input: input), "it has more to send, and says so")
        #expect(device.pushes == CoreLock.mostExchanges)
        // And when there is no more, it says that.
        device.pushes = 10_000
        #expect(!CoreLock.exchange(port, device, input: input))
      }
    }
  }
}
