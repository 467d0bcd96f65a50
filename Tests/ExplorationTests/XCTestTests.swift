// Explorations inside of XCTest: the error's text is what is reported.

import Exploration
import SimulatedMachine
import SoftInterrupts
import XCTest

final class ExplorationXCTests: XCTestCase {
  static func loses(_ world: World) {
    let x = Place()
    for name in ["a", "b"] { world.visitor(name) { x.store(x.load() + 1) } }
    world.finally { world.expect(x.load() == 2, "an update was lost") }
  }

  /// What XCTest prints of an error that a test throws.
  private func report(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  func testAHoldingProgramPasses() throws {
    let exploration = try explore(cpus: 2, strategy: .exhaustive(preemptions: 2), Scenario.schedules)
    XCTAssertGreaterThan(exploration.schedules, 1)
  }

  func testAFailureSaysStoryAndReplayString() throws {
    let text = report { try explore(cpus: 1, Self.loses) }
    XCTAssertTrue(text.contains("an update was lost"), text)
    XCTAssertTrue(text.contains("=> expectation"), text)
    let replayed = try XCTUnwrap(text.split(separator: "\n").last { $0.hasPrefix("replay: ") })
    let again = report { try replay(String(replayed.dropFirst("replay: ".count)), cpus: 1, Self.loses) }
    XCTAssertTrue(again.contains("an update was lost") && again.contains(replayed), again)
  }

  func testAWrongStringIsRefused() {
    XCTAssertThrowsError(try replay("nonsense", cpus: 1, Self.loses)) { error in
      XCTAssertTrue("\(error)".contains("is no replay string"), "\(error)")
    }
  }
}
