// Work that takes a time.
//
// Law: a time is instructions that depend on each other, as many as took that time when the program began: who is interrupted has not
// worked meanwhile. It touches no memory.

import HostedMachine

public enum Work {
  /// Steps of a nanosecond: the greatest of several looks, since an interruption only makes a look slower.
  public static let stepsPerNanosecond: Double = {
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
  public static func take(_ nanoseconds: Double) { steps(Int(nanoseconds * stepsPerNanosecond)) }
}
