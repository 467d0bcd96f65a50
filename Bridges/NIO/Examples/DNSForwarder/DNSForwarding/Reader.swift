// Reads DNS messages (RFC 1035, section 4): numbers, names, questions and records.
//
// Law: nothing outside of the message is read, whatever the message says, and every loop ends: a compressed name goes on at an offset
// below the one where it is, and has at most 255 octets.

/// Why a message cannot be read.
public enum DNSMessageError: Error, Sendable, Equatable, CustomStringConvertible {
  case endsEarly(at: Int)
  case badLabel(at: Int)
  /// A compression pointer that does not point backwards.
  case badPointer(at: Int)
  case nameTooLong(at: Int)

  public var description: String {
    switch self {
    case .endsEarly(let at): "the message ends at octet \(at), in the middle of something"
    case .badLabel(let at): "octet \(at) begins no label"
    case .badPointer(let at): "the pointer at octet \(at) does not point backwards"
    case .nameTooLong(let at): "the name at octet \(at) is longer than 255 octets"
    }
  }
}

/// A place in a message.
struct Reader {
  let bytes: [UInt8]
  var at: Int

  init(_ bytes: [UInt8], at: Int = 0) {
    self.bytes = bytes
    self.at = at
  }

  mutating func octet() throws(DNSMessageError) -> UInt8 {
    guard at < bytes.count else { throw .endsEarly(at: bytes.count) }
    defer { at += 1 }
    return bytes[at]
  }

  mutating func short() throws(DNSMessageError) -> UInt16 {
    let high = try octet()
    return UInt16(high) << 8 | UInt16(try octet())
  }

  mutating func long() throws(DNSMessageError) -> UInt32 {
    let high = try short()
    return UInt32(high) << 16 | UInt32(try short())
  }

  mutating func skip(_ count: Int) throws(DNSMessageError) {
    guard count <= bytes.count - at else { throw .endsEarly(at: bytes.count) }
    at += count
  }

  /// A name, uncompressed, as it is written: each label with its length before it, the root's 0 at the end.
  mutating func name() throws(DNSMessageError) -> [UInt8] {
    let start = at
    var name: [UInt8] = []
    var place = at
    // Where a pointer may still point to: strictly below, so that this loop ends.
    var limit = at
    var end: Int?
    while true {
      guard place < bytes.count else { throw .endsEarly(at: bytes.count) }
      let length = Int(bytes[place])
      switch length {
      case 0:
        name.append(0)
        if name.count > 255 { throw .nameTooLong(at: start) }
        at = end ?? place + 1
        return name
      case 1...63:
        guard length < bytes.count - place else { throw .endsEarly(at: bytes.count) }
        name += bytes[place...place + length]
        if name.count > 255 { throw .nameTooLong(at: start) }
        place += length + 1
      case 192...255:
        guard place + 1 < bytes.count else { throw .endsEarly(at: bytes.count) }
        let target = (length & 63) << 8 | Int(bytes[place + 1])
        guard target < limit else { throw .badPointer(at: place) }
        if end == nil { end = place + 2 }
        limit = target
        place = target
      default: throw .badLabel(at: place)
      }
    }
  }

  /// A record of any section.
  mutating func record() throws(DNSMessageError) -> Record {
    _ = try name()
    let type = try short()
    _ = try short()
    let ttlAt = at
    let ttl = try long()
    let length = Int(try short())
    let dataAt = at
    try skip(length)
    return Record(type: type, ttlAt: ttlAt, ttl: ttl, data: dataAt..<at)
  }
}

/// What is looked at of a record.
struct Record {
  let type: UInt16
  let ttlAt: Int
  let ttl: UInt32
  let data: Range<Int>
}

/// Types that mean something to a forwarder.
enum RecordType {
  static let soa: UInt16 = 6
  /// EDNS (RFC 6891): no record; where others have a TTL it has flags.
  static let opt: UInt16 = 41
}

/// Letters of a name without their case, as names are compared (RFC 4343). Lengths are below `A`.
func lowercased(_ name: [UInt8]) -> [UInt8] { name.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 } }

extension [UInt8] {
  mutating func append(short: UInt16) {
    append(UInt8(short >> 8))
    append(UInt8(truncatingIfNeeded: short))
  }
  mutating func put(short: UInt16, at: Int) {
    self[at] = UInt8(short >> 8)
    self[at + 1] = UInt8(truncatingIfNeeded: short)
  }
  mutating func put(long: UInt32, at: Int) {
    put(short: UInt16(long >> 16), at: at)
    put(short: UInt16(truncatingIfNeeded: long), at: at + 2)
  }
}
