// The queue of a level and the word of a sequence, under every schedule of small programs; and the defects that these find.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter ActorMutantTests
//
// Real jobs of the runtime run here too, but switched between at their boundaries only: while one runs, nothing of the machine is asked.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

/// An item with a number.
struct Item: Linked {
  let memory: UnsafeMutablePointer<(link: UInt, number: Int)>
  init(_ number: Int) {
    memory = .allocate(capacity: 1)
    memory.initialize(to: (0, number))
  }
  init(bits: UInt) { memory = .init(bitPattern: bits)! }
  var bits: UInt { UInt(bitPattern: memory) }
  var link: UnsafeMutablePointer<UInt> {
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt.self)
  }
  var number: Int { memory.pointee.number }
}

/// The items of a program by their numbers, made before it and given back after: a list's head is compared by its address, and whether one
/// comes back while the program runs would depend on what else the process allocates. Whoever may still take one holds them.
final class Items {
  let all: [Int: Item]
  init(_ numbers: some Sequence<Int>) {
    all = Dictionary(uniqueKeysWithValues: numbers.map { ($0, Item($0)) })
  }
  deinit { for item in all.values { item.memory.deallocate() } }
}

enum QueueProgram {
  typealias Queue = LevelQueue<SimulatedMachine, Item>

  /// A queue whose items note their numbers, and what is checked of it: each ran once, those of a producer in order, and what a
  /// producer wrote before its push is seen.
  static func queue(
    _ world: World, budget: Int, producers: [[Int]], tellsAtEnd: Bool = true
  ) throws -> (Queue, push: (Int) -> Void, prepare: (Int) -> Item, late: () -> Void) {
    let queue = Queue(world.system, at: .softNet, home: 0, budget: budget)
    let ran = world.shared("ran", guard: .softNet, [Int]())
    let written = Dictionary(
      uniqueKeysWithValues: producers.joined().map { ($0, world.shared("item \($0)", false)) })
    let items = Items(producers.joined())
    let prepare = { (number: Int) in
      written[number]!.value = true
      return items.all[number]!
    }
    let perform = { (item: Item) in
      defer { withExtendedLifetime(items) {} }
      let number = item.number
      world.expect(written[number]!.value, "item \(number) ran before it was written")
      ran.value.append(number)
    }
    nonisolated(unsafe) let late = {
      var round = 0
      while !queue.runLate(perform) {
        SimulatedMachine.pause(round)
        round += 1
      }
    }
    let end = HandlerEnd { if tellsAtEnd { late() } }
    queue.handler = try world.system.establish("actors", at: .softNet, as: .ordered, .anywhere) { here in
      if !queue.run(here, perform) { late() }
      withExtendedLifetime(end) {}
    }
    world.finally {
      world.expect(ran.value.sorted() == producers.joined().sorted(), "ran: \(ran.value)")
      for producer in producers {
        let mine = ran.value.filter { producer.contains($0) }
        world.expect(mine == producer, "ran: \(ran.value)")
      }
    }
    return (
      queue,
      { number in
        if !queue.push(prepare(number)) { late() }
      }, prepare, late
    )
  }

  /// Base code, a device and a thread enqueue; a run takes one item, so each leaves something.
  static func producers(_ world: World) throws {
    let (_, push, _, _) = try queue(world, budget: 1, producers: [[1, 2], [3], [4]])
    world.base(on: 1) { _ in
      push(1)
      push(2)
    }
    world.device { push(3) }
    world.visitor { push(4) }
  }

  /// Two producers of two items, a budget of two: what a run leaves, and what is pushed meanwhile, are asked for by one mark.
  static func batches(_ world: World) throws {
    let (_, push, _, _) = try queue(world, budget: 2, producers: [[1, 2, 3], [4]])
    world.visitor("first") { for number in 1...3 { push(number) } }
    world.visitor("second") { push(4) }
  }

  /// Somebody holds the gate and enqueues under it; a handler above enqueues too.
  static func underTheGate(_ world: World) throws {
    let (_, push, _, _) = try queue(world, budget: 1, producers: [[1], [2], [3]])
    let above = try world.handler("above", at: .softSerial, as: .ordered) { _ in push(2) }
    world.base(on: 0) { here in
      above.schedule()
      here.raise(exactly: .softNet) { _ in push(1) }
    }
    world.visitor { push(3) }
  }

