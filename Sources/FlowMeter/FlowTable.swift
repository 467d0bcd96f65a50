// The flow table: which flows there are, and what was counted of each. One instance belongs to one
// thread, gate or lock at a time; it has no lock of its own, and that is the point: whoever runs it on
// several CPUs brings the discipline. Ageing is the owner's too: the table never looks at a clock.

import PacketCapture

/// A table of flows, found by their key.
///
/// **Not thread-safe.** Calls on one table must not overlap; closures that it calls must not call it.
///
/// `record` allocates only when the table outgrows the capacity it was made with; give
/// it the number of flows expected, and it never does.
public final class FlowTable {
  /// The greatest limit: 2³⁰ flows.
  public static let maximumLimit = FlowStore.maximumCapacity

  /// The greatest number of flows held at a time.
  public let limit: Int
  /// When flows expire.
  public let timeouts: FlowTimeouts
  /// Packets that would have begun a flow in a full table and were answered ``Recorded/full``.
  public private(set) var refused: UInt64 = 0
  /// Flows that ``removeOldest()`` took out to make room.
  public private(set) var evicted: UInt64 = 0

  // Unsafe: allocated in `init`, freed in `deinit`, reached only from here. It stands behind a pointer
  // so that no access pays for a dynamic exclusivity check, which would not see other threads anyway.
  private let storage: UnsafeMutablePointer<FlowStore>
  private let secret: (UInt64, UInt64)
  /// Where the next search for an old flow begins.
  private var hand = 0

  /// Makes a table.
  ///
  /// - Parameters:
  ///   - capacity: the number of flows to allocate for at once; about 160 bytes each.
  ///   - limit: the number of flows held at most, 1…``maximumLimit``.
  ///   - timeouts: when ``expire(_:now:)`` lets a flow go.
  ///   - seed: what the table's hash depends on. It is random unless given, so that nobody can choose
  ///     addresses that collide; nothing that the table answers depends on it.
  public init(
    capacity: Int = 4_096, limit: Int = 1_048_576, timeouts: FlowTimeouts = FlowTimeouts(),
    seed: UInt64 = .random(in: .min ... .max)
  ) {
    precondition(limit >= 1 && limit <= Self.maximumLimit, "the limit of a flow table is 1...2^30")
    self.limit = limit
    self.timeouts = timeouts
    secret = (Mixing.avalanche(seed &+ 1), Mixing.avalanche(seed &+ 0x9e37_79b9_7f4a_7c15))
    storage = .allocate(capacity: 1)
    storage.initialize(to: FlowStore(capacity: min(capacity, limit)))
  }

  deinit {
    storage.pointee.deallocate()
    storage.deallocate()
  }

  /// The number of flows in the table.
  public var count: Int { storage.pointee.count }

  /// Counts a packet in its flow, and begins the flow if there is none.
  ///
  /// - Parameters:
  ///   - frame: what the decoder made of the packet.
  ///   - wireLength: the length of the frame on the wire, in bytes.
  ///   - timestamp: when it was captured, in nanoseconds since 1970-01-01 UTC. Any order will do.
  /// - Complexity: O(1) expected; no allocation up to the capacity given to `init`.
  public func record(_ frame: DecodedFrame, wireLength: UInt32, timestamp: Int64) -> Recorded {
    let hash = hash(of: frame.key)
    if let slot = storage.pointee.find(frame.key, hash: hash) {
      storage.pointee.update(slot) { $0.count(frame, wireLength: wireLength, timestamp: timestamp) }
      return .existing(storage.pointee.handle(of: slot))
    }
    guard storage.pointee.count < limit else {
      refused &+= 1
      return .full
    }
    let record = FlowRecord(frame, wireLength: wireLength, timestamp: timestamp)
    let slot = storage.pointee.insert(record, hash: hash)
    return .new(storage.pointee.handle(of: slot))
  }

  /// The record of a flow as it stands; nil if the handle is stale.
  public subscript(handle: FlowHandle) -> FlowRecord? {
    storage.pointee.slot(of: handle).map { storage.pointee.record(in: $0) }
  }

  /// The flow with this key, if it is in the table.
  public func handle(of key: FlowKey) -> FlowHandle? {
    storage.pointee.find(key, hash: hash(of: key)).map { storage.pointee.handle(of: $0) }
  }

  /// Puts a word of the owner into a flow's record.
  ///
  /// - Returns: false if the handle is stale.
  @discardableResult
  public func setOwner(_ owner: UInt64, of handle: FlowHandle) -> Bool {
    guard let slot = storage.pointee.slot(of: handle) else { return false }
    storage.pointee.update(slot) { $0.owner = owner }
    return true
  }

