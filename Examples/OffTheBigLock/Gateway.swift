// What the program of the tutorial does, without a word about who may do it when: a table of sessions, a log, a heartbeat.
//
// Law: which records come out depends on the events alone, not on when a sweep comes or in which order two ports are read: a session is over when
// its next event is more than `idle` away by the events' own time. A sweep finds sooner what the next event, or the end, would find.

/// What a port delivers: something happened in a session.
struct Event: Sendable {
  var session: UInt32
  var time: UInt32
  var bytes: UInt32
}

/// A session that is over.
struct Record: Sendable {
  var session, first, last, events: UInt32
  var bytes: UInt64
}

/// The sessions that are open. It is not thread-safe, and knows of nobody.
struct Table: Sendable {
  static let idle: UInt32 = 512

  private var sessions: [UInt32: Record] = [:]
  private var closed: [Record] = []
  /// The time of each port: a session's events all come by the port of its parity.
  private var now: (UInt32, UInt32) = (0, 0)
  private(set) var sweeps = 0

  mutating func take(_ events: some Sequence<Event>) {
    for event in events {
      if event.session & 1 == 0 { now.0 = event.time } else { now.1 = event.time }
      let new = Record(
        session: event.session, first: event.time, last: event.time, events: 1, bytes: UInt64(event.bytes))
      if let old = sessions[event.session], event.time - old.last > Self.idle {
        closed.append(old)
        sessions[event.session] = new
      } else {
        sessions[event.session, default: new.beforeItsFirst].add(event)
      }
    }
  }

  /// Sweeps until so many have been made: closes what has been idle for long enough.
  mutating func expire(through due: Int) {
    while sweeps < due {
      sweeps += 1
      for (session, record) in sessions {
        let time = session & 1 == 0 ? now.0 : now.1
        if time > record.last, time - record.last > Self.idle {
          closed.append(record)
          sessions[session] = nil
        }
      }
    }
  }

  /// What has been closed since the last call.
  mutating func takeClosed() -> [Record] {
    defer { closed = [] }
    return closed
  }

  /// The end: what is still open is closed.
  mutating func finish(through due: Int) {
    expire(through: due)
    closed += sessions.values
    sessions = [:]
  }

  /// What base code asks for now and then.
  func busiest() -> UInt64 { sessions.values.reduce(0) { max($0, $1.bytes) } }
}

extension Record {
  fileprivate var beforeItsFirst: Record {
    Record(session: session, first: first, last: last, events: 0, bytes: 0)
  }
  fileprivate mutating func add(_ event: Event) {
    last = event.time
    events += 1
    bytes += UInt64(event.bytes)
  }
}

/// The log: a line for each record. What it keeps is a sum that does not depend on the lines' order.
struct Log: Sendable {
  private(set) var lines = 0
  private(set) var digest: UInt64 = 0

  /// Writes records; `pause` is called after each line, for whom there is something more urgent.
  mutating func write(_ records: [Record], _ pause: () -> Void = {}) {
    for record in records {
      let line =
        "session \(record.session) from \(record.first) to \(record.last): \(record.events) events, \(record.bytes) bytes"
      // FNV-1a of the line; added, so that the order of the lines is all one.
      digest &+= line.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      lines += 1
      pause()
    }
  }
}

/// A heartbeat each millisecond: how late each beat was.
struct Beats: Sendable {
  static let period: UInt64 = 1_000_000
  private var due: UInt64 = 0
  private(set) var latenesses: [UInt64] = []

  /// All beats that are due by now, of a heart that was started at `start`; those that were missed are late by as much as they are.
  mutating func beat(since start: UInt64, now: UInt64) {
    if due == 0 { due = start + Self.period }
    while due <= now {
      latenesses.append(now - due)
      due += Self.period
    }
  }
}

/// All of it, with nothing that keeps two apart: steps 1 to 5 say in each handler what does.
final class Gateway: @unchecked Sendable {
  // Sendable: touched under the gates that the steps say, as their comments and nothing else claim. From step 6 on the compiler looks.
  var table = Table()
  var log = Log()
  var beats = Beats()
}
