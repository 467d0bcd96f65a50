// A search that stops and is gone on with comes to what one comes to that did not stop.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("Checkpoints and progress")
struct ResumeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var cpus = 1
    var recognition = Recognition.points
    var memory = MemoryModel.sequentiallyConsistent
    var strategy = Strategy.exhaustive()
    var partition: Partition?
    let program: @Sendable (World) throws -> Void
    var testDescription: String { "\(name), \(strategy), \(partition?.description ?? "all")" }
    var explorer: Explorer {
      var explorer = Explorer(cpus: cpus, recognition: recognition, memory: memory, strategy: strategy)
      explorer.partition = partition
      return explorer
    }
  }

  static let adders = ReductionTests.programs[2].build
  static let cases: [Case] = [
    Case(name: "adders", program: adders),
    Case(name: "adders", strategy: .exhaustive(preemptions: 2), program: adders),
    Case(name: "adders", strategy: .everyChoice(preemptions: 1), program: adders),
    Case(name: "adders", memory: .rc11, strategy: .everyChoice(preemptions: 0), program: adders),
    Case(name: "adders", partition: Partition(depth: 4, index: 1, count: 3), program: adders),
    Case(name: "adders", partition: Partition(depth: 0, index: 0, count: 1), program: adders),
    Case(name: "adders", partition: Partition(depth: 50, index: 2, count: 3), program: adders),
    Case(name: "adders", strategy: .random(seed: 3, schedules: 40), program: adders),
    Case(
      name: "adders", strategy: .random(seed: 3, schedules: 40),
      partition: Partition(depth: 0, index: 1, count: 3), program: adders),
    Case(name: "raises", cpus: 2, strategy: .priorities(seed: 3, schedules: 40), program: Scenario.raises),
    Case(name: "looks", recognition: .anywhere, program: SmallProgram.looks),
    Case(name: "spins", program: ReductionTests.programs[5].build),
  ]

  static func expectSame(_ a: Exploration, _ b: Exploration, _ comment: Comment) {
    #expect(a.schedules == b.schedules && a.redundant == b.redundant && a.steps == b.steps, comment)
    #expect(a.outcomes == b.outcomes && a.passed == b.passed && a.prefixes == b.prefixes, comment)
    #expect("\(a)" == "\(b)" && a.checkpoint == b.checkpoint, comment)
  }

  @Test("stopped after each number of runs, and gone on with", arguments: cases)
  func stops(_ test: Case) throws {
    let whole = try test.explorer.explore(test.program)
    let runs = whole.schedules + whole.redundant
    #expect(runs > 3)
    for limit in [1, 2, 3, 4, 5, 7, 11, 13, runs - 1] where limit < runs && limit > 0 {
      var explorer = test.explorer
      explorer.limits.schedules = limit
      let first = try explorer.explore(test.program)
      // The last runs may all be others' prefixes.
      guard let text = first.checkpoint else {
        Self.expectSame(first, whole, "ended by itself at \(limit)")
        continue
      }
      #expect(text.split(whereSeparator: \.isNewline).count == 1)
      Self.expectSame(try test.explorer.explore(resuming: text, test.program), whole, "after \(limit)")
      Self.expectSame(try test.explorer.explore(resuming: text + "\n", test.program), whole, "saved by lines")
    }
    // One run at a time, each from the last one's text.
    var explorer = test.explorer
    explorer.limits.schedules = 1
    var last = try explorer.explore(test.program)
    while let text = last.checkpoint, explorer.limits.schedules < 60 {
      explorer.limits.schedules += 1
      last = try explorer.explore(resuming: text, test.program)
    }
    explorer.limits.schedules = .max
    if let text = last.checkpoint { last = try explorer.explore(resuming: text, test.program) }
    Self.expectSame(last, whole, "one at a time")
  }

  @Test("a text that is cut, changed, foreign or another search's is refused and says so")
  func refused() throws {
    var explorer = Explorer(cpus: 1, limits: Limits(schedules: 3))
    let text = try #require(try explorer.explore(Self.adders).checkpoint)
    explorer.limits.schedules = .max
    for wrong in ["", "x", "softint-search/2" + text.dropFirst(16), "{}"] {
      #expect(throws: CheckpointError.foreign) { try explorer.explore(resuming: wrong, Self.adders) }
    }
    let bytes = Array(text.utf8)
    for place in bytes.indices.dropFirst(16) {
      var changed = bytes
      changed[place] ^= 1
      #expect(throws: CheckpointError.self) {
        try explorer.explore(resuming: String(decoding: changed, as: UTF8.self), Self.adders)
      }
      #expect(throws: CheckpointError.self) {
        try explorer.explore(
          resuming: String(decoding: bytes[..<place], as: UTF8.self), Self.adders)
      }
    }
    explorer.strategy = .exhaustive(preemptions: 2)
    #expect(throws: CheckpointError.another("strategy")) {
      try explorer.explore(resuming: text, Self.adders)
    }
    explorer.strategy = .exhaustive()
    explorer.cpus = 2
    #expect(throws: CheckpointError.another("cpus")) { try explorer.explore(resuming: text, Self.adders) }
  }

  @Test("gone on with another program it is an error, not a trap")
  func anotherProgram() throws {
    var explorer = Explorer(cpus: 1, limits: Limits(schedules: 3))
    let text = try #require(try explorer.explore(Self.adders).checkpoint)
    explorer.limits.schedules = .max
    for other in [ReductionTests.programs[0].build, { world in world.visitor {} }, { _ in }] {
      #expect(throws: SearchError.self) { try explorer.explore(resuming: text, other) }
    }
  }

  @Test("progress can stop a search, and its text is where it stopped")
  func progress() throws {
    let whole = try Explorer(cpus: 1).explore(Self.adders)
    var explorer = Explorer(cpus: 1)
    explorer.progressInterval = 1
    nonisolated(unsafe) var seen: [String] = []
    explorer.progress = { progress in
      seen.append(progress.checkpoint() ?? "")
      return progress.schedules < 5
    }
    let part = try explorer.explore(Self.adders)
    guard case .bounded = part.verdict else {
      Issue.record("\(part)")
      return
    }
    #expect(part.schedules == 5 && part.checkpoint == seen.last)
    explorer.progress = nil
    for text in seen {
      let again = try explorer.explore(resuming: text, Self.adders)
      Self.expectSame(again, whole, "\(text)")
    }
  }

  @Test("the estimate is exact for a tree whose subtrees are equal, and grows where every choice is tried")
  func share() throws {
    // Two processes of one operation each between start and end: every choice is tried.
    var explorer = Explorer(cpus: 1, strategy: .everyChoice())
    explorer.progressInterval = 1
    nonisolated(unsafe) var shares: [Double] = []
    explorer.progress = {
      shares.append($0.share)
      return true
    }
    let all = try explorer.explore { world in for _ in 0..<2 { world.visitor { SimulatedMachine.point() } } }
    #expect(shares.count == all.schedules - 1)
    #expect(shares == shares.sorted() && Set(shares).count == shares.count)
    #expect(shares.allSatisfy { $0 > 0 && $0 < 1 })
    // By symmetry half is done when the second process is about to be first.
    #expect(shares[all.schedules / 2 - 1] == 0.5)

    explorer.strategy = .random(seed: 1, schedules: 4)
    shares = []
    _ = try explorer.explore(Self.adders)
    #expect(shares == [0.25, 0.5, 0.75, 1])
  }
}
