// Reduction loses nothing: on small programs every strategy that is complete finds the same final states as brute force.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("Reduction")
struct ReductionTests {
  /// Small programs of plain threads, by name.
  struct Program: Sendable, CustomTestStringConvertible {
    let name: String
    let build: @Sendable (World) -> Void
    var testDescription: String { name }
  }

  static let programs: [Program] = [
    Program(name: "store buffering") { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var (a, b): (UInt, UInt) = (9, 9)
      world.visitor("a") {
        x.store(1)
        a = y.load()
      }
      world.visitor("b") {
        y.store(1)
        b = x.load()
      }
      world.finally { world.outcome("\(a)\(b)") }
    },
    Program(name: "two writes, read in two orders") { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var r: [UInt] = [9, 9, 9, 9]
      world.visitor("w") {
        x.store(1)
        y.store(1)
      }
      world.visitor("a") {
        r[0] = x.load()
        r[1] = y.load()
      }
      world.visitor("b") {
        r[2] = y.load()
        r[3] = x.load()
      }
      world.finally { world.outcome("\(r)") }
    },
    Program(name: "two adders and a reader") { world in
      let x = Place()
      nonisolated(unsafe) var seen: UInt = 9
      for name in ["a", "b"] { world.visitor(name) { x.store(x.load() + 1) } }
      world.visitor("r") { seen = x.load() }
      world.finally { world.outcome("\(x.load()) \(seen)") }
    },
    Program(name: "readers before a last writer") { world in
      // The shape in which persistent sets explore more than source sets.
      let (x, y, z) = (Place(), Place(), Place())
      nonisolated(unsafe) var r: [UInt] = [9, 9, 9, 9]
      world.visitor("p") { x.store(5) }
      world.visitor("q") {
        r[0] = y.load()
        r[1] = x.load()
      }
      world.visitor("r") {
        r[2] = z.load()
        r[3] = x.load()
      }
      world.finally { world.outcome("\(r)") }
    },
    Program(name: "compare-exchange that fails") { world in
      let x = Place()
      nonisolated(unsafe) var won = ""
      for (value, name) in [(UInt(1), "a"), (2, "b"), (3, "c")] {
        world.visitor(name) { if x.replace(0, by: value) { won += name } else { won += "-" } }
      }
      world.finally { world.outcome("\(won) \(x.load())") }
    },
    Program(name: "a spin lock around a counter") { world in
      let lock = SpinLock()
      let x = Place()
      nonisolated(unsafe) var order = ""
      for name in ["a", "b"] {
        world.visitor(name) {
          lock.lock()
          order += name
          x.store(x.load() + 1)
          lock.unlock()
        }
      }
      world.finally { world.outcome("\(x.load()) \(order)") }
    },
    Program(name: "a flag that is waited for") { world in
      let (flag, x) = (Place(), Place())
      nonisolated(unsafe) var seen: UInt = 9
      world.visitor("w") {
        x.store(1)
        flag.store(1)
        x.store(2)
      }
      world.visitor("r") {
        var round = 0
        while flag.load() == 0 {
          SimulatedMachine.pause(round)
          round += 1
        }
        seen = x.load()
      }
      world.finally { world.outcome("\(seen)") }
    },
    Program(name: "a ring and what it announces") { world in
      let x = Place()
      let seat = world.machine.makeVisitorSeat()
      nonisolated(unsafe) var seen: [UInt] = []
      world.visitor("sleeper") {
        while x.load() == 0 { world.machine.park(seat, until: .max) }
        seen.append(x.load())
      }
      world.visitor("ringer") {
        x.store(1)
        SimulatedMachine.unpark(seat)
        x.store(2)
      }
      world.finally { world.outcome("\(seen)") }
    },
  ]

  @Test("the final states of source sets are those of every choice", arguments: programs)
  func sourceSets(_ program: Program) throws {
    let every = try explored(.everyChoice(), program.build)
    let reduced = try explored(.exhaustive(), program.build)
    #expect(every.finding == nil && reduced.finding == nil, "\(every) \(reduced)")
    #expect(Set(reduced.outcomes.keys) == Set(every.outcomes.keys))
    #expect(reduced.schedules < every.schedules)
  }

  @Test("the same under a bound of preemptions", arguments: programs, [0, 1, 2])
  func bounded(_ program: Program, _ bound: Int) throws {
    let every = try explored(.everyChoice(preemptions: bound), program.build)
    let reduced = try explored(.exhaustive(preemptions: bound), program.build)
    #expect(Set(reduced.outcomes.keys) == Set(every.outcomes.keys))
    #expect(reduced.schedules <= every.schedules)
  }

  @Test("programs made at random: reads, writes, additions, locks", arguments: 0..<30)
  func generated(_ seed: Int) throws {
    var random = Numbers(UInt64(seed))
    let threads = 2 + random.below(2)
    let plans = (0..<threads).map { _ in
      (0..<(threads == 2 ? 3 : 2)).map { _ in (random.below(5), random.below(2), UInt(1 + random.below(3))) }
    }
    let build: (World) -> Void = { world in
      let words = [Place(), Place()]
      let lock = SpinLock()
      nonisolated(unsafe) var seen: [[UInt]] = Array(repeating: [], count: threads)
      for (index, plan) in plans.enumerated() {
        world.visitor("t\(index)") {
          for (kind, word, value) in plan {
            switch kind {
            case 0: words[word].store(value)
            case 1: seen[index].append(words[word].load())
            case 2: seen[index].append(words[word].add(value))
            case 3: if words[word].replace(0, by: value) { seen[index].append(99) }
            default:
              lock.lock()
              words[word].store(words[word].load() + 1)
              lock.unlock()
            }
          }
        }
      }
      world.finally { world.outcome("\(words[0].load()) \(words[1].load()) \(seen)") }
    }
    let limits = Limits(schedules: 400_000)
    let every = try explored(.everyChoice(preemptions: 2), limits: limits, build)
    let bounded = try explored(.exhaustive(preemptions: 2), limits: limits, build)
    let all = try explored(.exhaustive(), limits: limits, build)
    #expect(Set(bounded.outcomes.keys) == Set(every.outcomes.keys), "\(plans)")
    #expect(Set(all.outcomes.keys).isSuperset(of: every.outcomes.keys), "\(plans)")
  }
}

/// SplitMix64.
struct Numbers {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}
