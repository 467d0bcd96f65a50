// How the game paces itself, and where what it says goes.
//
// Law: the rings have one producer, whoever holds the gate of softNet, and one consumer, an ordered handler; what does not fit is
// counted, not waited for.

import HostedMachine
import SoftInterrupts

struct Pace: Sendable {
  enum Kind: Sendable {
    /// Steps and states by the clock; nanoseconds, and a duration.
    case realTime(tick: UInt64, state: Duration)
    /// A step when all have moved, from `start` players on; who has been silent for `patience` ticks is timed out. Counts decide and no
    /// clock, so that two runs are the same.
    case lockstep(start: Int, patience: UInt32)
  }
  var kind: Kind
  var timeOut: Duration
  var mostClients: Int
}

struct Links: Sendable {
  struct Timers: Sendable { var tick, state: Timer }

  let outgoing = Ring<Outgoing, HostedMachine>(capacity: 16_384)
  let lines = Ring<Line, HostedMachine>(capacity: 4_096)
  /// At softSerial, above: it sends while the next CPU goes on at softNet.
  var sender: HandlerAt<SoftSerial, HostedMachine>?
  var senderCPU = 0
  /// At softBio, below.
  var log: HandlerAt<SoftBio, HostedMachine>?
  var timers: Timers?
  /// Makes the time-out of a place.
  var makeTimeOut: (@Sendable (_ place: Int) -> Timer?)?

  func send(_ datagram: Outgoing, _ tally: inout Tally) {
    if !outgoing.push(datagram) { tally.unsent += 1 }
    // A mark; set again while it is set it does nothing more.
    sender?.schedule(on: senderCPU)
  }

  func write(_ line: Line, _ tally: inout Tally) {
    if !lines.push(line) { tally.unlogged += 1 }
    log?.schedule()
  }
}
