// The names of a scenario: declared once, found by what they are.
//
// Law: one name means one thing in the whole document, so that a story's words are never ambiguous.

/// What a name stands for, as an index into the scenario's list of such things.
enum Named: Equatable {
  case datum(Int)
  case cell(Int)
  case lock(Int)
  case condition(Int)
  case handler(Int)
  case callout(Int)

  var kind: String {
    switch self {
    case .datum: "data"
    case .cell: "a per-CPU cell"
    case .lock: "a lock"
    case .condition: "a condition"
    case .handler: "a handler"
    case .callout: "a callout"
    }
  }
}

struct Names {
  private var found: [String: Named] = [:]

  mutating func declare(_ value: Value, _ what: Named) throws(ScenarioError) -> String {
    let name = try Self.name(value)
    if let before = found[name] {
      throw value.wrong("\"\(name)\" is \(before.kind) already: choose another name")
    }
    found[name] = what
    return name
  }

  /// A name: letters, digits, blanks, - and _, so that it can be part of any line.
  static func name(_ value: Value) throws(ScenarioError) -> String {
    let name = try value.text(32)
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: " "):
        true
      default: false
      }
    }
    guard isPlain else { throw value.wrong("a name of letters, digits, blanks, - and _ is wanted") }
    return name
  }

  func find(_ name: String) -> Named? { found[name] }

  func handler(_ value: Value) throws(ScenarioError) -> Int {
    if case .handler(let index)? = found[try value.string()] { return index }
    throw unknown(value, "handler")
  }
  func callout(_ value: Value) throws(ScenarioError) -> Int {
    if case .callout(let index)? = found[try value.string()] { return index }
    throw unknown(value, "callout")
  }
  func condition(_ value: Value) throws(ScenarioError) -> Int {
    if case .condition(let index)? = found[try value.string()] { return index }
    throw unknown(value, "condition")
  }
  func lock(_ value: Value) throws(ScenarioError) -> Int {
    if case .lock(let index)? = found[try value.string()] { return index }
    throw unknown(value, "lock")
  }
  func cell(_ value: Value) throws(ScenarioError) -> Int {
    if case .cell(let index)? = found[try value.string()] { return index }
    throw unknown(value, "cell")
  }

  private func unknown(_ value: Value, _ kind: String) -> ScenarioError {
    value.wrong("there is no \(kind) of this name: declare it under \"\(kind)s\"")
  }
}
