// The programs of the README and of the manual print what is printed there.
//
// Invariant: no output is trusted: it is compared with what the compiled program writes. (`SnippetTests` compares the code.)

import Foundation
import Testing

@Suite("The README")
struct ReadmeTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The fenced block that follows a marker, without its fences.
  static func block(after marker: String, in text: String) throws -> String {
    let marked = try #require(text.range(of: marker), "the README has no \(marker)")
    let lines = text[marked.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
    let open = try #require(lines.firstIndex { $0.hasPrefix("```") })
    let close = try #require(lines[(open + 1)...].firstIndex { $0 == "```" })
    return lines[(open + 1)..<close].joined(separator: "\n") + "\n"
  }

  @Test("the first program prints what the README says, and nothing on standard error")
  func output() throws {
    try Self.compare(
      "FirstProgram", with: Self.block(after: "<!-- first-output -->", in: Self.text("README.md")))
  }

  @Test("an exploration tells what the README says")
  func story() throws {
    let text = try Self.text("README.md")
    let command = "$ softint explore big-lock-against-plain-lock\n"
    let shown = try Self.block(after: "<!-- explore:begin -->", in: text)
    #expect(shown.hasPrefix(command))
    try Self.compare(
      "softint", "explore", "big-lock-against-plain-lock", with: String(shown.dropFirst(command.count)))
  }

  @Test("the typed order's program prints what the article says")
  func typedOrder() throws {
    let article = try Self.text("Sources/SoftInterrupts/SoftInterrupts.docc/TypedOrder.md")
    try Self.compare("TypedOrder", with: Self.block(after: "<!-- typed-output -->", in: article))
  }

  /// A program of the build: its products lie beside each other.
  static func program(_ name: String) -> URL {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent(name)
  }

  /// Runs a program of the build: what it prints, what it complains of, and how it ends.
  static func output(
    of name: String, _ arguments: [String] = []
  ) throws -> (text: String, complaint: String, status: Int32) {
    let process = Process()
    process.executableURL = program(name)
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (
      String(decoding: printed, as: UTF8.self), String(decoding: complaints, as: UTF8.self),
      process.terminationStatus
    )
  }

  /// Runs a program and compares what it prints, and that it ends as it should.
  static func compare(
    _ name: String, _ arguments: String..., with shown: String, complaint: String = "", status: Int32 = 0
  ) throws {
    let output = try output(of: name, arguments)
    #expect(output.status == status)
    #expect(output.text == shown)
    #expect(output.complaint == complaint)
  }

  /// Every page of the repository. What is built has names that begin with a dot.
  static func pages() -> [URL] {
    let all = FileManager.default.enumerator(
      at: root, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)!
    return all.compactMap { $0 as? URL }.filter { $0.pathExtension == "md" }
  }

  /// A page's lines outside of its blocks of code.
  static func prose(of page: URL) throws -> [Substring] {
    var isCode = false
    return try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { line in
      if line.hasPrefix("```") { isCode.toggle() }
      return !isCode
    }
  }

  /// The anchors of a page's headings.
  static func anchors(of page: URL) throws -> Set<String> {
    Set(
      try prose(of: page).filter { $0.hasPrefix("#") }.map { line in
        let words = line.drop { $0 == "#" }.dropFirst().lowercased()
        return String(words.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) })
          .replacingOccurrences(of: " ", with: "-")
      })
  }

  @Test("a link to a file of the package leads somewhere, and to a heading that is there")
  func links() throws {
    let pages = Self.pages()
    #expect(pages.count > 40)
    for page in pages {
      for line in try Self.prose(of: page) {
        for match in line.matches(of: /\]\(([^)#:]*)(?:#([^)]+))?\)/) {
          let target =
            match.1.isEmpty
            ? page : page.deletingLastPathComponent().appendingPathComponent(String(match.1))
          let isThere = FileManager.default.fileExists(atPath: target.path)
          #expect(isThere, "\(page.path) links to \(match.1)")
          guard isThere, let heading = match.2, target.pathExtension == "md" else { continue }
          #expect(
            try Self.anchors(of: target).contains(heading.lowercased()),
            "\(page.path) links to \(match.1)#\(heading)")
        }
      }
    }
  }

  @Test("every rule of the witness is explained, and every bound of the configuration")
  func articles() throws {
    let catalogue = "Sources/SoftInterrupts/SoftInterrupts.docc/"
    let witness = try Self.text(catalogue + "Witness.md")
    for rule in Self.rules { #expect(witness.contains("`\(rule)`"), "Witness.md does not explain \(rule)") }
    let bounds = try Self.text(catalogue + "Bounds.md")
    for bound in Self.bounds { #expect(bounds.contains("`\(bound)`"), "Bounds.md does not explain \(bound)") }
  }
}
