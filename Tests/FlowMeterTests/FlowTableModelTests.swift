// The table against a dictionary, and its index against keys that all collide: random operations, with
// a seed in each failure.

import PacketCapture
import Testing

@testable import FlowMeter

@Suite("A flow table behaves as a dictionary does")
struct FlowTableModelTests {
  @Test("After any operations both hold the same records", arguments: 0..<12 as Range<UInt64>)
  func agreesWithDictionary(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let limit = seed % 3 == 0 ? 60 : 1_000
    let table = FlowTable(capacity: 16, limit: limit, seed: seed)
    var model: [FlowKey: FlowRecord] = [:]
    var handles: [FlowKey: FlowHandle] = [:]
    var dead: [FlowHandle] = []

    func forget(_ record: FlowRecord) {
      #expect(model.removeValue(forKey: record.key) == record, "seed \(seed)")
      if let handle = handles.removeValue(forKey: record.key) { dead.append(handle) }
    }

    for step in 0..<4_000 {
      switch UInt8.random(in: 0..<10, using: &generator) {
      case 0..<7:
        let (frame, length, time) = Make.randomFrame(of: 300, using: &generator)
        switch table.record(frame, wireLength: length, timestamp: time) {
        case .new(let handle):
          #expect(model[frame.key] == nil)
          model[frame.key] = FlowRecord(frame, wireLength: length, timestamp: time)
          handles[frame.key] = handle
        case .existing(let handle):
          #expect(handles[frame.key] == handle)
          model[frame.key]?.count(frame, wireLength: length, timestamp: time)
        case .full:
          #expect(model.count == limit && model[frame.key] == nil)
          if let record = table.removeOldest() { forget(record) }
        }
      case 7..<9:
        guard let key = handles.keys.sorted(by: { $0.sorts(before: $1) }).randomElement(using: &generator),
          let handle = handles[key], let record = table.remove(handle)
        else { continue }
        forget(record)
      default:
        guard let handle = dead.randomElement(using: &generator) else { continue }
        #expect(table[handle] == nil, "seed \(seed), step \(step)")
      }
    }
    var found: [FlowKey: FlowRecord] = [:]
    table.visit { found[$0.key] = $0 }
    #expect(found == model, "seed \(seed)")
    #expect(table.count == model.count)
    for (key, handle) in handles { #expect(table.handle(of: key) == handle) }
  }

  @Test("What a table answers does not depend on the seed of its hash")
  func seedless() {
    let tables = [1, 2, 3].map { FlowTable(capacity: 16, seed: $0) }
    let digests = tables.map { table in
      var generator = SeededGenerator(seed: 5)
      for _ in 0..<5_000 {
        let (frame, length, time) = Make.randomFrame(of: 900, using: &generator)
        _ = table.record(frame, wireLength: length, timestamp: time)
      }
      var merged = ConversationTable()
      merged.merge(resident: table)
      return merged.digest
    }
    #expect(Set(digests).count == 1)
  }
}

@Suite("The index closes the gap that a removal leaves")
struct FlowStoreTests {
  /// Hashes that share few home places, at the end of the index so that runs wrap around.
  private static let hashes: [UInt32] = [0, 1, 2, 0x1e, 0x1f, 0x3e, 0x3f, 0xffff_fffe, 0xffff_ffff]

  @Test(
    "Every key is found and no other, after any insertions and removals", arguments: 0..<20 as Range<UInt64>)
  func backwardShift(seed: UInt64) {
    var generator = SeededGenerator(seed: 1_000 + seed)
    var store = FlowStore(capacity: 16)
    defer { store.deallocate() }
    // A key always has the same hash, chosen so that keys collide.
    func hash(_ host: UInt32) -> UInt32 { Self.hashes[Int(host) % Self.hashes.count] }
    var model: [UInt32: Int] = [:]

    for _ in 0..<600 {
      let host = UInt32.random(in: 0..<30, using: &generator)
      if let slot = model.removeValue(forKey: host) {
        #expect(store.remove(slot).key == Self.record(host).key)
      } else if model.count < 16 {
        model[host] = store.insert(Self.record(host), hash: hash(host))
      }
      let misplaced = (0..<30 as Range<UInt32>).filter {
        store.find(Self.record($0).key, hash: hash($0)) != model[$0]
      }
      #expect(misplaced.isEmpty, "seed \(seed)")
    }
    #expect(store.count == model.count)
  }

  @Test("Slots are used anew: turnover does not grow the store")
  func turnover() {
    var store = FlowStore(capacity: 16)
    defer { store.deallocate() }
    for round in 0..<10_000 as Range<UInt32> {
      let slot = store.insert(Self.record(round), hash: round &* 0x9e37_79b9)
      _ = store.remove(slot)
    }
    #expect(store.used == 1)
  }

  private static func record(_ host: UInt32) -> FlowRecord { Make.record(Make.end(host, 1), Make.end(99, 2)) }
}
