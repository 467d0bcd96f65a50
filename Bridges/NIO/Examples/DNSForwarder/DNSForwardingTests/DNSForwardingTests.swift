// Messages that are right, and every way in which they are not; the cache, and what waits for the upstream.

import Testing

@testable import DNSForwarding

typealias State = Forwarder<Int, Int>
/// Something else came than what was expected.
struct Other: Error {}

/// `www.Example.test`, with a question and, as an answer, records.
enum Sample {
  static let name: [UInt8] =
    [3] + Array("www".utf8) + [7] + Array("Example".utf8) + [4] + Array("test".utf8) + [0]

  static func query(id: UInt16 = 0x1234, name: [UInt8] = Sample.name, edns: UInt16? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(short: id)
    bytes += [1, 0, 0, 1, 0, 0, 0, 0, 0, edns == nil ? 0 : 1] + name + [0, 1, 0, 1]
    if let edns {
      bytes += [0, 0, 41]
      bytes.append(short: edns)
      bytes += [0, 0, 0x80, 0, 0, 0]
    }
    return bytes
  }

  /// An A record for the question's name, by a pointer.
  static func record(_ ttl: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1]
    bytes.put(long: ttl, at: 6)
    return bytes
  }

  static func soa(_ ttl: UInt32, minimum: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [0xC0, 16, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]
    bytes.put(long: ttl, at: 6)
    bytes += Array(repeating: 0, count: 16) + [0, 0, 0, 0]
    bytes.put(long: minimum, at: bytes.count - 4)
    return bytes
  }

  static func answer(
    id: UInt16, code: UInt8 = 0, name: [UInt8] = Sample.name, _ answers: [[UInt8]] = [],
    authority: [[UInt8]] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(short: id)
    bytes += [0x81, 0x80 | code, 0, 1, 0, UInt8(answers.count), 0, UInt8(authority.count), 0, 0]
    return bytes + name + [0, 1, 0, 1] + answers.joined() + authority.joined()
  }
}

/// The query in a datagram.
func parsed(_ bytes: [UInt8]) -> Query? {
  if case .query(let query) = Query.read(bytes) { query } else { nil }
}

@Suite struct MessageTests {
  @Test func aQueryIsRead() throws {
    let query = try #require(parsed(Sample.query()))
    #expect(query.id == 0x1234)
    #expect(query.key.name == lowercased(Sample.name))
    #expect(query.payloadSize == 512 && !query.key.hasEDNS)
    let secure = try #require(parsed(Sample.query(edns: 4_096)))
    #expect(secure.payloadSize == 4_096 && secure.key.hasEDNS && secure.key.wantsSecurity)
    #expect(secure.key != query.key)
  }

  @Test func whatIsNoQueryIsRefusedOrDropped() {
    func refusal(_ bytes: [UInt8]) -> UInt8? {
      if case .refused(let reply) = Query.read(bytes) { reply[3] & 15 } else { nil }
    }
    var status = Sample.query()
    status[2] = 0x10
    #expect(refusal(status) == ResponseCode.notImplemented)
    var two = Sample.query()
    two[5] = 2
    #expect(refusal(two) == ResponseCode.formatError)
    if case .dropped = Query.read(Sample.answer(id: 1)) {} else { Issue.record("an answer was answered") }
    // Cut anywhere: refused, or too short to be answered.
    let whole = Sample.query(edns: 1_232)
    for count in 0..<whole.count {
      switch Query.read(Array(whole[..<count])) {
      case .dropped: #expect(count < 12)
      case .refused: #expect(count >= 12)
      case .query: Issue.record("read from \(count) octets")
      }
    }
  }

