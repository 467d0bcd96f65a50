// What `softint flows` prints of captures, in each of its forms, and where it reads from and writes to.

import Foundation
import TestSupport
import Testing

@Suite("softint flows")
struct FlowsTests {
  private static let captures: [String] =
    (try? FileManager.default.contentsOfDirectory(atPath: repositoryFile("Tests/Captures").path).sorted())?
    .filter { $0.hasSuffix(".pcap") || $0.hasSuffix(".pcapng") } ?? []

  @Test("There are captures to read")
  func some() { #expect(Self.captures.count >= 28) }

  @Test("The JSON, the CSV and the totals of the table agree, for every capture", arguments: captures)
  func agree(capture: String) throws {
    let json = try Softint.run("flows", capture, "--json")
    let csv = try Softint.run("flows", capture, "--csv")
    let table = try Softint.run("flows", capture)
    for run in [json, csv, table] {
      #expect(run.status == 0)
      #expect(run.errors.isEmpty)
    }
    let document = try FlowsDocument(json.output)
    let rows = csv.output.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    #expect(
      rows.first == [
        "protocol", "aAddress", "aPort", "bAddress", "bPort", "packetsAToB", "packetsBToA", "bytesAToB",
        "bytesBToA", "first", "last",
      ])
    #expect(
      rows.dropFirst().map { $0 }
        == document.conversations.map {
          [
            $0.protocol, $0.a.address, "\($0.a.port)", $0.b.address, "\($0.b.port)", "\($0.packetsAToB)",
            "\($0.packetsBToA)", "\($0.bytesAToB)", "\($0.bytesBToA)", $0.first, $0.last,
          ]
        })
    let lines = table.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    let total = lines.first { $0.hasPrefix("total") }?.split(separator: " ").map(String.init)
    let packets = document.conversations.reduce(0) { $0 + $1.packetsAToB + $1.packetsBToA }
    let bytes = document.conversations.reduce(0) { $0 + $1.bytesAToB + $1.bytesBToA }
    #expect(total?.suffix(2) == ["\(packets)", "\(bytes)"])
  }

  @Test("A capture of known packets is the table that was worked out by hand")
  func byHand() throws {
    let run = try Softint.run("flows", "ipv6.pcap", "--csv")
    #expect(
      run.output == """
        protocol,aAddress,aPort,bAddress,bPort,packetsAToB,packetsBToA,bytesAToB,bytesBToA,first,last
        udp,::1,9,::1,9,1,0,52,0,1700000004.123468000,1700000004.123468000
        udp,::ffff:192.0.2.1,1,2001:db8::1,2,1,0,52,0,1700000005.123471000,1700000005.123471000
        icmpv6,2001:db8::1,0,fe80::1,0,1,0,52,0,1700000003.123465000,1700000003.123465000
        udp,2001:db8::1,7,fe80::1,7,0,1,0,52,1700000002.123462000,1700000002.123462000
        tcp,2001:db8::1,443,2001:db8:0:1::ffff,50000,1,1,60,60,1700000000.123456000,1700000001.123459000

        """)
  }

  @Test(
    "Every discipline makes the same table",
    arguments: ["oneCPU", "bigLock", "ordered", "mpSafe", "threads", "mixed"])
  func disciplines(discipline: String) throws {
    let plain = try Softint.run("flows", "ethernet.pcap", "--json")
    let run = try Softint.run("flows", "ethernet.pcap", "--json", "--discipline", discipline, "--cpus", "2")
    #expect((run.status, run.errors, run.output) == (0, "", plain.output))
  }

  @Test("--top shows so many conversations, those with the most bytes, and counts all")
  func top() throws {
    let run = try Softint.run("flows", "ethernet.pcap", "--top", "2")
    #expect(
      run.output == """
        proto  a                       b                          packets          bytes
        tcp    192.0.2.1:40000         192.0.2.77:80                    3            219
        tcp    [2001:db8::1]:443
               [2001:db8:0:1::ffff]:50000                               2            148
        … and 9 more
        total  11 conversations                                        17           1111
        skipped 4 frames: not-ip
        skipped 1 frame: unsupported-ethertype

        """)
  }

  @Test("A dash reads standard input, also from a pipe")
  func standardInput() throws {
    let expected = try Softint.run("flows", "vlans.pcap", "--json").output
    let path = repositoryFile("Tests/Captures/vlans.pcap").path
    #expect(try Softint.run("flows", "-", "--json", input: path).output == expected)
    #expect(try Softint.shell("cat vlans.pcap | softint flows - --json").output == expected)
  }

  @Test("--export writes an IPFIX file with a record for each conversation, beside the report")
  func export() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("flows.ipfix")
    let run = try Softint.run("flows", "ethernet.pcap", "--json", "--export", path)
    #expect(run.status == 0)
    let document = try FlowsDocument(run.output)
    let records = try IPFIXFile(Array(Data(contentsOf: URL(filePath: path)))).messages.flatMap(\.records)
    #expect(records.count == document.conversations.count)
    // packetDeltaCount and layer2OctetDeltaCount, forward and reverse.
    func sum(_ element: UInt16) -> UInt64 {
      records.reduce(0) {
        $0 + ($1.value(element) ?? 0) + ($1.value(element, reverse: true) ?? 0)
      }
    }
    #expect(sum(2) == document.conversations.reduce(0) { $0 + $1.packetsAToB + $1.packetsBToA })
    #expect(sum(352) == document.conversations.reduce(0) { $0 + $1.bytesAToB + $1.bytesBToA })
    #expect(try directory.contents == ["flows.ipfix"])
  }

  @Test("An export replaces an older file only when it succeeds")
  func exportIsAtomic() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("flows.ipfix")
    try Data("old".utf8).write(to: URL(filePath: path))
    #expect(try Softint.run("flows", "no such.pcap", "--export", path).status == 66)
    #expect(try String(contentsOf: URL(filePath: path), encoding: .utf8) == "old")
    #expect(try Softint.run("flows", "ethernet.pcap", "--export", path).status == 0)
    #expect(try IPFIXFile(Array(Data(contentsOf: URL(filePath: path)))).messages.isEmpty == false)
    #expect(try directory.contents == ["flows.ipfix"])
  }

  @Test("A reader that goes away ends it quietly with status 141")
  func brokenPipe() throws {
    let bundled = repositoryFile("Sources/softint/Resources/bundled.pcapng").path
    let run = try Softint.shell("softint flows '\(bundled)' --json | head -1; exit ${PIPESTATUS[0]}")
    #expect(run.output == "{\n")
    #expect(run.errors.isEmpty)
    #expect(run.status == 141)
  }
}
