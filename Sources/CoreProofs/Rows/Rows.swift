// What has gone wrong in other systems, row by row: small programs in which it would go wrong here, if a rule were missing.
//
// Law: a row's name begins with the hazard's number. It holds under every schedule of its strategy; each of its mutants is found by the
// same program; each of its wrong programs is reported. What two processes share is a word or declared data: a plain variable is
// invisible to the reduction, so only one CPU or the end of the run looks at one.

import Exploration
import SimulatedMachine
import SoftInterrupts

/// The rows.
public enum Rows {
  /// By number.
  public static let all: [Proof] = {
    let groups = [gates, waits, bigLock, handlers, marks, callouts, data, programs, systems]
    let numbered = groups.joined().enumerated().map { place, row in
      (number: Int(row.name.dropFirst().prefix { $0.isNumber }) ?? 0, place: place, row: row)
    }
    return numbered.sorted { ($0.number, $0.place) < ($1.number, $1.place) }.map(\.row)
  }()

  /// A word that orders nothing: its operations are relaxed.
  final class Flag: @unchecked Sendable {
    // Sendable: the machine runs one process at a time.
    let word: UnsafeMutablePointer<SimulatedWord>
    init(_ value: UInt = 0) {
      word = .allocate(capacity: 1)
      word.initialize(to: SimulatedWord(value))
    }
    deinit { word.deallocate() }

    var value: UInt {
      get { SimulatedWord.load(word, .relaxed) }
      set { SimulatedWord.store(word, newValue, .relaxed) }
    }
    @discardableResult func add(_ step: Int) -> Int {
      Int(bitPattern: SimulatedWord.fetchAdd(word, UInt(bitPattern: step), .relaxed)) + step
    }
    /// Spins until the word is set.
    func await() {
      var round = 0
      while value == 0 {
        SimulatedMachine.pause(round)
        round += 1
      }
    }
  }

  /// Every waiter is overdue at once, so gates are handed over.
  static var overdueAtOnce: Configuration {
    var configuration = Configuration.exploration
    configuration.handOffAfter = 0
    return configuration
  }

  /// A CPU as the core sees it now: read where it stands, without a step of its own.
  static func view(_ world: World, _ cpu: Int) -> AgentView<SimulatedMachine>? {
    world.machine.current(cpu).flatMap { InterruptSystem<SimulatedMachine>.view(of: $0) }
  }

  typealias Place = Here<SimulatedMachine>
}
