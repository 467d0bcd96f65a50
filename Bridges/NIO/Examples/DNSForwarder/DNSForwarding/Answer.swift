// An upstream's answer: read once, then given to many clients, each with its own id, spelling and remaining time.
//
// Law: where a TTL stands is known from a reading of the whole message; it is made smaller by the time that the answer has been kept, and
// nothing else of the message is changed but id and question, which has the length of the one in its place.

/// An answer that was read to its end.
public struct Answer: Sendable {
  public let id: UInt16
  let bytes: [UInt8]
  /// In lower case, with type and class.
  let question: [UInt8]
  /// Where TTLs stand.
  private let ttlsAt: [Int]
  /// For how many seconds it may be kept; nil if not at all.
  public let lifetime: UInt32?

  /// Nobody keeps an answer for longer than a day.
  static let longest: UInt32 = 86_400

  /// Reads an upstream's datagram; nil if it is no whole answer to one question.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 12, bytes[2] & 0xF8 == 0x80 else { return nil }
    var reader = Reader(bytes)
    do throws(DNSMessageError) {
      id = try reader.short()
      _ = try reader.short()
      let counts = (try reader.short(), try reader.short(), try reader.short(), try reader.short())
      guard counts.0 == 1 else { return nil }
      var question = lowercased(try reader.name())
      question.append(short: try reader.short())
      question.append(short: try reader.short())
      var ttlsAt: [Int] = []
      var shortest = Self.longest
      var negative: UInt32?
      for index in 0..<(Int(counts.1) + Int(counts.2) + Int(counts.3)) {
        let record = try reader.record()
        if record.type == RecordType.opt { continue }
        ttlsAt.append(record.ttlAt)
        // A TTL with the highest bit set is 0 (RFC 2181, section 8).
        let ttl = record.ttl >> 31 == 0 ? record.ttl : 0
        if index < Int(counts.1) {
          shortest = min(shortest, ttl)
        } else if index < Int(counts.1) + Int(counts.2), record.type == RecordType.soa,
          record.data.count >= 22
        {
          // That something is not there may be kept for as long as the zone says (RFC 2308): the last of its numbers.
          var minimum = Reader(bytes, at: record.data.upperBound - 4)
          negative = min(ttl, try minimum.long(), Self.longest)
        }
      }
      self.bytes = bytes
      self.question = question
      self.ttlsAt = ttlsAt
      let code = bytes[3] & 0xF
      let isWhole = bytes[2] & 2 == 0
      if isWhole && code == 0 && counts.1 > 0 {
        lifetime = shortest == 0 ? nil : shortest
      } else if isWhole && (code == 0 || code == ResponseCode.nameError), let negative, negative > 0 {
        lifetime = negative
      } else {
        lifetime = nil
      }
    } catch { return nil }
  }

  /// Whether it answers what was asked.
  func answers(_ key: Key) -> Bool {
    question.count == key.name.count + 4 && question.starts(with: key.name)
      && question[key.name.count] == UInt8(key.type >> 8)
      && question[key.name.count + 1] == UInt8(truncatingIfNeeded: key.type)
      && question[key.name.count + 2] == UInt8(key.kind >> 8)
      && question[key.name.count + 3] == UInt8(truncatingIfNeeded: key.kind)
  }

  /// The answer for one client.
  ///
  /// - Parameter age: for how many whole seconds it has been kept.
  public func reply(to query: Query, age: UInt32 = 0) -> [UInt8] {
    if bytes.count > query.payloadSize { return query.reply(0, isTruncated: true) }
    var reply = bytes
    reply.put(short: query.id, at: 0)
    // As long as the one in its place: it was compared.
    reply.replaceSubrange(12..<12 + query.question.count, with: query.question)
    if age > 0 {
      for at in ttlsAt {
        var reader = Reader(bytes, at: at)
        guard let ttl = try? reader.long() else { continue }
        reply.put(long: ttl > age ? ttl - age : 0, at: at)
      }
    }
    return reply
  }
}
