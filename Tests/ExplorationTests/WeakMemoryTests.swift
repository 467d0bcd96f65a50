// Litmus tests: the exact sets of outcomes that C++20 (without load buffering) gives.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("Weak memory")
struct WeakMemoryTests {
  enum Fence: Sendable { case none, light, heavy }

  static func pass(_ fence: Fence) {
    switch fence {
    case .none: break
    case .light: SimulatedMachine.lightFence()
    case .heavy: SimulatedMachine.heavyFence()
    }
  }

  func outcomes(_ program: (World) -> Void) throws -> Set<String> {
    let exploration = try explored(memory: .rc11, .everyChoice(), program)
    #expect(exploration.finding == nil, "\(exploration)")
    return Set(exploration.outcomes.keys)
  }

  struct Orders: Sendable, CustomTestStringConvertible {
    var store: MemoryOrder
    var load: MemoryOrder
    var fences: (Fence, Fence) = (.none, .none)
    var isWeak: Bool
    var testDescription: String { "\(store), \(load), \(fences): \(isWeak ? "weak" : "strong")" }
  }

  @Test(
    "store buffering: both may read the old value, unless stores and loads or fences are sequentially consistent",
    arguments: [
      Orders(store: .relaxed, load: .relaxed, isWeak: true),
      Orders(store: .release, load: .acquire, isWeak: true),
      Orders(store: .sequentiallyConsistent, load: .acquire, isWeak: true),
      Orders(store: .sequentiallyConsistent, load: .sequentiallyConsistent, isWeak: false),
      Orders(store: .relaxed, load: .relaxed, fences: (.heavy, .none), isWeak: true),
      Orders(store: .relaxed, load: .relaxed, fences: (.light, .light), isWeak: true),
      Orders(store: .relaxed, load: .relaxed, fences: (.heavy, .heavy), isWeak: false),
      Orders(store: .relaxed, load: .relaxed, fences: (.light, .heavy), isWeak: false),
    ])
  func storeBuffering(_ orders: Orders) throws {
    let all = try outcomes { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") {
        x.store(1, orders.store)
        Self.pass(orders.fences.0)
        a = y.load(orders.load)
      }
      world.visitor("b") {
        y.store(1, orders.store)
        Self.pass(orders.fences.1)
        b = x.load(orders.load)
      }
      world.finally { world.outcome("\(a)\(b)") }
    }
    // A light fence alone is no fence, nor is a heavy one without its partner.
    #expect(all == (orders.isWeak ? ["00", "01", "10", "11"] : ["01", "10", "11"]))
  }

  @Test(
    "message passing: the flag may be seen without the data, unless released and acquired",
    arguments: [
      Orders(store: .relaxed, load: .relaxed, isWeak: true),
      Orders(store: .release, load: .relaxed, isWeak: true),
      Orders(store: .relaxed, load: .acquire, isWeak: true),
      Orders(store: .release, load: .acquire, isWeak: false),
      Orders(store: .sequentiallyConsistent, load: .sequentiallyConsistent, isWeak: false),
    ])
  func messagePassing(_ orders: Orders) throws {
    let all = try outcomes { world in
      let (data, flag) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") {
        data.store(1, .relaxed)
        flag.store(1, orders.store)
      }
      world.visitor("b") {
        a = flag.load(orders.load)
        b = data.load(.relaxed)
      }
      world.finally { world.outcome("\(a)\(b)") }
    }
    #expect(all == (orders.isWeak ? ["00", "01", "10", "11"] : ["00", "01", "11"]))
  }

  @Test("a release sequence goes on through a relaxed read-modify-write, and ends at a relaxed store")
  func releaseSequence() throws {
    for isExchange in [true, false] {
      let all = try outcomes { world in
        let (data, flag) = (Place(), Place())
        nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
        world.visitor("a") {
          data.store(1, .relaxed)
          flag.store(1, .release)
          if isExchange { flag.add(1, .relaxed) } else { flag.store(2, .relaxed) }
        }
        world.visitor("b") {
          a = flag.load(.acquire)
          b = data.load(.relaxed)
        }
        world.finally { world.outcome("\(a)\(b)") }
      }
      #expect(all.contains("20") == !isExchange && !all.contains("10"))
    }
  }

  @Test("load buffering is absent: nobody reads what depends on its own later write")
  func loadBuffering() throws {
    let all = try outcomes { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") {
        a = x.load(.relaxed)
        y.store(1, .relaxed)
      }
      world.visitor("b") {
        b = y.load(.relaxed)
        x.store(1, .relaxed)
      }
      world.finally { world.outcome("\(a)\(b)") }
    }
    #expect(all == ["00", "01", "10"])
  }

  @Test(
    "independent reads of independent writes may disagree, unless they are sequentially consistent",
    arguments: [
      Orders(store: .release, load: .acquire, isWeak: true),
      Orders(store: .sequentiallyConsistent, load: .sequentiallyConsistent, isWeak: false),
    ])
  func independentReads(_ orders: Orders) throws {
    let all = try outcomes { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var r: [UInt] = [9, 9, 9, 9]
      world.visitor("w") { x.store(1, orders.store) }
      world.visitor("v") { y.store(1, orders.store) }
      world.visitor("a") {
        r[0] = x.load(orders.load)
        r[1] = y.load(orders.load)
      }
      world.visitor("b") {
        r[2] = y.load(orders.load)
        r[3] = x.load(orders.load)
      }
      world.finally { world.outcome(r.map(String.init).joined()) }
    }
    #expect(all.contains("1010") == orders.isWeak)
    #expect(all.count == (orders.isWeak ? 16 : 15))
  }

  @Test(
    "two writes each, in two orders: both first ones may be last, unless they are sequentially consistent",
    arguments: [
      Orders(store: .relaxed, load: .relaxed, isWeak: true),
      Orders(store: .release, load: .acquire, isWeak: true),
      Orders(store: .sequentiallyConsistent, load: .relaxed, isWeak: false),
      Orders(store: .relaxed, load: .relaxed, fences: (.heavy, .heavy), isWeak: false),
      Orders(store: .relaxed, load: .relaxed, fences: (.light, .heavy), isWeak: false),
      Orders(store: .relaxed, load: .relaxed, fences: (.light, .light), isWeak: true),
    ])
  func twoPlusTwoWrites(_ orders: Orders) throws {
    let all = try outcomes { world in
      let (x, y) = (Place(), Place())
      world.visitor("a") {
        x.store(1, orders.store)
        Self.pass(orders.fences.0)
        y.store(2, orders.store)
      }
      world.visitor("b") {
        y.store(1, orders.store)
        Self.pass(orders.fences.1)
        x.store(2, orders.store)
      }
      world.finally { world.outcome("\(x.load())\(y.load())") }
    }
    #expect(all == (orders.isWeak ? ["11", "12", "21", "22"] : ["12", "21", "22"]))
  }

  @Test("one word is coherent, and read-modify-writes are atomic, whatever the order")
  func coherence() throws {
    let all = try outcomes { world in
      let x = Place()
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") { x.store(1, .relaxed) }
      world.visitor("b") {
        a = x.load(.relaxed)
        b = x.load(.relaxed)
      }
      world.visitor("c") { x.add(10, .relaxed) }
      world.finally { world.outcome("\(a) \(b)") }
    }
    #expect(!all.contains("1 0") && !all.contains("11 0") && all.contains("10 1") && all.contains("1 11"))
    let sums = try outcomes { world in
      let x = Place()
      for name in ["a", "b", "c"] { world.visitor(name) { x.add(1, .relaxed) } }
      world.finally { world.outcome("\(x.load())") }
    }
    #expect(sums == ["3"])
  }

  @Test("a violation under weak memory is replayed by its string, and reduction with a bound is refused")
  func replays() throws {
    let program: (World) -> Void = { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") {
        x.store(1, .relaxed)
        a = y.load(.relaxed)
      }
      world.visitor("b") {
        y.store(1, .relaxed)
        b = x.load(.relaxed)
      }
      world.finally { world.expect(a + b > 0, "both read the old value") }
    }
    let explorer = Explorer(cpus: 1, memory: .rc11, strategy: .everyChoice())
    let finding = try #require(try explorer.explore(program).finding)
    #expect(finding.replay.first == "w" && finding.preemptions == 0)
    #expect(try explorer.replay(finding.replay, program)?.story == finding.story)
    let bounded = Explorer(cpus: 1, memory: .rc11, strategy: .exhaustive(preemptions: 2))
    #expect(throws: StrategyError.self) { try bounded.explore(program) }
  }
}
