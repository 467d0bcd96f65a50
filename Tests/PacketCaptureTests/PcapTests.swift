// The classic format in all its variants.

import Testing

@testable import PacketCapture

@Suite("A pcap is read")
struct PcapTests {
  @Test("in both byte orders and every resolution", arguments: [true, false])
  func variants(bigEndian: Bool) {
    let expected: [(magic: UInt32, nanoseconds: Int64)] = [
      (0xa1b2_c3d4, 5_000_007_000), (0xa1b2_3c4d, 5_000_000_007), (0xa1b2_cd34, 5_000_007_000),
    ]
    for (magic, nanoseconds) in expected {
      var file = PcapBuilder(magic: magic, bigEndian: bigEndian)
      file.add([1, 2, 3], seconds: 5, fraction: 7, wire: 1_500)
      file.add([], seconds: 6, fraction: 0)
      let reading = read(file.bytes)
      #expect(reading.failure == nil)
      #expect(
        reading.frames == [
          KeptFrame(
            header: FrameHeader(
              timestamp: nanoseconds, wireLength: 1_500, capturedLength: 3, link: .ethernet),
            bytes: [1, 2, 3]),
          KeptFrame(
            header: FrameHeader(timestamp: 6_000_000_000, wireLength: 0, capturedLength: 0, link: .ethernet),
            bytes: []),
        ])
      #expect(reading.bytesRead == UInt64(file.bytes.count))
    }
  }

  static let links: [(UInt32, LinkType)] = [
    (0, .null), (1, .ethernet), (12, .rawIP), (14, .rawIP), (101, .rawIP), (108, .loop),
    (113, .linuxCooked1), (228, .ipv4), (229, .ipv6), (276, .linuxCooked2),
  ]

  @Test("with every link type that is decoded", arguments: links)
  func link(number: UInt32, link: LinkType) {
    var file = PcapBuilder(link: number)
    file.add([1])
    #expect(read(file.bytes).frames.map(\.header.link) == [link])
  }

  @Test("with a note of the frame check sequence in the link type")
  func checkSequence() {
    var file = PcapBuilder(link: 0x2400_0001)
    file.add([1])
    #expect(read(file.bytes).frames.map(\.header.link) == [.ethernet])
  }

  @Test("up to the year 2106, and a wire length is never below the captured one")
  func extremes() {
    var file = PcapBuilder()
    file.add([1, 2], seconds: .max, fraction: .max, wire: 1)
    let header = read(file.bytes).frames.first?.header
    let latest: Int64 = 4_294_967_295_000_000_000 + 4_294_967_295_000
    #expect(header?.timestamp == latest)
    #expect(header?.wireLength == 2)
  }

  @Test("without frames, which is no error")
  func noFrames() {
    let reading = read(PcapBuilder().bytes)
    #expect(reading.frames.isEmpty && reading.failure == nil)
  }

  @Test("with records up to the limit, beyond the snapshot length of its header")
  func largest() {
    var file = PcapBuilder()
    file.add([UInt8](repeating: 7, count: CaptureReader.maximumRecord))
    file.add([8])
    #expect(read(file.bytes).frames.map(\.bytes.count) == [CaptureReader.maximumRecord, 1])
  }
}
