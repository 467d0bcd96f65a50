// A client's query: read, refused, or turned into one for the upstream.
//
// Law: what is sent upstream is written anew from what was understood, so nothing of a client's octets goes there but its question.

/// What two queries have in common that get the same answer.
public struct Key: Hashable, Sendable {
  /// In lower case.
  let name: [UInt8]
  let type: UInt16
  let kind: UInt16
  /// Recursion desired, checking disabled; EDNS, and its DO.
  let isRecursive: Bool
  let isUnchecked: Bool
  let hasEDNS: Bool
  let wantsSecurity: Bool
}

/// A query with one question.
public struct Query: Sendable {
  public let id: UInt16
  public let key: Key
  /// The question as the client wrote it, uncompressed.
  let question: [UInt8]
  /// How long a datagram the client takes.
  let payloadSize: Int
}

/// What is to be done with a client's datagram.
public enum Reading: Sendable {
  case query(Query)
  /// No query that is understood; the client is told.
  case refused([UInt8])
  /// Not even that, or no query at all: an answer to an answer may go on for ever.
  case dropped
}

enum ResponseCode {
  static let formatError: UInt8 = 1
  static let serverFailure: UInt8 = 2
  static let nameError: UInt8 = 3
  static let notImplemented: UInt8 = 4
}

extension Query {
  /// Reads a client's datagram.
  public static func read(_ bytes: [UInt8]) -> Reading {
    guard bytes.count >= 12, bytes[2] & 0x80 == 0 else { return .dropped }
    // The header's opcode.
    if bytes[2] & 0x78 != 0 { return .refused(header(of: bytes, ResponseCode.notImplemented)) }
    do { return .query(try query(bytes)) } catch {
      return .refused(header(of: bytes, ResponseCode.formatError))
    }
  }

  private static func query(_ bytes: [UInt8]) throws -> Query {
    struct NotOneQuestion: Error {}
    var reader = Reader(bytes)
    let id = try reader.short()
    let flags = try reader.short()
    let counts = (try reader.short(), try reader.short(), try reader.short(), try reader.short())
    guard counts.0 == 1 && counts.1 == 0 else { throw NotOneQuestion() }
    let name = try reader.name()
    let (type, kind) = (try reader.short(), try reader.short())
    var (hasEDNS, wantsSecurity, payloadSize) = (false, false, 512)
    for _ in 0..<(Int(counts.2) + Int(counts.3)) {
      let start = reader.at
      let record = try reader.record()
      guard record.type == RecordType.opt else { continue }
      hasEDNS = true
      wantsSecurity = record.ttl & 0x8000 != 0
      // Where others have a class: after the root's name and the type.
      var size = Reader(bytes, at: start + 3)
      payloadSize = max(512, Int(try size.short()))
    }
    var question = name
    question.append(short: type)
    question.append(short: kind)
    return Query(
      id: id,
      key: Key(
        name: lowercased(name), type: type, kind: kind, isRecursive: flags & 0x100 != 0,
        isUnchecked: flags & 0x10 != 0, hasEDNS: hasEDNS, wantsSecurity: wantsSecurity),
      question: question, payloadSize: payloadSize)
  }

  /// A header that says what is wrong; no question, as that may be what could not be read.
  private static func header(of bytes: [UInt8], _ code: UInt8) -> [UInt8] {
    [bytes[0], bytes[1], 0x80 | bytes[2] & 0x79, 0x80 | code, 0, 0, 0, 0, 0, 0, 0, 0]
  }

  /// The answer when there will be none.
  public func failure() -> [UInt8] { reply(ResponseCode.serverFailure, isTruncated: false) }

  /// Header and question only.
  func reply(_ code: UInt8, isTruncated: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(short: id)
    bytes.append(0x80 | (isTruncated ? 2 : 0) | (key.isRecursive ? 1 : 0))
    bytes.append(0x80 | (key.isUnchecked ? 0x10 : 0) | code)
    bytes += [0, 1, 0, 0, 0, 0, 0, 0]
    return bytes + question
  }

  /// The query for the upstream. It takes datagrams of 1232 octets (what fits everywhere: DNS flag day 2020).
  func upstream(_ id: UInt16) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(short: id)
    bytes += [key.isRecursive ? 1 : 0, key.isUnchecked ? 0x10 : 0, 0, 1, 0, 0, 0, 0, 0, key.hasEDNS ? 1 : 0]
    bytes += question
    if key.hasEDNS {
      // The root, OPT, the size, and flags.
      bytes += [0, 0, 41, 0x04, 0xD0, 0, 0, key.wantsSecurity ? 0x80 : 0, 0, 0, 0]
    }
    return bytes
  }
}
