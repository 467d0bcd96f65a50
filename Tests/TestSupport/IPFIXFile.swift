// A decoder of IPFIX files that knows nothing of the exporter: it follows the bytes by RFC 7011 and the
// templates that it meets, and refuses whatever does not add up.

/// What a file of IPFIX messages says.
package struct IPFIXFile {
  package struct Message {
    package var length: Int
    package var exportTime: UInt32
    package var sequence: UInt32
    package var domain: UInt32
    package var records: [Record] = []
    package var templates: [UInt16] = []
  }

  /// A field: the enterprise, 0 for none, and the element.
  package struct Element: Hashable {
    package var enterprise: UInt32
    package var number: UInt16

    package init(_ number: UInt16, enterprise: UInt32 = 0) {
      self.enterprise = enterprise
      self.number = number
    }
  }

  package struct Record {
    package var template: UInt16
    package var fields: [Element: [UInt8]]

    /// The value of a field of at most eight bytes.
    package func value(_ element: UInt16, reverse: Bool = false) -> UInt64? {
      fields[Element(element, enterprise: reverse ? 29_305 : 0)].map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }
  }

  package enum Defect: Error {
    case cut
    case version(UInt16)
    case length(Int)
    case unknownTemplate(UInt16)
    case unknownSet(UInt16)
    case badPadding
  }

  package private(set) var messages: [Message] = []
  private var templates: [UInt16: [(element: Element, length: Int)]] = [:]

  package init(_ bytes: [UInt8]) throws {
    var file = Cursor(bytes[...])
    while !file.isAtEnd {
      let version = try file.uint16()
      guard version == 10 else { throw Defect.version(version) }
      let length = Int(try file.uint16())
      guard length >= 16 else { throw Defect.length(length) }
      var message = Message(
        length: length, exportTime: try file.uint32(), sequence: try file.uint32(), domain: try file.uint32())
      var body = Cursor(try file.take(length - 16))
      while !body.isAtEnd { try decodeSet(&body, into: &message) }
      messages.append(message)
    }
  }

  private mutating func decodeSet(_ body: inout Cursor, into message: inout Message) throws {
    let id = try body.uint16()
    let length = Int(try body.uint16())
    guard length > 4 else { throw Defect.length(length) }
    var set = Cursor(try body.take(length - 4))
    switch id {
    case 2:
      while !set.isAtEnd { message.templates.append(try decodeTemplate(&set)) }
    case 256...:
      guard let template = templates[id] else { throw Defect.unknownTemplate(id) }
      let size = template.reduce(0) { $0 + $1.length }
      while set.rest.count >= size {
        var record = Record(template: id, fields: [:])
        for (element, length) in template { record.fields[element] = Array(try set.take(length)) }
        message.records.append(record)
      }
      guard set.rest.allSatisfy({ $0 == 0 }) else { throw Defect.badPadding }
    default: throw Defect.unknownSet(id)
    }
  }

  private mutating func decodeTemplate(_ set: inout Cursor) throws -> UInt16 {
    let id = try set.uint16()
    var fields: [(Element, Int)] = []
    for _ in 0..<(try set.uint16()) {
      let number = try set.uint16()
      let length = Int(try set.uint16())
      let enterprise = number & 0x8000 == 0 ? 0 : try set.uint32()
      fields.append((Element(number & 0x7fff, enterprise: enterprise), length))
    }
    templates[id] = fields
    return id
  }

  private struct Cursor {
    var rest: ArraySlice<UInt8>
    var isAtEnd: Bool { rest.isEmpty }

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
      guard rest.count >= count else { throw Defect.cut }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }

    mutating func uint16() throws -> UInt16 { try take(2).reduce(0) { $0 << 8 | UInt16($1) } }
    mutating func uint32() throws -> UInt32 { try take(4).reduce(0) { $0 << 8 | UInt32($1) } }
  }
}
