// The memory of a flow table, and the only place that touches it.
//
// Records stand in slots and never move between slots, so a slot's number can be given away. An index of
// one word for each place, twice as many places as slots, finds the slot of a key by linear probing; the word
// holds 32 bits of the hash, so a record is looked at only when it almost certainly is the right one.
// Invariants: a place is 0 or names a live slot; between a key's home place and its place there is no
// empty one, also after a removal, which shifts the followers back and leaves no tombstone.

import PacketCapture

/// A record and what its slot needs.
struct FlowSlot {
  var record: FlowRecord
  /// Of a live slot its key's hash; of a free one the number of the next free slot plus 1, or 0.
  var hash: UInt32
  /// Odd while the slot is live.
  var generation: UInt32

  /// Memory for slots, at the start of a cache line. A slot is two lines, so flows of different CPUs, neighbours in a table that
  /// several CPUs take in turn, share none.
  static func allocate(_ count: Int) -> UnsafeMutablePointer<FlowSlot> {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<FlowSlot>.stride, alignment: 64)
    return raw.bindMemory(to: FlowSlot.self, capacity: count)
  }
}

/// Slots and index in manually allocated memory. Not copied: whoever holds it calls `deallocate()`.
struct FlowStore {
  /// Live slots.
  private(set) var count = 0
  /// Slots used so far: those at and above it are uninitialized memory.
  private(set) var used = 0
  private var capacity: Int
  private var freeList: UInt32 = 0
  // Unsafe: `capacity` slots, of which the first `used` are initialized.
  private var slots: UnsafeMutablePointer<FlowSlot>
  // Unsafe: `mask + 1` initialized words; at most half of them are in use, so every probe ends.
  private var index: UnsafeMutablePointer<UInt64>
  private var mask: Int

  /// The greatest number of slots: a slot number plus 1 fits 32 bits, and so does a place.
  static let maximumCapacity = 1 << 30

  init(capacity wanted: Int) {
    capacity = Self.powerOfTwo(atLeast: wanted)
    mask = 2 * capacity - 1
    slots = FlowSlot.allocate(capacity)
    index = .allocate(capacity: mask + 1)
    index.initialize(repeating: 0, count: mask + 1)
  }

  func deallocate() {
    // Slots are trivial: nothing to deinitialize.
    slots.deallocate()
    index.deallocate()
  }

  /// The slot of a key, or nil.
  @inline(__always)
  func find(_ key: FlowKey, hash: UInt32) -> Int? {
    var place = Int(hash) & mask
    while true {
      let word = index[place]
      if word == 0 { return nil }
      if UInt32(truncatingIfNeeded: word >> 32) == hash {
        let slot = Int(word & 0xffff_ffff) - 1
        if Self.isSame(slots[slot].record.key, key) { return slot }
      }
      place = (place + 1) & mask
    }
  }

  /// `==` without a branch for each field: nearly always the answer is yes.
  @inline(__always)
  private static func isSame(_ left: FlowKey, _ right: FlowKey) -> Bool {
    let addresses =
      (left.a.address.lo ^ right.a.address.lo) | (left.b.address.lo ^ right.b.address.lo)
      | (left.a.address.hi ^ right.a.address.hi) | (left.b.address.hi ^ right.b.address.hi)
    let ports = (left.a.port ^ right.a.port) | (left.b.port ^ right.b.port)
    let versions = left.a.address.isV6 == right.a.address.isV6 && left.b.address.isV6 == right.b.address.isV6
    return addresses | UInt64(ports) | UInt64(left.proto ^ right.proto) == 0 && versions
  }

  /// The live slot that a handle names, or nil.
  @inline(__always)
  func slot(of handle: FlowHandle) -> Int? {
    let slot = Int(handle.slot)
    guard slot < used, handle.generation & 1 == 1, slots[slot].generation == handle.generation else {
      return nil
    }
    return slot
  }

