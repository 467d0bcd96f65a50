// The newer format: sections, interfaces, their units of time, and the three kinds of packet blocks.

import Testing

@testable import PacketCapture

@Suite("A pcapng is read")
struct PcapNGTests {
  @Test("in both byte orders, with all three packet blocks", arguments: [true, false])
  func blocks(bigEndian: Bool) {
    var file = PcapNGBuilder(bigEndian: bigEndian)
    file.addInterface(1, snapLength: 4)
    file.addBlock(0x0bad, zeros(40))
    file.addSimple([9, 9], wire: 2)
    file.addEnhanced([1, 2, 3], time: 1_700_000_000_000_001, wire: 90)
    file.addObsolete([4, 5], time: 1_700_000_000_000_002)
    file.addSimple([6, 7, 8, 9], wire: 1_000)
    file.addBlock(5, zeros(12))
    let reading = read(file.bytes)
    #expect(reading.failure == nil && reading.bytesRead == UInt64(file.bytes.count))
    #expect(reading.frames.map(\.bytes) == [[9, 9], [1, 2, 3], [4, 5], [6, 7, 8, 9]])
    #expect(
      reading.frames.map(\.header.timestamp) == [
        0, 1_700_000_000_000_001_000, 1_700_000_000_000_002_000, 1_700_000_000_000_002_000,
      ])
    #expect(reading.frames.map(\.header.wireLength) == [2, 90, 2, 1_000])
  }

  @Test("section by section, each with a byte order and interfaces of its own")
  func sections() {
    var file = PcapNGBuilder(bigEndian: true)
    file.addInterface(1)
    file.addInterface(101, resolution: 9)
    file.addEnhanced([1], interface: 1, time: 77)
    file.addSection(bigEndian: false, minor: 2)
    file.addInterface(276)
    file.addEnhanced([2], interface: 0, time: 77)
    let reading = read(file.bytes)
    #expect(reading.failure == nil)
    #expect(reading.frames.map(\.header.link) == [.rawIP, .linuxCooked2])
    #expect(reading.frames.map(\.header.timestamp) == [77, 77_000])
  }

  static let times: [(UInt8?, Int64?, UInt64, Int64)] = [
    (nil, nil, 1_500_000, 1_500_000_000),  // microseconds unless stated
    (0, nil, 2, 2_000_000_000), (3, nil, 1_500, 1_500_000_000), (9, nil, 5, 5), (12, nil, 1_999, 1),
    (28, nil, .max, 1), (29, nil, .max, 0), (127, nil, .max, 0),
    (0x80, nil, 2, 2_000_000_000), (0x8a, nil, 1_536, 1_500_000_000), (0xa0, nil, 3 << 31, 1_500_000_000),
    (0xbf, nil, 3 << 62, 1_500_000_000), (0xc0, nil, 1 << 63, 500_000_000), (0xff, nil, .max, 0),
    (6, 10, 1, 10_000_001_000), (6, -10, 1, -9_999_999_000),
    // Held at the bound instead of overflowing.
    (0, nil, .max, 1 << 62), (0x80, nil, .max, 1 << 62), (9, nil, .max, 1 << 62),
    (6, .max, .max, 1 << 62), (6, .min, 0, -(1 << 62)), (0, -5_000_000_000, .max, -388_313_981_572_612_096),
  ]

  @Test("with times in powers of 10 and of 2, and offsets", arguments: times)
  func time(resolution: UInt8?, offset: Int64?, time: UInt64, nanoseconds: Int64) {
    var file = PcapNGBuilder()
    file.addInterface(1, resolution: resolution, offset: offset)
    file.addEnhanced([1], time: time)
    #expect(read(file.bytes).frames.map(\.header.timestamp) == [nanoseconds])
  }

  @Test("beside an unknown link type, whose frames are delivered for the decoder to count")
  func unknownBesideKnown() {
    var file = PcapNGBuilder()
    file.addInterface(147)
    file.addInterface(1)
    file.addEnhanced([1], interface: 0)
    let reading = read(file.bytes)
    #expect(reading.failure == nil && reading.frames.map(\.header.link) == [.other(147)])
  }

  @Test("with a block larger than the window, if it is one to step over")
  func hugeUnknownBlock() {
    var file = PcapNGBuilder()
    file.addInterface(1)
    file.addBlock(0x0bad, zeros(3 * CaptureReader.windowCapacity))
    file.addEnhanced([1, 2])
    #expect(read(file.bytes).frames.map(\.bytes) == [[1, 2]])
    #expect(read(file.bytes, piece: 1_000).frames.map(\.bytes) == [[1, 2]])
  }

  @Test("with a record of the greatest length and options around it")
  func largest() {
    var file = PcapNGBuilder()
    file.addInterface(1)
    file.addEnhanced(zeros(CaptureReader.maximumRecord))
    #expect(read(file.bytes).frames.map(\.bytes.count) == [CaptureReader.maximumRecord])
  }
}
