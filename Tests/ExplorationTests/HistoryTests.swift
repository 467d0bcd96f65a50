// Histories of operations against sequential specifications.

import SimulatedMachine
import SoftInterrupts
import Testing

@testable import Exploration

/// A queue of a capacity.
struct QueueSpecification: SequentialSpecification {
  enum Operation {
    case push(Int)
    case pop
  }
  enum Answer: Equatable {
    case pushed(Bool)
    case popped(Int?)
  }
  var capacity: Int
  var elements: [Int] = []

  init(capacity: Int) { self.capacity = capacity }

  mutating func apply(_ operation: Operation) -> Answer {
    switch operation {
    case .push(let element):
      if elements.count == capacity { return .pushed(false) }
      elements.append(element)
      return .pushed(true)
    case .pop: return .popped(elements.isEmpty ? nil : elements.removeFirst())
    }
  }
}

@Suite("Histories")
struct HistoryTests {
  /// A counter that is read and then written: in one section, or in two.
  static func queue(_ world: World, readsOutside: Bool) {
    let history = world.history("queue", QueueSpecification(capacity: 4))
    let elements = world.shared("elements", [Int]())
    for cpu in 0..<2 {
      world.base(on: cpu) { here in
        history.call(.push(cpu)) {
          if readsOutside {
            // What it has read is stale when it writes.
            var copy = here.raise(exactly: .softNet) { _ in elements.value }
            copy.append(cpu)
            here.raise(exactly: .softNet) { _ in elements.value = copy }
          } else {
            here.raise(exactly: .softNet) { _ in elements.value += [cpu] }
          }
          return .pushed(true)
        }
        history.call(.pop) {
          .popped(
            here.raise(exactly: .softNet) { _ in elements.value.isEmpty ? nil : elements.value.removeFirst() }
          )
        }
      }
    }
  }

  @Test("a queue whose operations are single sections is linearizable")
  func sections() throws {
    let exploration = try explore(cpus: 2, strategy: .exhaustive(preemptions: 2)) {
      Self.queue($0, readsOutside: false)
    }
    guard case .holds = exploration.verdict else {
      Issue.record("\(exploration)")
      return
    }
  }

  @Test("one that reads in one section and writes in another is not, and the shortest history says why")
  func stale() throws {
    let exploration = try explored(cpus: 2, .exhaustive(preemptions: 2)) {
      Self.queue($0, readsOutside: true)
    }
    let finding = try #require(exploration.finding)
    #expect(finding.rule == .notLinearizable)
    #expect(finding.message.contains("push(0)") && finding.message.contains("← up to here"), "\(finding)")
    #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("the ring of one producer and one consumer is a bounded queue, full and empty included")
  func ring() throws {
    let exploration = try explore(cpus: 2, strategy: .exhaustive(preemptions: 3)) { world in
      let ring = Ring<Int, SimulatedMachine>(capacity: 1)
      let history = world.history("ring", QueueSpecification(capacity: 1))
      world.base(on: 0) { _ in
        for element in 1...2 { history.call(.push(element)) { .pushed(ring.push(element)) } }
      }
      world.base(on: 1) { _ in
        for _ in 0..<2 { history.call(.pop) { .popped(ring.pop()) } }
      }
    }
    guard case .holds = exploration.verdict else {
      Issue.record("\(exploration)")
      return
    }
  }

  @Test("two producers of one ring are found: it has one")
  func twoProducers() throws {
    let exploration = try explored(cpus: 2, .exhaustive(preemptions: 2)) { world in
      let ring = Ring<Int, SimulatedMachine>(capacity: 2)
      let history = world.history("ring", QueueSpecification(capacity: 2))
      for cpu in 0..<2 {
        world.base(on: cpu) { _ in history.call(.push(cpu)) { .pushed(ring.push(cpu)) } }
      }
      world.finally {
        _ = history.call(.pop) { .popped(ring.pop()) }
        _ = history.call(.pop) { .popped(ring.pop()) }
        if let defect = history.defect() { world.fail(.notLinearizable, defect) }
      }
    }
    #expect(exploration.finding?.rule == .notLinearizable, "\(exploration)")
  }

  // MARK: The search itself

  private func history(_ calls: [(Int, Int?, QueueSpecification.Operation, QueueSpecification.Answer)]) throws
    -> History<QueueSpecification>
  {
    var made: History<QueueSpecification>?
    _ = try explored(.random(seed: 1, schedules: 1)) { world in
      let history = History(world, "queue", QueueSpecification(capacity: 2))
      history.entries = calls.map { .init(who: "x", operation: $2, called: $0, returned: $1, answer: $3) }
      made = history
    }
    return try #require(made)
  }

  @Test("who overlaps may come in either order, who does not may not")
  func order() throws {
    let overlapping = try history([
      (1, 4, .push(1), .pushed(true)), (2, 3, .pop, .popped(1)), (5, 6, .pop, .popped(nil)),
    ])
    #expect(overlapping.isLinearizable(until: .max))
    let apart = try history([(1, 2, .pop, .popped(1)), (3, 4, .push(1), .pushed(true))])
    #expect(!apart.isLinearizable(until: .max))
    // Its shortest part is the first operation alone.
    #expect(apart.isLinearizable(until: 1) && !apart.isLinearizable(until: 2))
  }

  @Test("who has not returned may have taken effect, or not")
  func pending() throws {
    for value in [1, nil] {
      let history = try history([(1, nil, .push(1), .pushed(true)), (2, 3, .pop, .popped(value))])
      #expect(history.isLinearizable(until: 3))
    }
    let history = try history([(1, nil, .push(1), .pushed(true)), (2, 3, .pop, .popped(2))])
    #expect(!history.isLinearizable(until: 3))
  }

  @Test("the search agrees with trying every order, on histories made at random", arguments: 0..<40)
  func exhaustively(_ seed: Int) throws {
    var random = Numbers(UInt64(seed))
    var agreed = 0
    for _ in 0..<25 {
      let count = 2 + random.below(4)
      var moments = Array(1...count * 2)
      for index in moments.indices.reversed() { moments.swapAt(index, random.below(index + 1)) }
      let calls = (0..<count).map {
        index -> (Int, Int?, QueueSpecification.Operation, QueueSpecification.Answer) in
        let (a, b) = (moments[index * 2], moments[index * 2 + 1])
        if random.below(2) == 0 {
          return (min(a, b), max(a, b), .push(random.below(2)), .pushed(random.below(6) > 0))
        }
        return (min(a, b), max(a, b), .pop, .popped([nil, 0, 1][random.below(3)]))
      }.sorted { $0.0 < $1.0 }
      let found = try history(calls).isLinearizable(until: .max)
      #expect(found == Self.someOrder(calls, [], QueueSpecification(capacity: 2)), "\(calls)")
      agreed += 1
    }
    #expect(agreed == 25)
  }

  private static func someOrder(
    _ calls: [(Int, Int?, QueueSpecification.Operation, QueueSpecification.Answer)], _ placed: Set<Int>,
    _ state: QueueSpecification
  ) -> Bool {
    if placed.count == calls.count { return true }
    for index in calls.indices where !placed.contains(index) {
      // Nobody who is left returned before it was called.
      if calls.indices.contains(where: {
        !placed.contains($0) && $0 != index && calls[$0].1! < calls[index].0
      }) {
        continue
      }
      var state = state
      if state.apply(calls[index].2) == calls[index].3,
        someOrder(calls, placed.union([index]), state)
      {
        return true
      }
    }
    return false
  }
}
