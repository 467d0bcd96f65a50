// More litmus tests, each explored twice: by every choice and with reduction. Both must give exactly the outcomes that C++20
// (without load buffering) permits.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

/// What the processes of a litmus test have read.
final class Reads: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  private var values: [UInt]
  init(_ count: Int) { values = Array(repeating: 9, count: count) }
  subscript(index: Int) -> UInt {
    get { values[index] }
    set { values[index] = newValue }
  }
  var text: String { values.map(String.init).joined() }
}

@Suite("Litmus tests")
struct LitmusTests {
  typealias Fence = WeakMemoryTests.Fence

  /// All outcomes; the two explorations must agree.
  func outcomes(_ program: (World) -> Void) throws -> Set<String> {
    let every = try explored(memory: .rc11, .everyChoice(), program)
    let reduced = try explored(memory: .rc11, .exhaustive(), program)
    for exploration in [every, reduced] {
      guard case .holds = exploration.verdict else {
        Issue.record("not complete: \(exploration)")
        continue
      }
    }
    #expect(Set(every.outcomes.keys) == Set(reduced.outcomes.keys))
    #expect(reduced.schedules <= every.schedules)
    return Set(reduced.outcomes.keys)
  }

  /// All of so many bits, without some.
  static func all(_ bits: Int, but without: Set<String> = []) -> Set<String> {
    Set(
      (0..<(1 << bits)).map { value in
        (0..<bits).map { value >> (bits - 1 - $0) & 1 == 1 ? "1" : "0" }.joined()
      }
    ).subtracting(without)
  }

  @Test("WRC: what was read before a release is not older after its acquire", arguments: [true, false])
  func writeToReadCausality(_ isOrdered: Bool) throws {
    let found = try outcomes { world in
      let (x, y, r) = (Place(), Place(), Reads(3))
      world.visitor("a") { x.store(1, .relaxed) }
      world.visitor("b") {
        r[0] = x.load(.relaxed)
        y.store(1, isOrdered ? .release : .relaxed)
      }
      world.visitor("c") {
        r[1] = y.load(isOrdered ? .acquire : .relaxed)
        r[2] = x.load(.relaxed)
      }
      world.finally { world.outcome(r.text) }
    }
    #expect(found == Self.all(3, but: isOrdered ? ["110"] : []))
  }

  @Test("ISA2: release and acquire are transitive", arguments: [true, false])
  func transitivity(_ isOrdered: Bool) throws {
    let (store, load): (MemoryOrder, MemoryOrder) = isOrdered ? (.release, .acquire) : (.relaxed, .relaxed)
    let found = try outcomes { world in
      let (x, y, z, r) = (Place(), Place(), Place(), Reads(3))
      world.visitor("a") {
        x.store(1, .relaxed)
        y.store(1, store)
      }
      world.visitor("b") {
        r[0] = y.load(load)
        z.store(1, store)
      }
      world.visitor("c") {
        r[1] = z.load(load)
        r[2] = x.load(.relaxed)
      }
      world.finally { world.outcome(r.text) }
    }
    #expect(found == Self.all(3, but: isOrdered ? ["110"] : []))
  }

  @Test(
    "RWC: a fence on both sides keeps the reader and the writer from both being early; release and acquire do not",
    arguments: [
      (Fence.none, Fence.none, true), (.light, .light, true), (.heavy, .none, true), (.heavy, .heavy, false),
      (.light, .heavy, false), (.heavy, .light, false),
    ])
  func readWriteCausality(_ first: Fence, _ second: Fence, _ isWeak: Bool) throws {
    // Every choice would take too long here: the reduced one alone.
    let exploration = try explored(memory: .rc11, .exhaustive()) { world in
      let (x, y, r) = (Place(), Place(), Reads(3))
      world.visitor("a") { x.store(1, .release) }
      world.visitor("b") {
        r[0] = x.load(.acquire)
        WeakMemoryTests.pass(first)
        r[1] = y.load(.acquire)
      }
      world.visitor("c") {
        y.store(1, .release)
        WeakMemoryTests.pass(second)
        r[2] = x.load(.acquire)
      }
      world.finally { world.outcome(r.text) }
    }
    guard case .holds = exploration.verdict else {
      Issue.record("not complete: \(exploration)")
      return
    }
    #expect(Set(exploration.outcomes.keys) == Self.all(3, but: isWeak ? [] : ["100"]))
  }

