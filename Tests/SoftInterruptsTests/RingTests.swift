// The ring, by one thread: what goes in comes out, in order, and never more than fits.

import Testing

@testable import SoftInterrupts

@Suite("A ring")
struct RingTests {
  @Test("capacities are rounded up to a power of two", arguments: [(1, 1), (2, 2), (3, 4), (5, 8), (64, 64)])
  func capacity(_ asked: Int, _ given: Int) {
    let ring = Ring<Int, StillMachine>(capacity: asked)
    for value in 0..<given { #expect(ring.push(value)) }
    #expect(!ring.push(-1) && ring.count == given)
    for value in 0..<given { #expect(ring.pop() == value) }
    #expect(ring.pop() == nil && ring.count == 0)
  }

  @Test("random pushes and pops give what a list gives")
  func model() {
    var random = Seeded(7)
    let ring = Ring<Int, StillMachine>(capacity: 8)
    var list: [Int] = []
    for value in 0..<10_000 {
      if Bool.random(using: &random) {
        #expect(ring.push(value) == (list.count < 8))
        if list.count < 8 { list.append(value) }
      } else {
        #expect(ring.pop() == (list.isEmpty ? nil : list.removeFirst()))
      }
      #expect(ring.count == list.count)
    }
  }

  @Test("what is left in a ring goes with it")
  func release() {
    final class Token: Sendable {}
    weak var seen: Token?
    do {
      let ring = Ring<Token, StillMachine>(capacity: 4)
      let token = Token()
      seen = token
      #expect(ring.push(token))
    }
    #expect(seen == nil)
  }
}
