// The same work on one thread, without threads, locks or levels: what there is to gain.
//
// Law: it does what every step does, in an order that every step could have done it in.

import HostedMachine

enum Alone {
  /// The outcome, and which share of the time was the table's: the work of one level.
  static func run(_ work: Work) -> (Outcome, tableShare: Double) {
    var (table, log) = (Table(), Log())
    var atTable: UInt64 = 0
    func timed(_ body: () -> Void) {
      let before = HostedMachine.now()
      body()
      atTable += HostedMachine.now() - before
    }
    func write() { log.write(table.takeClosed()) }
    while !work.isOver {
      guard let batch = work.take() else { break }
      timed { table.take(batch) }
      if work.note(batch.count) {
        timed { table.expire(through: work.sweepsDue) }
        write()
      }
    }
    for _ in 0..<Work.questions { timed { _ = table.busiest() } }
    timed { table.finish(through: work.sweepsDue) }
    write()
    let outcome = work.outcome(
      sweeps: table.sweeps, log, Beats(), questions: Array(repeating: 0, count: Work.questions))
    return (outcome, Double(atTable) / 1e9 / outcome.seconds)
  }
}
