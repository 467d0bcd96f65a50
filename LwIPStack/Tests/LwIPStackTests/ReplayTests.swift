// A capture as a device.

import Foundation
import SoftInterrupts
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("A capture that is replayed")
  struct ReplayTests {
    static let stackAddress: [UInt8] = [2, 0x53, 0x49, 0, 0, 0x55]
    static let peerAddress: [UInt8] = [2, 0x53, 0x49, 0, 0, 0x66]

    /// Who has 10.3.0.2? Tell 10.3.0.1.
    static var question: [UInt8] {
      [UInt8](repeating: 255, count: 6) + peerAddress + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + peerAddress + [
        10, 3, 0, 1,
      ]
        + [UInt8](repeating: 0, count: 6) + [10, 3, 0, 2]
    }

    /// An echo request of 10.3.0.1 to 10.3.0.2.
    static func ping(_ number: UInt8) -> [UInt8] {
      func sum(_ bytes: [UInt8]) -> [UInt8] {
        var sum = stride(from: 0, to: bytes.count, by: 2).reduce(0) {
          $0 + UInt32(bytes[$1]) << 8 + UInt32(bytes[$1 + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return [UInt8(~sum >> 8 & 255), UInt8(~sum & 255)]
      }
      let echo: [UInt8] = [0, 7, 0, number, 1, 2, 3, 4]
      let ip: [UInt8] = [0x45, 0, 0, 32, 0, number, 0, 0, 64, 1]
      let ends: [UInt8] = [10, 3, 0, 1, 10, 3, 0, 2]
      return stackAddress + peerAddress + [8, 0] + ip + sum(ip + ends) + ends + [8, 0] + sum([8, 0] + echo)
        + echo
    }

    /// A pcap file of frames; `cut`: the last one is said to have been longer.
    static func file(_ frames: [[UInt8]], link: UInt32 = 1, cut: Bool = false) throws -> String {
      func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
      }
      var bytes = words(0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link)
      for (index, frame) in frames.enumerated() {
        let length = UInt32(frame.count)
        bytes +=
          words(UInt32(index), 0, length, cut && index == frames.count - 1 ? length + 1 : length) + frame
      }
      let path = NSTemporaryDirectory() + "replay-\(UUID().uuidString).pcap"
      try Data(bytes).write(to: URL(filePath: path))
      return path
    }

    @Test(
      "each frame reaches the stack, also where the ring is shorter than the capture; what it answers is counted"
    )
    func answers() throws {
      let path = try Self.file(
        [Self.question] + (1...200).map { Self.ping(UInt8($0)) } + [Self.ping(201)], cut: true)
      defer { try? FileManager.default.removeItem(atPath: path) }
      var configuration = StackConfiguration()
      configuration.ringCapacity = 16
      let stack = try NetworkStack(configuration)
      let device = try ReplayDevice(path)
      #expect(device.frames == 201 && device.leftOut == 1)
      #expect(device.hardwareAddress == HardwareAddress(Self.stackAddress))
      try stack.attach(
        device,
        ipv4: IPv4Configuration(
          address: NetworkAddress("10.3.0.2")!, mask: NetworkAddress("255.255.255.0")!,
          gateway: NetworkAddress("0.0.0.0")!))
      // Its answer to the question, and to each ping; lwIP announces itself once besides. The ring out is as short: if the announcement comes
      // when a whole ring is answered, one of them finds no room, and is counted as that.
      #expect(eventually { device.answers + Int(stack.counts.droppedOut) >= 202 })
      let counts = stack.counts
      stack.shutdown()
      #expect(
        device.played == 201 && device.answers + Int(counts.droppedOut) == 202 && counts.droppedOut <= 1)
      #expect(counts.droppedIn == 0 && counts.assertions > 0 && counts.failures == 0)
    }

    @Test("what cannot be replayed is said in one line, which names the file")
    func refused() throws {
      let other = try Self.file([Self.question], link: 101)
      defer { try? FileManager.default.removeItem(atPath: other) }
      for (path, words) in [(other, "no whole Ethernet frame"), (other + ".missing", "missing")] {
        let failure = try #require(throws: DeviceFailure.self) { try ReplayDevice(path) }
        #expect(failure.description.contains(words) && failure.description.contains(other))
        #expect(!failure.description.contains("\n"))
      }
    }
  }
}
