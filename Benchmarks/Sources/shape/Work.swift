// Work that takes a time, and waiting for the end of what runs on a CPU.
//
// Law: a time is instructions that depend on each other, as many as took that time when the program began: who is interrupted has not
// worked meanwhile. It touches no memory.

import Dispatch
import Gauges
import HostedMachine

enum Work {
  /// Steps of a nanosecond: the greatest of several looks, since an interruption only makes a look slower.
  static let stepsPerNanosecond: Double = {
    var best = 0.0
    for _ in 0..<50 {
      let start = HostedMachine.now()
      steps(20_000)
      best = max(best, 20_000 / Double(HostedMachine.now() - start))
    }
    return best
  }()

  @inline(never) private static func steps(_ count: Int) {
    var state = UInt64(truncatingIfNeeded: count) | 1
    for _ in 0..<count { state = state &* 0x9e37_79b9_7f4a_7c15 ^ (state >> 29) }
    // Never so, and the compiler does not know.
    if state == 0 { fatalError() }
  }

  /// Works for so long.
  static func take(_ nanoseconds: Double) { steps(Int(nanoseconds * stepsPerNanosecond)) }

  /// How much more two processors do at once than one.
  static func parallelLimit(milliseconds: Int) throws -> Double {
    let time = UInt64(milliseconds) * 1_000_000
    @Sendable func count() -> Double {
      let end = HostedMachine.now() + time
      var count = 0.0
      while HostedMachine.now() < end {
        take(1_000)
        count += 1
      }
      return count
    }
    nonisolated(unsafe) let sums = UnsafeMutablePointer<Double>.allocate(capacity: 16)
    defer { sums.deallocate() }
    try together { sums[0] = count() }
    let one = sums[0]
    try together({ sums[0] = count() }, { sums[8] = count() })
    return (sums[0] + sums[8]) / one
  }
}

/// The end of something, once. Not for a CPU to wait for.
final class OneEnd: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  func signal() { semaphore.signal() }
  func wait() { semaphore.wait() }
}
