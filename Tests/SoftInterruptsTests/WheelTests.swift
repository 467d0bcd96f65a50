// The timing wheel against a list that is sorted by hand: the same callouts due, in the same order, at no earlier time.

import Testing

@testable import SoftInterrupts

private typealias Node = UnsafeMutablePointer<CalloutNode<StillMachine>>

/// A wheel with nodes of its own, without a system: nothing in the wheel asks for one.
private final class Bench {
  var wheel: Wheel<StillMachine>
  var nodes: [Node] = []

  init(now: UInt64 = 0, nodes count: Int) {
    wheel = Wheel(now: now)
    for _ in 0..<count {
      let node = Node.allocate(capacity: 1)
      node.initialize(to: CalloutNode(cpu: 0))
      nodes.append(node)
    }
  }

  deinit {
    for node in nodes {
      node.deinitialize(count: 1)
      node.deallocate()
    }
    wheel.deallocate()
  }

  func arm(_ index: Int, at deadline: UInt64) {
    nodes[index].pointee.deadline = deadline
    wheel.insert(nodes[index])
  }

  /// Advances, and takes what is due at `level` and `way`; indices in their order.
  func advance(to now: UInt64, _ level: Level = .softClock, _ way: WayIn = .ordered) -> [Int] {
    let touched = wheel.advance(to: now)
    var found: [Int] = []
    let place = Wheel<StillMachine>.dueIndex(level, way)
    while let node = wheel.due[place].head {
      wheel.remove(node)
      found.append(nodes.firstIndex(of: node)!)
    }
    if !found.isEmpty && touched & (1 << UInt64(place)) == 0 { Issue.record("due, and not said so") }
    return found
  }
}

private let tick: UInt64 = 1 << Wheel<StillMachine>.tickShift

@Suite("The timing wheel")
struct WheelTests {
  @Test("random arms, cancels and advances give what a sorted list gives", arguments: 1...24)
  func model(_ seed: Int) {
    var random = Seeded(UInt64(seed))
    let start = UInt64.random(in: 0...(1 << 50), using: &random)
    let bench = Bench(now: start, nodes: 64)
    var now = start
    var armed: [Int: UInt64] = [:]
    var fired = 0
    // Spans from a fraction of a tick to far beyond one turn of several digits.
    let spans: [UInt64] = [tick / 2, tick * 3, tick * 63, tick * 64, tick * 5_000, tick << 18, tick << 30]
    for _ in 0..<600 {
      switch UInt8.random(in: 0..<10, using: &random) {
      case 0..<6:
        let index = Int.random(in: 0..<64, using: &random)
        let back = UInt64.random(in: 0...1, using: &random) * min(now, tick * 2)
        let deadline =
          now - back + UInt64.random(in: 0...spans.randomElement(using: &random)!, using: &random)
        bench.arm(index, at: deadline)
        // One that is due already is due with the next tick.
        armed[index] = max(deadline, now)
      case 6:
        guard let index = armed.keys.sorted().randomElement(using: &random) else { continue }
        bench.wheel.remove(bench.nodes[index])
        armed[index] = nil
      default:
        // Sometimes exactly to what the wheel says is next: it must not oversleep.
        let next = bench.wheel.nextDeadline()
        if Bool.random(using: &random) && next != .max {
          now = max(now, next)
        } else {
          now += UInt64.random(in: 0...spans.randomElement(using: &random)!, using: &random)
        }
        let due = bench.advance(to: now)
        for index in due {
          guard let deadline = armed.removeValue(forKey: index) else {
            Issue.record("seed \(seed): \(index) was not armed")
            continue
          }
          if deadline > now { Issue.record("seed \(seed): early by \(deadline - now) ns") }
        }
        // Late by one tick at most.
        for (index, deadline) in armed where deadline + tick <= now {
          Issue.record("seed \(seed): \(index) is late by \(now - deadline) ns")
        }
        fired += due.count
      }
      #expect(bench.wheel.armed == armed.count)
      if let earliest = armed.values.min() {
        let next = bench.wheel.nextDeadline()
        if next > max(earliest, now) + 2 * tick {
          Issue.record("seed \(seed): next \(next) is after \(earliest)")
        }
      } else {
        #expect(bench.wheel.nextDeadline() == .max)
      }
    }
    #expect(fired > 50)
  }

  @Test("what is due together comes in the order of the deadlines, over ticks and turns")
  func order() {
    var random = Seeded(99)
    let bench = Bench(nodes: 200)
    var deadlines: [UInt64] = []
    for index in 0..<200 {
      deadlines.append(UInt64.random(in: 0..<(tick * 10_000), using: &random))
      bench.arm(index, at: deadlines[index])
    }
    let due = bench.advance(to: tick * 20_000)
    #expect(due.count == 200)
    for (earlier, later) in zip(due, due.dropFirst()) {
      // Deadlines already past when armed are due with the first tick.
      #expect(deadlines[earlier] <= deadlines[later])
    }
  }

