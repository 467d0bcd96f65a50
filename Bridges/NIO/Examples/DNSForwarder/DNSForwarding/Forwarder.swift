// The one state of the forwarder: the cache, and what was asked of the upstream and not answered yet.
//
// Law: single-threaded; who guards it is the program's affair, and that is what the steps differ in. Each client that waits is answered
// once: by the answer, or by a failure when the last try has timed out. An answer is taken only from the socket that asked, with the id
// that was chosen for it, and for the question that was asked.

/// What happened, in numbers.
public struct ForwarderCounts: Sendable, Equatable {
  public var queries = 0
  public var hits = 0
  /// Queries that waited for another client's question.
  public var joined = 0
  public var forwarded = 0
  public var retried = 0
  public var failed = 0
  /// Answers that nobody had asked for.
  public var strays = 0
  public var expired = 0
  public var evicted = 0
}

/// The state. Times are nanoseconds of one clock that never goes back.
public struct Forwarder<Client: Sendable, Socket: Hashable & Sendable>: Sendable {
  /// Somebody who is to be answered.
  public struct Waiter: Sendable {
    public let client: Client
    public let query: Query
  }

  public enum Outcome: Sendable {
    /// It was in the cache: so many seconds old.
    case answer(Answer, age: UInt32)
    /// The answer will come by ``settle(_:from:now:)`` or ``timeOut(now:)``.
    case waits
    /// As before; and this is to be sent to the upstream.
    case asks(Socket, [UInt8])
    /// Too much is asked already.
    case busy
  }

  struct Ticket: Hashable {
    let socket: Socket
    let id: UInt16
  }
  struct Flight {
    var ticket: Ticket
    /// Which try this is, of all.
    var number: UInt64
    let query: Query
    var waiters: [Waiter]
    var tries: Int
  }
  struct Entry {
    let answer: Answer
    let since: UInt64
    let until: UInt64
  }

  public private(set) var counts = ForwarderCounts()
  private var sockets: [Socket] = []
  private var turn = 0
  private var cache: [Key: Entry] = [:]
  private var expiries = Heap()
  private var flights: [Key: Flight] = [:]
  private var tickets: [Ticket: Key] = [:]
  /// Each try's end; all last equally long, so the first is the earliest.
  private var timeouts: [(at: UInt64, number: UInt64, key: Key)] = []
  private var firstTimeout = 0
  private var sent: UInt64 = 0
  private let capacity: Int
  private let patience: UInt64
  private let tries: Int
  private let limit: Int

  /// - Parameters:
  ///   - capacity: how many answers are kept; beyond that, what would expire first goes first.
  ///   - patience: nanoseconds for one try.
  ///   - limit: how many questions may wait for the upstream.
  public init(capacity: Int, patience: UInt64, tries: Int = 2, limit: Int = 16_384) {
    self.capacity = max(1, capacity)
    self.patience = patience
    self.tries = max(1, tries)
    self.limit = limit
  }

  /// A socket on which the upstream may be asked.
  public mutating func add(_ socket: Socket) { sockets.append(socket) }

  public mutating func ask(_ query: Query, for client: Client, now: UInt64) -> Outcome {
    counts.queries += 1
    if let entry = cache[query.key], entry.until > now {
      counts.hits += 1
      return .answer(entry.answer, age: UInt32(truncatingIfNeeded: (now - entry.since) / 1_000_000_000))
    }
    let waiter = Waiter(client: client, query: query)
    if flights[query.key] != nil {
      counts.joined += 1
      flights[query.key]!.waiters.append(waiter)
      return .waits
    }
    guard let ticket = flights.count < limit ? freeTicket() : nil else {
      counts.failed += 1
      return .busy
    }
    counts.forwarded += 1
    flights[query.key] = Flight(
      ticket: ticket, number: send(query.key, ticket, now), query: query, waiters: [waiter], tries: 1)
    return .asks(ticket.socket, query.upstream(ticket.id))
  }

