// Public operations beside each other: the pairs that found defects.
//
// The whole matrix is `prove pairs` in a release build.

import CoreProofs
import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

/// A company by its operations' names.
func company(_ names: String..., recognition: Recognition = .points) -> Company {
  Company(
    names.map { name in PublicOperation.all.first { $0.name == name }! }, recognition)
}

@Suite("Pairs")
struct PairTests {
  /// What broke the core before it was mended, each with the bound at which it did.
  static let mended: [(company: Company, preemptions: Int)] = [
    // A schedule in flight while its handler ends was accepted, and neither run nor counted.
    (company("schedule()", "disestablish"), 1),
    (company("visitor: schedule(on:)", "visitor: disestablish"), 2),
    // `here.retire()` in a callout's body ended the core's own handler of all callouts of the level.
    (company("a body arms itself, without a guard", "here.retire() in a callout's body"), 0),
    // A CPU that was put back before who took it offline had looked: that one waited for ever.
    (company("offline", "offline, online"), 0),
    // Base code that was accepted in between stayed in the queue of a CPU that had gone.
    (company("visitor: submit twice", "offline"), 2),
  ]

  @Test("what was mended holds, every schedule up to the bound at which it broke", arguments: mended)
  func holds(_ test: (company: Company, preemptions: Int)) throws {
    let exploration = try test.company.proof(preemptions: test.preemptions).explore()
    guard case .holds = exploration.verdict else {
      Issue.record("\(test.company): \(exploration)")
      return
    }
  }

}
