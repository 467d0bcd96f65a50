// The code that the manual and the README print is compiled.
//
// Invariant: each Swift block has a mark above it. `program: FILE` is that file. `snippet: NAME` is what stands between `// snippet: NAME` and
// `// end` in a file of the tests or of an example, but for the indentation. `not compiled: REASON` says why it is neither.

import Foundation
import Testing

@Suite("The code in the documents")
struct SnippetTests {
  static let root = ReadmeTests.root

  /// A block of a document, and the mark above it.
  struct Block {
    var place: String
    var mark: String
    var text: String
  }

  /// The documents: the README and its like, and all articles of the catalogues.
  static func documents() -> [String] {
    let files = FileManager.default.enumerator(atPath: root.appendingPathComponent("Sources").path)
    let articles = (files?.allObjects as? [String] ?? []).filter {
      $0.hasSuffix(".md") && $0.contains(".docc/")
    }
    return ["README.md", "CONTRIBUTING.md", "LwIPStack/README.md"] + articles.map { "Sources/\($0)" }.sorted()
  }

  /// The Swift blocks of a document.
  static func blocks(of document: String, text: String) -> [Block] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return lines.indices.filter { lines[$0].hasPrefix("```swift") }.map { index in
      let mark = index > 0 && lines[index - 1].hasPrefix("<!-- ") ? lines[index - 1] : ""
      return Block(
        place: "\(document):\(index + 1)",
        mark: String(mark.dropFirst(5).prefix { $0 != ">" }.dropLast(3)),
        text: lines[(index + 1)...].prefix { $0 != "```" }.joined(separator: "\n"))
    }
  }

  /// What stands between the marks in compiled files, by name, without the common indentation. Two of one name have to be equal.
  static func snippets() throws -> [String: String] {
    var found: [String: String] = [:]
    for folder in ["Tests", "Examples"] {
      let files = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
      for file in files?.allObjects as? [String] ?? []
      where file.hasSuffix(".swift") && !file.contains(".build") {
        let lines = try ReadmeTests.text("\(folder)/\(file)").split(
          separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
          let bare = line.drop { $0 == " " }
          guard bare.hasPrefix("// snippet: ") else { continue }
          let name = String(bare.dropFirst("// snippet: ".count))
          let body = lines[(index + 1)...].prefix { $0.drop { $0 == " " } != "// end" }
          let text = body.map { $0.dropFirst(line.count - bare.count) }.joined(separator: "\n")
          #expect(found[name] == nil || found[name] == text, "two snippets are called \(name)")
          found[name] = text
        }
      }
    }
    return found
  }

  /// What is wrong with a block; nil if nothing is.
  static func complaint(_ block: Block, _ snippets: [String: String]) -> String? {
    let (kind, rest) = (block.mark.prefix { $0 != ":" }, block.mark.drop { $0 != ":" }.dropFirst(2))
    switch kind {
    case "program":
      return (try? ReadmeTests.text(String(rest))) == block.text + "\n" ? nil : "is not the file \(rest)"
    case "snippet":
      guard let text = snippets[String(rest)] else { return "no test has the snippet \(rest)" }
      return text == block.text ? nil : "is not the snippet \(rest) that is compiled:\n\(text)"
    case "code":
      let text = try? TutorialTests.code(String(rest))
      return text == block.text + "\n" ? nil : "is not \(rest), which is compiled:\n\(text ?? "")"
    case "not compiled":
      return rest.count >= 10 ? nil : "does not say why it is not compiled"
    default:
      return "has no mark above it: program, snippet, code or not compiled"
    }
  }

  @Test("each Swift block of the README, the manual and the other pages is compiled, or says why not")
  func compiled() throws {
    let snippets = try Self.snippets()
    var used: Set<String> = []
    var count = 0
    for document in Self.documents() {
      for block in Self.blocks(of: document, text: try ReadmeTests.text(document)) {
        let complaint = Self.complaint(block, snippets)
        #expect(complaint == nil, "\(block.place) \(complaint ?? "")")
        count += 1
        if block.mark.hasPrefix("snippet: ") { used.insert(String(block.mark.dropFirst(9))) }
      }
    }
    #expect(count >= 25)
    #expect(used == Set(snippets.keys), "compiled and printed nowhere, or the other way round")
  }

  @Test("a block that differs, has no mark, or gives no reason is found")
  func found() {
    let text = """
      <!-- snippet: a -->
      ```swift
      let a = 1
      ```
      ```swift
      let b = 2
      ```
      <!-- not compiled: so -->
      ```swift
      let c = 3
      ```
      <!-- not compiled: it is a line of a manifest -->
      ```swift
      let d = 4
      ```
      """
    let blocks = Self.blocks(of: "page", text: text)
    #expect(blocks.map(\.place) == ["page:2", "page:5", "page:9", "page:13"])
    #expect(blocks.map { Self.complaint($0, ["a": "let a = 1"]) == nil } == [true, false, false, true])
    #expect(Self.complaint(blocks[0], ["a": "let a = 2"]) != nil)
    #expect(Self.complaint(blocks[0], [:]) != nil)
  }
}