  /// A shutdown without grace, at any moment of the pushes. Who is refused asks a thread of the pool's to look, as `AfterHours` does.
  static func shutdown(_ world: World, tellsAtEnd: Bool) throws {
    let (queue, _, prepare, late) = try queue(
      world, budget: 1, producers: [[1, 2]], tellsAtEnd: tellsAtEnd)
    let asked = UnsafeMutablePointer<SimulatedWord>.allocate(capacity: 1)
    asked.initialize(to: SimulatedWord(0))
    world.device("producer") {
      let isRefused = [1, 2].map { queue.push(prepare($0)) }.contains(false)
      SimulatedWord.store(asked, isRefused ? 2 : 1, .release)
    }
    world.visitor("pool") {
      var round = 0
      while SimulatedWord.load(asked, .acquire) == 0 {
        SimulatedMachine.pause(round)
        round += 1
      }
      if SimulatedWord.load(asked, .acquire) == 2 { late() }
    }
    world.visitor("stopper") { world.shutdown(grace: .zero) }
    world.finally { asked.deallocate() }
  }

  static func shutdown(_ world: World) throws { try shutdown(world, tellsAtEnd: true) }
  static func silentShutdown(_ world: World) throws { try shutdown(world, tellsAtEnd: false) }

  /// Real tasks, each of one job, made by base code and by a device.
  static func tasks(_ world: World) throws {
    let queue = LevelQueue<SimulatedMachine, UnownedJob>(world.system, at: .softNet, home: 0, budget: 1)
    let executor = SimulatedExecutor(queue)
    let ran = world.shared("ran", guard: .softNet, [Int]())
    // Written by jobs, in which nothing of the machine is asked; looked at between them.
    let noted = Noted()
    queue.handler = try world.system.establish("actors", at: .softNet, as: .ordered, .anywhere) { here in
      _ = queue.run(here) { job in
        job.runSynchronously(on: executor.asUnownedTaskExecutor())
        ran.value = noted.numbers
      }
    }
    let make = { (number: Int) in
      _ = Task(executorPreference: executor) { noted.numbers.append(number) }
    }
    world.base(on: 1) { _ in
      make(1)
      make(2)
    }
    world.device { make(3) }
    world.finally {
      world.expect(ran.value.sorted() == [1, 2, 3], "ran: \(ran.value)")
      world.expect(ran.value.filter { $0 < 3 } == [1, 2], "ran: \(ran.value)")
      withExtendedLifetime(executor) {}
    }
  }

  final class Noted: @unchecked Sendable {
    // Sendable: one thread runs the whole exploration.
    var numbers: [Int] = []
  }

  final class SimulatedExecutor: TaskExecutor, @unchecked Sendable {
    let queue: LevelQueue<SimulatedMachine, UnownedJob>
    init(_ queue: LevelQueue<SimulatedMachine, UnownedJob>) { self.queue = queue }
    func enqueue(_ job: consuming ExecutorJob) { _ = queue.push(UnownedJob(job)) }
  }

  /// Signals, a wait, a cancel and the end meet in one word.
  static func mailbox(_ world: World) throws {
    let box = Mailbox<SimulatedMachine>()
    let answers = UnsafeMutablePointer<SimulatedWord>.allocate(capacity: 1)
    answers.initialize(to: SimulatedWord(0))
    let waiter: UInt = 8
    // What the waiter's address stands for: written before the wait, read by who takes it.
    let memory = world.shared("waiter", 0)
    // 1: signalled; 2: cancelled; 3: ended.
    let answer = { (taken: UInt, what: UInt) in
      if taken != 0 {
        world.expect(taken == waiter && memory.value == 1, "not the waiter")
        world.expect(SimulatedWord.exchange(answers, what, .acquireRelease) == 0, "answered twice")
      }
    }
    var consumed = 0
    world.visitor("consumer") {
      for _ in 0..<2 {
        memory.value = 1
        switch box.wait(waiter) {
        case .signals(let count): consumed += count
        case .waiting:
          var round = 0
          while SimulatedWord.load(answers, .acquire) == 0 {
            SimulatedMachine.pause(round)
            round += 1
          }
          if SimulatedWord.exchange(answers, 0, .acquireRelease) == 1 { consumed += 1 }
        case .cancelled, .ended: break
        }
      }
    }
    world.visitor("producer") {
      answer(box.signal(), 1)
      answer(box.signal(), 1)
    }
    world.visitor("canceller") { answer(box.cancel(), 2) }
    world.visitor("end") { answer(box.end(), 3) }
    world.finally {
      // What was signalled after the end does not count; what is left is in the word.
      if case .signals(let count) = box.wait(waiter) { consumed += count }
      world.expect(consumed <= 2, "\(consumed) of 2")
      box.deallocate()
      answers.deallocate()
    }
  }
}

