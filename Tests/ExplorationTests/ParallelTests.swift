// Several threads explore what one does; and the parts of a search are put together, or refused.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Synchronization
import Testing

@Suite("Several jobs, and parts put together")
struct ParallelTests {
  static let adders = ReductionTests.programs[2].build

  @Test("jobs come to the sums of one thread at the same depth", arguments: [1, 2, 3])
  func jobs(_ jobs: Int) throws {
    for (cpus, recognition, strategy, program, depth) in [
      (1, Recognition.points, Strategy.exhaustive(), Self.adders, 4),
      (1, .points, .exhaustive(preemptions: 2), Self.adders, 5),
      (1, .anywhere, .exhaustive(), SmallProgram.looks, 9),
      (2, .points, .exhaustive(preemptions: 1), Scenario.schedules, 20),
      (1, .points, .random(seed: 4, schedules: 50), Self.adders, 0),
    ] {
      var explorer = Explorer(cpus: cpus, recognition: recognition, strategy: strategy)
      explorer.partition = Partition(depth: depth)
      let one = try explorer.explore(program)
      let all = try explorer.exploreInParallel(jobs: jobs, program)
      #expect(all.schedules == one.schedules && all.redundant == one.redundant && all.steps == one.steps)
      #expect(all.outcomes == one.outcomes && all.prefixes == one.prefixes && "\(all)" == "\(one)")
      #expect(all.passed == 0)
    }
  }

  @Test("jobs of a part come to that part")
  func part() throws {
    var explorer = Explorer(cpus: 1)
    for index in 0..<2 {
      explorer.partition = Partition(depth: 4, index: index, count: 2)
      let one = try explorer.explore(Self.adders)
      let all = try explorer.exploreInParallel(jobs: 2, Self.adders)
      #expect(all.schedules == one.schedules && all.redundant == one.redundant && all.passed == one.passed)
    }
  }

  @Test("without a depth one is found that has prefixes enough")
  func depth() throws {
    let explorer = Explorer(cpus: 2)
    let all = try explorer.exploreInParallel(jobs: 2, Scenario.raises)
    let depth = try explorer.splitDepth(Scenario.raises)
    #expect(all.partition == Partition(depth: depth))
    #expect(Set(all.outcomes.keys) == Set(try explorer.explore(Scenario.raises).outcomes.keys))
    #expect(try explorer.splitDepth(prefixes: 1, Scenario.raises) == 0)
  }

  @Test("the first violation ends all, an error too, and the limit and the progress")
  func ends() throws {
    var explorer = Explorer(cpus: 1)
    explorer.partition = Partition(depth: 3)
    let found = try explorer.exploreInParallel(jobs: 2) { world in
      let x = Place()
      for name in ["a", "b"] { world.visitor(name) { x.store(x.load() + 1) } }
      world.finally { world.expect(x.load() == 2) }
    }
    #expect(found.finding?.rule == .expectation && found.finding?.preemptions == 1)

    struct Refused: Error {}
    #expect(throws: Refused.self) { try explorer.exploreInParallel(jobs: 2) { _ in throw Refused() } }

    explorer.limits.schedules = 3
    let limited = try explorer.exploreInParallel(jobs: 2, Self.adders)
    guard case .bounded = limited.verdict else {
      Issue.record("\(limited)")
      return
    }
    explorer.limits.schedules = .max
    let told = Atomic<Int>(0)
    explorer.progressInterval = 2
    explorer.progress = { progress in
      told.wrappingAdd(1, ordering: .relaxed)
      return progress.checkpoint() == nil && progress.share >= 0 && progress.schedules < 4
    }
    let stopped = try explorer.exploreInParallel(jobs: 2, Self.adders)
    guard case .bounded = stopped.verdict else {
      Issue.record("\(stopped)")
      return
    }
    #expect(told.load(ordering: .relaxed) > 0)
  }

  @Test("parts put together are the whole; a set that is not complete is refused, and says what is missing")
  func merged() throws {
    var explorer = Explorer(cpus: 1)
    explorer.partition = Partition(depth: 4)
    let whole = try explorer.explore(Self.adders)
    let parts = try (0..<3).map { index in
      explorer.partition = Partition(depth: 4, index: index, count: 3)
      return try explorer.explore(Self.adders)
    }
    let sum = try Exploration.merged([parts[2], parts[0], parts[1]])
    #expect(sum.schedules == whole.schedules && sum.redundant == whole.redundant && sum.steps == whole.steps)
    #expect(sum.outcomes == whole.outcomes && "\(sum)" == "\(whole)" && sum.partition == whole.partition)
    #expect(sum.prefixes == whole.prefixes)

    #expect(throws: MergeError.nothing) { try Exploration.merged([]) }
    #expect(throws: MergeError.missing([1], of: 3)) { try Exploration.merged([parts[0], parts[2]]) }
    #expect(throws: MergeError.missing([0, 2], of: 3)) { try Exploration.merged([parts[1]]) }
    #expect(throws: MergeError.doubled([0])) {
      try Exploration.merged([parts[0], parts[1], parts[2], parts[0]])
    }
    #expect(MergeError.missing([0, 2], of: 3).description.contains("0, 2"))
    explorer.partition = nil
    let unsplit = try explorer.explore(Self.adders)
    #expect(throws: MergeError.noPart(0)) { try Exploration.merged([unsplit]) }
    explorer.partition = Partition(depth: 5, index: 1, count: 3)
    let deeper = try explorer.explore(Self.adders)
    #expect(throws: MergeError.another(1, "depth")) { try Exploration.merged([parts[0], deeper]) }
    explorer.partition = Partition(depth: 4, index: 1, count: 3)
    let other = try explorer.explore { world in for _ in 0..<3 { world.visitor {} } }
    #expect(throws: MergeError.self) { try Exploration.merged([parts[0], other, parts[2]]) }
    explorer.limits.schedules = 1
    var limited = parts
    limited[1] = try explorer.explore(Self.adders)
    guard case .bounded = try Exploration.merged(limited).verdict else {
      Issue.record("a part that was not complete makes a whole")
      return
    }
  }
}
