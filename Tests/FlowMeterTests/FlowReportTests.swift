// The reports, letter by letter: equal tables are equal files, and the JSON is what its schema says.

import Foundation
import PacketCapture
import TestSupport
import Testing

@testable import FlowMeter

@Suite("Reports of a flow table")
struct FlowReportTests {
  private var table: [FlowRecord] {
    var web = Make.record(Make.end(200, 40_000), Make.end(1, 80), at: 1_700_000_000_000_000_007, length: 74)
    web.count(
      Make.frame(from: Make.end(1, 80), to: Make.end(200, 40_000)), wireLength: 1_514,
      timestamp: 1_700_000_001_500_000_000)
    return [
      web, Make.record(Make.end6(2), Make.end6(1), proto: 58, at: -1_500_000_000, length: 86),
      Make.record(Make.end(1), Make.end(2), proto: 132, at: 0, length: 62),
      Make.record(Make.end(1), Make.end(2), proto: 1, at: 5, length: 98),
    ]
  }

  private var skipped: SkipCounts {
    var skipped = SkipCounts()
    skipped.count(.notIP)
    for _ in 0..<3 { skipped.count(.truncated) }
    return skipped
  }

  private func report(_ records: [FlowRecord], skipped: SkipCounts = SkipCounts()) -> FlowReport {
    var table = ConversationTable()
    for record in records { table.merge(record) }
    return FlowReport(table, skipped: skipped)
  }