@Suite struct QueueExplorationTests {
  static func explorer(_ preemptions: Int) -> Explorer {
    Explorer(cpus: 2, strategy: .exhaustive(preemptions: preemptions))
  }

  /// With the bounds that a debug build explores in some seconds; the shutdown's with 2 takes minutes there.
  static let programs: [(name: String, preemptions: Int, program: @Sendable (World) throws -> Void)] = [
    ("producers", 2, QueueProgram.producers), ("batches", 2, QueueProgram.batches),
    ("under the gate", 2, QueueProgram.underTheGate), ("shutdown", 1, QueueProgram.shutdown),
    ("tasks", 2, QueueProgram.tasks), ("mailbox", 2, QueueProgram.mailbox),
  ]

  @Test(arguments: programs.map(\.name)) func holds(name: String) throws {
    let test = try #require(Self.programs.first { $0.name == name })
    let result = try Self.explorer(test.preemptions).explore(test.program)
    guard case .holds = result.verdict else {
      Issue.record("\(name): \(result)")
      return
    }
    print("\(name): \(result)")
  }

  /// Without the word of the handler's end a mark that was dropped tells nobody.
  @Test func aShutdownThatTellsNobodyLosesAnItem() throws {
    let finding = try Self.explorer(1).explore(QueueProgram.silentShutdown).finding
    #expect(finding?.rule == .expectation)
  }
}

#if Mutants
  @Suite(.serialized) struct ActorMutantTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let mutant: ActorMutant
      var rule = Rule.expectation
      var recognition = Recognition.points
      var execution = Execution.inline
      let program: @Sendable (World) throws -> Void
      var testDescription: String { "\(mutant)" }
    }
    static let cases = [
      Case(mutant: .missedNotify, program: QueueProgram.batches),
      Case(mutant: .forgottenRest, program: QueueProgram.producers),
      Case(mutant: .forgottenPush, program: QueueProgram.producers),
      Case(mutant: .lastFirst, program: QueueProgram.batches),
      Case(mutant: .relaxedPush, rule: .dataRace, program: QueueProgram.producers),
      Case(mutant: .relaxedTake, rule: .dataRace, program: QueueProgram.producers),
      Case(mutant: .relaxedMailbox, rule: .dataRace, program: QueueProgram.mailbox),
      Case(mutant: .missedRefusal, rule: .livelock, program: IntakeProgram.narrow),
      Case(mutant: .askedWhileRefused, rule: .livelock, program: IntakeProgram.sources),
      Case(mutant: .missedNotify, rule: .livelock, program: IntakeProgram.outbox),
      Case(mutant: .closedBeforePost, program: IntakeProgram.closing),
      Case(mutant: .stillTaking, program: ListsProgram.ownPushes),
      Case(mutant: .lookThenClear, recognition: .anywhere, program: ListsProgram.ownPushes),
      Case(mutant: .takingForThreads, execution: .threads, program: ListsProgram.threadsPush),
      Case(mutant: .letGo, program: ListsProgram.lastLetsGo),
    ]

    @Test(arguments: cases) func isFound(_ test: Case) throws {
      try ActorMutant.with(test.mutant) {
        var explorer = Explorer(
          cpus: 2, recognition: test.recognition, strategy: .exhaustive(preemptions: 2))
        explorer.configuration.execution = test.execution
        let exploration = try explorer.explore(test.program)
        let finding = try #require(exploration.finding, "\(test.mutant): \(exploration)")
        #expect(finding.rule == test.rule, "\(finding)")
        #expect(try explorer.replay(finding.replay, test.program)?.rule == finding.rule)
        print("\(test.mutant): found after \(exploration.schedules) schedules")
      }
    }
  }
#endif
