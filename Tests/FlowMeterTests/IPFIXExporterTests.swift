// What is exported can be read by whoever knows RFC 7011 and RFC 5103 alone, and it is what was metered.

import PacketCapture
import TestSupport
import Testing

@testable import FlowMeter

@Suite("Exporting flows as IPFIX")
struct IPFIXExporterTests {
  /// 2023-11-14T22:13:20 and 123,456,789 ns.
  private let time: Int64 = 1_700_000_000_123_456_789

  private func export(
    _ records: [FlowRecord], messageSize: Int = 1_400, reason: FlowEndReason = .idleTimeout
  ) throws -> IPFIXFile {
    try IPFIXFile(
      try written { sink in
        let exporter = IPFIXExporter(to: sink, messageSize: messageSize, observationDomain: 77)
        for record in records { try exporter.export(record, reason: reason, now: time + 5_000_000_000) }
        try exporter.flush()
        #expect(exporter.records == UInt64(records.count))
      })
  }

  @Test("An IPv4 flow has every field, from its initiator's point of view")
  func ipv4() throws {
    let (client, server) = (Make.end(9, 5_000), Make.end(3, 80))
    var record = FlowRecord(
      Make.frame(from: client, to: server, flags: 0x02, ipBytes: 60), wireLength: 74, timestamp: time)
    record.count(
      Make.frame(from: server, to: client, flags: 0x12, ipBytes: 1_500), wireLength: 1_514,
      timestamp: time + 9)
    record.count(
      Make.frame(from: server, to: client, flags: 0x10, ipBytes: 40), wireLength: 60, timestamp: time + 7)
    let file = try export([record], reason: .activeTimeout)
    let message = try #require(file.messages.first)
    #expect(file.messages.count == 1)
    #expect((message.exportTime, message.sequence, message.domain) == (1_700_000_005, 0, 77))
    let exported = try #require(message.records.first)
    #expect(exported.fields.count == 17)
    #expect(exported.value(8) == 0x0a00_0009, "sourceIPv4Address")
    #expect(exported.value(12) == 0x0a00_0003, "destinationIPv4Address")
    #expect((exported.value(7), exported.value(11), exported.value(4)) == (5_000, 80, 6))
    #expect((exported.value(2), exported.value(2, reverse: true)) == (1, 2), "packetDeltaCount")
    #expect((exported.value(1), exported.value(1, reverse: true)) == (60, 1_540), "octetDeltaCount")
    #expect((exported.value(352), exported.value(352, reverse: true)) == (74, 1_574), "layer2OctetDeltaCount")
    #expect((exported.value(6), exported.value(6, reverse: true)) == (0x02, 0x12), "tcpControlBits")
    #expect((exported.value(136), exported.value(239)) == (2, 1), "flowEndReason, biflowDirection")
    #expect(exported.value(156).map(Self.nanoseconds) == time)
    #expect(exported.value(157).map(Self.nanoseconds) == time + 9)
  }

  @Test("An IPv6 flow has addresses of sixteen bytes")
  func ipv6() throws {
    let record = FlowRecord(
      Make.frame(from: Make.end6(1, 53), to: Make.end6(0xffff, 5_353), proto: 17), wireLength: 90,
      timestamp: time)
    let exported = try #require(try export([record]).messages.first?.records.first)
    let prefix: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(exported.fields[.init(27)] == prefix + [0, 1], "sourceIPv6Address")
    #expect(exported.fields[.init(28)] == prefix + [0xff, 0xff], "destinationIPv6Address")
    #expect(exported.value(8) == nil)
  }

  @Test(
    "Messages stay within their size, count records in their sequence, and lose none",
    arguments: [IPFIXExporter.minimumMessageSize, 300, 512, 1_400, 65_535])
  func messages(size: Int) throws {
    var generator = SeededGenerator(seed: UInt64(size))
    let table = FlowTable()
    for _ in 0..<1_200 {
      let (frame, length, time) = Make.randomFrame(of: 700, using: &generator)
      _ = table.record(frame, wireLength: length, timestamp: time)
    }
    var records: [FlowRecord] = []
    table.visit { records.append($0) }
    let file = try export(records, messageSize: size)
    var sequence: UInt32 = 0
    for message in file.messages {
      #expect(message.length <= size)
      #expect(message.sequence == sequence)
      sequence += UInt32(message.records.count)
    }
    #expect(file.messages.map(\.templates) == [[256, 257]] + file.messages.dropFirst().map { _ in [] })
    let exported = file.messages.flatMap(\.records)
    #expect(exported.count == records.count)
    #expect(
      exported.map { $0.value(352).map { $0 } }
        == records.map { $0.initiatedByA ? $0.bytesAToB : $0.bytesBToA })
    // No message is sent while the next record, with a set header of its own, would fit.
    for (message, next) in zip(file.messages, file.messages.dropFirst()) {
      let needed = try #require(next.records.first).fields.values.reduce(0) { $0 + $1.count }
      let opensSet = message.records.last?.template != next.records.first?.template
      #expect(message.length + needed + (opensSet ? 4 : 0) > size)
    }
  }

  @Test("A file of no flows still says what its records would be")
  func empty() throws {
    let file = try export([])
    #expect(file.messages.map(\.templates) == [[256, 257]])
    #expect(file.messages.flatMap(\.records).isEmpty)
  }

  @Test(
    "A time survives to the nanosecond, whether the decoder rounds or truncates",
    arguments: [0, 1, 999_999_999, 1_700_000_000_000_000_001, 1_700_000_000_999_999_999, -1, -999_999_999]
      as [Int64])
  func times(time: Int64) {
    let stamp = IPFIXExporter.ntpTime(time)
    #expect(Self.nanoseconds(of: stamp, rounding: .toNearestOrEven) == time)
    #expect(Self.nanoseconds(of: stamp, rounding: .down) == time)
  }

  @Test("A full disk is an error of one line")
  func fullDisk() throws {
    let sink = try OutputSink(file: "/dev/full")
    let exporter = IPFIXExporter(to: sink)
    try exporter.export(Make.record(), reason: .forcedEnd, now: 0)
    let error = #expect(throws: OutputError.self) { try exporter.flush() }
    #expect(error?.exitStatus == 74)
  }

  private static func nanoseconds(_ stamp: UInt64) -> Int64 {
    nanoseconds(of: stamp, rounding: .toNearestOrEven)
  }

  /// RFC 7011, section 6.1.10, for times from 1900 to 2036.
  private static func nanoseconds(of stamp: UInt64, rounding: FloatingPointRoundingRule) -> Int64 {
    let fraction = (Double(stamp & 0xffff_ffff) * 1e9 / 4_294_967_296).rounded(rounding)
    return (Int64(stamp >> 32) - 2_208_988_800) * 1_000_000_000 + Int64(fraction)
  }
}
