// The tutorial "Off the big lock in an afternoon": its code is that of the steps, its output what they print.
//
// Invariant: nothing in a marked block is trusted. `code: FILE` (see `SnippetTests`) is a file, `code: FILE#REGION` what lies between `// [REGION]` and
// `// [/REGION]`, `diff: A B` the lines that differ, `output: WORDS` what the program prints.

import Foundation
import Testing

@Suite("The tutorial")
struct TutorialTests {
  static let path = "Sources/SoftInterrupts/SoftInterrupts.docc/OffTheBigLock.md"
  static let steps = "Examples/OffTheBigLock/"

  struct Block: Sendable, CustomTestStringConvertible {
    var kind, subject, text: String
    var testDescription: String { "\(kind): \(subject)" }
  }

  /// Every marked block of the article.
  static func blocks(_ kind: String) throws -> [Block] {
    let text = try ReadmeTests.text(path)
    return try text.matches(of: /<!-- (code|diff|output): (.*) -->/).filter { $0.1 == kind }.map { match in
      Block(
        kind: kind, subject: String(match.2), text: try ReadmeTests.block(after: String(match.0), in: text))
    }
  }

  /// A file of the steps, or (`FILE#REGION`) a part of it. `SnippetTests` compares the blocks with it.
  static func code(_ subject: String) throws -> String {
    let parts = subject.split(separator: "#")
    let text = try ReadmeTests.text(steps + parts[0])
    return parts.count == 2 ? try region(String(parts[1]), of: text) : text
  }

  /// What lies between the two marks, moved to the left.
  static func region(_ name: String, of text: String) throws -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    func mark(_ mark: String) throws -> Int {
      try #require(lines.firstIndex { $0.drop { $0 == " " } == mark }, "there is no \(mark)")
    }
    let inside = lines[(try mark("// [\(name)]") + 1)..<(try mark("// [/\(name)]"))]
    let margin = inside.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return inside.map { $0.dropFirst(margin) + "\n" }.joined()
  }

  @Test("shows all that differs from step to step", arguments: try blocks("diff"))
  func difference(_ block: Block) throws {
    let steps = block.subject.split(separator: " ")
    #expect(steps.count == 2)
    // A file's first line and the name of its step differ always.
    let lines = try steps.map {
      try ReadmeTests.text("\(Self.steps)\($0).swift").split(
        separator: "\n", omittingEmptySubsequences: false
      )
      .filter { !$0.hasPrefix("//") && !$0.hasPrefix("enum Step") }
    }
    let change = lines[1].difference(from: lines[0])
    // Shown are the lines that go and those that come, each in their order.
    func shown(_ sign: Character) -> [Substring] {
      block.text.split(separator: "\n").filter { $0.first == sign }.map { $0.dropFirst() }
    }
    func texts(_ changes: [CollectionDifference<Substring>.Change]) -> [Substring] {
      changes.map {
        if case .insert(_, let line, _) = $0 {
          line
        } else if case .remove(_, let line, _) = $0 {
          line
        } else {
          ""
        }
      }
    }
    #expect(shown("-") == texts(change.removals))
    #expect(shown("+") == texts(change.insertions))
    #expect(block.text.split(separator: "\n").allSatisfy { $0.first == "-" || $0.first == "+" })
  }

  @Test(
    "prints what it says: equal work at every step, the meeting, the step that goes wrong",
    arguments: try blocks("output"))
  func output(_ block: Block) throws {
    try ReadmeTests.compare("off-the-big-lock", block.subject, with: block.text)
  }

  @Test("every step is there, and the compiler's words are those that the core says")
  func whole() throws {
    let text = try ReadmeTests.text(Self.path)
    #expect(try Self.blocks("diff").map(\.subject) == (1..<6).map { "Step\($0) Step\($0 + 1)" })
    #expect(try Self.blocks("output").map(\.subject) == ["check", "meeting", "too-early"])
    let words = "no gate is held here: raise to the value's level, then open it"
    #expect(text.contains("> \(words)\n"))
    #expect(try ReadmeTests.text("Sources/SoftInterrupts/Typed/Refused.swift").contains("\"\(words)\""))
  }

  @Test("a table is written between the marks of the article, and nothing else is touched")
  func table() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("article-\(UUID()).md")
    defer { try? FileManager.default.removeItem(at: file) }
    let marks = ["<!-- off-the-big-lock:begin -->", "<!-- off-the-big-lock:end -->"]
    let article = "before\n\(marks[0])\nold\n\(marks[1])\nafter\n"
    try article.write(to: file, atomically: true, encoding: .utf8)
    let printed = try ReadmeTests.output(
      of: "off-the-big-lock", ["measure", "1", "20000", "--write", file.path]
    ).text
    #expect(printed.contains("| 7 |"))
    let written = try String(contentsOf: file, encoding: .utf8)
    #expect(written == "before\n\(marks[0])\n\(printed)\(marks[1])\nafter\n")
  }
}
