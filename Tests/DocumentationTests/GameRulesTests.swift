// What the game server is given, it survives; what its rules promise, they hold.
//
// Invariant: the datagrams are made from a seed, so a failure is one on every run.

import Testing

@testable import game_server

@Suite("The game server's protocol and rules")
struct GameRulesTests {
  static let who = Credentials(id: 513, token: 0xDEAD_BEEF)
  static let requests: [Request] = [
    .join(nonce: 7, name: "Anna"), .join(nonce: .max, name: "Ωmega"),
    .move(who, sequence: 1, dx: -1, dy: 1), .say(who, text: "good morning"), .leave(who),
  ]

  @Test("a request comes out as it went in, and an answer too")
  func roundTrip() throws {
    for request in Self.requests { #expect(Wire.parse(Wire.bytes(of: request)[...]) == request) }
    let sights = [Sight(id: 1, x: 2, y: 3, score: 4), Sight(id: 65_535, x: 0, y: 511, score: 0)]
    let answers: [Answer] = [
      .welcome(nonce: 9, Self.who), .full(nonce: 9), .said(to: 1, by: 2, text: "hm"), .bye(to: 3),
      .state(to: 4, acked: 5, tick: 6, part: 0, parts: 1, sights),
    ]
    for answer in answers { #expect(Wire.answer(Wire.bytes(of: answer)[...]) == answer) }
  }

  @Test("a join is longer than its answer, whoever sent it: no amplifier")
  func padding() {
    let answer = Wire.bytes(of: .welcome(nonce: 1, Self.who)).count
    #expect(Wire.bytes(of: .join(nonce: 1, name: "a")).count > answer)
    let short = Wire.bytes(of: .join(nonce: 1, name: "a")).dropLast()
    #expect(Wire.parse(short) == nil)
  }

  @Test("a request that is cut anywhere is none")
  func cut() {
    for request in Self.requests {
      let bytes = Wire.bytes(of: request)
      for count in 0..<bytes.count {
        #expect(Wire.parse(bytes[0..<count]) == nil, "\(request) cut to \(count)")
      }
    }
  }

  @Test("whatever comes is a request that says the same again, or none; a control character is none")
  func hostile() {
    var random = Random(5)
    var requests = 0
    for _ in 0..<20_000 {
      // Noise, or a good datagram with some bytes changed.
      var bytes =
        random.below(4) == 0
        ? (0..<random.below(300)).map { _ in UInt8(random.below(256)) }
        : Wire.bytes(of: Self.requests[random.below(Self.requests.count)])
      for _ in 0..<random.below(4) where !bytes.isEmpty {
        bytes[random.below(bytes.count)] = UInt8(random.below(256))
      }
      if let request = Wire.parse(bytes[...]) {
        requests += 1
        #expect(Wire.parse(Wire.bytes(of: request)[...]) == request)
      }
      _ = Wire.answer(bytes[...])
    }
    #expect(requests > 500)
    #expect(Wire.parse(Wire.bytes(of: .say(Self.who, text: "a\nb"))[...]) == nil)
  }

  @Test("a step depends on the moves, not on their order, and an old move does nothing")
  func order() {
    var (forward, backward) = (World(side: 16, coins: 40, seed: 3), World(side: 16, coins: 40, seed: 3))
    for id in 0..<8 {
      forward.enter(id)
      backward.enter(id)
    }
    var random = Random(9)
    for sequence in UInt32(1)...100 {
      let moves = (0..<8).map { ($0, Int8(random.below(3) - 1), Int8(random.below(3) - 1)) }
      let taken = moves.map { forward.move($0.0, sequence, $0.1, $0.2) }
      let takenBack = moves.reversed().map { backward.move($0.0, sequence, $0.1, $0.2) }
      #expect((taken + takenBack).allSatisfy { $0 })
      let old = [forward.move(3, sequence, 1, 1), forward.move(3, sequence &- 1, 1, 1)]
      #expect(old == [false, false])
      forward.step()
      backward.step()
    }
    let (one, other) = ((0..<8).compactMap(forward.sight), (0..<8).compactMap(backward.sight))
    #expect(one == other)
    #expect(one.contains { $0.score > 0 })
  }

  @Test("sequence numbers go around")
  func wrap() {
    var world = World(side: 16, coins: 0, seed: 1)
    world.enter(0)
    let taken = [UInt32(1) << 30, 1 << 31, .max - 1, .max, 0, 1, .max].map { world.move(0, $0, 1, 0) }
    #expect(taken == [true, true, true, true, true, true, false])
  }
}
