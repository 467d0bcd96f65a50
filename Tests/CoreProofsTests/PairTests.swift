// Public operations beside each other: the part of the matrix that a debug build can run, and the pairs that found defects.
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

  /// What changes the most under others' feet.
  static let disturbers = ["disestablish", "setWay .mpSafe", "retire", "offline", "shutdown()"]

  @Test("every operation beside those that disturb: all schedules without preemptions", arguments: disturbers)
  func disturbed(_ name: String) throws {
    for operation in PublicOperation.all {
      let company = Company([operation, company(name).operations[0]], .points)
      let verdict = try company.explore(Depth(preemptions: 0, limit: 200, triesMore: false))
      if let finding = verdict.finding { Issue.record("\(company): \(finding)") }
    }
  }

  @Test("every operation beside itself: with one preemption")
  func withItself() throws {
    for operation in PublicOperation.all {
      let company = Company([operation, operation], .points)
      let verdict = try company.explore(Depth(preemptions: 1, limit: 200, triesMore: false))
      if let finding = verdict.finding { Issue.record("\(company): \(finding)") }
    }
  }

  @Test("a company's replay string gives its story again, and its bound is told as it was run")
  func tells() throws {
    let pair = company("raise(to:)", "raise(to:)")
    #expect(try pair.explore(Depth(preemptions: 0)).bound != "none")
    #expect(try pair.explore(Depth(preemptions: 2, limit: 3)).bound.hasSuffix("then 3"))
    #expect(try pair.replay("p") == nil)
  }
}
