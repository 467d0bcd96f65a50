// The pending word: claims are exact, and stamps order the marks without ever trusting a late one.

import Testing

@testable import SoftInterrupts

@Suite("The pending word")
struct PendingWordTests {
  @Test("a claim takes the bit once, and counts")
  func claim() {
    let word = UnsafeMutablePointer<AtomicWord>.words(1)
    defer { word.deallocate() }
    word.fetchOr(0b101, .relaxed)
    #expect(PendingWord.claim(word, 0b001) == 1)
    #expect(PendingWord.claim(word, 0b001) == nil)
    #expect(PendingWord.claim(word, 0b010) == nil)
    #expect(PendingWord.claim(word, 0b100) == 2)
    #expect(word.load(.relaxed) & PendingWord.handlers == 0)
    #expect(PendingWord.claims(word.load(.relaxed)) == 2)
  }

  @Test("the count of claims wraps without touching the bits")
  func wraps() {
    let word = UnsafeMutablePointer<AtomicWord>.words(1)
    defer { word.deallocate() }
    word.store(~0, .relaxed)
    #expect(PendingWord.claim(word, 1) == 0)
    #expect(word.load(.relaxed) == PendingWord.handlers & ~1)
  }

  /// A CPU's pending word and the records of a few handlers, without a system.
  private final class Bench {
    let core = UnsafeMutablePointer<SystemCore<StillMachine>>.allocate(capacity: 1)
    let agent = UnsafeMutablePointer<Agent<StillMachine>>.allocate(capacity: 1)
    var records: [Home<StillMachine>] = []
    let level = Level.softNet
    var word: UnsafeMutablePointer<AtomicWord> { AgentRef(agent).pending(level) }

    init(handlers: Int, claims: UInt = 0) {
      agent.initialize(to: Agent(system: SystemRef(core), cpu: 0, seat: 0))
      for _ in 0..<handlers { records.append(Home(.words(Home<StillMachine>.size))) }
      word.store(claims << PendingWord.half, .relaxed)
      // As if each had been claimed just now, with a stamp from before.
      for record in records {
        record.lastClaim.store(claims, .relaxed)
        record.stamp.store((claims &- 1) << PendingWord.half, .relaxed)
      }
    }

    deinit {
      for record in records { record.words.deallocate() }
      agent.pointee.deallocate()
      agent.deallocate()
      core.deallocate()
    }

    /// The first half of a schedule: the mark, and what it found. Nil if it was pending.
    func mark(_ handler: Int) -> UInt? {
      let old = word.fetchOr(1 << UInt(handler), .acquireRelease)
      return old & 1 << UInt(handler) == 0 ? old : nil
    }
    /// The second half.
    func stamp(_ handler: Int, _ old: UInt) { records[handler].stampMark(old) }

    func claim(_ handler: Int) {
      guard let claims = PendingWord.claim(word, 1 << UInt(handler)) else { return }
      records[handler].lastClaim.store(claims, .relaxed)
    }

    func number(_ handler: Int) -> UInt? {
      SystemRef(core).stamp(records[handler], PendingWord.claims(word.load(.relaxed)))
    }

    /// The handlers that are pending, in the order in which they would be run.
    func order() -> [Int] {
      records.indices.filter { word.load(.relaxed) & 1 << UInt($0) != 0 }
        .sorted { a, b in
          switch (number(a), number(b)) {
          case (let x?, let y?): Int(bitPattern: x &- y) < 0
          case (.some, nil): true
          case (nil, .some): false
          case (nil, nil): a < b
          }
        }
    }
  }

  @Test("marks are ordered as their schedules were")
  func fifo() {
    let bench = Bench(handlers: 5)
    for handler in [3, 0, 4, 1, 2] { bench.stamp(handler, bench.mark(handler)!) }
    #expect(bench.mark(3) == nil)
    #expect(bench.order() == [3, 0, 4, 1, 2])
    bench.claim(3)
    bench.stamp(3, bench.mark(3)!)
    #expect(bench.order() == [0, 4, 1, 2, 3])
  }

  @Test("a mark whose schedule has not stamped it comes last")
  func unstamped() {
    let bench = Bench(handlers: 3)
    let late = bench.mark(0)!
    bench.stamp(1, bench.mark(1)!)
    #expect(bench.order() == [1, 0])
    bench.stamp(0, late)
    #expect(bench.order() == [0, 1])
  }

  @Test("a schedule that was delayed over a claim cannot stamp the next mark")
  func delayed() {
    let bench = Bench(handlers: 2)
    let late = bench.mark(0)!
    bench.claim(0)
    let second = bench.mark(0)!
    bench.stamp(1, bench.mark(1)!)
    bench.stamp(0, late)
    // The stamp of the first mark is not the second's.
    #expect(bench.number(0) == nil && bench.order() == [1, 0])
    // Stamped late, it stands where its mark was made.
    bench.stamp(0, second)
    #expect(bench.number(0) != nil && bench.order() == [0, 1])
    bench.stamp(0, late)
    #expect(bench.number(0) != nil)
  }

  @Test(
    "random schedules in two halves and claims never run a returned schedule after a later one",
    arguments: 1...20)
  func random(_ seed: Int) {
    var random = Seeded(UInt64(seed))
    // Some start just before the count of claims wraps.
    let bench = Bench(handlers: 6, claims: seed.isMultiple(of: 2) ? PendingWord.handlers - 5 : 0)
    var open: [(handler: Int, old: UInt)] = []
    // The marks in their order; those whose schedules have returned are to be claimed in it.
    var marks: [Int] = []
    var returned: Set<Int> = []
    for _ in 0..<400 {
      switch UInt8.random(in: 0..<4, using: &random) {
      case 0, 1:
        let handler = Int.random(in: 0..<6, using: &random)
        if let old = bench.mark(handler) {
          open.append((handler, old))
          marks.append(handler)
        }
      case 2:
        guard let index = open.indices.randomElement(using: &random) else { continue }
        let (handler, old) = open.remove(at: index)
        bench.stamp(handler, old)
        // It has returned, if its mark is the present one.
        if bench.number(handler) != nil { returned.insert(handler) }
      default:
        guard let first = bench.order().first else { continue }
        if let expected = marks.first(where: returned.contains) { #expect(first == expected, "seed \(seed)") }
        bench.claim(first)
        marks.removeAll { $0 == first }
        returned.remove(first)
      }
    }
  }
}
