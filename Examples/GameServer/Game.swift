// The server's state: the world and who takes part. All of it is guarded by softNet.
//
// Law: whoever calls a method here holds the gate of softNet, for he has opened the guard. So there is no lock, and the two rings that
// lead out of here have one producer at a time. Nothing here waits: it hands over and schedules.

import HostedMachine
import SoftInterrupts

typealias Timer = CalloutAt<SoftNet, HostedMachine>

/// A datagram to be sent: what differs, and what is shared with others.
struct Outgoing: Sendable {
  var to: Endpoint
  var head: [UInt8]
  var body: [UInt8] = []
}

/// What came in and is meant for the game.
struct Incoming: Sendable {
  var from: Endpoint
  var request: Request
}

/// What has happened so far.
struct Tally: Sendable {
  var joins = 0
  var leaves = 0
  var timeOuts = 0
  var refused = 0
  var moves = 0
  var oldMoves = 0
  var strangers = 0
  var said = 0
  var states = 0
  var unsent = 0
  var unlogged = 0
  var skippedTicks = 0
  var tick: UInt32 = 0
  var players = 0
}

struct Game: Sendable {
  struct Client: Sendable {
    var endpoint: Endpoint
    var token: UInt32
    var key: JoinKey
    /// It has shown that it gets what is sent to its address: nobody else is sent states.
    var isConfirmed = false
    /// The tick at which it was heard last: for lockstep.
    var heard: UInt32 = 0
    var isExpiring = false
    /// The tick at which it has said something last.
    var said: UInt32?
  }
  struct JoinKey: Hashable, Sendable {
    var endpoint: Endpoint
    var nonce: UInt32
  }

  var world: World
  var tally = Tally()
  var isStopping = false
  let pace: Pace
  var links: Links
  /// How late each step was, in nanoseconds.
  private(set) var latenesses: [UInt64] = []
  private var clients: [Client?] = []
  /// One time-out for each place, kept for whoever has the place next.
  private var timeOuts: [Timer] = []
  private var free: [Int] = []
  private var joined: [JoinKey: Int] = [:]
  /// Lockstep: moves since the last tick, and players who are being timed out.
  private var moved = 0
  private var confirmed = 0
  private var expiring = 0
  private var due: UInt64 = 0

  init(_ world: World, _ pace: Pace, _ links: Links) {
    (self.world, self.pace, self.links) = (world, pace, links)
  }

  // MARK: Requests

  mutating func handle(_ incoming: Incoming) {
    switch incoming.request {
    case .join(let nonce, let name): join(incoming.from, nonce, name)
    case .move(let who, let sequence, let dx, let dy):
      guard let id = member(who, incoming.from) else { return }
      let isFirst = world.isSettled(id)
      guard world.move(id, sequence, dx, dy) else {
        tally.oldMoves += 1
        return
      }
      tally.moves += 1
      if isFirst { moved += 1 }
      tickIfAllHaveMoved()
    case .say(let who, let text):
      // Once a tick, as it is sent to everybody.
      guard let id = member(who, incoming.from), clients[id]!.said != world.tick else { return }
      clients[id]!.said = world.tick
      tally.said += 1
      links.write(.said(who.id, text), &tally)
      for id in clients.indices { answer(id, .said(to: UInt16(id), by: who.id, text: text)) }
    case .leave(let who):
      guard let id = member(who, incoming.from) else { return }
      tally.leaves += 1
      links.write(.left(who.id), &tally)
      remove(id)
    }
  }

  private mutating func join(_ from: Endpoint, _ nonce: UInt32, _ name: String) {
    let key = JoinKey(endpoint: from, nonce: nonce)
    if let id = joined[key], let client = clients[id] {
      // The answer was lost.
      return answer(id, .welcome(nonce: nonce, Credentials(id: UInt16(id), token: client.token)))
    }
    guard !isStopping, clients.count - free.count < pace.mostClients, let id = place() else {
      tally.refused += 1
      return links.send(Outgoing(to: from, head: Wire.bytes(of: .full(nonce: nonce))), &tally)
    }
    let token = UInt32.random(in: 1 ... .max)
    clients[id] = Client(endpoint: from, token: token, key: key, heard: world.tick)
    joined[key] = id
    world.enter(id)
    tally.joins += 1
    links.write(.joined(UInt16(id), name: name, from), &tally)
    if case .realTime = pace.kind { timeOuts[id].schedule(after: pace.timeOut) }
    answer(id, .welcome(nonce: nonce, Credentials(id: UInt16(id), token: token)))
  }

  /// A place for a client, with a time-out of its own.
  private mutating func place() -> Int? {
    if let id = free.popLast() { return id }
    guard let timeOut = links.makeTimeOut?(clients.count) else { return nil }
    timeOuts.append(timeOut)
    clients.append(nil)
    return clients.count - 1
  }

