// The lists of the CPUs under every schedule of small programs: an item runs once, whoever pushes it and whatever is under way then.
//
//     swift test --traits default,Mutants --scratch-path .build-mutants --no-parallel --filter ActorMutantTests

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@testable import LevelActors

enum ListsProgram {
  /// Notes which items ran, and when which of them runs pushes others.
  final class Taker: ItemTaker, @unchecked Sendable {
    // Sendable: one thread runs the whole exploration.
    let items: Items
    var ran: [Int] = []
    var late: [Int] = []
    var body: (Int) -> Void = { _ in }
    var atEnd: () -> Void = {}
    init(_ items: Items) { self.items = items }
    convenience init(_ numbers: [Int]) { self.init(Items(numbers)) }
    deinit { atEnd() }
    func perform(_ item: Item) {
      ran.append(item.number)
      body(item.number)
    }
    func performLate(_ items: [Item]) { late += items.map(\.number) }
  }

  typealias Lists = CPULists<SimulatedMachine, Taker>

  static func lists(_ world: World, budget: Int, _ numbers: [Int]) -> (Taker, push: (Int) -> Void) {
    let taker = Taker(numbers)
    let lists = Lists(world.system, budget: budget)
    world.finally {
      let all = taker.ran + taker.late
      world.expect(all.sorted() == numbers, "ran: \(taker.ran), late: \(taker.late)")
    }
    return (taker, { lists.push(taker.items.all[$0]!, for: taker) })
  }

  /// Base code pushes to its own CPU, and so does a handler that comes at any time: before, while what takes is under way, after it.
  static func ownPushes(_ world: World) throws { try ownPushes(world, from: .ordered) }

  /// The same from a level's thread.
  static func threadsPush(_ world: World) throws { try ownPushes(world, from: .mpSafe) }

  private static func ownPushes(_ world: World, from way: WayIn) throws {
    let (_, push) = lists(world, budget: 2, [1, 2, 3])
    let handler = try world.handler("level", at: .softNet, as: way) { _ in push(2) }
    world.base(on: 0) { _ in
      push(1)
      push(3)
    }
    world.device { handler.schedule(on: 0) }
  }

  /// The same with another CPU that pushes, and a budget that is used up at once.
  static func othersPush(_ world: World) throws {
    let (taker, push) = lists(world, budget: 1, [1, 2, 3, 4])
    taker.body = { if $0 == 1 { push(2) } }
    world.base(on: 0) { _ in push(1) }
    world.base(on: 1) { _ in push(3) }
    world.visitor { push(4) }
  }

  /// Two threads push, as the runtime does for them: without holding the taker. What runs last lets it go, as the last task does its executor.
  static func lastLetsGo(_ world: World) throws {
    let items = Items([1, 2])
    let lists = Lists(world.system, budget: 2)
    let owned = Unmanaged.passRetained(Taker(items))
    var ran = 0
    var pushing = 0
    owned._withUnsafeGuaranteedRef { taker in
      taker.body = { _ in
        ran += 1
        if ran == 2 { owned.release() }
      }
      taker.atEnd = {
        world.expect(
          pushing == 0 || world.system.currentCPU == nil, "it was let go under who pushes and is not done")
      }
    }
    for number in [1, 2] {
      world.visitor("pusher \(number)") {
        pushing += 1
        owned._withUnsafeGuaranteedRef { lists.push(items.all[number]!, on: 0, $0) }
        pushing -= 1
      }
    }
    world.finally { world.expect(ran == 2, "ran: \(ran)") }
  }
}

@Suite struct ListsExplorationTests {
  static func explorer(_ preemptions: Int, cpus: Int = 1, _ recognition: Recognition = .points) -> Explorer {
    Explorer(cpus: cpus, recognition: recognition, strategy: .exhaustive(preemptions: preemptions))
  }

  @Test func ownPushesRunOnce() throws {
    let result = try Self.explorer(2).explore(ListsProgram.ownPushes)
    guard case .holds = result.verdict else {
      Issue.record("\(result)")
      return
    }
    print("own pushes: \(result)")
  }

  /// Where any instruction may be interrupted, so between the last take and the word too.
  @Test func ownPushesRunOnceInterruptedAnywhere() throws {
    let result = try Self.explorer(2, .anywhere).explore(ListsProgram.ownPushes)
    guard case .holds = result.verdict else {
      Issue.record("\(result)")
      return
    }
    print("own pushes, interrupted anywhere: \(result)")
  }

  @Test func pushesOfLevelThreadsRunOnce() throws {
    var explorer = Self.explorer(2)
    explorer.configuration.execution = .threads
    let result = try explorer.explore(ListsProgram.threadsPush)
    guard case .holds = result.verdict else {
      Issue.record("\(result)")
      return
    }
    print("pushes of level threads: \(result)")
  }

  @Test func pushesOfOthersRunOnce() throws {
    let result = try Self.explorer(1, cpus: 2).explore(ListsProgram.othersPush)
    guard case .holds = result.verdict else {
      Issue.record("\(result)")
      return
    }
    print("pushes of others: \(result)")
  }

  @Test func whoPushesKeepsTheTaker() throws {
    let result = try Self.explorer(2).explore(ListsProgram.lastLetsGo)
    guard case .holds = result.verdict else {
      Issue.record("\(result)")
      return
    }
    print("the last one lets go: \(result)")
  }
}
