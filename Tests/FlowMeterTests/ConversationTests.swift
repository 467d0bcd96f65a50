// Merging, the digest over merged records, and the greatest talkers: none depends on order or on how
// the packets were cut up.

import PacketCapture
import Testing

@testable import FlowMeter

@Suite("Merging records and their digest")
struct ConversationTests {
  private typealias Packet = (frame: DecodedFrame, length: UInt32, time: Int64)

  private func packets(_ count: Int, seed: UInt64) -> [Packet] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Make.randomFrame(of: 200, using: &generator) }
  }

  /// Meters packets over so many tables by their hash, exporting at random, and merges everything.
  private func metered(_ packets: [Packet], shards: Int, exporting: Double, seed: UInt64) -> ConversationTable
  {
    var generator = SeededGenerator(seed: seed)
    let tables = (0..<shards).map { _ in FlowTable(capacity: 16) }
    var exported: [FlowRecord] = []
    for packet in packets {
      let table = tables[Int(packet.frame.key.symmetricHash) % shards]
      let recorded = table.record(packet.frame, wireLength: packet.length, timestamp: packet.time)
      guard Double.random(in: 0..<1, using: &generator) < exporting else { continue }
      switch recorded {
      case .new(let handle), .existing(let handle):
        if let record = table.remove(handle) { exported.append(record) }
      case .full: Issue.record("the table has room")
      }
    }
    var merged = ConversationTable()
    for record in exported.shuffled(using: &generator) { merged.merge(record) }
    for table in tables.shuffled(using: &generator) { merged.merge(resident: table) }
    return merged
  }

  @Test("However records were cut up, and in whatever order merged, table and digest are the same")
  func splitInvariant() {
    let packets = packets(6_000, seed: 77)
    let whole = metered(packets, shards: 1, exporting: 0, seed: 0)
    for (seed, shards) in [(1, 1), (2, 2), (3, 5)] as [(UInt64, Int)] {
      for exporting in [0.0, 0.01, 0.5, 1] {
        let parts = metered(packets.shuffled(), shards: shards, exporting: exporting, seed: seed)
        #expect(parts.digest == whole.digest)
        #expect(parts.sorted().map(Self.withoutInitiator) == whole.sorted().map(Self.withoutInitiator))
      }
    }
  }

  private static func withoutInitiator(_ record: FlowRecord) -> FlowRecord {
    var record = record
    record.initiatedByA = false
    return record
  }

  @Test("One packet more, less or altered gives another digest")
  func sensitiveToPackets() {
    let packets = packets(500, seed: 3)
    let whole = metered(packets, shards: 1, exporting: 0, seed: 0).digest
    #expect(metered(Array(packets.dropLast()), shards: 1, exporting: 0, seed: 0).digest != whole)
    #expect(metered(packets + packets.prefix(1), shards: 1, exporting: 0, seed: 0).digest != whole)
    var altered = packets
    altered[250].length += 1
    #expect(metered(altered, shards: 1, exporting: 0, seed: 0).digest != whole)
  }

  @Test("Every field of a record changes the digest, the owner's word does not")
  func sensitiveToFields() {
    let base = Make.record()
    func digest(_ change: (inout FlowRecord) -> Void) -> FlowDigest {
      var record = base
      change(&record)
      var digest = FlowDigest()
      digest.add(record)
      return digest
    }
    let changes: [(inout FlowRecord) -> Void] = [
      { _ in }, { $0.packetsAToB += 1 }, { $0.packetsBToA += 1 }, { $0.bytesAToB += 1 },
      { $0.bytesBToA += 1 },
      { $0.ipBytesAToB += 1 }, { $0.ipBytesBToA += 1 }, { $0.first -= 1 }, { $0.last += 1 },
      { $0.tcpFlagsAToB ^= 1 }, { $0.tcpFlagsBToA ^= 1 }, { $0.key.proto = 17 }, { $0.key.a.port ^= 1 },
      { $0.key.b.port ^= 1 }, { $0.key.a.address = IPAddress(v4: 5) },
      { $0.key.b.address = IPAddress(v4: 6) },
      { $0.key.a.address = IPAddress(v6: 0, 0x0a00_0001) },
      { $0.key.b.address = IPAddress(v6: 0, 0x0a00_0002) },
      { $0.key.a.address = IPAddress(v6: 1, 0x0a00_0001) },
      { $0.key.b.address = IPAddress(v6: 1, 0x0a00_0002) },
      { swap(&$0.packetsAToB, &$0.bytesAToB) }, { swap(&$0.key.a.port, &$0.key.b.port) },
    ]
    #expect(Set(changes.map(digest)).count == changes.count)
    #expect(digest { $0.owner = 9 } == digest { _ in })
  }

  @Test("The digest of known records is the same in every run and on every machine")
  func stable() {
    var digest = FlowDigest()
    #expect(digest.description == "00000000000000000000000000000000")
    digest.add(Make.record())
    #expect(digest.description == "344d80156071477603618eff08490589")
    var twice = digest
    twice.add(digest)
    #expect(twice != digest)
  }

  @Test("A merged record has the sums, the earliest and the latest time, and no owner")
  func merged() throws {
    var table = ConversationTable()
    var late = Make.record(at: 20, length: 100, flags: 2)
    late.owner = 4
    var early = Make.record(Make.end(2, 80), Make.end(1, 1_000), at: 10, length: 60, flags: 16)
    early.owner = 3
    table.merge(late)
    table.merge(early)
    let record = try #require(table[early.key])
    #expect(table.count == 1)
    #expect((record.packetsAToB, record.packetsBToA, record.bytesAToB, record.bytesBToA) == (1, 1, 100, 60))
    #expect((record.first, record.last, record.owner) == (10, 20, 0))
    #expect((record.tcpFlagsAToB, record.tcpFlagsBToA) == (2, 16))
    #expect(!record.initiatedByA)
  }
}

@Suite("Top talkers")
struct TopTalkersTests {
  @Test("They are the same for every order in which records are offered", arguments: 1...9)
  func orders(capacity: Int) {
    var generator = SeededGenerator(seed: UInt64(capacity))
    let records = (1...40 as ClosedRange<UInt32>).map { Make.record(Make.end($0, 1), length: 60 + $0 / 2) }
    let expected = Array(records.reversed().sorted { $0.bytes > $1.bytes }.prefix(capacity))
    for _ in 0..<200 {
      var talkers = TopTalkers(capacity: capacity)
      for record in records.shuffled(using: &generator) { talkers.offer(record) }
      #expect(talkers.sorted().map(\.bytes) == expected.map(\.bytes))
    }
  }

  @Test("They are the first of all flows sorted by bytes, ties by key", arguments: [1, 2, 10, 63, 1_000])
  func agreesWithSorting(capacity: Int) {
    var generator = SeededGenerator(seed: UInt64(capacity))
    let table = FlowTable(capacity: 16)
    for _ in 0..<3_000 {
      let (frame, _, time) = Make.randomFrame(of: 400, using: &generator)
      // Few lengths, so that there are ties.
      _ = table.record(frame, wireLength: 100, timestamp: time)
    }
    var all: [FlowRecord] = []
    table.visit { all.append($0) }
    all.sort { $0.bytes != $1.bytes ? $0.bytes > $1.bytes : $0.key.sorts(before: $1.key) }
    var talkers = TopTalkers(capacity: capacity)
    for _ in 0..<2 {
      table.copyTopTalkers(into: &talkers)
      #expect(talkers.sorted() == Array(all.prefix(capacity)))
      #expect(talkers.count == min(capacity, all.count))
    }
  }
}
