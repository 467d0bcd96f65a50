// JSON as a value, and its text: no more than this package's reports need.
//
// Invariant: the text is valid JSON for every value, and the same for equal values: members keep their order, a
// number that is not finite becomes null, every character that could disturb a terminal is escaped.

/// A JSON document. Objects keep the order of their members.
package enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// The value, or null.
  package static func optional(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
  package static func optional(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
  package static func optional(_ value: UInt64?) -> JSONValue { value.map(JSONValue.unsigned) ?? .null }

  /// The text, indented by two blanks a step, ended by a line feed.
  package var text: String {
    var writer = JSONWriter()
    writer.write(self, indent: 0)
    writer.text += "\n"
    return writer.text
  }
}

/// Writes a JSON value as text.
struct JSONWriter {
  fileprivate(set) var text = ""

  mutating func write(_ value: JSONValue, indent: Int) {
    switch value {
    case .null: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .integer(let integer): text += String(integer)
    case .unsigned(let unsigned): text += String(unsigned)
    case .number(let number): text += JSONWriter.text(of: number)
    case .string(let string): write(string)
    case .array(let elements):
      write(elements.count, between: "[", "]", indent: indent) { writer, index in
        writer.write(elements[index], indent: indent + 1)
      }
    case .object(let members):
      write(members.count, between: "{", "}", indent: indent) { writer, index in
        writer.write(members[index].0)
        writer.text += ": "
        writer.write(members[index].1, indent: indent + 1)
      }
    }
  }

  private mutating func write(
    _ count: Int, between open: String, _ close: String, indent: Int,
    element: (inout JSONWriter, Int) -> Void
  ) {
    text += open
    for index in 0..<count {
      text += index == 0 ? "\n" : ",\n"
      text += String(repeating: "  ", count: indent + 1)
      element(&self, index)
    }
    if count > 0 { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  private mutating func write(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default:
        if TerminalText.isHarmless(scalar) {
          text.unicodeScalars.append(scalar)
        } else {
          for unit in String(scalar).utf16 { write(escaped: unit) }
        }
      }
    }
    text += "\""
  }

  private mutating func write(escaped unit: UInt16) {
    let digits = String(unit, radix: 16)
    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// The shortest text that reads back as the same number; whole numbers without a fraction.
  static func text(of number: Double) -> String {
    guard number.isFinite else { return "null" }
    if number == 0 { return "0" }
    if number.magnitude < 0x1p53, Double(Int64(number)) == number { return String(Int64(number)) }
    return number.description
  }
}
