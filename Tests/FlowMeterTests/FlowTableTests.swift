// The flow table counts exactly, names flows by handles that go stale, and lets flows go when asked.

import PacketCapture
import Testing

@testable import FlowMeter

@Suite("Counting packets in a flow table")
struct FlowTableCountingTests {
  @Test("The first packet begins a flow, every further one counts in it, in either direction")
  func directions() throws {
    let table = FlowTable()
    let (client, server) = (Make.end(9, 5_000), Make.end(3, 80))
    let handle = try table.begin(
      Make.frame(from: client, to: server, flags: 2, ipBytes: 60), wireLength: 74, at: 100)
    let answer = table.record(
      Make.frame(from: server, to: client, flags: 18, ipBytes: 44), wireLength: 60, timestamp: 250)
    #expect(answer == .existing(handle))
    let record = try #require(table[handle])
    #expect(record.key.a == server, "the smaller endpoint")
    #expect((record.packetsAToB, record.packetsBToA) == (1, 1))
    #expect((record.bytesAToB, record.bytesBToA) == (60, 74))
    #expect((record.ipBytesAToB, record.ipBytesBToA) == (44, 60))
    #expect((record.tcpFlagsAToB, record.tcpFlagsBToA) == (18, 2))
    #expect((record.first, record.last) == (100, 250))
    #expect(!record.initiatedByA)
    #expect(table.count == 1)
  }

  @Test("Protocol, ports and addresses each make another flow")
  func keys() {
    let table = FlowTable()
    let base = Make.frame(from: Make.end(1, 1), to: Make.end(2, 2))
    let others = [
      base, Make.frame(from: Make.end(1, 1), to: Make.end(2, 2), proto: 17),
      Make.frame(from: Make.end(1, 2), to: Make.end(2, 2)),
      Make.frame(from: Make.end(1, 2), to: Make.end(2, 1)),
      Make.frame(from: Make.end(1, 1), to: Make.end(3, 2)),
      Make.frame(from: Make.end6(0x0a00_0001, 1), to: Make.end6(0x0a00_0002, 2)),
      Make.frame(
        from: Endpoint(address: IPAddress(v6: 0, 0x0a00_0001), port: 1),
        to: Endpoint(address: IPAddress(v6: 0, 0x0a00_0002), port: 2)),
    ]
    for frame in others { _ = table.record(frame, wireLength: 60, timestamp: 0) }
    #expect(table.count == others.count)
  }

  @Test(
    "A table visited in parts shows each flow once, whatever the parts, and ends",
    arguments: [1, 3, 64, Int.max])
  func parts(slots: Int) throws {
    let table = FlowTable()
    var handles: [FlowHandle] = []
    for port in UInt16(1)...20 {
      handles.append(try table.begin(Make.frame(from: Make.end(1, port), to: Make.end(2, 80)), at: 0))
    }
    for handle in handles[..<7] { _ = table.remove(handle) }
    var ports: [UInt16] = []
    var next: Int? = 0
    while let start = next {
      next = table.visit(from: start, slots: slots) { ports.append($0.key.a.port) }
    }
    #expect(ports.sorted() == Array(8...20))
    #expect(table.visit(from: 1_000, slots: slots) { _ in Issue.record("there is nothing") } == nil)
  }

  @Test("Packets out of order widen the times, and the earliest one tells the initiator")
  func outOfOrder() throws {
    let table = FlowTable()
    let (one, other) = (Make.end(1, 1), Make.end(2, 2))
    let handle = try table.begin(Make.frame(from: other, to: one), at: 50)
    _ = table.record(Make.frame(from: one, to: other), wireLength: 60, timestamp: -20)
    _ = table.record(Make.frame(from: other, to: one), wireLength: 60, timestamp: 30)
    let record = try #require(table[handle])
    #expect((record.first, record.last) == (-20, 50))
    #expect(record.initiatedByA)
  }

  @Test("A packet that would begin one flow too many is refused and counted, known flows go on")
  func limit() throws {
    let table = FlowTable(capacity: 1, limit: 2)
    let frames = (1...3).map { Make.frame(from: Make.end($0, 1), to: Make.end(9, 9)) }
    for frame in frames[0...1] { _ = table.record(frame, wireLength: 60, timestamp: 0) }
    #expect(table.record(frames[2], wireLength: 60, timestamp: 1) == .full)
    #expect((table.count, table.refused) == (2, 1))
    guard case .existing = table.record(frames[0], wireLength: 60, timestamp: 2) else {
      Issue.record("a known flow must go on in a full table")
      return
    }
    let oldest = table.removeOldest()
    #expect(oldest?.key == frames[1].key)
    #expect(table.evicted == 1)
    _ = try table.begin(frames[2], at: 3)
  }

