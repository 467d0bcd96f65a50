// Samples of schedules, by a seed: for what is too large to be explored.

import SimulatedMachine

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  /// Below `bound`, which is small: the bias of the remainder is below 2^-57.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// A strategy that samples: each schedule has a number, and numbers of its own to be chosen with. So a sample can be split, and gone
/// on with, by the numbers of its schedules alone.
class Sampler: Watcher {
  private let seed: UInt64
  /// Of the schedule that is run next.
  final var number = 0
  @exclusivity(unchecked) final var random = SeededGenerator(0)

  init(seed: UInt64) {
    self.seed = seed
    super.init()
  }

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    super.begin(machine, system)
    var mix = SeededGenerator(UInt64(truncatingIfNeeded: number))
    random = SeededGenerator(seed ^ mix.next())
  }

  override func chooseOption(_ machine: SimulatedMachine, _ count: Int) -> Int { random.below(count) }
}

/// Each choice equally likely.
final class RandomPilot: Sampler {
  override func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    var skip = random.below(enabled.nonzeroBitCount)
    var left = enabled
    while skip > 0 {
      left.remove(left.first)
      skip -= 1
    }
    return left.first
  }
}

/// Probabilistic concurrency testing (Burckhardt et al. 2010): the highest priority that can go on does; at `depth − 1` steps,
/// chosen at random among as many as the longest run so far had, the running process falls below all others.
final class PriorityPilot: Sampler {
  private let depth: Int
  /// Of the longest run so far, in steps; the last one's are not counted in before the next begins.
  var length = 100
  var longest: Int { max(length, step) }
  private var priorities: [Int] = []
  private var changes: [Int] = []
  private var lowest = 0

  init(seed: UInt64, depth: Int) {
    self.depth = depth
    super.init(seed: seed)
  }

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    length = longest
    super.begin(machine, system)
    priorities = []
    lowest = 0
    changes = (1..<max(depth, 1)).map { _ in random.below(length) }
  }

  override func choose(_ machine: SimulatedMachine, running: Int, _ enabled: ProcessSet) -> Int {
    while priorities.count < machine.processCount { priorities.append(1 + random.below(1 << 30)) }
    if changes.contains(step), let top = highest(enabled) {
      lowest -= 1
      priorities[top] = lowest
    }
    let next = highest(enabled)!
    // A process that spins gives way, or a waiter of high priority would keep who it waits for from running.
    if machine.pending(next).kind == .pause {
      lowest -= 1
      priorities[next] = lowest
    }
    return next
  }

  private func highest(_ enabled: ProcessSet) -> Int? {
    var best: Int?
    var left = enabled
    while left != 0 {
      let process = left.first
      left.remove(process)
      if best == nil || priorities[process] > priorities[best!] { best = process }
    }
    return best
  }
}
