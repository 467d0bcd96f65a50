// Clients: as many as wanted on one thread, which is no CPU of the system and knows of the server what a datagram says.
//
// Law: a bot sends again what is not answered, so a lost datagram delays it and does nothing else. Each has moves of its own, the same
// in every run.

import Glibc
import HostedMachine

struct Bot {
  enum Phase { case waiting, joining, playing, finished, leaving, gone, silent }
  var phase = Phase.waiting
  var random: Random
  var who: Credentials?
  /// The last move that was sent, and the last that came back in a state.
  var sequence: UInt32 = 0
  var acked: UInt32 = 0
  var last: (dx: Int8, dy: Int8) = (0, 0)
  var sentAt: UInt64 = 0
  /// Not before this something is sent again.
  var nextAt: UInt64 = 0
  var tick: UInt32 = 0
  var seen: [Sight] = []
}

struct Swarm {
  /// How the bots play: as many moves as it says, each after the answer to the last; or a move each period until the end.
  enum Play {
    case moves(Int)
    case every(UInt64, until: UInt64?)
  }

  private(set) var bots: [Bot]
  private let sockets: [Socket]
  private let server: Endpoint
  private let play: Play
  private var byID: [UInt16: Int] = [:]
  /// From a move to the state that has it, in nanoseconds.
  private(set) var roundTrips: [UInt64] = []
  private(set) var sent = 0
  private(set) var received = 0
  private(set) var heard = 0

  init(_ count: Int, to server: Endpoint, _ play: Play) throws(Failure) {
    var sockets: [Socket] = []
    // More than one, so that the kernel has something to spread over the server's sockets.
    while sockets.count < min(count, 16) {
      sockets.append(try Socket(bound: Endpoint(server.isLoopback ? "127.0.0.1" : "0.0.0.0", port: 0)!))
    }
    (self.sockets, self.server, self.play) = (sockets, server, play)
    bots = (0..<count).map { Bot(random: Random(UInt64($0) &+ 1)) }
  }

  func close() { for socket in sockets { socket.close() } }
  var count: Int { bots.count { $0.phase == .playing || $0.phase == .finished } }

  mutating func send(_ bot: Int, _ bytes: [UInt8]) {
    sockets[bot % sockets.count].send(bytes, to: server)
    sent += 1
  }

  /// Plays until all have gone, or the time or the server is over. `script` is called once for each bot that has joined.
  mutating func run(isOver: () -> Bool = { false }, script: (inout Swarm, Int) -> Void = { _, _ in }) {
    var buffer = [UInt8](repeating: 0, count: 2_048)
    while !isOver() {
      let now = HostedMachine.now()
      if case .every(_, let end?) = play, now >= end { leaveAll(now) }
      var next = now + 50_000_000
      for bot in bots.indices {
        act(bot, now)
        if bots[bot].phase != .gone && bots[bot].phase != .silent { next = min(next, bots[bot].nextAt) }
      }
      if bots.allSatisfy({ $0.phase == .gone || $0.phase == .silent }) { return }
      var ready = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      let pause = next > now ? Int32(min((next - now + 999_999) / 1_000_000, 50)) : 0
      _ = poll(&ready, nfds_t(ready.count), pause)
      for index in ready.indices where ready[index].revents != 0 {
        while let (count, from) = sockets[index].receive(&buffer) {
          guard from == server, count <= buffer.count, let answer = Wire.answer(buffer[0..<count]) else {
            continue
          }
          received += 1
          take(answer, script)
        }
      }
      if case .moves = play,
        bots.allSatisfy({ $0.phase == .finished || $0.phase == .gone || $0.phase == .silent })
      {
        leaveAll(now)
      }
    }
  }

  /// Sends what a bot's phase asks for, if it is time.
  private mutating func act(_ bot: Int, _ now: UInt64) {
    guard now >= bots[bot].nextAt else { return }
    bots[bot].nextAt = now + 50_000_000
    switch bots[bot].phase {
    case .waiting:
      // In lockstep one after the other, so that all have the same numbers in every run. One that was refused is waited for no longer.
      if case .moves = play, bot > 0, bots[bot - 1].phase == .waiting || bots[bot - 1].phase == .joining {
        bots[bot].nextAt = now + 1_000_000
        return
      }
      bots[bot].phase = .joining
      send(bot, Wire.bytes(of: .join(nonce: UInt32(bot) + 1, name: "bot \(bot)")))
    case .joining: send(bot, Wire.bytes(of: .join(nonce: UInt32(bot) + 1, name: "bot \(bot)")))
    case .playing:
      guard let who = bots[bot].who else { return }
      if case .every(let period, _) = play {
        bots[bot].nextAt = now + period
        choose(bot)
      }
      if bots[bot].sequence == 0 { return }
      bots[bot].sentAt = now
      send(
        bot,
        Wire.bytes(
          of: .move(who, sequence: bots[bot].sequence, dx: bots[bot].last.dx, dy: bots[bot].last.dy)))
    case .leaving: if let who = bots[bot].who { send(bot, Wire.bytes(of: .leave(who))) }
    case .finished, .gone, .silent: break
    }
  }

  private mutating func choose(_ bot: Int) {
    let turn = bots[bot].random.below(9)
    bots[bot].last = (Int8(turn % 3 - 1), Int8(turn / 3 - 1))
    bots[bot].sequence &+= 1
  }

  private mutating func take(_ answer: Answer, _ script: (inout Swarm, Int) -> Void) {
    switch answer {
    case .welcome(let nonce, let who):
      let bot = Int(nonce) - 1
      guard bots.indices.contains(bot), bots[bot].phase == .joining else { return }
      bots[bot].who = who
      bots[bot].phase = .playing
      byID[who.id] = bot
      bots[bot].nextAt = 0
      script(&self, bot)
      if case .moves = play, bots[bot].phase == .playing { choose(bot) }
    case .full(let nonce):
      let bot = Int(nonce) - 1
      if bots.indices.contains(bot) { bots[bot].phase = .gone }
    case .said: heard += 1
    case .bye(let id):
      guard let bot = byID[id] else { return }
      bots[bot].phase = .gone
      byID[id] = nil
    case .state(let id, let acked, let tick, _, _, let sights):
      guard let bot = byID[id], bots[bot].phase == .playing, Int32(bitPattern: tick &- bots[bot].tick) >= 0
      else {
        return
      }
      bots[bot].tick = tick
      bots[bot].seen = sights
      if acked != bots[bot].acked {
        bots[bot].acked = acked
        if acked == bots[bot].sequence { roundTrips.append(HostedMachine.now() - bots[bot].sentAt) }
      }
      if case .moves(let count) = play, acked == bots[bot].sequence {
        if acked == count {
          bots[bot].phase = .finished
        } else {
          choose(bot)
          bots[bot].nextAt = 0
        }
      }
    }
  }

  mutating func keepSilent(_ bot: Int) { bots[bot].phase = .silent }

  private mutating func leaveAll(_ now: UInt64) {
    for bot in bots.indices {
      switch bots[bot].phase {
      case .playing, .finished: (bots[bot].phase, bots[bot].nextAt) = (.leaving, now)
      case .waiting, .joining: bots[bot].phase = .gone
      case .leaving, .gone, .silent: break
      }
    }
  }
}

extension Endpoint {
  var isLoopback: Bool { UInt32(bigEndian: address) >> 24 == 127 }
}
