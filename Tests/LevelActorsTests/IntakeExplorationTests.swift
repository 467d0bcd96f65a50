// The intake of a level under every schedule of small programs: what is accepted is taken in order, and who was refused hears of room.
//
// A thread stands for the event loop: it has two sources, waits for nothing but to be told, and keeps what was refused.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

enum IntakeProgram {
  /// - Parameter budget: how many elements one run of the handler takes.
  static func flow(_ world: World, capacity: Int, budget: Int, sources: [[Int]]) throws {
    let intake = Intake<Int, SimulatedMachine>(capacity: capacity)
    let ran = world.shared("ran", guard: .softNet, [Int]())
    let written = Dictionary(
      uniqueKeysWithValues: sources.joined().map { ($0, world.shared("element \($0)", false)) })
    let told = UnsafeMutablePointer<SimulatedWord>.allocate(capacity: 1)
    told.initialize(to: SimulatedWord(0))
    var handler: Handler<SimulatedMachine>?
    handler = try world.system.establish("level", at: .softNet, as: .ordered) { _ in
      var left = budget
      while left > 0, let element = intake.take() {
        left -= 1
        world.expect(written[element]!.value, "element \(element) was taken before it was written")
        ran.value.append(element)
      }
      if intake.giveBack() {
        world.expect(SimulatedWord.exchange(told, 1, .acquireRelease) == 0, "told twice")
      }
      if left == 0 && !intake.isEmpty { handler?.schedule(on: 0) }
    }
    world.visitor("event loop") {
      var sources = sources
      while sources.contains(where: { !$0.isEmpty }) {
        var isRefused = false
        for index in sources.indices {
          guard let element = sources[index].first else { continue }
          written[element]!.value = true
          if intake.offer(element) {
            sources[index].removeFirst()
          } else {
            // Who is refused has the level look, as what fills the intake may not have been asked for yet.
            isRefused = true
            handler?.schedule(on: 0)
          }
        }
        handler?.schedule(on: 0)
        guard isRefused else { continue }
        var round = 0
        while SimulatedWord.exchange(told, 0, .acquireRelease) == 0 {
          SimulatedMachine.pause(round)
          round += 1
        }
        intake.goOn()
      }
    }
    world.finally {
      world.expect(ran.value.sorted() == sources.joined().sorted(), "ran: \(ran.value)")
      for source in sources {
        let mine = ran.value.filter { source.contains($0) }
        world.expect(mine == source, "ran: \(ran.value)")
      }
      told.deallocate()
    }
  }

  static func narrow(_ world: World) throws {
    try flow(world, capacity: 1, budget: 1, sources: [[1, 2, 3]])
  }
  static func sources(_ world: World) throws {
    try flow(world, capacity: 1, budget: 1, sources: [[1, 2], [3], [4]])
  }
  static func batches(_ world: World) throws {
    try flow(world, capacity: 2, budget: 2, sources: [[1, 2, 3], [4, 5]])
  }

  /// Posts of a handler, of base code on the other CPU and of a thread; who finds the box empty asks the one consumer, which takes all.
  static func outbox(_ world: World) throws {
    let box = Outbox<Int, SimulatedMachine>()
    let taken = world.shared("taken", [Int]())
    let written = (0...4).map { world.shared("element \($0)", false) }
    let asked = UnsafeMutablePointer<SimulatedWord>.allocate(capacity: 1)
    asked.initialize(to: SimulatedWord(0))
    let post = { (element: Int) in
      written[element].value = true
      if case .first = box.post(element) { _ = SimulatedWord.fetchAdd(asked, 1, .release) }
    }
    let handler = try world.system.establish("level", at: .softNet, as: .ordered) { _ in post(3) }
    world.base(on: 1) { _ in
      post(1)
      post(2)
    }
    world.base(on: 0) { _ in handler.schedule() }
    world.visitor("writer") { post(4) }
    world.visitor("event loop") {
      var seen: UInt = 0
      while taken.value.count < 4 {
        var round = 0
        // It looks only when it is asked: an element that nobody asks for keeps it waiting for ever.
        while SimulatedWord.load(asked, .acquire) == seen {
          SimulatedMachine.pause(round)
          round += 1
        }
        seen += 1
        box.takeAll { element in
          world.expect(written[element].value, "element \(element) was taken before it was written")
          taken.value.append(element)
        }
      }
    }
    world.finally {
      world.expect(taken.value.sorted() == [1, 2, 3, 4] && taken.value.filter { $0 < 3 } == [1, 2])
      asked.deallocate()
    }
  }

  /// The box is closed at any moment of the posts: each element is taken once, by the consumer or by who found the box closed.
  static func closing(_ world: World) throws {
    let box = Outbox<Int, SimulatedMachine>()
    let taken = (0...3).map { world.shared("taken \($0)", 0) }
    let written = (0...3).map { world.shared("element \($0)", false) }
    let take = {
      box.takeAll { element in
        world.expect(written[element].value, "element \(element) was taken before it was written")
        taken[element].value += 1
      }
    }
    let post = { (element: Int) in
      written[element].value = true
      if case .closed = box.post(element) { take() }
    }
    world.visitor("writer") {
      post(1)
      post(2)
    }
    world.device("another") { post(3) }
    world.visitor("event loop") {
      take()
      box.close()
      take()
    }
    world.finally { world.expect(taken.map(\.value) == [0, 1, 1, 1], "taken: \(taken.map(\.value))") }
  }
}

@Suite struct IntakeExplorationTests {
  static let programs: [(name: String, preemptions: Int, program: @Sendable (World) throws -> Void)] = [
    ("narrow", 3, IntakeProgram.narrow), ("sources", 2, IntakeProgram.sources),
    ("batches", 2, IntakeProgram.batches), ("outbox", 2, IntakeProgram.outbox),
    ("closing", 3, IntakeProgram.closing),
  ]

  @Test(arguments: programs.map(\.name)) func holds(name: String) throws {
    let test = try #require(Self.programs.first { $0.name == name })
    let result = try QueueExplorationTests.explorer(test.preemptions).explore(test.program)
    guard case .holds = result.verdict else {
      Issue.record("\(name): \(result)")
      return
    }
    print("\(name): \(result)")
  }
}
