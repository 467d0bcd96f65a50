// Stories: readable in 80 columns, ending with the rule in words.

import SimulatedMachine
import SoftInterrupts
import Testing

@testable import Exploration

@Suite("Stories")
struct StoryTests {
  static let rules: [Rule] =
    [
      .fatal, .twoHolders, .gateAboveIPL, .deadlock, .livelock, .dataRace, .unguarded, .reentered, .lostWork,
      .outOfOrder, .takenBack, .unasked, .expectation, .descending, .useAfterEnd, .early, .starvation,
      .notLinearizable,
    ] + Violation.Rule.allCases.map { .witness($0) }

  @Test("every rule is explained in one or two sentences", arguments: rules)
  func explained(_ rule: Rule) {
    let text = rule.explanation
    #expect(text.first?.isUppercase == true || text.first == ".")
    #expect(text.last == "." && text.count > 40 && text.count < 240, "\(text)")
  }

  @Test("the last line of a story is the rule in words, in 80 columns")
  func lastLine() throws {
    let exploration = try explored(cpus: 2) { world in
      let packets = world.shared("packets", guard: .softNet, 0)
      world.base(on: 0) { here in here.raise(exactly: .softBio) { _ in packets.value += 1 } }
    }
    let story = try #require(exploration.finding).story
    let lines = story.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(story)")
    #expect(story.contains("=> access without the guard\n"))
    #expect(
      lines.suffix(2).joined(separator: " ").contains("Rule: Data is touched under the gate"), "\(story)")
  }

  @Test("the witness's rule is said once: its report ends with it")
  func witness() throws {
    let exploration = try explored(cpus: 2) { world in
      world.base(on: 0) { here in
        here.raise(exactly: .softNet) { here in here.raise(exactly: .softBio) { _ in } }
      }
    }
    let story = try #require(exploration.finding).story
    let rule = "gates are acquired in ascending order only"
    let words = story.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.ranges(of: rule).count == 1 && !story.contains("Rule:"), "\(story)")
  }

  @Test("of a long story beginning and end are told, and how much is left out")
  func long() throws {
    let exploration = try explored { world in
      let x = world.shared("x", 0)
      world.visitor("v") {
        for _ in 0..<200 { x.value += 1 }
        world.expect(x.value < 200, "it counts too far")
      }
    }
    let story = try #require(exploration.finding).story
    let lines = story.split(separator: "\n")
    #expect(
      lines.count < 120 && lines.contains { $0.contains("lines of the middle are left out") }, "\(story)")
    #expect(story.contains("   0") && story.contains("it counts too far"))
  }
}

@Suite("In Swift Testing")
struct SwiftTestingTests {
  @Test("a failure's text holds story and replay string, and the string fails again")
  func failure() throws {
    let error = #expect(throws: ExplorationFailure.self) { try explore(cpus: 1, ExplorationXCTests.loses) }
    let failure = try #require(error)
    let finding = try #require(failure.exploration.finding)
    #expect("\(failure)".contains(finding.story) && "\(failure)".contains("replay: \(finding.replay)"))
    #expect(throws: ExplorationFailure.self) { try replay(finding.replay, cpus: 1, ExplorationXCTests.loses) }
  }
}
