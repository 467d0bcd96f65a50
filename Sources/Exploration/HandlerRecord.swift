// What is known of a watched handler: numbers by CPU, and the words by which a reduction knows what comes before what.
//
// Law: counted at the program's own calls and at beginnings and ends of runs, never taken from the core's statistics.

import SimulatedMachine
import SoftInterrupts

/// What is known of a handler's schedules and runs.
final class HandlerRecord {
  let name: String
  let level: Level
  var way: WayIn
  let placement: Placement
  let boundary = Boundary()
  /// Runs under way on behalf of each CPU; and how many of them are the only one, under their level's gate.
  var active: [Int]
  var exclusive = 0
  /// The step after which a run must start, and the step at which the last one started; by CPU.
  var required: [UInt64]
  var started: [UInt64]
  /// As `required`, where the schedule's answer was that it will run although the CPU may be going offline.
  var promised: [UInt64]
  /// How often a schedule on a CPU has been called, and a run begun there.
  var asked: [Int]
  /// Calls of schedule that have not returned: for which CPU, and since when.
  var calls: [(cpu: Int, began: Int)] = []
  var begun: [Int]
  var runs = 0
  /// Other runs on a CPU since it is pending there.
  var overtaken: [Int]
  /// Suspensions that have returned and have not been taken back; changes whose call has not returned.
  var suspensions = 0
  var changing = 0
  /// How many changes were begun; and false while two of its way in have overlapped, so that nobody knows which came last.
  var changes = 0
  var isWayKnown = true
  /// Disestablished, or it has retired.
  var hasEnded = false
  /// The program has the plain handle too: then not every schedule is seen here.
  var isExposed = false
  /// The slot's generation, and the one that is this handler's.
  var generation: (word: UnsafeMutablePointer<SimulatedWord>, mine: UInt)?

  init(_ name: String, _ level: Level, _ way: WayIn, _ placement: Placement, cpus: Int) {
    (self.name, self.level, self.way, self.placement) = (name, level, way, placement)
    active = Array(repeating: 0, count: cpus)
    required = Array(repeating: 0, count: cpus)
    started = Array(repeating: 0, count: cpus)
    promised = Array(repeating: 0, count: cpus)
    asked = Array(repeating: 0, count: cpus)
    begun = Array(repeating: 0, count: cpus)
    overtaken = Array(repeating: 0, count: cpus)
  }

  var isRunning: Bool { active.contains { $0 > 0 } }
  /// The core knows the handler no more: it was disestablished, has retired, or the system was shut down.
  var isGone: Bool { generation.map { $0.word.value != $0.mine } ?? false }

  /// Where some schedule, among those that `asked` counts, was not followed by a run.
  func pending(_ asked: [UInt64]) -> [Int] {
    if placement == .anywhere {
      return (asked.max() ?? 0) > (started.max() ?? 0) ? [0] : []
    }
    return asked.indices.filter { asked[$0] > started[$0] }
  }

  /// On which CPU a schedule was lost.
  func lost(_ isOffline: (Int) -> Bool) -> Int? {
    if hasEnded || isGone || suspensions > 0 || changing > 0 || isExposed { return nil }
    return pending(required).first {
      placement == .anywhere || promised[$0] > started[$0] || !isOffline($0)
    }
  }
}

/// A word of who watches, by whose points a reduction knows what comes before what.
final class Boundary {
  let word: UnsafeMutablePointer<SimulatedWord>
  init() {
    word = .allocate(capacity: 1)
    word.initialize(to: SimulatedWord(0))
  }
  deinit { word.deallocate() }
  @inline(__always) func pass(isWrite: Bool) { SimulatedMachine.point(word, isWrite: isWrite) }
}

/// A schedule that made a bound ordered handler pending.
struct PendingSchedule {
  var record: HandlerRecord
  var cpu: Int
  /// Moments: of the call, and of when it is certain that it is in its place.
  var called: Int
  var returned: Int
}
