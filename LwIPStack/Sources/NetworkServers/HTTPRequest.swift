// The part of HTTP/1.1 that a server of static files reads: request line and header fields (RFC 9112).
//
// Law: a request is taken from the buffer whole or not at all; what cannot be one is an error, after which the connection is closed.

struct HTTPRequest {
  var method: String
  /// Without the query.
  var path: String
  var query: String
  /// Whether the connection stays open after the answer.
  var keepsAlive: Bool
  /// HTTP/1.0 wants to be told that it stays open.
  var isVersion10: Bool
  private var hasHost = false
  /// How many bytes of a body follow.
  var bodyLength: Int
  var isHead: Bool { method == "HEAD" }

  enum Failure: Error { case bad, tooLong, noSuchVersion, notImplemented }

  /// The longest head that is read, in bytes.
  static let longestHead = 16_384

  /// Reads the request at the beginning of `bytes`; nil if it is not there whole. `used` is its length without the body.
  static func read(_ bytes: ArraySlice<UInt8>, used: inout Int) throws(Failure) -> HTTPRequest? {
    guard let end = endOfHead(bytes) else {
      if bytes.count > longestHead { throw .tooLong }
      return nil
    }
    used = end - bytes.startIndex
    if used > longestHead { throw .tooLong }
    var lines = bytes[bytes.startIndex..<end].split(separator: 10, omittingEmptySubsequences: true)
      .map { $0.last == 13 ? $0.dropLast() : $0 }[...]
    // An empty line before the request is forgiven (RFC 9112, 2.2).
    while let first = lines.first, first.isEmpty { lines.removeFirst() }
    guard let first = lines.popFirst() else { throw .bad }
    let words = first.split(separator: 32, omittingEmptySubsequences: false)
    guard words.count == 3, !words[0].isEmpty, words[1].first == 47 else { throw .bad }
    let version = String(decoding: words[2], as: UTF8.self)
    guard version == "HTTP/1.1" || version == "HTTP/1.0" else { throw .noSuchVersion }
    let target = words[1].split(separator: 63, maxSplits: 1, omittingEmptySubsequences: false)
    var request = HTTPRequest(
      method: String(decoding: words[0], as: UTF8.self), path: String(decoding: target[0], as: UTF8.self),
      query: target.count > 1 ? String(decoding: target[1], as: UTF8.self) : "",
      keepsAlive: version == "HTTP/1.1", isVersion10: version == "HTTP/1.0", bodyLength: 0)
    for line in lines where !line.isEmpty { try request.apply(line) }
    // RFC 9112, 3.2.
    if !request.isVersion10 && !request.hasHost { throw .bad }
    return request
  }

  private mutating func apply(_ line: ArraySlice<UInt8>) throws(Failure) {
    guard let colon = line.firstIndex(of: 58) else { throw .bad }
    let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
    let value = String(decoding: line[(colon + 1)...], as: UTF8.self)
      .split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ").lowercased()
    switch name {
    case "host": hasHost = true
    case "connection":
      if value.contains("close") { keepsAlive = false }
      if value.contains("keep-alive") { keepsAlive = true }
    case "content-length":
      guard let length = Int(value), length >= 0, length <= 1 << 20 else { throw .tooLong }
      bodyLength = length
    case "transfer-encoding": throw .notImplemented
    default: break
    }
  }

  /// The index after the empty line that ends the head.
  private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
    var index = bytes.startIndex
    while let newline = bytes[index...].firstIndex(of: 10) {
      var next = newline + 1
      if next < bytes.endIndex && bytes[next] == 13 { next += 1 }
      if next < bytes.endIndex && bytes[next] == 10 { return next + 1 }
      index = newline + 1
    }
    return nil
  }
}
