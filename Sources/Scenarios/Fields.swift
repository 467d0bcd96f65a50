// Reading an object's members: each once, with its type, and none that nobody asked for.
//
// Law: whoever reads an object ends with `end()`, which refuses what was not read; so an unknown key is always an error.

import ComparisonReport
import SoftInterrupts

/// A place in a document that is being read.
struct Value {
  var node: JSONNode
  var path: String

  func wrong(_ problem: String) -> ScenarioError {
    ScenarioError(file: "", line: node.line, path: path, problem: problem)
  }

  func string() throws(ScenarioError) -> String {
    guard case .string(let text) = node.value else { throw wrong("a string is wanted") }
    return text
  }

  /// Text that is shown: something, of one line, no longer than a story can hold.
  func text(_ most: Int = 200) throws(ScenarioError) -> String {
    let text = try string()
    guard !text.isEmpty else { throw wrong("a text that is not empty is wanted") }
    guard text.unicodeScalars.count <= most else { throw wrong("at most \(most) characters are wanted") }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      throw wrong("a text without control characters is wanted")
    }
    return text
  }

  func integer(_ range: ClosedRange<Int>) throws(ScenarioError) -> Int {
    guard case .integer(let number) = node.value, range.contains(number) else {
      throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound) is wanted")
    }
    return number
  }

  func bool() throws(ScenarioError) -> Bool {
    guard case .bool(let bool) = node.value else { throw wrong("true or false is wanted") }
    return bool
  }

  /// A flag that only says that it is there.
  func flag() throws(ScenarioError) {
    guard case .bool(true) = node.value else { throw wrong("true is wanted; leave the key out otherwise") }
  }

  func array(_ most: Int) throws(ScenarioError) -> [Value] {
    guard case .array(let elements) = node.value else { throw wrong("an array is wanted") }
    guard elements.count <= most else { throw wrong("at most \(most) elements are wanted") }
    return elements.enumerated().map { Value(node: $1, path: "\(path)[\($0)]") }
  }

  func choice<T>(_ choices: [(String, T)]) throws(ScenarioError) -> T {
    let known = choices.map(\.0).joined(separator: ", ")
    guard case .string(let text) = node.value, let found = choices.first(where: { $0.0 == text }) else {
      throw wrong("one of \(known) is wanted")
    }
    return found.1
  }

  func level(_ levels: ClosedRange<Level> = .none ... .high) throws(ScenarioError) -> Level {
    try choice(Level.allCases.filter(levels.contains).map { ($0.description, $0) })
  }

  func fields() throws(ScenarioError) -> Fields { try Fields(self) }
}

/// The members of an object, taken one by one.
struct Fields {
  let value: Value
  private var left: [(name: String, node: JSONNode)]
  private var asked: [String] = []

  init(_ value: Value) throws(ScenarioError) {
    guard case .object(let members) = value.node.value else { throw value.wrong("an object is wanted") }
    self.value = value
    left = members.map { ($0.name, $0.value) }
  }

  mutating func take(_ name: String) -> Value? {
    asked.append(name)
    guard let index = left.firstIndex(where: { $0.name == name }) else { return nil }
    return Value(node: left.remove(at: index).node, path: value.path + "." + name)
  }

  mutating func need(_ name: String) throws(ScenarioError) -> Value {
    guard let found = take(name) else { throw value.wrong("the key \"\(name)\" is missing") }
    return found
  }

  /// The elements of an array that may be left out.
  mutating func list(_ name: String, _ most: Int) throws(ScenarioError) -> [Value] {
    guard let found = take(name) else { return [] }
    return try found.array(most)
  }

  /// The first of some names that is there.
  func first(of names: [String]) -> String? { names.first { name in left.contains { $0.name == name } } }

  func end() throws(ScenarioError) {
    guard let first = left.first else { return }
    // Keys are anybody's text: not told where they would not fit into a line.
    let shown = first.name.unicodeScalars.count <= 40 ? first.name : "\(first.name.prefix(40))…"
    let known = asked.joined(separator: ", ")
    throw ScenarioError(
      file: "", line: first.node.line, path: value.path + "." + shown,
      problem: known.isEmpty
        ? "there is no such key here" : "there is no such key here; there may be \(known)")
  }
}
