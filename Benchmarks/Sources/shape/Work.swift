// How much two processors do at once, and waiting for the end of what runs on a CPU.

import Dispatch
import Gauges
import HostedMachine

extension Work {
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
