// All that the forwarder knows, and what it does with a datagram in one piece: what the first three steps guard as a whole.
//
// Law: single-threaded, like the state in it. It sends nothing: it says what is to be sent.

import DNSForwarding

/// A datagram that is to be sent.
enum Sending<Client: Sendable, Socket: Sendable>: Sendable {
  case reply(Client, [UInt8])
  case ask(Socket, [UInt8])
}

struct World<Client: Sendable, Socket: Hashable & Sendable>: Sendable {
  typealias Out = Sending<Client, Socket>
  var forwarder: Forwarder<Client, Socket>
  /// What the two alarms are set for; nil if they are not.
  private var timeoutAt: UInt64?
  private var expiryAt: UInt64?

  init(_ options: Options) {
    forwarder = Forwarder(capacity: options.cache, patience: UInt64(options.timeout) * 1_000_000)
  }

  /// A client's datagram.
  mutating func query(_ bytes: [UInt8], from client: Client, now: UInt64) -> Out? {
    switch Query.read(bytes) {
    case .dropped: nil
    case .refused(let reply): .reply(client, reply)
    case .query(let query): Self.sending(forwarder.ask(query, for: client, now: now), query, client)
    }
  }

  /// What is sent for an outcome.
  static func sending(_ outcome: Forwarder<Client, Socket>.Outcome, _ query: Query, _ client: Client) -> Out?
  {
    switch outcome {
    case .answer(let answer, let age): .reply(client, answer.reply(to: query, age: age))
    case .waits: nil
    case .asks(let socket, let bytes): .ask(socket, bytes)
    case .busy: .reply(client, query.failure())
    }
  }

  /// An upstream's datagram.
  mutating func answer(_ bytes: [UInt8], from socket: Socket, now: UInt64) -> [Out] {
    guard let answer = Answer(bytes) else { return [] }
    return forwarder.settle(answer, from: socket, now: now).map {
      .reply($0.client, answer.reply(to: $0.query))
    }
  }

  /// The alarm for timeouts has come.
  mutating func timeOut(now: UInt64) -> [Out] {
    timeoutAt = nil
    let (again, failed) = forwarder.timeOut(now: now)
    return again.map { .ask($0, $1) } + failed.map { .reply($0.client, $0.query.failure()) }
  }

  /// The alarm for expiries has come.
  mutating func expire(now: UInt64) {
    expiryAt = nil
    forwarder.expire(now: now)
  }

  /// What the alarms are to be set for; nil where nothing is to be done.
  mutating func alarms() -> (timeout: UInt64?, expiry: UInt64?) {
    var timeout: UInt64?
    if timeoutAt == nil {
      timeout = forwarder.nextTimeout
      timeoutAt = timeout
    }
    var expiry: UInt64?
    if let next = forwarder.nextExpiry, next < expiryAt ?? .max {
      expiry = next
      expiryAt = next
    }
    return (timeout, expiry)
  }
}
