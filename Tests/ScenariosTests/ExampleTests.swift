// The worked examples: each is what it says, under each discipline for which it says something.

import Exploration
import Foundation
import Scenarios
import TestSupport
import Testing

/// The examples that this repository publishes.
enum Examples {
  static let names: [String] = {
    let files = try? FileManager.default.contentsOfDirectory(
      atPath: repositoryFile("Examples/Scenarios").path)
    return (files ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }()

  static func text(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: repositoryFile("Examples/Scenarios/\(name).json")))
  }

  static func scenario(_ name: String) throws -> Scenario { try Scenario(text(name), file: "\(name).json") }

  /// Those that break a rule, with the disciplines under which they do.
  static func violations() throws -> [(name: String, discipline: ScenarioDiscipline?)] {
    var found: [(name: String, discipline: ScenarioDiscipline?)] = []
    for name in names {
      let scenario = try scenario(name)
      if scenario.expectation?.isViolation ?? false { found.append((name, nil)) }
      for (discipline, expected) in scenario.expectationsUnder where expected.isViolation {
        found.append((name, discipline))
      }
    }
    return found
  }
}

@Suite("Examples of scenarios")
struct ExampleTests {
  @Test("There are a dozen and more, each expects something and says where it comes from")
  func many() throws {
    #expect(Examples.names.count >= 12)
    for name in Examples.names {
      let scenario = try Examples.scenario(name)
      #expect(scenario.expectation != nil, "\(name)")
      #expect(!scenario.history.isEmpty, "\(name)")
    }
  }

  @Test("Each is as it expects", arguments: Examples.names)
  func asExpected(name: String) throws {
    let result = try Examples.scenario(name).explore(file: name)
    #expect(result.judgement == .asExpected, "\(result.text())")
  }

  @Test("Each is as it expects under each discipline that it names", arguments: Examples.names)
  func underDisciplines(name: String) throws {
    let scenario = try Examples.scenario(name)
    for discipline in scenario.expectationsUnder.keys {
      let result = try scenario.under(discipline).explore(file: name)
      #expect(result.judgement == .asExpected, "\(discipline): \(result.text())")
    }
  }

  @Test("Each violation is found again by its replay string, and its story has at most 80 columns")
  func replays() throws {
    for (name, discipline) in try Examples.violations() {
      let scenario = try discipline.map { try Examples.scenario(name).under($0) } ?? Examples.scenario(name)
      let finding = try #require(try scenario.explore(file: name).exploration.finding)
      let again = try #require(try scenario.replay(finding.replay), "\(name)")
      #expect(again.rule == finding.rule, "\(name)")
      #expect(again.story == finding.story, "\(name)")
      #expect(finding.story.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(finding.story)")
    }
  }

  @Test("An exploration has the same result each time, to the bit")
  func isDeterministic() throws {
    for name in ["callout-freed-unguarded", "timeout-raises", "handed-to-a-sleeper"] {
      let scenario = try Examples.scenario(name)
      #expect(try scenario.explore(file: name).json == scenario.explore(file: name).json, "\(name)")
    }
  }

  @Test("The smallest has at most 40 points in each schedule, and more than one schedule and outcome")
  func smallest() throws {
    // A run beyond the limit is a violation, so that it holds is that it keeps to it.
    var scenario = try Examples.scenario("smallest")
    #expect(scenario.limits.steps == 40)
    let result = try scenario.explore().exploration
    #expect(result.schedules > 100 && result.outcomes.count > 1)
    scenario.limits.steps = 20
    #expect(try scenario.explore().exploration.finding?.rule == .livelock)
  }

  @Test("A scenario that is what it should not be is told so")
  func notAsExpected() throws {
    let holds = try Examples.text("raised-read")
    let text = String(decoding: holds, as: UTF8.self).replacing(
      "\"expect\": { \"verdict\": \"holds\" }",
      with: "\"expect\": { \"verdict\": \"violation\", \"rule\": \"dataRace\" }")
    let scenario = try Scenario(Array(text.utf8), file: "changed")
    #expect(try scenario.explore().judgement == .notAsExpected)

    let broken = String(decoding: try Examples.text("unraised-read"), as: UTF8.self)
    let other = broken.replacing("\"rule\": \"dataRace\"", with: "\"rule\": \"deadlock\"")
    #expect(try Scenario(Array(other.utf8), file: "changed").explore().judgement == .notAsExpected)
    let nothing = broken.replacing(
      "\"expect\": { \"verdict\": \"violation\", \"rule\": \"dataRace\" },", with: "")
    #expect(try Scenario(Array(nothing.utf8), file: "changed").explore().judgement == .violation)
  }
}
