// Schedule and run against the number of handlers, and of sources that share them.
//
// Law: one CPU, nothing contended: what grows is only how much is there. As many handlers as the levels take have one each; sources beyond
// that share the handlers of a level, each event by its number in the handler's ring.

import ComparisonReport
import Gauges
import HostedMachine
import HotPaths
import SoftInterrupts

/// On one CPU: events of `count` sources, a handler for each or shared handlers; nanoseconds for one, alone and all at once.
private func schedule(_ count: Int, isShared: Bool, events: Int) throws -> [Double] {
  let system = try System(on: .hosted(cpus: 1))
  defer { system.shutdown() }
  nonisolated(unsafe) let state = UnsafeMutablePointer<UInt64>.allocate(capacity: count * 8)
  state.initialize(repeating: 0, count: count * 8)
  defer { state.deallocate() }
  nonisolated(unsafe) var handlers: [Handler<HostedMachine>] = []
  let rings: [Ring<Int, HostedMachine>]
  if isShared {
    let shared = min(count, System.handlersPerLevel)
    rings = (0..<shared).map { _ in Ring(capacity: 2 * (count / shared) + 2) }
    for ring in rings {
      handlers.append(
        try system.establish("shared", at: .softNet, as: .ordered) { _ in
          while let source = ring.pop() { state[source * 8] &+= 1 }
        })
    }
  } else {
    rings = []
    for source in 0..<count {
      handlers.append(
        try system.establish("own", at: ownLevels[source / System.handlersPerLevel], as: .ordered) { _ in
          state[source * 8] &+= 1
        })
    }
  }
  let asked = handlers
  let turns = max(events / count, 1)
  nonisolated(unsafe) var (alone, together) = (Double.nan, Double.nan)
  let done = OneEnd()
  system.submit(on: 0) { _ in
    @inline(__always) func ask(_ source: Int) {
      if isShared { _ = rings[source % rings.count].push(source) }
      asked[isShared ? source % asked.count : source].schedule()
    }
    func measure(_ all: Bool) -> Double {
      var parts: [Double] = []
      for _ in 0..<9 {
        parts.append(
          time(turns) { turns in
            for _ in 0..<turns {
              for source in 0..<count {
                ask(source)
                if !all { system.checkpoint() }
              }
              if all { system.checkpoint() }
            }
          } / Double(count))
      }
      return median(parts)
    }
    alone = measure(false)
    together = measure(true)
    done.signal()
  }
  done.wait()
  return [alone, together]
}

/// The levels that take handlers, the one for shared ones first.
private let ownLevels: [Level] = [.softNet, .softSerial, .softBio, .softClock, .vm, .sched, .high]

func handlerCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var count: Int
    var isShared: Bool
  }
  let limit = System.handlersPerLevel * ownLevels.count
  let points =
    setting.points([1, 4, 16, 64, limit]).map { Turn(count: $0, isShared: false) }
    + setting.points([1, 4, 16, 64, 256, 1_024, 4_096]).map { Turn(count: $0, isShared: true) }
  let rounds = 9
  let events = setting.isQuick ? 4_096 : 32_768
  let found = try turns(setting, "handlers", points, rounds: rounds) {
    try schedule($0.count, isShared: $0.isShared, events: events)
  }
  let own = found.filter { !$0.point.isShared }
  let shared = found.filter(\.point.isShared)
  let x = { (turn: Turn) in Double(turn.count) }
  return [
    Curve(
      "handlers", "Schedule and run, against handlers and sources", .measured,
      x: Axis("handlers, or sources of shared handlers", isLogarithmic: true),
      y: Axis("schedule and run of one", "ns"),
      series: [
        Series("own handler, one at a time", own, x, 0), Series("own handler, all pending", own, x, 1),
        Series("shared handler, one at a time", shared, x, 0),
        Series("shared handler, all pending", shared, x, 1),
      ], rounds: setting.rounds(rounds),
      note:
        "One CPU, ordered handlers. A level takes \(System.handlersPerLevel) handlers, so \(ownLevels.count) levels take \(limit); that is the limit of handlers of one's own. "
        + "Sources beyond share the \(System.handlersPerLevel) of softNet, each event by its number in the handler's ring."
    )
  ]
}
