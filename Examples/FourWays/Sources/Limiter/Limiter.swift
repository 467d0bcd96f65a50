// The rules of the limiter: what is asked, and what a table of sessions answers and logs.
//
// Law: a value; nothing here knows of threads or time. Each of the four programs says who may touch it, when, and on what.

/// What a datagram asks.
public enum Request: Sendable {
  /// A hit of a session, which is made by its first one and ends when it has had none for `ttl` milliseconds.
  case hit(String, ttl: Int)
  /// The end of a session.
  case drop(String)
  /// Long work, which lasts until a probe has been answered meanwhile.
  case busy
  case unknown

  public init(_ text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    switch (words.first, words.count) {
    case ("hit", 3): self = Int(words[2]).map { .hit(String(words[1]), ttl: $0) } ?? .unknown
    case ("drop", 2): self = .drop(String(words[1]))
    case ("busy", 1): self = .busy
    default: self = .unknown
    }
  }
}

/// The sessions, and how often each was hit.
public struct Sessions: Sendable {
  public static let limit = 3
  private var hits: [String: Int] = [:]
  public init() {}

  public var count: Int { hits.count }

  /// A hit: the answer, and what is to be logged.
  public mutating func hit(_ name: String) -> (reply: String, log: String?) {
    let before = hits[name, default: 0]
    hits[name] = min(before + 1, Self.limit)
    return before < Self.limit ? ("ok \(before + 1)", nil) : ("limited", "limited \(name)")
  }

  /// The end of a session that was asked for; nil if there is none.
  public mutating func drop(_ name: String) -> String? {
    hits.removeValue(forKey: name).map { "dropped \(name) after \($0)" }
  }

  /// The end of a session whose time has come; nil if there is none.
  public mutating func expire(_ name: String) -> String? {
    hits.removeValue(forKey: name).map { "expired \(name) after \($0)" }
  }

  /// The end of all sessions.
  public mutating func close() -> [String] {
    defer { hits = [:] }
    return hits.sorted { $0.key < $1.key }.map { "closed \($0.key) after \($0.value)" }
  }
}
