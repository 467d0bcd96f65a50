// A strict reader of JSON (RFC 8259) that knows where everything stands.
//
// Law: it takes any bytes and gives a value or one error with its place; it neither recurses deeper than `Limit.depth` nor reads
// more than `Limit.bytes`. What readers disagree about is an error here: a name that an object has twice, a number that a double
// cannot hold exactly as a whole number where one is wanted, bytes that are no UTF-8.

/// A JSON value and the line it begins in.
package struct JSONNode {
  package enum Value {
    case null
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// Any other number.
    case fraction(Double)
    case string(String)
    case array([JSONNode])
    /// In the order of the text.
    case object([(name: String, value: JSONNode)])
  }
  package var value: Value
  package var line: Int
}

/// What is wrong with a text as JSON.
package struct JSONDefect: Error, Equatable {
  package var line: Int
  package var column: Int
  package var problem: String
}

package struct JSONText {
  package enum Limit {
    /// Containers in containers.
    package static let depth = 64
    package static let bytes = 4 << 20
    /// Whole numbers up to here are the same in every reader, also where numbers are doubles.
    package static let integer = 1 << 53
  }

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0

  /// The value that the text is.
  package static func read(_ bytes: [UInt8]) throws(JSONDefect) -> JSONNode {
    var text = JSONText(bytes: bytes)
    return try text.document()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func document() throws(JSONDefect) -> JSONNode {
    if bytes.count > Limit.bytes { throw defect("the text is longer than \(Limit.bytes) bytes") }
    skipBlanks()
    if at == bytes.count { throw defect("the text is empty: an object is wanted") }
    let node = try value(depth: 0)
    skipBlanks()
    if at < bytes.count { throw defect("something follows the value: the text is to end here") }
    return node
  }

  // MARK: Values

  private mutating func value(depth: Int) throws(JSONDefect) -> JSONNode {
    if depth > Limit.depth { throw defect("nested deeper than \(Limit.depth)") }
    let line = line
    let value: JSONNode.Value
    switch peek {
    case UInt8(ascii: "{"): value = try object(depth: depth)
    case UInt8(ascii: "["): value = try array(depth: depth)
    case UInt8(ascii: "\""): value = .string(try string())
    case UInt8(ascii: "t"): value = try word("true", .bool(true))
    case UInt8(ascii: "f"): value = try word("false", .bool(false))
    case UInt8(ascii: "n"): value = try word("null", .null)
    case UInt8(ascii: "-")?: value = try number()
    case let digit? where isDigit(digit): value = try number()
    case nil: throw defect("the text ends where a value is wanted")
    default: throw defect("a value is wanted: an object, an array, a string, a number, true, false or null")
    }
    return JSONNode(value: value, line: line)
  }

  private mutating func object(depth: Int) throws(JSONDefect) -> JSONNode.Value {
    at += 1
    var members: [(name: String, value: JSONNode)] = []
    var names: Set<String> = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipBlanks()
      guard peek == UInt8(ascii: "\"") else { throw defect("a name in double quotes is wanted") }
      let place = defect("")
      let name = try string()
      if !names.insert(name).inserted {
        throw JSONDefect(line: place.line, column: place.column, problem: "the object has \"\(name)\" twice")
      }
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw defect("a colon is wanted after a name") }
      skipBlanks()
      members.append((name, try value(depth: depth + 1)))
      skipBlanks()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw defect("a comma or } is wanted") }
    }
  }

  private mutating func array(depth: Int) throws(JSONDefect) -> JSONNode.Value {
    at += 1
    var elements: [JSONNode] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      skipBlanks()
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw defect("a comma or ] is wanted") }
    }
  }

  private mutating func word(
    _ text: StaticString, _ value: JSONNode.Value
  ) throws(JSONDefect) -> JSONNode.Value {
    let wanted = Array(text.description.utf8)
    guard bytes[at...].starts(with: wanted) else { throw defect("true, false or null is wanted") }
    at += wanted.count
    return value
  }

  private mutating func number() throws(JSONDefect) -> JSONNode.Value {
    let start = at
    let isNegative = take(UInt8(ascii: "-"))
    guard let first = peek, isDigit(first) else { throw defect("a digit is wanted") }
    var magnitude = 0
    var isTooLarge = false
    while let digit = peek, isDigit(digit) {
      if at > 0, magnitude == 0, bytes[at - 1] == UInt8(ascii: "0"), first == UInt8(ascii: "0") {
        throw defect("a number does not begin with 0")
      }
      // At most 2^53 · 10 + 9 before it is found too large.
      if !isTooLarge { magnitude = magnitude * 10 + Int(digit - UInt8(ascii: "0")) }
      if magnitude > Limit.integer { isTooLarge = true }
      at += 1
    }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    if isWhole && isTooLarge { throw defect("a number beyond 2^53") }
    if isWhole { return .integer(isNegative ? -magnitude : magnitude) }
    // The grammar of JSON's numbers is part of what the standard library reads; what is too large for a double is refused.
    guard let number = Double(String(decoding: bytes[start..<at], as: UTF8.self)), number.isFinite else {
      throw defect("a number beyond what a double holds")
    }
    return .fraction(number)
  }

  private mutating func digits() throws(JSONDefect) {
    guard let first = peek, isDigit(first) else { throw defect("a digit is wanted") }
    while let digit = peek, isDigit(digit) { at += 1 }
  }

  // MARK: Strings

  private mutating func string() throws(JSONDefect) -> String {
    at += 1
    var units: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        guard let text = String(validating: units, as: UTF8.self) else {
          throw defect("the string is no UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &units)
      case 0..<0x20: throw defect("a control character in a string is written \\u00…")
      default:
        units.append(byte)
        at += 1
      }
    }
    throw defect("the text ends in a string")
  }

  private mutating func escape(into units: inout [UInt8]) throws(JSONDefect) {
    at += 1
    guard let byte = peek else { throw defect("the text ends in a string") }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
    case UInt8(ascii: "b"): units.append(8)
    case UInt8(ascii: "f"): units.append(12)
    case UInt8(ascii: "n"): units.append(10)
    case UInt8(ascii: "r"): units.append(13)
    case UInt8(ascii: "t"): units.append(9)
    case UInt8(ascii: "u"):
      at += 1
      var code = try hexadecimal()
      if code & 0xfc00 == 0xd800 {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw defect("half a surrogate pair") }
        let low = try hexadecimal()
        guard low & 0xfc00 == 0xdc00 else { throw defect("half a surrogate pair") }
        code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
      }
      guard let scalar = Unicode.Scalar(code) else { throw defect("half a surrogate pair") }
      units.append(contentsOf: String(Character(scalar)).utf8)
      return
    default: throw defect("no such escape: \\ is followed by one of \" \\ / b f n r t u")
    }
    at += 1
  }

  private mutating func hexadecimal() throws(JSONDefect) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw defect("four hexadecimal digits are wanted after \\u")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }

  // MARK: Bytes

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    at += 1
    return true
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private mutating func skipBlanks() {
    while let byte = peek {
      switch byte {
      case 0x20, 0x09, 0x0d: at += 1
      case 0x0a:
        at += 1
        line += 1
        lineStart = at
      default: return
      }
    }
  }

  private func defect(_ problem: String) -> JSONDefect {
    JSONDefect(line: line, column: at - lineStart + 1, problem: problem)
  }
}

/// Looking things up where no more than a type has to be said.
extension JSONNode {
  /// A member of an object.
  package subscript(_ name: String) -> JSONNode? {
    if case .object(let members) = value { members.first { $0.name == name }?.value } else { nil }
  }
  package var string: String? { if case .string(let text) = value { text } else { nil } }
  package var double: Double? {
    switch value {
    case .integer(let number): Double(number)
    case .fraction(let number): number
    default: nil
    }
  }
}