  @Test("equal deadlines keep the order in which they were armed")
  func stability() {
    let bench = Bench(nodes: 100)
    let order = (0..<100).map { ($0 * 37) % 100 }
    for index in order { bench.arm(index, at: tick * 500 + 7) }
    #expect(bench.advance(to: tick * 600) == order)
  }

  @Test(
    "within one tick, deadlines are sorted and equal ones keep their order",
    arguments: [1, 2, 3, 7, 8, 64, 65])
  func sortsInTick(_ count: Int) {
    let bench = Bench(nodes: count)
    let deadlines = (0..<count).map { tick + 1 + UInt64(($0 * 31) % 5) }
    for index in 0..<count { bench.arm(index, at: deadlines[index]) }
    let expected = (0..<count).sorted { (deadlines[$0], $0) < (deadlines[$1], $1) }
    #expect(bench.advance(to: tick * 3) == expected)
  }

  @Test(
    "never early, and late by one tick at most",
    arguments: [1, tick - 1, tick, tick + 1, tick * 64, tick * 4_097 + 5])
  func lateness(_ delay: UInt64) {
    let bench = Bench(nodes: 1)
    bench.arm(0, at: delay)
    #expect(bench.advance(to: delay - 1).isEmpty)
    #expect(bench.advance(to: delay + tick) == [0])
  }

  @Test("a wheel that is not advanced for a long time gives everything at once")
  func longSleep() {
    let bench = Bench(nodes: 5)
    for index in 0..<5 { bench.arm(index, at: tick << UInt64(6 * index)) }
    #expect(bench.advance(to: tick << 40) == [0, 1, 2, 3, 4])
    #expect(bench.wheel.armed == 0 && bench.wheel.nextDeadline() == .max)
  }

  @Test("a deadline beyond the horizon stays armed, and the end of time is one")
  func farAway() {
    let bench = Bench(now: tick * 12_345, nodes: 3)
    bench.arm(0, at: .max)
    bench.arm(1, at: Wheel<StillMachine>.horizon << Wheel<StillMachine>.tickShift)
    bench.arm(2, at: tick * 12_400)
    #expect(bench.advance(to: tick * 20_000) == [2])
    #expect(bench.wheel.armed == 2)
    // Step by step over what the wheel says is next: neither may come before its time.
    for _ in 0..<1_000 {
      let next = bench.wheel.nextDeadline()
      guard next < UInt64.max >> 1 else { break }
      let due = bench.advance(to: next)
      #expect(due.allSatisfy { bench.nodes[$0].pointee.deadline <= next })
      if due.contains(1) { break }
    }
    #expect(bench.nodes[0].pointee.place == .wheel)
  }

  @Test("a cancelled callout leaves nothing behind, wherever it hung")
  func cancel() {
    let bench = Bench(nodes: 3)
    for shift in 0..<7 {
      for index in 0..<3 { bench.arm(index, at: tick << UInt64(6 * shift) + 1) }
      bench.wheel.remove(bench.nodes[1])
      bench.wheel.remove(bench.nodes[0])
      bench.wheel.remove(bench.nodes[2])
      // Taking out what is in no list does nothing.
      bench.wheel.remove(bench.nodes[2])
      #expect(bench.wheel.armed == 0 && bench.wheel.nextDeadline() == .max)
    }
    // Also from a due list.
    bench.arm(0, at: 1)
    _ = bench.wheel.advance(to: tick * 2)
    #expect(bench.nodes[0].pointee.place == .due)
    bench.wheel.remove(bench.nodes[0])
    #expect(bench.advance(to: tick * 3).isEmpty && bench.wheel.armed == 0)
  }

  @Test("what is cancelled or moved to a later time stays in its slot, and goes on when the slot comes")
  func leftBehind() {
    let bench = Bench(nodes: 3)
    for index in 0..<3 { bench.arm(index, at: tick * 100) }
    let slot = bench.nodes[0].pointee.wheelSlot
    bench.arm(0, at: tick * 9_000)
    bench.wheel.remove(bench.nodes[1])
    #expect((0..<3).allSatisfy { bench.nodes[$0].pointee.wheelSlot == slot })
    #expect(bench.advance(to: tick * 101) == [2])
    #expect(!bench.nodes[1].pointee.isHung && bench.nodes[0].pointee.isHung)
    #expect(bench.advance(to: tick * 9_000 - 1).isEmpty)
    #expect(bench.advance(to: tick * 9_000) == [0])
    #expect(bench.wheel.nextSlot() == nil)
  }

  @Test(
    "what is moved to an earlier time leaves its slot, cancelled before or not", arguments: [false, true])
  func movedEarlier(_ cancels: Bool) {
    let bench = Bench(nodes: 2)
    bench.arm(0, at: tick * 9_000)
    bench.arm(1, at: tick * 9_000)
    if cancels { bench.wheel.remove(bench.nodes[0]) }
    bench.arm(0, at: tick * 100)
    #expect(bench.wheel.nextDeadline() <= tick * 100)
    #expect(bench.advance(to: tick * 100) == [0])
    #expect(bench.advance(to: tick * 9_000) == [1])
  }