  @Test func namesEndAndPointBackwards() throws {
    func name(_ bytes: [UInt8], at: Int = 0) -> Result<[UInt8], DNSMessageError> {
      var reader = Reader(bytes, at: at)
      return Result { () throws(DNSMessageError) in try reader.name() }
    }
    #expect(name([1, 97, 0]) == .success([1, 97, 0]))
    // A label and a pointer, and what follows it.
    var reader = Reader([1, 97, 0, 1, 98, 0xC0, 0, 9], at: 3)
    #expect(try reader.name() == [1, 98, 1, 97, 0])
    #expect(try reader.octet() == 9)
    #expect(name([0xC0, 0]) == .failure(.badPointer(at: 0)))
    #expect(name([1, 97, 0xC0, 4, 0xC0, 0], at: 4) == .failure(.badPointer(at: 2)))
    #expect(name([1, 97, 0xC0, 0], at: 2) == .failure(.badPointer(at: 2)))
    #expect(name([0x40, 0]) == .failure(.badLabel(at: 0)))
    #expect(name([5, 97]) == .failure(.endsEarly(at: 2)))
    #expect(name([0, 0xC0], at: 1) == .failure(.endsEarly(at: 2)))
    let long =
      Array(repeating: [UInt8](arrayLiteral: 63) + Array(repeating: 97, count: 63), count: 4).joined() + [0]
    #expect(name(Array(long)) == .failure(.nameTooLong(at: 0)))
  }