  /// Calls `body` with each record, in no order that means anything.
  public func visit(_ body: (FlowRecord) -> Void) {
    for slot in 0..<storage.pointee.used where storage.pointee.isLive(slot) {
      body(storage.pointee.record(in: slot))
    }
  }

  /// Calls `body` with the records in some slots, so that a table is looked through in bounded parts.
  ///
  /// Between two parts flows may come and go; one that stays is met exactly once.
  ///
  /// - Parameters:
  ///   - start: where to begin: 0, then what the call before answered.
  ///   - count: how many slots to look at, at least 1.
  ///   - body: called with each flow there.
  /// - Returns: where to go on; nil at the end.
  /// - Complexity: O(`count`).
  public func visit(from start: Int, slots count: Int, _ body: (FlowRecord) -> Void) -> Int? {
    precondition(start >= 0 && count >= 1, "a part of a table begins at a slot and has one")
    let used = storage.pointee.used
    let (end, overflow) = start.addingReportingOverflow(count)
    for slot in min(start, used)..<min(overflow ? used : end, used) where storage.pointee.isLive(slot) {
      body(storage.pointee.record(in: slot))
    }
    return overflow || end >= used ? nil : end
  }

  /// Takes a flow out; nil if the handle is stale.
  public func remove(_ handle: FlowHandle) -> FlowRecord? {
    storage.pointee.slot(of: handle).map { storage.pointee.remove($0) }
  }

  /// Takes out every flow, calling `body` with each: the end of a metering.
  public func removeAll(_ body: (FlowRecord) -> Void = { _ in }) {
    visit(body)
    storage.pointee.removeAll()
  }

  /// Asks whether a flow's time is over, and takes it out if so.
  ///
  /// - Parameters:
  ///   - handle: the flow.
  ///   - now: the present in capture time, nanoseconds since 1970-01-01 UTC.
  /// - Complexity: O(1) expected; no allocation.
  public func expire(_ handle: FlowHandle, now: Int64) -> Ageing {
    guard let slot = storage.pointee.slot(of: handle) else { return .stale }
    let (first, last) = storage.pointee.times(in: slot)
    let idleDue = Self.later(last, by: timeouts.idle)
    let activeDue = Self.later(first, by: timeouts.active)
    if now >= idleDue { return .expired(storage.pointee.remove(slot), .idleTimeout) }
    if now >= activeDue { return .expired(storage.pointee.remove(slot), .activeTimeout) }
    return .stillActive(lastSeen: last, due: min(idleDue, activeDue))
  }

  /// Takes out an old flow to make room: of the ``evictionSample`` slots at a hand that goes round, the
  /// one that was seen least recently. The exact oldest would need a list that every packet updates.
  ///
  /// - Returns: nil if the table is empty.
  /// - Complexity: O(``evictionSample``) in a full table; no allocation.
  public func removeOldest() -> FlowRecord? {
    guard storage.pointee.count > 0 else { return nil }
    var oldest: Int?
    var seen = 0
    while seen < min(Self.evictionSample, storage.pointee.count) {
      hand = hand + 1 < storage.pointee.used ? hand + 1 : 0
      guard storage.pointee.isLive(hand) else { continue }
      seen += 1
      if let best = oldest, storage.pointee.record(in: best).last <= storage.pointee.record(in: hand).last {
        continue
      }
      oldest = hand
    }
    guard let oldest else { return nil }
    evicted &+= 1
    return storage.pointee.remove(oldest)
  }

  /// How many flows ``removeOldest()`` looks at.
  public static let evictionSample = 16

  /// A point in time `delay` after another, held at the end of time.
  private static func later(_ time: Int64, by delay: Int64) -> Int64 {
    let (sum, overflow) = time.addingReportingOverflow(delay)
    return overflow ? .max : sum
  }

  /// A hash that a sender who does not know the seed cannot aim at.
  @inline(__always)
  private func hash(of key: FlowKey) -> UInt32 {
    let ports = UInt64(key.a.port) << 32 | UInt64(key.b.port) << 16 | UInt64(key.proto) << 1
    var mixed = Mixing.fold(key.a.address.lo ^ secret.0, key.b.address.lo ^ secret.1)
    if key.a.address.isV6 {
      mixed ^= Mixing.fold(key.a.address.hi ^ secret.1, key.b.address.hi &+ secret.0)
    }
    mixed = Mixing.fold(mixed ^ ports ^ (key.a.address.isV6 ? 1 : 0), secret.0 | 1)
    return UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
  }
}
