// Every rule is explained: what it is, what it protects, how to mend.

import Exploration
import Foundation
import Scenarios
import SoftInterrupts
import TestSupport
import Testing

@Suite("Rules in words")
struct RuleTests {
  @Test("The list has every rule that an exploration and the witness know")
  func complete() throws {
    let source = try String(
      contentsOf: repositoryFile("Sources/Exploration/Exploration.swift"), encoding: .utf8)
    let start = try #require(source.range(of: "public enum Rule"))
    let end = try #require(
      source.range(of: "public var description", range: start.upperBound..<source.endIndex))
    let cases = source[start.upperBound..<end.lowerBound].matches(of: /\n  case ([a-zA-Z]+)/).map {
      String($0.1)
    }
    #expect(cases.count > 10)
    for name in cases where name != "witness" { #expect(Rule.named(name) != nil, "\(name)") }
    for rule in Violation.Rule.allCases { #expect(Rule.named("\(rule)") == .witness(rule)) }
    #expect(Rule.all.count == cases.count - 1 + Violation.Rule.allCases.count)
    #expect(Set(Rule.all.map(\.identifier)).count == Rule.all.count)
  }

  @Test("Each says what, why and what to do, each in words of its own", arguments: Rule.all)
  func text(rule: Rule) {
    let text = rule.text
    for part in [text.what, text.protects, text.mend] {
      #expect(part.count > 20)
      #expect(part.hasSuffix(".") && !part.hasSuffix(".."))
    }
    #expect(Rule.all.filter { $0.text.what == text.what }.count == 1)
  }

  @Test("The examples break more than half a dozen different rules")
  func shown() throws {
    let rules = Set(
      try Examples.violations().compactMap { name, discipline in
        let scenario = try Examples.scenario(name)
        return (discipline.flatMap { scenario.expectationsUnder[$0] } ?? scenario.expectation)?.rule
      })
    #expect(rules.count > 6)
  }
}
