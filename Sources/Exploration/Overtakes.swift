// Starvation as a bound: who waits is overtaken so often and no more.
//
// Law: only what the order decides is counted. A waiter for a gate is overtaken by each tenure that begins after it was announced (the
// gate's attention bit, or that it is awaited), whether or not the schedule lets it go on: with a hand-off it need not. A pending handler is overtaken by each other
// run that starts on its CPU, which passes a recognition point before each. A process that could go on and is not let is the schedule's
// doing, and is not counted.

import SimulatedMachine
import SoftInterrupts

struct Overtakes {
  /// The most that is no starvation.
  var limit = Int.max
  /// For each process and gate the tenures of others since it began to wait.
  private var tenures: [Int] = []

  mutating func begin() {
    if limit != .max { tenures = Array(repeating: 0, count: SimulatedMachine.processLimit * Level.count) }
  }

  /// One more tenure of another while a process waits; how many there were.
  mutating func count(_ process: Int, _ level: Level) -> Int {
    tenures[process * Level.count + Int(level.rawValue)] += 1
    return tenures[process * Level.count + Int(level.rawValue)]
  }
  mutating func reset(_ process: Int, _ level: Level) {
    tenures[process * Level.count + Int(level.rawValue)] = 0
  }
}

extension Watcher {
  /// Somebody has got gates: whoever else waits for one of them is overtaken.
  @inline(never)
  final func countOvertakes(_ machine: SimulatedMachine, _ process: Int, _ new: UInt8) {
    for other in 0..<machine.processCount {
      guard let view = machine.current(other).flatMap({ System.view(of: $0) }) else { continue }
      let waits = view.waits
      for level in Level.allCases where new >> level.rawValue & 1 != 0 {
        if other != process && self.gates & System.attentionBit(of: level) == 0 { continue }
        guard other != process, waits.contains(where: { !$0.isLock && $0.level == level }) else {
          overtakes.reset(other, level)
          continue
        }
        let count = overtakes.count(other, level)
        if count > overtakes.limit {
          fail(
            .starvation,
            "\(machine.name(other)) waits for gate \(level), and others took it \(count) times: the last was \(machine.name(process))"
          )
        }
      }
    }
  }
}
