// From the system's own counts and spans to the report's.

import ComparisonReport
import HostedMachine
import SoftInterrupts

extension LevelName {
  init(_ level: Level) { self = LevelName(rawValue: level.description) ?? .none }
}

extension Measurements {
  /// Adds a run's counts.
  mutating func add(_ statistics: SystemStatistics) {
    for level in Level.allCases {
      let total = statistics.total(level)
      let taken = statistics.timesTaken(level)
      guard taken > 0 || total.contended > 0 || total.delegated > 0 || total.runs > 0 else { continue }
      let name = LevelName(level)
      let index =
        gates.firstIndex { $0.level == name }
        ?? {
          gates.append(GateFigures(level: name, taken: 0, contended: 0))
          return gates.count - 1
        }()
      // A dispatch that finds the gate busy tries again later: each try counts.
      gates[index].taken &+= taken &+ total.delegated
      gates[index].contended &+= total.contended &+ total.delegated
      gates[index].handoffs &+= total.handedOff
      gates[index].passedOver &+= total.passedOver
      gates[index].waitNanoseconds &+= total.waitTime
    }
    for handler in statistics.handlers {
      let index =
        handlers.firstIndex { $0.name == handler.name }
        ?? {
          handlers.append(
            HandlerFigures(
              name: handler.name, level: LevelName(handler.level),
              wayIn: WayInName(rawValue: handler.way.description) ?? .mpSafe, scheduled: 0, run: 0))
          return handlers.count - 1
        }()
      handlers[index].scheduled &+= handler.scheduled
      handlers[index].coalesced &+= handler.coalesced
      handlers[index].run &+= handler.runs
      handlers[index].handedOff &+= handler.drained
      handlers[index].queueingNanoseconds &+= handler.queueing
      handlers[index].runNanoseconds &+= handler.running
    }
  }
}

extension FlowMeterSystem {
  /// The spans of the busiest part of the run, `nanoseconds` long, starting at 0.
  func timeline(lasting nanoseconds: UInt64) -> [TimelineSpan] {
    let all = probes.enumerated().flatMap { cpu, probe in probe.spans.map { (cpu, $0) } }
    guard let first = all.map(\.1.start).min(), let last = all.map(\.1.end).max() else { return [] }
    // From the middle: the beginning is warm-up.
    let start = max(
      first, (first &+ last) / 2 &- min(UInt64(scale.ticks(Double(nanoseconds))) / 2, (last &- first) / 2))
    let end = start &+ UInt64(scale.ticks(Double(nanoseconds)))
    return all.filter { $0.1.start >= start && $0.1.start < end }.map { cpu, span in
      TimelineSpan(
        cpu: cpu, level: span.stage.level, start: scale.nanoseconds(span.start &- start),
        end: scale.nanoseconds(min(span.end, end) &- start), kind: span.kind)
    }
  }
}