  /// Whose request it is, if he is who he says; he has been heard.
  private mutating func member(_ who: Credentials, _ from: Endpoint) -> Int? {
    let id = Int(who.id)
    guard id < clients.count, let client = clients[id], client.token == who.token, client.endpoint == from
    else {
      tally.strangers += 1
      return nil
    }
    if !client.isConfirmed { confirmed += 1 }
    clients[id]!.isConfirmed = true
    clients[id]!.heard = world.tick
    switch pace.kind {
    case .realTime: timeOuts[id].schedule(after: pace.timeOut)
    case .lockstep:
      // Exact, as we hold the guard: it will not run.
      if client.isExpiring, timeOuts[id].cancel() == .cancelled {
        clients[id]!.isExpiring = false
        expiring -= 1
      }
    }
    return id
  }

  private mutating func remove(_ id: Int) {
    guard let client = clients[id] else { return }
    answer(id, .bye(to: UInt16(id)))
    // Exact: we hold the guard, so the next one at this place is not timed out for this one's silence.
    timeOuts[id].cancel()
    if client.isConfirmed { confirmed -= 1 }
    if client.isExpiring { expiring -= 1 }
    if !world.isSettled(id) { moved -= 1 }
    joined[client.key] = nil
    clients[id] = nil
    free.append(id)
    world.leave(id)
    tickIfAllHaveMoved()
  }

  private mutating func answer(_ id: Int, _ answer: Answer) {
    guard let client = clients[id] else { return }
    links.send(Outgoing(to: client.endpoint, head: Wire.bytes(of: answer)), &tally)
  }

  // MARK: Timers, whose guard is softNet

  /// A client has been silent for too long.
  mutating func expire(_ id: Int) {
    guard clients[id] != nil else { return }
    tally.timeOuts += 1
    links.write(.timedOut(UInt16(id)), &tally)
    remove(id)
  }

  mutating func begin(_ endpoint: Endpoint, now: UInt64) {
    links.write(.started(endpoint), &tally)
    due = now
    if case .realTime(let tick, let state) = pace.kind {
      due += tick
      links.timers?.tick.schedule(at: due)
      links.timers?.state.schedule(after: state)
    }
  }

  /// One step of the world.
  mutating func tick(now: UInt64) {
    world.step()
    moved = 0
    switch pace.kind {
    case .realTime(let period, _):
      if latenesses.count < 1 << 16 { latenesses.append(now &- due) }
      due += period
      if due < now {
        // Steps that nobody could see are left out, so that a server that was late is not so for ever.
        let skipped = (now - due) / period + 1
        tally.skippedTicks += Int(skipped)
        due += skipped * period
      }
      links.timers?.tick.schedule(at: due)
    case .lockstep(_, let patience):
      for id in clients.indices {
        guard let client = clients[id], !client.isExpiring, world.tick &- client.heard >= patience else {
          continue
        }
        clients[id]!.isExpiring = true
        expiring += 1
        timeOuts[id].schedule(after: .zero)
      }
      links.timers?.state.schedule(after: .zero)
    }
  }

  /// Lockstep: the world steps when everybody who takes part has moved, whatever the time is.
  private mutating func tickIfAllHaveMoved() {
    guard case .lockstep(let start, _) = pace.kind, expiring == 0, moved > 0, moved == confirmed,
      world.tick > 0 || confirmed >= start
    else { return }
    links.timers?.tick.schedule(after: .zero)
  }

  /// Sends everybody who takes part what there is in his region. Each region is encoded once.
  mutating func sendStates() {
    var members: [Int: [Int]] = [:]
    for id in clients.indices where clients[id] != nil {
      if let player = world.players[id] { members[world.region(of: player), default: []].append(id) }
    }
    for (_, ids) in members {
      let sights = ids.compactMap(world.sight)
      let parts = (sights.count + Wire.sightsInPart - 1) / Wire.sightsInPart
      for part in 0..<parts {
        let end = min(sights.count, (part + 1) * Wire.sightsInPart)
        let body = Wire.stateBody(
          world.tick, UInt8(truncatingIfNeeded: part), UInt8(clamping: parts),
          sights[part * Wire.sightsInPart..<end])
        for id in ids {
          guard let client = clients[id], client.isConfirmed, let player = world.players[id] else { continue }
          tally.states += 1
          links.send(
            Outgoing(
              to: client.endpoint, head: Wire.stateHead(to: UInt16(id), acked: player.done), body: body),
            &tally)
        }
      }
    }
    switch pace.kind {
    case .realTime(_, let period): links.timers?.state.schedule(after: period)
    // Once more after a while, for whom it was lost.
    case .lockstep: links.timers?.state.schedule(after: .milliseconds(50))
    }
  }

  // MARK: The end

  /// Nobody comes in any more, and everybody is told.
  mutating func close() -> [Timer] {
    isStopping = true
    for id in clients.indices where clients[id] != nil {
      answer(id, .bye(to: UInt16(id)))
      timeOuts[id].cancel()
    }
    links.write(.stopped(tick: world.tick), &tally)
    return timeOuts
  }

  var summary: Tally {
    var copy = tally
    copy.tick = world.tick
    copy.players = world.playerCount
    return copy
  }
}