  @Test("JSON, exactly")
  func json() throws {
    let expected = #"""
      {
        "schema": "softint.flows/1",
        "conversations": [
          {"protocol": "icmp", "a": {"address": "10.0.0.1", "port": 0}, "b": {"address": "10.0.0.2", "port": 0}, "packetsAToB": 1, "packetsBToA": 0, "bytesAToB": 98, "bytesBToA": 0, "first": "0.000000005", "last": "0.000000005"},
          {"protocol": "132", "a": {"address": "10.0.0.1", "port": 0}, "b": {"address": "10.0.0.2", "port": 0}, "packetsAToB": 1, "packetsBToA": 0, "bytesAToB": 62, "bytesBToA": 0, "first": "0.000000000", "last": "0.000000000"},
          {"protocol": "tcp", "a": {"address": "10.0.0.1", "port": 80}, "b": {"address": "10.0.0.200", "port": 40000}, "packetsAToB": 1, "packetsBToA": 1, "bytesAToB": 1514, "bytesBToA": 74, "first": "1700000000.000000007", "last": "1700000001.500000000"},
          {"protocol": "icmpv6", "a": {"address": "2001:db8::1", "port": 0}, "b": {"address": "2001:db8::2", "port": 0}, "packetsAToB": 0, "packetsBToA": 1, "bytesAToB": 0, "bytesBToA": 86, "first": "-1.500000000", "last": "-1.500000000"}
        ],
        "skipped": {"not-ip": 1, "truncated": 3}
      }

      """#
    #expect(try text { try report(table, skipped: skipped).writeJSON(to: $0) } == expected)
  }

  @Test("An empty table is JSON too, and only says so")
  func emptyJSON() throws {
    let expected = #"""
      {
        "schema": "softint.flows/1",
        "conversations": [],
        "skipped": {}
      }

      """#
    #expect(try text { try report([]).writeJSON(to: $0) } == expected)
  }

  @Test("CSV, exactly")
  func csv() throws {
    let expected = """
      protocol,aAddress,aPort,bAddress,bPort,packetsAToB,packetsBToA,bytesAToB,bytesBToA,first,last
      icmp,10.0.0.1,0,10.0.0.2,0,1,0,98,0,0.000000005,0.000000005
      132,10.0.0.1,0,10.0.0.2,0,1,0,62,0,0.000000000,0.000000000
      tcp,10.0.0.1,80,10.0.0.200,40000,1,1,1514,74,1700000000.000000007,1700000001.500000000
      icmpv6,2001:db8::1,0,2001:db8::2,0,0,1,0,86,-1.500000000,-1.500000000

      """
    #expect(try text { try report(table).writeCSV(to: $0) } == expected)
  }

  @Test("The table for people, exactly: the greatest first, then totals and what was skipped")
  func humanTable() throws {
    let expected = """
      proto  a                       b                          packets          bytes
      tcp    10.0.0.1:80             10.0.0.200:40000                 2           1588
      icmp   10.0.0.1:0              10.0.0.2:0                       1             98
      … and 2 more
      total  4 conversations                                          5           1834
      skipped 1 frame: not-ip
      skipped 3 frames: truncated

      """
    #expect(try text { try report(table, skipped: skipped).writeTable(top: 2, to: $0) } == expected)
  }

  @Test("No line of the table is longer than 80 columns, however long the addresses")
  func eightyColumns() throws {
    let long = IPAddress(v6: 0xfedc_ba98_7654_3210, 0xfedc_ba98_7654_3210)
    var record = Make.record(
      Endpoint(address: long, port: 65_535), Endpoint(address: IPAddress(v6: .max, .max), port: 65_534))
    record.bytesAToB = 99_999_999_000_000
    record.packetsAToB = 9_999_999_000
    let out = try text { try report([record] + table).writeTable(top: 10, to: $0) }
    let lines = out.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.map(\.count).max() == 80)
    #expect(out.contains("[fedc:ba98:7654:3210:fedc:ba98:7654:3210]:65535\n"))
    #expect(!out.contains("\u{1b}"))
  }

  @Test("Equal tables are equal files, in whatever order they were put together")
  func sorted() throws {
    var generator = SeededGenerator(seed: 8)
    let table = FlowTable()
    for _ in 0..<2_000 {
      let (frame, length, time) = Make.randomFrame(of: 600, using: &generator)
      _ = table.record(frame, wireLength: length, timestamp: time)
    }
    var records: [FlowRecord] = []
    table.visit { records.append($0) }
    let one = try text { try report(records).writeJSON(to: $0) }
    let other = try text { try report(records.shuffled(using: &generator)).writeJSON(to: $0) }
    #expect(one == other)
  }

  @Test("A full disk ends a report with an error", arguments: ["json", "csv", "table"])
  func fullDisk(form: String) throws {
    let output = TextOutput(try OutputSink(file: "/dev/full"))
    let error = #expect(throws: OutputError.self) {
      switch form {
      case "json": try report(table).writeJSON(to: output)
      case "csv": try report(table).writeCSV(to: output)
      default: try report(table).writeTable(top: 10, to: output)
      }
    }
    #expect(error?.exitStatus == 74)
  }
}

@Suite("The JSON schema of the report")
struct FlowReportSchemaTests {
  private func findings(in json: String) throws -> [SchemaValidator.Finding] {
    try SchemaValidator(published: "softint.flows-1.schema.json").findings(in: Data(json.utf8))
  }

  @Test("The report of the bundled capture, and of none, satisfy it")
  func satisfied() throws {
    let capture = try conversations(of: repositoryFile("Sources/softint/Resources/bundled.pcapng"))
    for report in [
      FlowReport(capture.table, skipped: capture.skipped),
      FlowReport(ConversationTable(), skipped: SkipCounts()),
    ] {
      let json = try text { try report.writeJSON(to: $0) }
      #expect(try findings(in: json) == [])
    }
  }

  @Test("It names every reason for which a frame can be skipped")
  func reasons() throws {
    var skipped = SkipCounts()
    for reason in SkipReason.allCases { skipped.count(reason) }
    let json = try text { try FlowReport(ConversationTable(), skipped: skipped).writeJSON(to: $0) }
    #expect(try findings(in: json) == [])
    #expect(skipped.total == UInt64(SkipReason.allCases.count))
  }

  @Test(
    "It refuses what is no such report",
    arguments: [
      ("\"softint.flows/1\"", "\"softint.flows/2\""), ("\"tcp\"", "\"TCP\""), ("10.0.0.1", "localhost"),
      ("\"port\": 80", "\"port\": 65536"), ("0.000001000", "0.000001"), (": 74", ": -74"), (": 74", ": 7.5"),
      ("\"packetsAToB\"", "\"packets\""), ("{}", "{\"bored\": 1}"), ("\"skipped\"", "\"omitted\""),
    ])
  func refuses(correct: String, wrong: String) throws {
    var table = ConversationTable()
    table.merge(Make.record())
    let json = try text { try FlowReport(table, skipped: SkipCounts()).writeJSON(to: $0) }
    let broken = json.replacing(correct, with: wrong)
    try #require(broken != json)
    #expect(try findings(in: broken) != [])
  }
}