  /// An answer has come: who is to be given it. It is kept if it may be.
  public mutating func settle(_ answer: Answer, from socket: Socket, now: UInt64) -> [Waiter] {
    let ticket = Ticket(socket: socket, id: answer.id)
    guard let key = tickets[ticket], answer.answers(key), let flight = flights[key] else {
      counts.strays += 1
      return []
    }
    tickets[ticket] = nil
    flights[key] = nil
    if let lifetime = answer.lifetime {
      if cache.count >= capacity { evict() }
      let until = now + UInt64(lifetime) * 1_000_000_000
      cache[key] = Entry(answer: answer, since: now, until: until)
      expiries.push(until, key)
    }
    return flight.waiters
  }

  /// Tries whose time has come: what is to be sent again, and who is to be told that there will be no answer.
  public mutating func timeOut(now: UInt64) -> (again: [(Socket, [UInt8])], failed: [Waiter]) {
    var again: [(Socket, [UInt8])] = []
    var failed: [Waiter] = []
    while firstTimeout < timeouts.count, timeouts[firstTimeout].at <= now {
      let (_, number, key) = timeouts[firstTimeout]
      firstTimeout += 1
      // Answered meanwhile, perhaps asked anew.
      guard let flight = flights[key], flight.number == number else { continue }
      tickets[flight.ticket] = nil
      if flight.tries < tries, let next = freeTicket() {
        counts.retried += 1
        flights[key]!.tries += 1
        flights[key]!.ticket = next
        flights[key]!.number = send(key, next, now)
        again.append((next.socket, flight.query.upstream(next.id)))
      } else {
        flights[key] = nil
        counts.failed += flight.waiters.count
        failed += flight.waiters
      }
    }
    if firstTimeout > 1_024 && firstTimeout * 2 > timeouts.count {
      timeouts.removeFirst(firstTimeout)
      firstTimeout = 0
    }
    return (again, failed)
  }

  /// Lets go of what is too old.
  public mutating func expire(now: UInt64) {
    while let first = expiries.first, first.at <= now {
      expiries.removeFirst()
      // Asked anew since: it has a later time of its own.
      if let entry = cache[first.key], entry.until <= now {
        cache[first.key] = nil
        counts.expired += 1
      }
    }
  }

  /// When ``timeOut(now:)`` and ``expire(now:)`` have something to do at the earliest.
  public var nextTimeout: UInt64? { firstTimeout < timeouts.count ? timeouts[firstTimeout].at : nil }
  public var nextExpiry: UInt64? { expiries.first?.at }
  public var kept: Int { cache.count }

  /// Notes that a try begins; its number.
  private mutating func send(_ key: Key, _ ticket: Ticket, _ now: UInt64) -> UInt64 {
    sent += 1
    tickets[ticket] = key
    timeouts.append((now + patience, sent, key))
    return sent
  }

  /// An id that no question in flight on its socket has, drawn at random, as who guesses it can answer in the upstream's place. That it
  /// is free after few draws: at most `limit` of 65,536 are taken.
  private mutating func freeTicket() -> Ticket? {
    guard !sockets.isEmpty else { return nil }
    turn = (turn + 1) % sockets.count
    for _ in 0..<64 {
      let ticket = Ticket(socket: sockets[turn], id: .random(in: .min ... .max))
      if tickets[ticket] == nil { return ticket }
    }
    return nil
  }

  private mutating func evict() {
    while let first = expiries.first {
      expiries.removeFirst()
      if let entry = cache[first.key], entry.until == first.at {
        cache[first.key] = nil
        counts.evicted += 1
        return
      }
    }
  }
}

/// Keys by their time, the earliest first: a binary heap.
struct Heap: Sendable {
  private var items: [(at: UInt64, key: Key)] = []
  var first: (at: UInt64, key: Key)? { items.first }

  mutating func push(_ at: UInt64, _ key: Key) {
    items.append((at, key))
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if items[parent].at <= items[child].at { return }
      items.swapAt(parent, child)
      child = parent
    }
  }

  mutating func removeFirst() {
    guard let last = items.popLast(), !items.isEmpty else { return }
    items[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < items.count && items[child].at < items[least].at {
        least = child
      }
      if least == parent { return }
      items.swapAt(parent, least)
      parent = least
    }
  }
}
