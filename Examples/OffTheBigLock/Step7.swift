// Step 7: the busy level is MP-safe. The table is in shards, each under a lock of the level; each CPU sorts its batch on trays of its own.

import HostedMachine
import SoftInterrupts

enum Step7 {
  static let shards = 8

  static func run(_ work: Work) throws -> Outcome {
    let system = try InterruptSystem(on: .hosted(cpus: Work.cpus))
    // [shards]
    let tables = (0..<shards).map { _ in system.levelLock(at: SoftNet.self, Table()) }
    let spare = system.perCPU(at: SoftNet.self) { _ in [[Event]](repeating: [], count: shards) }
    let lines = Guarded<Log, SoftBio>(Log())
    let beats = Guarded<Beats, SoftSerial>(Beats())

    let log = try system.establish("log", at: SoftBio.self, as: .ordered) { bio in
      for table in tables {
        let records = table.untyped.withLock { $0.takeClosed() }
        bio.open(lines) { $0.write(records) { system.checkpoint() } }
      }
    }
    let expire = try system.callout("expire", at: SoftClock.self, as: .mpSafe, cpu: 1) { _ in
      for table in tables { table.untyped.withLock { $0.expire(through: work.sweepsDue) } }
      log.schedule(on: 1)
    }
    let input = try system.establish("input", at: SoftNet.self, as: .mpSafe) { here in
      guard let batch = work.ports[here.cpu!].take() else { return }
      here.mask(to: SoftNet.self) { masked in
        var trays = masked.open(spare) { spare in
          defer { spare = [] }
          return spare
        }
        for event in batch { trays[Int(event.session) % shards].append(event) }
        for (shard, table) in tables.enumerated() where !trays[shard].isEmpty {
          masked.lock(table) { table, _ in table.take(trays[shard]) }
          trays[shard].removeAll(keepingCapacity: true)
        }
        masked[spare] = trays
      }
      if work.note(batch.count) { expire.schedule(after: .microseconds(200)) }
    }
    // [/shards]
    let probe = try system.establish("probe", at: SoftSerial.self, as: .ordered) { serial in
      serial.open(beats) { $0.beat(since: work.heart, now: HostedMachine.now()) }
    }

    let heart = try work.beat(system) { probe.schedule() }
    work.feed(system, isSpread: true) { input.schedule() }
    let questions = work.ask {
      tables.reduce(0) { most, table in max(most, table.untyped.withLock { $0.busiest() }) }
    }
    system.detach(heart)
    for table in tables { table.untyped.withLock { $0.finish(through: work.sweepsDue) } }
    log.schedule(on: 1)
    system.shutdown()
    // The CPUs are gone; the values are where they were.
    let written = system.raise(to: SoftBio.self) { bio in bio[lines] }
    let beaten = system.raise(to: SoftSerial.self) { serial in serial[beats] }
    let sweeps = tables[0].untyped.withLock { $0.sweeps }
    return work.outcome(sweeps: sweeps, written, beaten, questions: questions)
  }
}
