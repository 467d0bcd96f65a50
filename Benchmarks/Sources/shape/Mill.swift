// A mill: every CPU has items of work for several levels, and whoever may does them.
//
// Law: a CPU has at most so many items under way; an item goes by a ring to a handler of its level, ordered and `.anywhere`, and is done
// under that level's gate. So the ring has one producer, its CPU's base code, and one consumer at a time, who holds the gate.

import Gauges
import HostedMachine
import HotPaths
import SoftInterrupts

struct Mill {
  /// The levels and which part of the items is for each.
  var shares: [(level: Level, part: Double)]
  var cpus = 2
  /// What an item takes, in nanoseconds.
  var work: Double

  private static let underWay: UInt = 64
  private static let batch = 4

  /// One lane from a CPU to a level; on lines of its own.
  private struct Lane {
    let ring = Ring<UInt8, HostedMachine>(capacity: 64)
    let done = hostedWords(8)
  }

  /// The work that is done in a second, in CPUs: 1 is what one does that does nothing else.
  func run(nanoseconds: UInt64) throws -> Double {
    var configuration = Configuration()
    // As the meter has it: a holder does little of its own before it looks what others want, and then much for them.
    configuration.dispatchBudget = 2
    configuration.drainBudget = 64
    configuration.pollInterval = 1_000
    let system = try System(on: .hosted(cpus: cpus), configuration)
    nonisolated(unsafe) let over = hostedWords(8)
    nonisolated(unsafe) var lanes: [[Lane]] = []
    nonisolated(unsafe) var handlers: [[Handler<HostedMachine>]] = []
    let work = work
    for cpu in 0..<cpus {
      lanes.append([])
      handlers.append([])
      for (index, share) in shares.enumerated() {
        let lane = Lane()
        nonisolated(unsafe) let done = lane.done
        lanes[cpu].append(lane)
        handlers[cpu].append(
          try system.establish("lane", at: share.level, as: .ordered, .anywhere) { [ring = lane.ring] here in
            var count = 0
            while count < Self.batch, ring.pop() != nil {
              Work.take(work)
              // Relaxed: a count. Under the gate, which one CPU has at a time.
              HostedMachine.Word.store(done, HostedMachine.Word.load(done, .relaxed) &+ 1, .relaxed)
              count += 1
              here.checkpoint()
            }
            if count == Self.batch { handlers[cpu][index].schedule(on: cpu) }
          })
      }
    }
    var sums: [Double] = []
    for share in shares { sums.append((sums.last ?? 0) + share.part) }
    for cpu in 0..<cpus {
      let (mine, asked, limits) = (lanes[cpu], handlers[cpu], sums)
      let rings = mine.map(\.ring)
      nonisolated(unsafe) let counts = mine.map(\.done)
      system.submit(on: cpu) { here in
        var random = UInt64(cpu) &* 0x9e37_79b9_7f4a_7c15 | 1
        var made: UInt = 0
        while HostedMachine.Word.load(over, .relaxed) == 0 {
          let done = counts.reduce(UInt(0)) { $0 &+ HostedMachine.Word.load($1, .relaxed) }
          if made &- done < Self.underWay {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let at = Double(random >> 11) / Double(1 << 53) * limits[limits.count - 1]
            let index = limits.firstIndex { at < $0 } ?? 0
            if rings[index].push(0) {
              made &+= 1
              asked[index].schedule()
            }
          }
          here.checkpoint()
        }
      }
    }
    func all() -> UInt { lanes.joined().reduce(0) { $0 &+ HostedMachine.Word.load($1.done, .relaxed) } }
    pause(nanoseconds / 5)
    let (before, start) = (all(), HostedMachine.now())
    pause(nanoseconds - nanoseconds / 5)
    let (after, end) = (all(), HostedMachine.now())
    HostedMachine.Word.store(over, 1, .relaxed)
    system.shutdown()
    for lane in lanes.joined() { lane.done.deallocate() }
    over.deallocate()
    return Double(after &- before) * work / Double(end - start)
  }
}
