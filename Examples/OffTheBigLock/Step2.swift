// Step 2: whatever touches the table raises to its level, or declares it as its guard. Still under the big lock.

import HostedMachine
import SoftInterrupts

enum Step2 {
  static func run(_ work: Work) throws -> Outcome {
    let system = try InterruptSystem(on: .hosted(cpus: Work.cpus))
    let gateway = Gateway()

    let log = try system.establish("log", at: .softBio, as: .bigLock) { here in
      let records = here.raise(to: .softNet) { _ in gateway.table.takeClosed() }
      gateway.log.write(records) { system.checkpoint() }
    }
    let expire = try system.callout("expire", at: .softClock, guard: .softNet, as: .bigLock, cpu: 1) { _ in
      gateway.table.expire(through: work.sweepsDue)
      log.schedule(on: 1)
    }
    let input = try system.establish("input", at: .softNet, as: .bigLock) { _ in
      guard let batch = work.take() else { return }
      gateway.table.take(batch)
      if work.note(batch.count) { expire.schedule(after: .microseconds(200)) }
    }
    let probe = try system.establish("probe", at: .softSerial, as: .bigLock) { _ in
      gateway.beats.beat(since: work.heart, now: HostedMachine.now())
    }

    let heart = try work.beat(system) { probe.schedule() }
    work.feed(system) { input.schedule() }
    let questions = work.ask {
      system.bigLock { $0.raise(to: .softNet) { _ in gateway.table.busiest() } }
    }
    system.detach(heart)
    system.bigLock { $0.raise(to: .softNet) { _ in gateway.table.finish(through: work.sweepsDue) } }
    log.schedule(on: 1)
    system.shutdown()
    return work.outcome(sweeps: gateway.table.sweeps, gateway.log, gateway.beats, questions: questions)
  }
}
