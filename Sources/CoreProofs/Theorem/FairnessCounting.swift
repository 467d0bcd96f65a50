// What the bounds of fairness are counted with.
//
// Law: it looks at the system from outside and changes nothing of it; a count is kept for one run.

import Exploration
import SimulatedMachine
import SoftInterrupts

/// The worst that was counted in one run.
final class Worst: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  var count = 0
  func see(_ value: Int) { count = max(count, value) }
}

/// Counts, for each waiter of a gate, the tenures of others that begin while it waits.
final class Overtakings {
  private var counts: [UnsafeMutableRawPointer: Int] = [:]

  /// `isCounted` says whether a waiter, by its agent, counts.
  init(
    _ world: World, _ gate: Level, _ worst: Worst,
    isCounted: @escaping (UnsafeMutableRawPointer) -> Bool = { _ in true }
  ) {
    let (machine, system) = (world.machine, world.system)
    world.onTenure { [self] level, process, isAskedFor in
      guard level == gate, let owner = machine.current(process) else { return }
      if let count = counts.removeValue(forKey: owner) { if isCounted(owner) { worst.see(count) } }
      for waiter in system.waiters(at: gate) where waiter != owner {
        counts[waiter, default: 0] += isAskedFor ? 1 : 0
        if isCounted(waiter) { worst.see(counts[waiter]!) }
      }
    }
  }
}

/// A word for programs that wait for each other by spinning.
final class Flag: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  private let word: UnsafeMutablePointer<SimulatedWord>
  init() {
    word = .allocate(capacity: 1)
    word.initialize(to: SimulatedWord(0))
  }
  deinit { word.deallocate() }
  func set() { SimulatedWord.store(word, 1, .release) }
  func wait() {
    var round = 0
    while SimulatedWord.load(word, .acquire) == 0 {
      SimulatedMachine.pause(round)
      round += 1
    }
  }
}

/// Counts runs in one tenure of a gate.
final class Runs: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  private var count = 0
  init(_ world: World, _ gate: Level) {
    world.onTenure { [self] level, _, _ in if level == gate { count = 0 } }
  }
  func another() -> Int {
    count += 1
    return count
  }
}
