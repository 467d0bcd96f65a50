// What the project says of its captures holds: the bundled one spreads over CPUs and has no flow that
// could not; the small ones say the same in each format.

import Foundation
import PacketCapture
import TestSupport
import Testing

@testable import FlowMeter

@Suite("The bundled capture")
struct BundledCaptureTests {
  private func bundled() throws -> (table: ConversationTable, skipped: SkipCounts, frames: UInt64) {
    try conversations(of: repositoryFile("Sources/softint/Resources/bundled.pcapng"))
  }

  @Test("It has 20,000 to 40,000 frames of some hundreds to some thousands of flows in 2 to 4 MB")
  func size() throws {
    let capture = try bundled()
    #expect((20_000...40_000).contains(capture.frames))
    #expect((500...5_000).contains(capture.table.count))
    var counted: UInt64 = 0
    capture.table.visit { counted += $0.packets }
    #expect(counted + capture.skipped.total == capture.frames)
    let bytes =
      try FileManager.default.attributesOfItem(
        atPath: repositoryFile("Sources/softint/Resources/bundled.pcapng").path)[.size] as? Int
    #expect((2_000_000...4_000_000).contains(bytes ?? 0))
  }

  @Test("TCP, UDP, ICMP and ICMPv6, IPv4 and IPv6, both directions; no flow has a tenth of the frames")
  func mix() throws {
    let capture = try bundled()
    let records = capture.table.sorted()
    #expect(Set(records.map(\.key.proto)).isSuperset(of: [1, 6, 17, 58]))
    for isV6 in [false, true] {
      let share = records.filter { $0.key.a.address.isV6 == isV6 }.reduce(0) { $0 + $1.packets }
      #expect(share * 3 > capture.frames, "at least a third")
    }
    #expect(records.filter { $0.packetsAToB > 0 && $0.packetsBToA > 0 }.count * 10 > records.count * 9)
    #expect(records.allSatisfy { $0.packets * 10 < capture.frames })
  }

  @Test(
    "Its frames spread over CPUs by the symmetric hash, none has a quarter more than its part",
    arguments: [2, 3, 4])
  func spreads(cpus: Int) throws {
    let capture = try bundled()
    var load = Array(repeating: 0 as UInt64, count: cpus)
    capture.table.visit { load[Int($0.key.symmetricHash) % cpus] += $0.packets }
    #expect(load.allSatisfy { $0 * UInt64(cpus) * 4 < capture.frames * 5 }, "\(load)")
  }
}

@Suite("The captures for tests")
struct TestCaptureTests {
  @Test(
    "A link type gives the same table in pcap, to the microsecond, and in pcapng",
    arguments: ["ethernet", "raw", "ipv4", "ipv6", "cooked1", "cooked2", "null-little", "null-big", "loop"])
  func formats(name: String) throws {
    let pcap = try conversations(of: repositoryFile("Tests/Captures/\(name).pcap"))
    let pcapng = try conversations(of: repositoryFile("Tests/Captures/\(name).pcapng"))
    #expect(pcap.skipped == pcapng.skipped)
    #expect(pcap.table.count >= 5)
    let coarse = pcapng.table.sorted().map { record in
      var record = record
      record.first -= record.first % 1_000
      record.last -= record.last % 1_000
      return record
    }
    #expect(pcap.table.sorted() == coarse)
  }

  @Test("Byte order and resolution of the file make no difference")
  func orders() throws {
    let files = [
      "big-endian-nanoseconds.pcap", "little-endian-nanoseconds.pcap", "big-endian.pcapng", "ethernet.pcapng",
    ]
    let digests = try files.map { try conversations(of: repositoryFile("Tests/Captures/\($0)")).table.digest }
    #expect(Set(digests).count == 1)
  }
}
