// The page and the text: nothing from a file can break out of them.

import Exploration
import Foundation
import Scenarios
import Testing

@Suite("Pages and texts of explorations")
struct PageTests {
  /// A scenario whose words try to break out.
  private static let hostile = """
    {"scenario": "softint.scenario/1", "name": "<script>alert(1)</script> & \\u202e", "cpus": 1,
     "history": ["\\"><img src=x onerror=alert(2)>"], "data": [{"name": "d"}],
     "base": [{"cpu": 0, "steps": [{"expect": "d", "is": 1, "message": "</text><script>'"}]}]}
    """

  @Test("A page fetches nothing, and text from a file stays text")
  func escapes() throws {
    let result = try Scenario(Array(Self.hostile.utf8), file: "</title><b>.json").explore(
      file: "</title><b>.json")
    let page = result.html
    #expect(result.exploration.finding != nil)
    #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("</title><b>"))
    #expect(!page.unicodeScalars.contains("\u{202E}"))
    #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("url("))
    #expect(page.contains("default-src 'none'"))
  }

  @Test("A text moves no cursor")
  func text() throws {
    let result = try Scenario(Array(Self.hostile.utf8), file: "f").explore(file: "a\u{1B}[2J.json")
    let isHarmless = result.text(seconds: 1).unicodeScalars.allSatisfy {
      $0 == "\n" || $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
    }
    #expect(isHarmless)
  }

  @Test("The drawing has a lane for each CPU and ends with the rule")
  func drawing() throws {
    let page = try Examples.scenario("plain-lock-across-a-raise").explore(file: "f").html
    #expect(page.contains(">CPU 0</text>") && page.contains(">CPU 1</text>") && page.contains(">uart</text>"))
    #expect(page.contains("class=\"wrong-text\"") && page.contains(">livelock</text>"))
    #expect(page.contains("has lock &quot;log lock&quot;"))
    // Gates are drawn where they are held, and within the IPL.
    #expect(page.contains("holds gate softNet") && page.contains("IPL softNet"))
    #expect(page.contains("none, the big lock"))
  }

  @Test("One preemption is one, in the text and on the page")
  func one() throws {
    var scenario = try Examples.scenario("smallest")
    scenario.strategy = .exhaustive(preemptions: 1)
    let result = try scenario.explore(file: "f")
    for text in [result.text(), result.html] {
      #expect(text.contains("up to 1 preemption") && !text.contains("1 preemptions"))
    }
  }

  @Test("Where nothing is broken there is no drawing")
  func holds() throws {
    let page = try Examples.scenario("raised-read").explore(file: "f").html
    #expect(!page.contains("<svg class=\"story\"") && page.contains("no violation"))
  }
}
