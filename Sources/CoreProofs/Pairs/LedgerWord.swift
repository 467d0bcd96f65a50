// A word that makes an account visible to the reduction.
//
// Law: the explorer leaves out orders of steps that touch nothing in common, and what a check compares is plain memory that it does not
// see. So whoever changes an account writes the account's word, and whoever compares reads it. Relaxed: it orders nothing for
// the program, and hides no race.

import SimulatedMachine
import SoftInterrupts

final class LedgerWord {
  private let word: UnsafeMutablePointer<SimulatedWord>
  init() {
    word = .allocate(capacity: 1)
    word.initialize(to: SimulatedWord(0))
  }
  deinit { word.deallocate() }

  func changed() { _ = SimulatedWord.fetchAdd(word, 1, .relaxed) }
  func compared() { _ = SimulatedWord.load(word, .relaxed) }
}
