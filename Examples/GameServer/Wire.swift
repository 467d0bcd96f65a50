// The protocol: what datagrams look like.
//
// Law: whatever bytes arrive, parsing answers a request or nil; it reads no byte that is not there and never traps. An answer to a
// stranger is no longer than what he sent (a join is padded), so the server is no amplifier.
//
// All numbers are big-endian. Every datagram begins with "SG", the version and its kind.

/// What a client asks for.
enum Request: Sendable, Equatable {
  /// Again with the same nonce it gets the same answer: answers may be lost.
  case join(nonce: UInt32, name: String)
  /// `sequence` counts the client's moves from 1; an old one is a duplicate or late, and does nothing.
  case move(Credentials, sequence: UInt32, dx: Int8, dy: Int8)
  case say(Credentials, text: String)
  case leave(Credentials)
}

/// What the server has given a client at its join; a datagram without it is a stranger's.
struct Credentials: Sendable, Equatable {
  var id: UInt16
  var token: UInt32
}

/// What the server says.
enum Answer: Equatable {
  case welcome(nonce: UInt32, Credentials)
  case full(nonce: UInt32)
  case said(to: UInt16, by: UInt16, text: String)
  case bye(to: UInt16)
  /// One part of what a client sees. `tick` is the sequence number of states; `acked` the client's last move that is in it.
  case state(to: UInt16, acked: UInt32, tick: UInt32, part: UInt8, parts: UInt8, [Sight])
}

/// A player as others see it.
struct Sight: Sendable, Equatable {
  var id, x, y, score: UInt16
}

enum Wire {
  static let version: UInt8 = 1
  /// The longest datagram that a client may send.
  static let longestRequest = 256
  /// The longest that the server sends: below what Ethernet carries whole.
  static let sightsInPart = 150
  /// Joins are padded to it.
  static let joinLength = 40
  static let longestName = 24
  static let longestText = 120

  /// 0 is none: what has not been written is no datagram.
  fileprivate enum Kind: UInt8 {
    case join = 1
    case move, say, leave, welcome, full, said, bye, state
  }

  static func parse(_ bytes: ArraySlice<UInt8>) -> Request? {
    guard bytes.count <= longestRequest else { return nil }
    var reader = Reader(bytes)
    guard let kind = reader.head() else { return nil }
    switch kind {
    case .join:
      guard bytes.count >= joinLength, let nonce = reader.u32(), let name = reader.text(longestName),
        !name.isEmpty
      else { return nil }
      return .join(nonce: nonce, name: name)
    case .move:
      guard let who = reader.credentials(), let sequence = reader.u32(), let dx = reader.u8(),
        let dy = reader.u8(), reader.isAtEnd
      else { return nil }
      return .move(who, sequence: sequence, dx: Int8(bitPattern: dx), dy: Int8(bitPattern: dy))
    case .say:
      guard let who = reader.credentials(), let text = reader.text(longestText), reader.isAtEnd else {
        return nil
      }
      return .say(who, text: text)
    case .leave:
      guard let who = reader.credentials(), reader.isAtEnd else { return nil }
      return .leave(who)
    default: return nil
    }
  }

  static func bytes(of request: Request) -> [UInt8] {
    switch request {
    case .join(let nonce, let name):
      var writer = Writer(.join)
      writer.u32(nonce)
      writer.text(name, longestName)
      while writer.bytes.count < joinLength { writer.u8(0) }
      return writer.bytes
    case .move(let who, let sequence, let dx, let dy):
      var writer = Writer(.move, who)
      writer.u32(sequence)
      writer.u8(UInt8(bitPattern: dx))
      writer.u8(UInt8(bitPattern: dy))
      return writer.bytes
    case .say(let who, let text):
      var writer = Writer(.say, who)
      writer.text(text, longestText)
      return writer.bytes
    case .leave(let who): return Writer(.leave, who).bytes
    }
  }

  static func bytes(of answer: Answer) -> [UInt8] {
    switch answer {
    case .welcome(let nonce, let who):
      var writer = Writer(.welcome)
      writer.u32(nonce)
      writer.credentials(who)
      return writer.bytes
    case .full(let nonce):
      var writer = Writer(.full)
      writer.u32(nonce)
      return writer.bytes
    case .said(let to, let by, let text):
      var writer = Writer(.said)
      writer.u16(to)
      writer.u16(by)
      writer.text(text, longestText)
      return writer.bytes
    case .bye(let to):
      var writer = Writer(.bye)
      writer.u16(to)
      return writer.bytes
    case .state(let to, let acked, let tick, let part, let parts, let sights):
      return stateHead(to: to, acked: acked) + stateBody(tick, part, parts, sights[...])
    }
  }