  @Test(
    "message passing with fences instead of release and acquire",
    arguments: [
      (Fence.none, Fence.none, true), (.light, .light, true), (.heavy, .none, true), (.none, .heavy, true),
      (.heavy, .heavy, false), (.light, .heavy, false), (.heavy, .light, false),
    ])
  func messagePassing(_ first: Fence, _ second: Fence, _ isWeak: Bool) throws {
    let found = try outcomes { world in
      let (data, flag, r) = (Place(), Place(), Reads(2))
      world.visitor("a") {
        data.store(1, .relaxed)
        WeakMemoryTests.pass(first)
        flag.store(1, .relaxed)
      }
      world.visitor("b") {
        r[0] = flag.load(.relaxed)
        WeakMemoryTests.pass(second)
        r[1] = data.load(.relaxed)
      }
      world.finally { world.outcome(r.text) }
    }
    #expect(found == Self.all(2, but: isWeak ? [] : ["10"]))
  }

  @Test(
    "store buffering with read-modify-writes: they are no fences for loads, but two of one word are never both first"
  )
  func storeBufferingByModifications() throws {
    for order in [MemoryOrder.relaxed, .acquireRelease] {
      for readsByModifying in [true, false] {
        let found = try outcomes { world in
          let (x, y, r) = (Place(), Place(), Reads(2))
          func read(_ place: Place) -> UInt { readsByModifying ? place.add(0, order) : place.load(.acquire) }
          world.visitor("a") {
            x.add(1, order)
            r[0] = read(y)
          }
          world.visitor("b") {
            y.add(1, order)
            r[1] = read(x)
          }
          world.finally { world.outcome(r.text) }
        }
        #expect(found == Self.all(2, but: readsByModifying ? ["00"] : []), "\(order), \(readsByModifying)")
      }
    }
  }

  @Test("coherence of one word: CoRR, CoWR, CoRW, CoWW")
  func coherence() throws {
    func found(_ processes: [(Place, Reads) -> Void], _ reads: Int) throws -> Set<String> {
      try outcomes { world in
        let (x, r) = (Place(), Reads(reads))
        for (index, process) in processes.enumerated() {
          nonisolated(unsafe) let process = process
          world.visitor("\(index)") { process(x, r) }
        }
        world.finally { world.outcome("\(r.text) \(x.load())") }
      }
    }
    let reads = try found(
      [
        { x, _ in x.store(1, .relaxed) },
        { x, r in
          r[0] = x.load(.relaxed)
          r[1] = x.load(.relaxed)
        },
      ], 2)
    #expect(reads == ["00 1", "01 1", "11 1"])
    let writeRead = try found(
      [
        { x, r in
          x.store(1, .relaxed)
          r[0] = x.load(.relaxed)
        }, { x, _ in x.store(2, .relaxed) },
      ], 1)
    #expect(writeRead == ["1 1", "1 2", "2 2"])
    let readWrite = try found(
      [
        { x, r in
          r[0] = x.load(.relaxed)
          x.store(1, .relaxed)
        }, { x, _ in x.store(2, .relaxed) },
      ], 1)
    #expect(readWrite == ["0 1", "0 2", "2 1"])
    let writes = try found(
      [
        { x, _ in
          x.store(1, .relaxed)
          x.store(2, .relaxed)
        }, { x, _ in x.store(3, .relaxed) },
      ], 0)
    #expect(writes == [" 2", " 3"])
  }

  @Test(
    "a compare-exchange that fails reads any write that it may; one that succeeds comes right after what it has read"
  )
  func compareExchange() throws {
    let found = try outcomes { world in
      let (x, r) = (Place(), Reads(2))
      for index in 0..<2 {
        world.visitor("\(index)") { r[index] = x.replace(0, by: UInt(index + 1), .relaxed) ? 1 : 0 }
      }
      world.finally { world.outcome("\(r.text) \(x.load())") }
    }
    #expect(found == ["10 1", "01 2"])
  }

  @Test(
    "reads of independent writes agree if they are sequentially consistent, also of relaxed writes (C++20)",
    arguments: [MemoryOrder.relaxed, .sequentiallyConsistent])
  func independentReadsOfRelaxedWrites(_ store: MemoryOrder) throws {
    let found = try outcomes { world in
      let (x, y, r) = (Place(), Place(), Reads(4))
      world.visitor("w") { x.store(1, store) }
      world.visitor("v") { y.store(1, store) }
      world.visitor("a") {
        r[0] = x.load(.sequentiallyConsistent)
        r[1] = y.load(.sequentiallyConsistent)
      }
      world.visitor("b") {
        r[2] = y.load(.sequentiallyConsistent)
        r[3] = x.load(.sequentiallyConsistent)
      }
      world.finally { world.outcome(r.text) }
    }
    #expect(found == Self.all(4, but: ["1010"]))
  }

