// Reads JSON: no more than the program's own model files need, and nothing worse than an error for any input.
//
// Invariant: one pass over the bytes, nested at most `depthLimit` deep; a document that is refused says where.

/// Why a text is no JSON, and at which byte.
struct JSONSyntaxError: Error {
  var offset: Int
  var problem: String
}

struct JSONReader {
  static let depthLimit = 64

  private let bytes: [UInt8]
  private var at = 0

  /// The value of a whole document.
  static func value(of bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    if reader.at < bytes.count { throw reader.error("something after the end of the document") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func error(_ problem: String) -> JSONSyntaxError { JSONSyntaxError(offset: at, problem: problem) }
  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard next == UInt8(byte.value) else { return false }
    at += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard at + count <= bytes.count else { return false }
    for index in 0..<count where bytes[at + index] != word.utf8Start[index] { return false }
    at += count
    return true
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    skipBlanks()
    if depth > Self.depthLimit { throw error("nested more than \(Self.depthLimit) deep") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take(word: "true"): return .bool(true)
    case UInt8(ascii: "f") where take(word: "false"): return .bool(false)
    case UInt8(ascii: "n") where take(word: "null"): return .null
    case nil: throw error("the document ends early")
    default: return .number(try number())
    }
  }

  private mutating func object(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
    at += 1
    var members: [(String, JSONValue)] = []
    if take("}") { return .object(members) }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw error("a member's name is missing") }
      let name = try string()
      if members.contains(where: { $0.0 == name }) { throw error("\"\(name)\" is there twice") }
      guard take(":") else { throw error("a colon is missing") }
      members.append((name, try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw error("a } is missing") }
    return .object(members)
  }

  private mutating func array(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
    at += 1
    var elements: [JSONValue] = []
    if take("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw error("a ] is missing") }
    return .array(elements)
  }

  private mutating func number() throws(JSONSyntaxError) -> Double {
    let start = at
    while let byte = next,
      byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains(byte)
    {
      at += 1
    }
    // Every JSON number is a text that the standard library reads as one; what it reads besides ("+1", ".5") does no harm.
    guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
      at = start
      throw error("no value")
    }
    return value
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: try escaped())
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("a string without an end")
  }

  private mutating func escaped() throws(JSONSyntaxError) -> String.UTF8View {
    let byte = next
    at += 1
    switch byte {
    case UInt8(ascii: "\""): return "\"".utf8
    case UInt8(ascii: "\\"): return "\\".utf8
    case UInt8(ascii: "/"): return "/".utf8
    case UInt8(ascii: "b"): return "\u{8}".utf8
    case UInt8(ascii: "f"): return "\u{c}".utf8
    case UInt8(ascii: "n"): return "\n".utf8
    case UInt8(ascii: "r"): return "\r".utf8
    case UInt8(ascii: "t"): return "\t".utf8
    case UInt8(ascii: "u"):
      let first = try unit()
      if let scalar = Unicode.Scalar(first) { return String(Character(scalar)).utf8 }
      guard first < 0xdc00, take(word: "\\u") else { throw error("half a surrogate pair") }
      let second = try unit()
      guard second >= 0xdc00 && second < 0xe000,
        let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00)
      else { throw error("half a surrogate pair") }
      return String(Character(scalar)).utf8
    default: throw error("an unknown escape")
    }
  }

  private mutating func unit() throws(JSONSyntaxError) -> UInt16 {
    guard at + 4 <= bytes.count,
      bytes[at..<at + 4].allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let unit = UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw error("four hexadecimal digits are missing") }
    at += 4
    return unit
  }
}

extension JSONValue {
  /// A member of an object; nil if there is none, or it is no object.
  subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == name }?.1
  }
  var string: String? { if case .string(let text) = self { text } else { nil } }
  var double: Double? { if case .number(let value) = self { value } else { nil } }
}