  @Test(
    "what is far ahead hangs at half the way, where an earlier time finds it in a slot that comes early enough"
  )
  func halfTheWay() {
    let bench = Bench(nodes: 1)
    let ticks = Wheel<StillMachine>.far * 8
    bench.arm(0, at: tick * ticks)
    let slot = bench.nodes[0].pointee.wheelSlot
    #expect(bench.nodes[0].pointee.hungAt <= ticks / 2)
    bench.arm(0, at: tick * (ticks * 3 / 4))
    #expect(bench.nodes[0].pointee.wheelSlot == slot)
    // Its slot comes, and it is sent all the way on.
    #expect(bench.advance(to: tick * (ticks / 2)).isEmpty)
    #expect(bench.nodes[0].pointee.hungAt > ticks / 2)
    #expect(bench.advance(to: tick * (ticks * 3 / 4) - 1).isEmpty)
    #expect(bench.advance(to: tick * (ticks * 3 / 4)) == [0])
  }

  @Test("of equal deadlines the one armed first is first, also if it was moved there from another slot")
  func stabilityOfMoves() {
    let bench = Bench(nodes: 4)
    bench.arm(0, at: tick * 3)
    bench.arm(1, at: tick * 70)
    bench.arm(2, at: tick * 500)
    bench.arm(0, at: tick * 500)
    bench.arm(3, at: tick * 500)
    bench.arm(1, at: tick * 500)
    #expect(bench.advance(to: tick * 600) == [2, 0, 3, 1])
    // In one slot: what was moved within it is behind what was armed before.
    for index in 0..<3 { bench.arm(index, at: tick * 700) }
    bench.arm(0, at: tick * 700)
    #expect(bench.advance(to: tick * 800) == [1, 2, 0])
  }

  @Test("a node that is taken out of its slot leaves the rest of it as it is", arguments: 0..<3)
  func takenOut(_ which: Int) {
    let bench = Bench(nodes: 3)
    for index in 0..<3 { bench.arm(index, at: tick * 100) }
    bench.wheel.remove(bench.nodes[which])
    bench.wheel.takeFromSlot(bench.nodes[which])
    bench.wheel.takeFromSlot(bench.nodes[which])
    #expect(!bench.nodes[which].pointee.isHung)
    #expect(bench.advance(to: tick * 100) == [0, 1, 2].filter { $0 != which })
  }

  @Test("what was left behind can be forgotten when nothing is armed")
  func cleared() {
    let bench = Bench(nodes: 8)
    for index in 0..<8 { bench.arm(index, at: tick << UInt64(5 * index)) }
    for index in 0..<8 { bench.wheel.remove(bench.nodes[index]) }
    #expect(bench.wheel.nextSlot() != nil)
    bench.wheel.clear()
    #expect(bench.wheel.nextSlot() == nil)
  }

  @Test("levels and ways in have due lists of their own, and each is named")
  func dueLists() {
    let bench = Bench(nodes: 2)
    bench.nodes[0].pointee.rules = CalloutRules(.softSerial, guard: .none, .mpSafe)
    bench.nodes[1].pointee.rules = CalloutRules(.softClock, guard: .softClock, .bigLock)
    bench.arm(0, at: tick)
    bench.arm(1, at: tick)
    #expect(bench.advance(to: tick * 2, .softSerial, .mpSafe) == [0])
    #expect(bench.advance(to: tick * 2, .softClock, .ordered).isEmpty)
    #expect(bench.nodes[1].pointee.place == .due)
  }

  @Test("durations are whole nanoseconds, and what does not fit is the largest")
  func durations() {
    #expect(Duration.nanoseconds(1).clampedNanoseconds == 1)
    #expect(Duration.zero.clampedNanoseconds == 0)
    #expect(Duration.seconds(-1).clampedNanoseconds == 0)
    #expect(Duration.seconds(3).clampedNanoseconds == 3_000_000_000)
    #expect(
      Duration(secondsComponent: 1, attosecondsComponent: 999_999_999).clampedNanoseconds == 1_000_000_000)
    #expect(Duration.seconds(Int64.max).clampedNanoseconds == .max)
  }

  @Test("a deadline beyond a turn of the highest digit", arguments: [1, 63, 64, 4_096, UInt64(1) << 40])
  func turnOfTheHighestDigit(_ ticks: UInt64) {
    // A clock may start anywhere: 2^62 ns is where the highest digit begins anew.
    let turn: UInt64 = 1 << 62
    let bench = Bench(now: turn - tick, nodes: 2)
    bench.arm(0, at: turn + ticks * tick)
    bench.arm(1, at: turn)
    #expect(bench.wheel.nextDeadline() <= turn)
    #expect(bench.advance(to: turn) == [1])
    #expect(bench.advance(to: turn + ticks * tick - 1) == [])
    #expect(bench.advance(to: turn + ticks * tick) == [0])
    #expect(bench.wheel.nextDeadline() == .max)
  }
}