  /// The part of a state that differs from client to client,
  static func stateHead(to id: UInt16, acked: UInt32) -> [UInt8] {
    var writer = Writer(.state)
    writer.u16(id)
    writer.u32(acked)
    return writer.bytes
  }

  /// and the part that all in one region are sent, encoded once.
  static func stateBody(_ tick: UInt32, _ part: UInt8, _ parts: UInt8, _ sights: ArraySlice<Sight>) -> [UInt8]
  {
    var writer = Writer()
    writer.u32(tick)
    writer.u8(part)
    writer.u8(parts)
    writer.u8(UInt8(sights.count))
    for sight in sights {
      writer.u16(sight.id)
      writer.u16(sight.x)
      writer.u16(sight.y)
      writer.u16(sight.score)
    }
    return writer.bytes
  }

  static func answer(_ bytes: ArraySlice<UInt8>) -> Answer? {
    var reader = Reader(bytes)
    guard let kind = reader.head() else { return nil }
    switch kind {
    case .welcome:
      guard let nonce = reader.u32(), let who = reader.credentials() else { return nil }
      return .welcome(nonce: nonce, who)
    case .full: return reader.u32().map { .full(nonce: $0) }
    case .said:
      guard let to = reader.u16(), let by = reader.u16(), let text = reader.text(longestText) else {
        return nil
      }
      return .said(to: to, by: by, text: text)
    case .bye: return reader.u16().map { .bye(to: $0) }
    case .state:
      guard let to = reader.u16(), let acked = reader.u32(), let tick = reader.u32(), let part = reader.u8(),
        let parts = reader.u8(), let count = reader.u8()
      else { return nil }
      var sights: [Sight] = []
      for _ in 0..<count {
        guard let id = reader.u16(), let x = reader.u16(), let y = reader.u16(), let score = reader.u16()
        else { return nil }
        sights.append(Sight(id: id, x: x, y: y, score: score))
      }
      return .state(to: to, acked: acked, tick: tick, part: part, parts: parts, sights)
    default: return nil
    }
  }
}

/// Reads what is there; nil where nothing is left.
private struct Reader {
  private let bytes: ArraySlice<UInt8>
  private var at: Int
  init(_ bytes: ArraySlice<UInt8>) { (self.bytes, at) = (bytes, bytes.startIndex) }

  var isAtEnd: Bool { at == bytes.endIndex }

  mutating func u8() -> UInt8? {
    guard at < bytes.endIndex else { return nil }
    defer { at += 1 }
    return bytes[at]
  }
  mutating func u16() -> UInt16? {
    guard let high = u8(), let low = u8() else { return nil }
    return UInt16(high) << 8 | UInt16(low)
  }
  mutating func u32() -> UInt32? {
    guard let high = u16(), let low = u16() else { return nil }
    return UInt32(high) << 16 | UInt32(low)
  }
  mutating func head() -> Wire.Kind? {
    guard u8() == UInt8(ascii: "S"), u8() == UInt8(ascii: "G"), u8() == Wire.version, let kind = u8() else {
      return nil
    }
    return Wire.Kind(rawValue: kind)
  }
  mutating func credentials() -> Credentials? {
    guard let id = u16(), let token = u32() else { return nil }
    return Credentials(id: id, token: token)
  }
  /// Length and UTF-8, without control characters: it is put into a log.
  mutating func text(_ longest: Int) -> String? {
    guard let count = u8(), count <= longest, bytes.endIndex - at >= count else { return nil }
    defer { at += Int(count) }
    guard let text = String(validating: bytes[at..<at + Int(count)], as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
    else { return nil }
    return text
  }
}

private struct Writer {
  private(set) var bytes: [UInt8] = []
  init() {}
  init(_ kind: Wire.Kind) {
    bytes = [UInt8(ascii: "S"), UInt8(ascii: "G"), Wire.version, kind.rawValue]
  }
  init(_ kind: Wire.Kind, _ who: Credentials) {
    self.init(kind)
    credentials(who)
  }
  mutating func u8(_ value: UInt8) { bytes.append(value) }
  mutating func u16(_ value: UInt16) {
    u8(UInt8(value >> 8))
    u8(UInt8(value & 255))
  }
  mutating func u32(_ value: UInt32) {
    u16(UInt16(value >> 16))
    u16(UInt16(value & 65_535))
  }
  mutating func credentials(_ who: Credentials) {
    u16(who.id)
    u32(who.token)
  }
  /// Cut where it is too long, at a byte that begins a character.
  mutating func text(_ text: String, _ longest: Int) {
    var end = text.utf8.endIndex
    while text.utf8.distance(from: text.utf8.startIndex, to: end) > longest {
      end = text.index(before: end)
    }
    let cut = Array(text.utf8[..<end])
    u8(UInt8(cut.count))
    bytes += cut
  }
}
