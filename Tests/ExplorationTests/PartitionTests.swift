// Parts of a search: together they are the search, however many they are.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

/// Small programs on the core, with interrupts anywhere, whose every choice can be tried.
enum SmallProgram {
  /// A device schedules a handler while base code looks twice at what it changes.
  static func looks(_ world: World) throws {
    let word = Place()
    nonisolated(unsafe) var seen: [UInt] = []
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in word.store(word.load() + 1) }
    world.base(on: 0) { _ in
      seen.append(word.load())
      seen.append(word.load())
    }
    world.device("card") { net.schedule(on: 0) }
    world.finally { world.outcome("\(seen) \(word.load())") }
  }

  /// A handler above base code that is raised in between.
  static func raises(_ world: World) throws {
    let word = Place()
    nonisolated(unsafe) var seen: [UInt] = []
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in word.add(1) }
    world.base(on: 0) { here in
      seen.append(word.load())
      here.mask(to: .softNet) { _ in seen.append(word.load()) }
      seen.append(word.load())
    }
    world.device("card") { net.schedule(on: 0) }
    world.finally { world.outcome("\(seen)") }
  }
}

@Suite("Parts of a search")
struct PartitionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var cpus = 1
    var recognition = Recognition.points
    var memory = MemoryModel.sequentiallyConsistent
    var strategy = Strategy.exhaustive()
    let depths: [Int]
    let program: @Sendable (World) throws -> Void
    var testDescription: String { "\(name), \(recognition), \(memory), \(strategy)" }
  }

  static let cases: [Case] =
    ReductionTests.programs.flatMap { program in
      [Strategy.exhaustive(), .exhaustive(preemptions: 1), .everyChoice(preemptions: 1)].map {
        Case(name: program.name, strategy: $0, depths: [0, 1, 3, 7, 100], program: program.build)
      }
    } + [
      Case(
        name: "looks", recognition: .anywhere, depths: [0, 4, 9, 15], program: SmallProgram.looks),
      Case(
        name: "looks", recognition: .anywhere, strategy: .exhaustive(preemptions: 1), depths: [0, 7],
        program: SmallProgram.looks),
      Case(name: "raises", recognition: .anywhere, depths: [0, 6, 12], program: SmallProgram.raises),
      Case(name: "two raises", cpus: 2, depths: [0, 5, 10], program: Scenario.raises),
      Case(
        name: "message passing", memory: .rc11, strategy: .everyChoice(), depths: [0, 2, 5],
        program: { world in
          let (x, y) = (Place(), Place())
          nonisolated(unsafe) var seen: [UInt] = []
          world.visitor("w") {
            x.store(1, .relaxed)
            y.store(1, .release)
          }
          world.visitor("r") {
            seen.append(y.load(.acquire))
            seen.append(x.load(.relaxed))
          }
          world.finally { world.outcome("\(seen)") }
        }),
    ]

  @Test("the sums are the same for every number of parts", arguments: cases)
  func sums(_ test: Case) throws {
    var explorer = Explorer(
      cpus: test.cpus, recognition: test.recognition, memory: test.memory, strategy: test.strategy,
      limits: Limits(schedules: 100_000))
    let plain = try explorer.explore(test.program)
    guard case .holds = plain.verdict else {
      Issue.record("\(plain)")
      return
    }
    for depth in test.depths {
      explorer.partition = Partition(depth: depth)
      let whole = try explorer.explore(test.program)
      guard case .holds = whole.verdict else {
        Issue.record("depth \(depth): \(whole)")
        continue
      }
      #expect(Set(whole.outcomes.keys) == Set(plain.outcomes.keys), "depth \(depth)")
      if depth == 0 { #expect(whole.schedules == plain.schedules && whole.prefixes == 1) }
      for count in [2, 3, 5] {
        let parts = try (0..<count).map { index in
          explorer.partition = Partition(depth: depth, index: index, count: count)
          return try explorer.explore(test.program)
        }
        #expect(parts.map(\.schedules).reduce(0, +) == whole.schedules, "depth \(depth), \(count) parts")
        #expect(parts.map(\.redundant).reduce(0, +) == whole.redundant, "depth \(depth), \(count) parts")
        #expect(parts.map(\.steps).reduce(0, +) == whole.steps, "depth \(depth), \(count) parts")
        #expect(parts.allSatisfy { $0.prefixes == whole.prefixes })
        var outcomes: [String: Int] = [:]
        for part in parts { outcomes.merge(part.outcomes, uniquingKeysWith: +) }
        #expect(outcomes == whole.outcomes, "depth \(depth), \(count) parts")
      }
    }
  }

  @Test("what a split finds with interrupts anywhere is what every choice finds", arguments: [0, 5, 11])
  func everyChoice(_ depth: Int) throws {
    for program in [SmallProgram.looks, SmallProgram.raises] {
      var explorer = Explorer(
        cpus: 1, recognition: .anywhere, strategy: .everyChoice(preemptions: 2),
        limits: Limits(schedules: 400_000))
      let every = try explorer.explore(program)
      explorer.strategy = .exhaustive(preemptions: 2)
      explorer.partition = Partition(depth: depth)
      let bounded = try explorer.explore(program)
      explorer.strategy = .exhaustive()
      let all = try explorer.explore(program)
      guard case (.holds, .holds, .holds) = (every.verdict, bounded.verdict, all.verdict) else {
        Issue.record("\(every) \(bounded) \(all)")
        return
      }
      #expect(Set(bounded.outcomes.keys) == Set(every.outcomes.keys))
      #expect(Set(all.outcomes.keys).isSuperset(of: every.outcomes.keys))
    }
  }

  @Test("parts of a sample are the sample")
  func samples() throws {
    var explorer = Explorer(cpus: 2, strategy: .random(seed: 5, schedules: 100))
    let program = ReductionTests.programs[2].build
    let whole = try explorer.explore(program)
    for count in [1, 3, 7] {
      var outcomes: [String: Int] = [:]
      for index in 0..<count {
        explorer.partition = Partition(depth: 0, index: index, count: count)
        outcomes.merge(try explorer.explore(program).outcomes, uniquingKeysWith: +)
      }
      #expect(outcomes == whole.outcomes)
    }
  }

  @Test("a violation is found in some part")
  func violation() throws {
    var explorer = Explorer(cpus: 1)
    let findings = try (0..<3).compactMap { index in
      explorer.partition = Partition(depth: 3, index: index, count: 3)
      return try explorer.explore { world in
        let x = Place()
        for name in ["a", "b"] { world.visitor(name) { x.store(x.load() + 1) } }
        world.finally { world.expect(x.load() == 2) }
      }.finding
    }
    #expect(!findings.isEmpty)
  }

  @Test("a part that is none is refused", arguments: [(-1, 0, 1), (3, 2, 2), (3, -1, 2), (3, 0, 0)])
  func refused(_ part: (depth: Int, index: Int, count: Int)) {
    var explorer = Explorer(cpus: 1)
    explorer.partition = Partition(depth: part.depth, index: part.index, count: part.count)
    #expect(throws: SearchError.self) { try explorer.explore { _ in } }
  }

  @Test("a program that does something else in the same schedule is an error, not a trap")
  func different() {
    nonisolated(unsafe) var runs = 0
    #expect(throws: SearchError.self) {
      try Explorer(cpus: 1).explore { world in
        runs += 1
        let x = Place()
        for _ in 0..<(runs % 3 == 0 ? 1 : 2) { world.visitor { x.store(x.load() + 1) } }
      }
    }
  }
}
