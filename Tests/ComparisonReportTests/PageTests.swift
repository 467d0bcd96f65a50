// The page: self-contained, well-formed, and deaf to hostile text. How it looks is for eyes.

import Foundation
import Testing

@testable import ComparisonReport

@Suite("The page")
struct PageTests {
  /// Elements that have no end tag.
  private static let void: Set<String> = ["meta", "br", "!DOCTYPE"]

  @Test("closes every element that it opens, in every state of a run", arguments: ComparisonCases.all)
  func isWellFormed(_ example: ComparisonCase) throws {
    let html = example.html
      .replacing(/<style>[\s\S]*?<\/style>/, with: "").replacing(/<script>[\s\S]*?<\/script>/, with: "")
    var open: [String] = []
    for match in html.matches(of: /<(\/?)([!A-Za-z][A-Za-z0-9]*)((?:[^<>"]|"[^"<>]*")*)>/) {
      let name = String(match.2)
      if PageTests.void.contains(name) || match.3.hasSuffix("/") { continue }
      if match.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
    }
    #expect(open.isEmpty)
    let rest = html.replacing(/<(\/?)([!A-Za-z][A-Za-z0-9]*)((?:[^<>"]|"[^"<>]*")*)>/, with: "")
    #expect(!rest.contains("<") && !rest.contains(">"))
  }

  @Test("draws no coordinate that is no number", arguments: ComparisonCases.all)
  func coordinates(_ example: ComparisonCase) {
    let html = example.html
    for attribute in html.matches(of: /\s(?:x|y|x1|x2|y1|y2|cx|cy|r|width|height|points|d)="([^"]*)"/) {
      let text = attribute.1
      #expect(!text.contains("nan") && !text.contains("inf") && !text.contains("null") && !text.contains("–"))
    }
  }

  @Test("fetches nothing", arguments: ComparisonCases.all)
  func isSelfContained(_ example: ComparisonCase) {
    let html = example.html
    #expect(html.contains("default-src 'none'"))
    for reference in [" src=", " href=", "url(", "@import", "http://", "https://", "fetch("] {
      #expect(!html.contains(reference), "\(reference)")
    }
    #expect(html.matches(of: /<script/).count == 1)
  }

  @Test("shows hostile text as text")
  func escapes() throws {
    let example = try #require(ComparisonCases.all.first { $0.name == "hostile text" })
    let html = example.html
    #expect(!html.contains("<script>alert"))
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(html.contains("&quot;&#39; onload=x"))
    #expect(html.contains("&amp;amp;"))
    #expect(html.unicodeScalars.allSatisfy { $0 == "\n" || TerminalText.isHarmless($0) })
  }

  @Test("holds the sentences, the figures and both colour schemes")
  func content() {
    let html = Comparison.sample().html
    let plain = html.replacing("\u{A0}", with: " ")
    for sentence in Comparison.sample().sentences { #expect(plain.contains(HTMLText.escape(sentence))) }
    #expect(html.contains("prefers-color-scheme: dark"))
    for discipline in Discipline.allCases { #expect(html.contains(">\(discipline)")) }
    #expect(html.contains("Timeline of ordered: running"))
    #expect(html.contains("5f3a9c0e77d1b264"))
  }

  @Test("has a text for every drawing")
  func accessibility() {
    let html = Comparison.sample().html
    for svg in html.matches(of: /<svg ([^>]*)>/) where !svg.1.contains("viewBox") {
      #expect(svg.1.contains("aria-label=") || svg.1.contains("aria-hidden="))
    }
  }

  @Test("says so where nothing was measured")
  func nothing() {
    var comparison = Comparison.sample()
    comparison.results = []
    let html = comparison.html
    #expect(html.contains("No capacity was measured."))
    #expect(html.contains("No latency was measured."))
    #expect(html.contains("No timeline was recorded."))
  }

  @Test("stays small however many spans a timeline has")
  func bounded() {
    let spans = (0..<200_000).map { index in
      TimelineSpan(
        cpu: index % 2, level: .softNet, start: UInt64(index) * 20, end: UInt64(index) * 20 + 10, kind: .run)
    }
    let html = Comparison.sample().changing(.ordered) { $0.timeline = spans }.html
    #expect(html.utf8.count < 1_000_000)
  }

  @Test(
    "has a logarithm that is right to 1e-12", arguments: [1e-300, 0.5, 1, 2, 9.999, 10, 123_456, 1e15, 1e300])
  func logarithm(value: Double) {
    #expect(abs(LogScale.log10(value) - log10(value)) < 1e-12 * max(1, abs(log10(value))))
  }

  @Test("names two lines that lie close in one text, and others by one each")
  func names() {
    var near = Comparison.sample()
    near.machine.parallelLimits = rounds(1.1)
    #expect(near.html.contains(">one CPU, S × one CPU</text>"))
    #expect(!near.html.contains(">one CPU</text>") && !near.html.contains(">S × one CPU</text>"))
    near.machine.parallelLimits = rounds(0.9)
    #expect(near.html.contains(">S × one CPU, one CPU</text>"))
    let far = Comparison.sample().html
    #expect(far.contains(">one CPU</text>") && far.contains(">S × one CPU</text>"))
  }
}