  /// Nothing that arrives stops the program: each answer cut, and with each octet changed.
  @Test func anythingMayArrive() {
    var random = SplitMix(state: 1)
    let whole = Sample.answer(
      id: 7, [Sample.record(60), Sample.record(5)], authority: [Sample.soa(9, minimum: 3)])
    for count in 0...whole.count { _ = Answer(Array(whole[..<count])) }
    for at in whole.indices {
      for value in UInt8.min...UInt8.max {
        var changed = whole
        changed[at] = value
        if let answer = Answer(changed), let query = parsed(Sample.query()), answer.answers(query.key) {
          #expect(answer.reply(to: query, age: 100).count == changed.count)
        }
        _ = Query.read(changed)
      }
    }
    for _ in 0..<20_000 {
      let bytes = (0..<Int(random.next() % 80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ = Query.read(bytes)
      _ = Answer(bytes)
    }
  }

  @Test func aReplyHasTheClientsIdAndSpellingAndLessTime() throws {
    let answer = try #require(Answer(Sample.answer(id: 9, [Sample.record(60), Sample.record(20)])))
    #expect(answer.lifetime == 20)
    let spelled = lowercased(Sample.name)
    let query = try #require(parsed(Sample.query(id: 0xABCD, name: spelled)))
    let reply = answer.reply(to: query, age: 25)
    #expect(reply == Sample.answer(id: 0xABCD, name: spelled, [Sample.record(35), Sample.record(0)]))
  }

  @Test func aReplyThatDoesNotFitSaysSo() throws {
    let answer = try #require(Answer(Sample.answer(id: 9, Array(repeating: Sample.record(60), count: 40))))
    let reply = answer.reply(to: try #require(parsed(Sample.query())))
    #expect(reply.count < 512 && reply[2] & 2 != 0)
    let roomy = answer.reply(to: try #require(parsed(Sample.query(edns: 1_232))))
    #expect(roomy.count > 512 && roomy[2] & 2 == 0)
  }

  @Test func lifetimes() {
    #expect(Answer(Sample.answer(id: 1, [Sample.record(0)]))?.lifetime == nil)
    #expect(Answer(Sample.answer(id: 1, [Sample.record(1 << 31)]))?.lifetime == nil)
    #expect(Answer(Sample.answer(id: 1, [Sample.record(1 << 30)]))?.lifetime == Answer.longest)
    #expect(Answer(Sample.answer(id: 1, code: 3, authority: [Sample.soa(90, minimum: 30)]))?.lifetime == 30)
    #expect(Answer(Sample.answer(id: 1, authority: [Sample.soa(10, minimum: 30)]))?.lifetime == 10)
    #expect(Answer(Sample.answer(id: 1, code: 2, authority: [Sample.soa(10, minimum: 30)]))?.lifetime == nil)
    #expect(Answer(Sample.answer(id: 1))?.lifetime == nil)
  }

  /// Numbers that are the same on each run (Steele, Lea and Flood 2014).
  struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}

@Suite struct ForwarderTests {
  static let second: UInt64 = 1_000_000_000

  static func state(capacity: Int = 10) -> State {
    var state = State(capacity: capacity, patience: second)
    state.add(1)
    return state
  }

  static func query(_ number: UInt8, id: UInt16 = 1) throws -> Query {
    try #require(parsed(Sample.query(id: id, name: [1, number, 0])))
  }

  /// The id with which the upstream was asked.
  static func id(_ outcome: State.Outcome) throws -> UInt16 {
    guard case .asks(1, let bytes) = outcome else {
      Issue.record("\(outcome)")
      return 0
    }
    return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
  }

  static func answer(_ id: UInt16, _ number: UInt8, ttl: UInt32 = 10) throws -> Answer {
    try #require(Answer(Sample.answer(id: id, name: [1, number, 0], [Sample.record(ttl)])))
  }

  @Test func oneQuestionForAllWhoAskIt() throws {
    var state = Self.state()
    let id = try Self.id(state.ask(Self.query(97), for: 1, now: 0))
    guard case .waits = state.ask(try Self.query(97, id: 2), for: 2, now: 1) else { throw Other() }
    #expect(state.settle(try Self.answer(id, 97), from: 1, now: 2).map(\.client) == [1, 2])
    // From the cache until its time is over, to the nanosecond.
    guard case .answer(_, let age) = state.ask(try Self.query(97), for: 3, now: 2 + 10 * Self.second - 1)
    else {
      throw Other()
    }
    #expect(age == 9)
    _ = try Self.id(state.ask(Self.query(97), for: 4, now: 2 + 10 * Self.second))
    state.expire(now: 2 + 10 * Self.second)
    #expect(state.kept == 0 && state.counts.expired == 1)
    #expect(state.counts.hits == 1 && state.counts.joined == 1 && state.counts.forwarded == 2)
  }

  @Test func answersThatNobodyAskedForAreStrays() throws {
    var state = Self.state()
    let id = try Self.id(state.ask(Self.query(97), for: 1, now: 0))
    #expect(state.settle(try Self.answer(id &+ 1, 97), from: 1, now: 1).isEmpty)
    #expect(state.settle(try Self.answer(id, 98), from: 1, now: 1).isEmpty)
    #expect(state.settle(try Self.answer(id, 97), from: 2, now: 1).isEmpty)
    #expect(state.counts.strays == 3 && state.kept == 0)
    #expect(state.settle(try Self.answer(id, 97), from: 1, now: 1).count == 1)
    #expect(state.settle(try Self.answer(id, 97), from: 1, now: 1).isEmpty)
  }

  @Test func aTryTimesOutAndSoDoesTheLast() throws {
    var state = Self.state()
    let first = try Self.id(state.ask(Self.query(97), for: 1, now: 0))
    #expect(state.nextTimeout == Self.second)
    let again = state.timeOut(now: Self.second)
    #expect(again.again.count == 1 && again.failed.isEmpty)
    // What is too late for the first try answers nothing (if the second has not drawn the same id).
    if !again.again[0].1.starts(with: [UInt8(first >> 8), UInt8(truncatingIfNeeded: first)]) {
      #expect(state.settle(try Self.answer(first, 97), from: 1, now: Self.second).isEmpty)
    }
    let over = state.timeOut(now: 2 * Self.second)
    #expect(over.failed.map(\.client) == [1] && over.again.isEmpty)
    #expect(state.nextTimeout == nil)
    #expect(state.counts.retried == 1 && state.counts.failed == 1)
  }

  @Test func whatExpiresFirstMakesRoom() throws {
    var state = Self.state(capacity: 2)
    for (number, ttl) in [(UInt8(97), UInt32(30)), (98, 10), (99, 20)] {
      let id = try Self.id(state.ask(Self.query(number), for: 1, now: 0))
      _ = state.settle(try Self.answer(id, number, ttl: ttl), from: 1, now: 0)
    }
    #expect(state.kept == 2 && state.counts.evicted == 1)
    _ = try Self.id(state.ask(Self.query(98), for: 1, now: 1))
    guard case .answer = state.ask(try Self.query(97), for: 1, now: 1) else { throw Other() }
  }

  @Test func thereIsAnEndToWhatMayBeAsked() throws {
    var state = State(capacity: 1, patience: 1, limit: 2)
    guard case .busy = state.ask(try Self.query(97), for: 1, now: 0) else { throw Other() }
    state.add(1)
    for number in [UInt8(97), 98] { _ = try Self.id(state.ask(Self.query(number), for: 1, now: 0)) }
    guard case .busy = state.ask(try Self.query(99), for: 1, now: 0) else { throw Other() }
  }
}
