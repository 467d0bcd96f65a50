// Step 6: typed. The compiler knows who guards what, and raises are exact.

import HostedMachine
import SoftInterrupts

enum Step6 {
  static func run(_ work: Work) throws -> Outcome {
    let system = try InterruptSystem(on: .hosted(cpus: Work.cpus))
    let table = Guarded<Table, SoftNet>(Table())
    let lines = Guarded<Log, SoftBio>(Log())
    let beats = Guarded<Beats, SoftSerial>(Beats())

    let log = try system.establish("log", at: SoftBio.self, as: .ordered) { bio in
      let records = bio.raise(to: SoftNet.self) { net in net.open(table) { $0.takeClosed() } }
      bio.open(lines) { $0.write(records) { system.checkpoint() } }
    }
    let expire = try system.callout("expire", at: SoftClock.self, guard: SoftNet.self, cpu: 1) { net in
      net.open(table) { $0.expire(through: work.sweepsDue) }
      log.schedule(on: 1)
    }
    let input = try system.establish("input", at: SoftNet.self, as: .ordered) { net in
      guard let batch = work.take() else { return }
      net.open(table) { $0.take(batch) }
      if work.note(batch.count) { expire.schedule(after: .microseconds(200)) }
    }
    let probe = try system.establish("probe", at: SoftSerial.self, as: .ordered) { serial in
      serial.open(beats) { $0.beat(since: work.heart, now: HostedMachine.now()) }
    }

    let heart = try work.beat(system) { probe.schedule() }
    work.feed(system) { input.schedule() }
    let questions = work.ask {
      system.raise(to: SoftNet.self) { net in net.open(table) { $0.busiest() } }
    }
    system.detach(heart)
    let sweeps = system.raise(to: SoftNet.self) { net in
      net.open(table) { table in
        table.finish(through: work.sweepsDue)
        return table.sweeps
      }
    }
    log.schedule(on: 1)
    system.shutdown()
    // The CPUs are gone; the values are where they were.
    let written = system.raise(to: SoftBio.self) { bio in bio[lines] }
    let beaten = system.raise(to: SoftSerial.self) { serial in serial[beats] }
    return work.outcome(sweeps: sweeps, written, beaten, questions: questions)
  }
}
