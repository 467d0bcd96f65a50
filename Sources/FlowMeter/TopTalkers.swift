// The greatest few records out of many, in bounded memory and time: what a reader takes under a lock,
// to sort and print outside of it.

import PacketCapture

/// The records with the most bytes, at most a fixed number of them.
///
/// Its memory is allocated once and reused: `removeAll()` and ``offer(_:)`` allocate nothing.
public struct TopTalkers: Sendable {
  /// The greatest number of records kept.
  public let capacity: Int
  /// A heap: the smallest of those kept comes first.
  private var heap: [FlowRecord] = []

  /// Room for `capacity` records, at least 1.
  public init(capacity: Int) {
    precondition(capacity >= 1, "top talkers need room for one")
    self.capacity = capacity
    heap.reserveCapacity(capacity)
  }

  /// The number of records kept.
  public var count: Int { heap.count }

  /// Forgets all records and keeps the memory.
  public mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

  /// Keeps a record if it is among the greatest so far; of equal ones those with the smaller keys.
  ///
  /// - Complexity: O(1) for a record that is too small, else O(log `capacity`).
  @inline(__always)
  public mutating func offer(_ record: FlowRecord) {
    if heap.count < capacity {
      heap.append(record)
      siftUp(heap.count - 1)
    } else if Self.precedes(record, heap[0]) {
      heap[0] = record
      siftDown(0)
    }
  }

  /// The records kept, the greatest first.
  ///
  /// - Complexity: O(n log n), allocates: not for under a lock.
  public func sorted() -> [FlowRecord] { heap.sorted(by: Self.precedes) }

  /// Whether one record comes before the other in the list of talkers.
  @inline(__always)
  static func precedes(_ left: FlowRecord, _ right: FlowRecord) -> Bool {
    if left.bytes != right.bytes { return left.bytes > right.bytes }
    return left.key.sorts(before: right.key)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.precedes(heap[parent], heap[child]) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, Self.precedes(heap[child], heap[child + 1]) { child += 1 }
      guard Self.precedes(heap[parent], heap[child]) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}

extension FlowTable {
  /// Replaces the contents of `talkers` by the flows with the most bytes.
  ///
  /// - Complexity: O(slots in use + kept · log kept); no allocation.
  public func copyTopTalkers(into talkers: inout TopTalkers) {
    talkers.removeAll()
    visit { talkers.offer($0) }
  }
}

extension FlowKey {
  /// The order of reports: by `a`, then `b`, then protocol.
  func sorts(before other: FlowKey) -> Bool {
    if a != other.a { return a < other.a }
    if b != other.b { return b < other.b }
    return proto < other.proto
  }
}