  @Test(
    "Z6.U: this machine keeps an SC access after all that happens before it, which C++20 does not promise")
  func z6() throws {
    let found = try outcomes { world in
      let (x, y, r) = (Place(), Place(), Reads(3))
      world.visitor("a") {
        x.store(1, .sequentiallyConsistent)
        y.store(1, .release)
      }
      world.visitor("b") {
        r[0] = y.add(1, .sequentiallyConsistent)
        r[1] = y.load(.relaxed)
      }
      world.visitor("c") {
        y.store(3, .sequentiallyConsistent)
        r[2] = x.load(.sequentiallyConsistent)
      }
      world.finally { world.outcome(r.text) }
    }
    // C++20 permits 130 too: not explored (WeakMemory.swift).
    #expect(!found.contains("130") && found.contains("131") && found.contains("120") && found.contains("121"))
  }

  @Test(
    "with full fences between the reads independent reads agree, with light ones they do not: complete",
    arguments: [true, false])
  func independentReadsWithFences(_ isHeavy: Bool) throws {
    let exploration = try explored(memory: .rc11, .exhaustive()) { world in
      let (x, y, r) = (Place(), Place(), Reads(4))
      world.visitor("w") { x.store(1, .relaxed) }
      world.visitor("v") { y.store(1, .relaxed) }
      world.visitor("a") {
        r[0] = x.load(.acquire)
        WeakMemoryTests.pass(isHeavy ? .heavy : .light)
        r[1] = y.load(.acquire)
      }
      world.visitor("b") {
        r[2] = y.load(.acquire)
        WeakMemoryTests.pass(isHeavy ? .heavy : .light)
        r[3] = x.load(.acquire)
      }
      world.finally { world.outcome(r.text) }
    }
    guard case .holds = exploration.verdict else {
      Issue.record("not complete: \(exploration)")
      return
    }
    #expect(Set(exploration.outcomes.keys) == Self.all(4, but: isHeavy ? ["1010"] : []))
  }

  @Test("races under weak memory are judged by the write that was read, not by the newest")
  func racesByReadsFrom() throws {
    func explores(_ order: MemoryOrder) throws -> Exploration {
      try explored(memory: .rc11, .exhaustive()) { world in
        let flag = Place()
        let data = world.shared("data", 0)
        world.visitor("a") {
          flag.store(1, .relaxed)
          data.value = 1
          flag.store(2, order)
        }
        world.visitor("b") { if flag.load(.acquire) == 2 { _ = data.value } }
      }
    }
    guard case .holds = try explores(.release).verdict else {
      Issue.record("a race although the flag was released")
      return
    }
    #expect(try explores(.relaxed).finding?.rule == .dataRace)
    // The old value was read when the release was there already: a race all the same.
    let stale = try explored(memory: .rc11, .exhaustive()) { world in
      let flag = Place()
      let data = world.shared("data", 0)
      world.visitor("a") {
        data.value = 1
        flag.store(1, .release)
      }
      world.visitor("b") {
        flag.add(0, .relaxed)
        if flag.load(.acquire) == 0 { _ = data.value }
      }
    }
    #expect(stale.finding?.rule == .dataRace)
  }
  @Test("programs made at random, with every order and fence: reduction loses no outcome", arguments: 0..<40)
  func generated(_ seed: Int) throws {
    var random = Numbers(UInt64(1_000 + seed))
    let orders: [MemoryOrder] = [.relaxed, .acquireRelease, .sequentiallyConsistent]
    let plans = (0..<2).map { _ in
      (0..<3).map { _ in
        (random.below(6), random.below(2), UInt(1 + random.below(3)), orders[random.below(3)])
      }
    }
    let found = try outcomes { world in
      let words = [Place(), Place()]
      let seen = [Reads(3), Reads(3)]
      for (index, plan) in plans.enumerated() {
        world.visitor("t\(index)") {
          for (step, (kind, word, value, order)) in plan.enumerated() {
            switch kind {
            case 0: words[word].store(value, order == .acquireRelease ? .release : order)
            case 1: seen[index][step] = words[word].load(order == .acquireRelease ? .acquire : order)
            case 2: seen[index][step] = words[word].add(value, order)
            case 3: seen[index][step] = words[word].replace(0, by: value, order) ? 1 : 0
            case 4: SimulatedMachine.lightFence()
            default: SimulatedMachine.heavyFence()
            }
          }
        }
      }
      world.finally { world.outcome("\(words[0].load()) \(words[1].load()) \(seen[0].text) \(seen[1].text)") }
    }
    #expect(!found.isEmpty, "\(plans)")
  }
}
