// Builders of captures in both formats, and a reader of all frames into an array.

import PacketCapture

/// A frame with bytes of its own, as a test keeps it.
struct KeptFrame: Equatable {
  var header: FrameHeader
  var bytes: [UInt8]
}

/// What reading a capture to its end gave.
struct Reading {
  var frames: [KeptFrame] = []
  var failure: CaptureError?
  var salvagedAt: UInt64?
  var bytesRead: UInt64 = 0
}

func read(_ capture: [UInt8], salvage: Bool = false, piece: Int = .max) -> Reading {
  var reading = Reading()
  do throws(CaptureError) {
    var reader = try CaptureReader(bytes: capture, name: "x.pcap", salvage: salvage, piece: piece)
    do throws(CaptureError) {
      while try reader.next({ reading.frames.append(KeptFrame(header: $0, bytes: [UInt8]($1))) }) {}
    } catch { reading.failure = error }
    reading.salvagedAt = reader.salvagedAt
    reading.bytesRead = reader.bytesRead
  } catch { reading.failure = error }
  return reading
}

/// A pcap under construction.
struct PcapBuilder {
  var bytes: [UInt8]
  let bigEndian: Bool
  let extra: Int

  init(link: UInt32 = 1, magic: UInt32 = 0xa1b2_c3d4, bigEndian: Bool = false, major: UInt16 = 2) {
    self.bigEndian = bigEndian
    extra = magic == 0xa1b2_cd34 ? 8 : 0
    func put<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
      PacketCaptureTests.bytes(value, bigEndian: bigEndian)
    }
    bytes = put(magic) + put(major) + put(UInt16(4)) + zeros(8) + put(UInt32(65_535)) + put(link)
  }

  mutating func add(
    _ frame: [UInt8], seconds: UInt32 = 1, fraction: UInt32 = 2, wire: UInt32? = nil, claims: UInt32? = nil
  ) {
    let length = UInt32(frame.count)
    for value in [seconds, fraction, claims ?? length, wire ?? length] {
      bytes += PacketCaptureTests.bytes(value, bigEndian: bigEndian)
    }
    bytes += zeros(extra) + frame
  }
}

/// A pcapng under construction; the byte order is that of the last section.
struct PcapNGBuilder {
  var bytes: [UInt8] = []
  var bigEndian = false

  init(bigEndian: Bool = false) { addSection(bigEndian: bigEndian) }

  func put<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    PacketCaptureTests.bytes(value, bigEndian: bigEndian)
  }

  func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + zeros((4 - bytes.count % 4) % 4) }

  func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] {
    put(code) + put(UInt16(value.count)) + padded(value)
  }

  mutating func addBlock(_ type: UInt32, _ body: [UInt8]) {
    let body = padded(body)
    let length = put(UInt32(12 + body.count))
    bytes += put(type) + length + body + length
  }

  mutating func addSection(bigEndian: Bool, major: UInt16 = 1, minor: UInt16 = 0) {
    self.bigEndian = bigEndian
    let comment = option(1, Array("a comment".utf8)) + put(UInt32(0))
    addBlock(0x0a0d_0d0a, put(UInt32(0x1a2b_3c4d)) + put(major) + put(minor) + put(Int64(-1)) + comment)
  }

  mutating func addInterface(
    _ link: UInt16 = 1, snapLength: UInt32 = 0, resolution: UInt8? = nil, offset: Int64? = nil
  ) {
    var options = option(2, Array("eth0".utf8))
    if let resolution { options += option(9, [resolution]) }
    if let offset { options += option(14, put(offset)) }
    addBlock(1, put(link) + zeros(2) + put(snapLength) + options + put(UInt32(0)))
  }

  mutating func addEnhanced(
    _ frame: [UInt8], interface: UInt32 = 0, time: UInt64 = 0, wire: UInt32? = nil, claims: UInt32? = nil
  ) {
    let length = UInt32(frame.count)
    addBlock(
      6,
      put(interface) + put(UInt32(time >> 32)) + put(UInt32(truncatingIfNeeded: time))
        + put(claims ?? length) + put(wire ?? length) + padded(frame) + option(1, [33]) + put(UInt32(0)))
  }

  mutating func addObsolete(_ frame: [UInt8], interface: UInt16 = 0, time: UInt64 = 0) {
    let length = put(UInt32(frame.count))
    addBlock(
      2,
      put(interface) + put(UInt16(3)) + put(UInt32(time >> 32)) + put(UInt32(truncatingIfNeeded: time))
        + length + length + frame)
  }

  mutating func addSimple(_ frame: [UInt8], wire: UInt32) { addBlock(3, put(wire) + frame) }
}
