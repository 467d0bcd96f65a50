import Testing

@testable import ComparisonReport

@Suite("The terminal table")
struct TableTests {
  @Test("print")
  func show() {
    print(Comparison.sample().table())
  }
}
