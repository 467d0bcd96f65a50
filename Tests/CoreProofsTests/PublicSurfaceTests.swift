// The list of operations against the sources of the core.

import CoreProofs
import Foundation
import Testing

@Suite("The public operations")
struct PublicSurfaceTests {
  /// The public declarations of the core, as its sources have them.
  struct Declarations {
    /// "Type.name(labels)", of members.
    var members: Set<String> = []
    var types: Set<String> = []

    init() throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/SoftInterrupts")
      let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
      for case let file as URL in files where file.pathExtension == "swift" {
        read(try String(contentsOf: file, encoding: .utf8))
      }
    }

    private mutating func read(_ text: String) {
      // One statement may go over several lines: declarations are read from the text, types by their columns.
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      var type = ""
      for (index, line) in lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
        let code = line.prefix { $0 != "{" }
        let words = code.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" })
        if let kind = words.firstIndex(where: {
          ["struct", "class", "enum", "extension", "protocol", "actor"].contains($0)
        }), kind + 1 < words.count {
          let name = String(words[kind + 1])
          let indent = line.prefix { $0 == " " }.count
          // Within a file types are at column 0, or 2 if the file is conditional.
          if indent == 0 || (indent == 2 && lines.contains { $0.hasPrefix("#if !hasFeature") }) {
            type = name
          }
          if words[..<kind].contains("public") && words[kind] != "extension" { types.insert(name) }
          continue
        }
        guard words.contains("public") else { continue }
        if let name = member(lines[index...]) { members.insert("\(type).\(name)") }
      }
    }

    /// "name(labels)" of the declaration that begins here; "name" of a property.
    private func member(_ lines: ArraySlice<Substring>) -> String? {
      let text = lines.prefix(8).joined(separator: "\n")
      for keyword in ["func ", "init"] {
        guard let at = text.range(of: keyword), !text[..<at.lowerBound].contains("\n") else { continue }
        let rest = keyword == "init" ? text[at.lowerBound...] : text[at.upperBound...]
        let name = rest.prefix { $0.isLetter || $0.isNumber || "=<_".contains($0) }.prefix { $0 != "<" }
        guard let open = rest.firstIndex(of: "(") else { return nil }
        return "\(name)(\(labels(rest[rest.index(after: open)...])))"
      }
      for keyword in ["var ", "let "] {
        guard let at = text.range(of: keyword), !text[..<at.lowerBound].contains("\n") else { continue }
        return String(text[at.upperBound...].prefix { $0.isLetter || $0.isNumber })
      }
      return nil
    }

    private func labels(_ text: Substring) -> String {
      var (depth, current, all) = (0, "", [String]())
      var previous: Character = " "
      for character in text {
        if "([<".contains(character) { depth += 1 }
        if character == ")" && depth == 0 { break }
        if ")]".contains(character) || (character == ">" && previous != "-") { depth -= 1 }
        if character == "," && depth == 0 {
          all.append(current)
          current = ""
        } else {
          current.append(character)
        }
        previous = character
      }
      if current.contains(":") { all.append(current) }
      let isLabel = { (character: Character) in character.isLetter || character == "_" }
      return all.map { parameter in
        String(parameter.drop { !isLabel($0) }.prefix(while: isLabel)) + ":"
      }.joined()
    }
  }

  @Test("each public member of the types that operate is covered, or said to be no operation")
  func members() throws {
    let declared = try Declarations().members.filter { name in
      PublicSurface.operating.contains { name.hasPrefix("\($0).") }
    }
    let known = PublicSurface.covered.union(PublicSurface.others.keys)
    #expect(declared.subtracting(known).sorted() == [], "public, and not on the list of operations")
    #expect(known.subtracting(declared).sorted() == [], "on the list, and not in the sources")
    #expect(PublicSurface.covered.isDisjoint(with: PublicSurface.others.keys))
  }

  @Test("each public type operates, is a typed spelling, or is a value")
  func types() throws {
    let types = try Declarations().types
    let known = Set(PublicSurface.operating + PublicSurface.values + PublicSurface.typed)
    #expect(types.subtracting(known).sorted() == [], "public types that are on no list")
    #expect(known.subtracting(types).sorted() == [], "listed types that are not in the sources")
  }

  @Test("operations have names of their own, and each covers something")
  func names() {
    let all = PublicOperation.all
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(all.allSatisfy { !$0.covers.isEmpty })
    #expect(Company.pairs(.points).count == all.count * (all.count + 1) / 2)
  }
}
