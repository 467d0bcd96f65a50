// What the suites share: packets made by hand, a seeded generator, files that vanish.

import Foundation
import PacketCapture
import TestSupport

@testable import FlowMeter

/// SplitMix64: the same sequence for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Mixing.avalanche(state)
  }
}

enum Make {
  /// An IPv4 endpoint, 10.0.0.`host`.
  static func end(_ host: UInt32, _ port: UInt16 = 0) -> Endpoint {
    Endpoint(address: IPAddress(v4: 0x0a00_0000 + host), port: port)
  }

  /// An IPv6 endpoint, 2001:db8::`host`.
  static func end6(_ host: UInt64, _ port: UInt16 = 0) -> Endpoint {
    Endpoint(address: IPAddress(v6: 0x2001_0db8_0000_0000, host), port: port)
  }

  static func frame(
    from source: Endpoint, to destination: Endpoint, proto: UInt8 = 6, flags: UInt8 = 0, ipBytes: UInt32 = 60
  ) -> DecodedFrame {
    DecodedFrame(
      key: FlowKey(source, destination, proto: proto), aToB: !(destination < source), tcpFlags: flags,
      ipBytes: ipBytes)
  }

  /// The packet of a random one of so many flows, in a random direction.
  static func randomFrame(
    of flows: UInt32, using generator: inout SeededGenerator
  ) -> (frame: DecodedFrame, length: UInt32, time: Int64) {
    let flow = UInt32.random(in: 0..<flows, using: &generator)
    let port = UInt16(truncatingIfNeeded: flow % 7)
    let ends =
      flow % 3 == 0 ? (end6(UInt64(flow), port), end6(7)) : (end(flow, port), end(5, 80))
    let turned = Bool.random(using: &generator)
    let length = UInt32.random(in: 60...1_514, using: &generator)
    let frame = frame(
      from: turned ? ends.1 : ends.0, to: turned ? ends.0 : ends.1, proto: flow % 2 == 0 ? 6 : 17,
      flags: UInt8.random(in: 0...63, using: &generator), ipBytes: length - 14)
    return (frame, length, Int64.random(in: -5_000_000_000...5_000_000_000, using: &generator))
  }

  static func record(
    _ one: Endpoint = end(1, 1_000), _ other: Endpoint = end(2, 80), proto: UInt8 = 6, at time: Int64 = 1_000,
    length: UInt32 = 74, flags: UInt8 = 2
  ) -> FlowRecord {
    FlowRecord(frame(from: one, to: other, proto: proto, flags: flags), wireLength: length, timestamp: time)
  }
}

extension FlowTable {
  /// Records a packet that must begin a flow.
  func begin(
    _ frame: DecodedFrame, wireLength: UInt32 = 60, at time: Int64 = 0
  ) throws -> FlowHandle {
    guard case .new(let handle) = record(frame, wireLength: wireLength, timestamp: time) else {
      throw UnexpectedAnswer()
    }
    return handle
  }

  struct UnexpectedAnswer: Error {}
}

/// Everything that `body` writes, as bytes.
func written(_ body: (OutputSink) throws -> Void) throws -> [UInt8] {
  let directory = try TemporaryDirectory()
  let sink = try OutputSink(file: directory.file("out"))
  try body(sink)
  try sink.finish()
  return Array(try Data(contentsOf: URL(filePath: directory.file("out"))))
}

/// Everything that `body` writes, as text.
func text(bufferSize: Int = 65_536, _ body: (TextOutput) throws -> Void) throws -> String {
  String(decoding: try written { try body(TextOutput($0, bufferSize: bufferSize)) }, as: UTF8.self)
}

/// The flow table of a capture, without ageing.
func conversations(of url: URL) throws -> (table: ConversationTable, skipped: SkipCounts, frames: UInt64) {
  let table = FlowTable(limit: FlowTable.maximumLimit)
  var skipped = SkipCounts()
  var reader = try CaptureReader(path: url.path)
  while try reader.next({ header, bytes in
    switch FrameDecoder.decode(bytes, header: header) {
    case .flow(let frame):
      _ = table.record(frame, wireLength: header.wireLength, timestamp: header.timestamp)
    case .skipped(let reason): skipped.count(reason)
    }
  }) {}
  var merged = ConversationTable()
  merged.merge(resident: table)
  return (merged, skipped, reader.framesRead)
}