  @inline(__always)
  func handle(of slot: Int) -> FlowHandle {
    FlowHandle(slot: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
  }

  @inline(__always)
  func isLive(_ slot: Int) -> Bool {
    debugAssertInitialized(slot)
    return slots[slot].generation & 1 == 1
  }

  /// The record in a live slot.
  @inline(__always)
  func record(in slot: Int) -> FlowRecord {
    debugAssertInitialized(slot)
    return slots[slot].record
  }

  /// When the flow in a live slot was seen first and last: without a copy of the rest.
  @inline(__always)
  func times(in slot: Int) -> (first: Int64, last: Int64) {
    debugAssertInitialized(slot)
    return (slots[slot].record.first, slots[slot].record.last)
  }

  /// Changes the record in a live slot.
  @inline(__always)
  mutating func update(_ slot: Int, _ body: (inout FlowRecord) -> Void) {
    debugAssertInitialized(slot)
    body(&slots[slot].record)
  }

  @inline(__always)
  private func debugAssertInitialized(_ slot: Int) {
    assert(slot >= 0 && slot < used, "a slot that was never used")
  }

  /// Puts the record of a key that is not in the store into a slot.
  mutating func insert(_ record: FlowRecord, hash: UInt32) -> Int {
    if count == capacity { grow() }
    let slot: Int
    if freeList != 0 {
      slot = Int(freeList) - 1
      freeList = slots[slot].hash
      slots[slot].record = record
      slots[slot].hash = hash
      slots[slot].generation &+= 1
    } else {
      slot = used
      used += 1
      (slots + slot).initialize(to: FlowSlot(record: record, hash: hash, generation: 1))
    }
    count += 1
    place(slot, hash: hash)
    return slot
  }

  /// Takes the record out of a live slot.
  mutating func remove(_ slot: Int) -> FlowRecord {
    assert(isLive(slot), "a free slot has no record to remove")
    var hole = Int(slots[slot].hash) & mask
    while Int(index[hole] & 0xffff_ffff) - 1 != slot { hole = (hole + 1) & mask }
    // Shift back each follower whose home does not lie behind the hole.
    var place = (hole + 1) & mask
    while index[place] != 0 {
      let home = Int(index[place] >> 32) & mask
      if (place - home) & mask >= (place - hole) & mask {
        index[hole] = index[place]
        hole = place
      }
      place = (place + 1) & mask
    }
    index[hole] = 0
    slots[slot].generation &+= 1
    slots[slot].hash = freeList
    freeList = UInt32(truncatingIfNeeded: slot + 1)
    count -= 1
    return slots[slot].record
  }

  /// Frees every slot; handles of before are stale.
  mutating func removeAll() {
    index.update(repeating: 0, count: mask + 1)
    freeList = 0
    for slot in 0..<used {
      if slots[slot].generation & 1 == 1 { slots[slot].generation &+= 1 }
      slots[slot].hash = freeList
      freeList = UInt32(truncatingIfNeeded: slot + 1)
    }
    count = 0
  }

  private mutating func place(_ slot: Int, hash: UInt32) {
    var place = Int(hash) & mask
    while index[place] != 0 { place = (place + 1) & mask }
    index[place] = UInt64(hash) << 32 | UInt64(slot + 1)
  }

  /// Twice the slots and an index to match. All slots are live: the store grows only when it is full.
  private mutating func grow() {
    precondition(capacity < Self.maximumCapacity, "a flow table holds at most 2^30 flows")
    let bigger = FlowSlot.allocate(2 * capacity)
    bigger.moveInitialize(from: slots, count: used)
    slots.deallocate()
    slots = bigger
    capacity *= 2
    index.deallocate()
    mask = 2 * capacity - 1
    index = .allocate(capacity: mask + 1)
    index.initialize(repeating: 0, count: mask + 1)
    for slot in 0..<used { place(slot, hash: slots[slot].hash) }
  }

  private static func powerOfTwo(atLeast wanted: Int) -> Int {
    var capacity = 16
    while capacity < min(wanted, maximumCapacity) { capacity *= 2 }
    return capacity
  }
}