  @Test("An empty table has no oldest flow")
  func nothingOldest() {
    let table = FlowTable()
    #expect(table.removeOldest() == nil)
    #expect(table.evicted == 0)
  }
}

@Suite("Handles of flows")
struct FlowHandleTests {
  @Test("A handle is refused once its flow has left, also when the slot has a new owner")
  func stale() throws {
    let table = FlowTable(capacity: 16)
    let first = try table.begin(frame(1))
    #expect(table.remove(first)?.key == frame(1).key)
    #expect(table[first] == nil)
    let second = try table.begin(frame(2))
    #expect(second.slot == first.slot, "the slot is used anew, or this test shows nothing")
    #expect(table[first] == nil)
    #expect(table.remove(first) == nil)
    #expect(table.expire(first, now: .max) == .stale)
    #expect(!table.setOwner(7, of: first))
    #expect(table[second]?.key == frame(2).key)
  }

  @Test("Emptying the table makes every handle stale")
  func emptied() throws {
    let table = FlowTable(capacity: 16)
    var handles: [FlowHandle] = []
    for host in 1...40 as ClosedRange<UInt32> {
      handles.append(try table.begin(frame(host)))
    }
    var seen = 0
    table.removeAll { _ in seen += 1 }
    #expect(seen == 40)
    #expect(table.count == 0)
    #expect(handles.allSatisfy { table[$0] == nil })
    for host in 1...40 as ClosedRange<UInt32> { _ = table.record(frame(host), wireLength: 60, timestamp: 0) }
    #expect(table.count == 40)
    #expect(handles.allSatisfy { table[$0] == nil })
  }

  @Test("A handle survives as a word, and growth of the table; a made-up word is refused")
  func words() throws {
    let table = FlowTable(capacity: 16)
    let handle = try table.begin(frame(1))
    #expect(table.setOwner(42, of: handle))
    for host in 2...5_000 as ClosedRange<UInt32> {
      _ = table.record(frame(host), wireLength: 60, timestamp: 0)
    }
    #expect(table[FlowHandle(rawValue: handle.rawValue)]?.owner == 42)
    #expect(table.handle(of: frame(1).key) == handle)
    #expect(table.handle(of: frame(9_999).key) == nil)
    for word in [0, 1, .max, 0x0000_0002_0000_0000, 0x0000_0001_ffff_ffff] as [UInt64] {
      #expect(table[FlowHandle(rawValue: word)] == nil)
    }
  }

  private func frame(_ host: UInt32) -> DecodedFrame {
    Make.frame(from: Make.end(host, 1), to: Make.end(0, 9))
  }
}

@Suite("Ageing of flows")
struct FlowAgeingTests {
  private let second: Int64 = 1_000_000_000

  private func table() throws -> (FlowTable, FlowHandle) {
    let table = FlowTable(timeouts: FlowTimeouts(idle: 15 * second, active: 60 * second))
    return (table, try table.begin(frame))
  }

  private var frame: DecodedFrame { Make.frame(from: Make.end(1, 1), to: Make.end(2, 2)) }

  @Test("A silent flow expires at the idle timeout and no nanosecond sooner")
  func idle() throws {
    let (table, handle) = try table()
    #expect(table.expire(handle, now: 15 * second - 1) == .stillActive(lastSeen: 0, due: 15 * second))
    guard case .expired(let record, .idleTimeout) = table.expire(handle, now: 15 * second) else {
      Issue.record("not expired")
      return
    }
    #expect(record.packets == 1)
    #expect(table.count == 0)
    #expect(table.expire(handle, now: 99 * second) == .stale)
  }

  @Test("A busy flow is reported at the active timeout, and its next packet begins a record")
  func active() throws {
    let (table, handle) = try table()
    for tick in 1...11 as ClosedRange<Int64> {
      _ = table.record(frame, wireLength: 60, timestamp: tick * 5 * second)
    }
    #expect(table.expire(handle, now: 59 * second) == .stillActive(lastSeen: 55 * second, due: 60 * second))
    guard case .expired(let record, .activeTimeout) = table.expire(handle, now: 60 * second) else {
      Issue.record("not expired")
      return
    }
    #expect(record.packets == 12)
    _ = try table.begin(frame, at: 61 * second)
  }

  @Test("Times at the ends of the range do not overflow")
  func extremes() throws {
    let table = FlowTable(timeouts: FlowTimeouts(idle: .max, active: .max))
    let handle = try table.begin(frame, at: .max - 1)
    #expect(table.expire(handle, now: .max - 1) == .stillActive(lastSeen: .max - 1, due: .max))
  }
}
