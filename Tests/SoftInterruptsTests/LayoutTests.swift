// What the core assumes of the layout of its types, and what it promises of their sizes.

import Synchronization
import Testing

@testable import SoftInterrupts

@Suite("Layout")
struct LayoutTests {
  @Test("levels are their raw values, 0 to 7 without a gap, in order")
  func levels() {
    #expect(Level.allCases.map(\.rawValue) == Array(0..<8))
    #expect(MemoryLayout<Level>.size == 1)
    for level in Level.allCases {
      #expect(unsafeBitCast(level, to: UInt8.self) == level.rawValue)
      #expect(Level(raw: level.rawValue) == level)
      #expect(level.gate.rawValue == 1 << UInt(level.rawValue))
      #expect(level.gate.lowest == level && level.gate.highest == level)
      #expect(Level(name: level.description) == level)
      if level != .none { #expect(level.below.rawValue == level.rawValue - 1) }
    }
    #expect(Level.none.below == Level.none)
    #expect(Level.allCases.count == Level.count && Level.allCases == Level.allCases.sorted())
    #expect(Level(name: "softnet") == nil)
  }

  @Test("the soft levels are the four between base code and the machine's own")
  func softLevels() {
    #expect(Level.allCases.filter(\.isSoft) == [.softClock, .softBio, .softNet, .softSerial])
  }

  @Test("sets of gates agree with sets of levels")
  func sets() {
    func levels(_ set: GateSet) -> [Level] { Level.allCases.filter { set.contains($0.gate) } }
    for lower in Level.allCases {
      for upper in Level.allCases {
        #expect(levels(.above(lower, through: upper)) == Level.allCases.filter { $0 > lower && $0 <= upper })
      }
    }
    for a in 0..<UInt(256) {
      let set = GateSet(rawValue: a)
      if !set.isEmpty {
        #expect(set.lowest == levels(set).first && set.highest == levels(set).last)
      }
      for b in 0..<UInt(256) {
        let other = GateSet(rawValue: b)
        let isAbove = levels(set).allSatisfy { mine in levels(other).allSatisfy { mine > $0 } }
        if set.isAbove(other) != isAbove { Issue.record("isAbove(\(set), \(other))") }
      }
    }
    #expect("\(GateSet([Level.softNet.gate, Level.none.gate]))" == "none, softNet")
  }

  @Test("an AtomicWord is laid out as the Atomic<UInt> that it is accessed as")
  func atomicWord() {
    #expect(MemoryLayout<AtomicWord>.size == MemoryLayout<Atomic<UInt>>.size)
    #expect(MemoryLayout<AtomicWord>.stride == MemoryLayout<Atomic<UInt>>.stride)
    #expect(MemoryLayout<AtomicWord>.alignment == MemoryLayout<Atomic<UInt>>.alignment)
    #expect(MemoryLayout<AtomicWord>.size == MemoryLayout<UInt>.size)
  }

  @Test("an AtomicWord does what its names say, in every order")
  func wordOperations() {
    let word = UnsafeMutablePointer<AtomicWord>.words(1)
    defer { word.deallocate() }
    let orders: [MemoryOrder] = [.relaxed, .acquire, .release, .acquireRelease, .sequentiallyConsistent]
    for order in orders {
      word.store(0b0110, .relaxed)
      #expect(word.fetchOr(0b0001, order) == 0b0110)
      #expect(word.fetchAnd(0b0011, order) == 0b0111)
      #expect(word.fetchAdd(2, order) == 0b0011)
      #expect(word.exchange(9, order) == 5)
      #expect(!word.compareExchange(8, 1, order))
      #expect(word.load(.acquire) == 9)
      #expect(word.compareExchange(9, 1, order))
      #expect(word.fetchAdd(0 &- 2, order) == 1)
      #expect(word.load(.sequentiallyConsistent) == .max)
    }
    for order in [MemoryOrder.relaxed, .release, .sequentiallyConsistent] {
      word.store(7, order)
      #expect(word.load(.relaxed) == 7)
    }
    #expect(AtomicWord(5).bits == 5)
  }

  @Test("words start at 0, at the beginning of a cache line")
  func wordsAreAligned() {
    for count in [1, 8, 100] {
      let words = UnsafeMutablePointer<AtomicWord>.words(count)
      #expect(UInt(bitPattern: words) % 64 == 0)
      #expect((0..<count).allSatisfy { words[$0].bits == 0 })
      words.deallocate()
    }
  }

  @Test("a handler costs less than 512 B on two CPUs, a callout's node one line")
  func sizes() {
    let homes = 2 * Home<StillMachine>.size * MemoryLayout<AtomicWord>.stride
    // What runs ask for is on the slot's first line; the generation is behind the slot, on its second.
    #expect(MemoryLayout<HandlerSlot<StillMachine>>.offset(of: \.body)! <= 56)
    #expect(MemoryLayout<HandlerSlot<StillMachine>>.size + MemoryLayout<AtomicWord>.stride <= 128)
    // The block, the object with the body and a closure's context, and what the allocator adds to each of the three.
    #expect(128 + homes + 32 + 24 + 3 * 16 <= 512)
    #expect(MemoryLayout<CalloutNode<StillMachine>>.stride <= 64)
  }

  @Test("a context stands on the stack: small, and made without an allocation")
  func contextSize() {
    #expect(MemoryLayout<Context<StillMachine>>.stride <= 96)
    #expect(_isPOD(Context<StillMachine>.self))
  }

  @Test("the eight bytes of an agent's notices are read as one word, and no other field is among them")
  func notices() throws {
    typealias A = Agent<StillMachine>
    let bytes: [PartialKeyPath<A>] = [
      \A.hasOwnMark, \A.isAbandoned, \A.throttled, \A.queued, \A.isAside, \A.role,
    ]
    let start = try #require(MemoryLayout<A>.offset(of: \.bigLockNotes))
    #expect(start % 8 == 0)
    #expect(bytes.map { MemoryLayout<A>.offset(of: $0) } == (2..<8).map { start + $0 })
    #expect(MemoryLayout<A>.offset(of: \.ipl) == start + 8)
  }

  @Test("a stamp's word holds a bit for each handler and leaves room for the claims")
  func pendingHalves() {
    #expect(PendingWord.handlers.nonzeroBitCount * 2 == UInt.bitWidth)
    #expect(InterruptSystem<StillMachine>.handlersPerLevel == UInt.bitWidth / 2 - InternalSlots.count)
    #expect(InternalSlots.mask == (1 << UInt(InternalSlots.count)) - 1)
  }
}
