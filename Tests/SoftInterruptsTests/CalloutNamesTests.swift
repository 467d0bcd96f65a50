// The table of callouts' names: each once, at a place that never changes.

import Testing

@testable import SoftInterrupts

@Suite("The names of callouts")
struct CalloutNamesTests {
  @Test("a name is kept once, whatever the number of callouts, and found by its place")
  func names() {
    let names = CalloutNames()
    defer { names.deallocate() }
    let literals: [StaticString] = ["a timer", "another", "a third"]
    let places = literals.map { names.index(of: $0) }
    #expect(places == [0, 1, 2])
    #expect(literals.map { names.index(of: $0) } == places)
    #expect(places.map { names[Int($0)].description } == literals.map(\.description))
    // Blocks of 16, 32, 64 …, one after the other.
    let marks = [0, 15, 16, 47, 48, CalloutNames.capacity - 1].map { CalloutNames.place($0) }
    #expect(marks.map(\.block) == [0, 0, 1, 1, 2, CalloutNames.blockCount - 1])
    #expect(marks.map(\.offset) == [0, 15, 0, 31, 0, (16 << (CalloutNames.blockCount - 1)) - 1])
  }

  @Test("when the table of names is full, one of them stands for the rest")
  func manyNames() {
    let names = CalloutNames()
    defer { names.deallocate() }
    for _ in 0..<(CalloutNames.capacity - 1) { _ = names.add("so many") }
    #expect(names[Int(names.index(of: "one more"))].description == "(one of too many names)")
    #expect(names[Int(names.index(of: "and one more"))].description == "(one of too many names)")
    #expect(names[Int(names.index(of: "so many"))].description == "so many")
  }
}
