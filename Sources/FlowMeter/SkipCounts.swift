// How many frames belong to no flow, by reason.

import PacketCapture

/// Frames that were skipped, counted by reason. Counting allocates nothing.
public struct SkipCounts: Sendable, Hashable {
  private var counts: [UInt64]

  /// No frames.
  public init() { counts = Array(repeating: 0, count: SkipReason.allCases.count) }

  /// The number of frames skipped for a reason.
  public subscript(reason: SkipReason) -> UInt64 { counts[Int(reason.rawValue)] }

  /// The number of frames skipped.
  public var total: UInt64 { counts.reduce(0, &+) }

  /// Counts a frame.
  public mutating func count(_ reason: SkipReason) { counts[Int(reason.rawValue)] &+= 1 }

  /// Adds other counts, such as those of another CPU.
  public mutating func add(_ other: SkipCounts) {
    for reason in counts.indices { counts[reason] &+= other.counts[reason] }
  }
}
