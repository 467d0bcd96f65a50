// Step 5: input, time-out and base code are ordered: nobody takes the big lock any more.

import HostedMachine
import SoftInterrupts

enum Step5 {
  static func run(_ work: Work) throws -> Outcome {
    let system = try InterruptSystem(on: .hosted(cpus: Work.cpus))
    let gateway = Gateway()

    let log = try system.establish("log", at: .softBio, as: .ordered) { here in
      let records = here.raise(to: .softNet) { _ in gateway.table.takeClosed() }
      gateway.log.write(records) { system.checkpoint() }
    }
    let expire = try system.callout("expire", at: .softClock, guard: .softNet, cpu: 1) { _ in
      gateway.table.expire(through: work.sweepsDue)
      log.schedule(on: 1)
    }
    let input = try system.establish("input", at: .softNet, as: .ordered) { _ in
      guard let batch = work.take() else { return }
      gateway.table.take(batch)
      if work.note(batch.count) { expire.schedule(after: .microseconds(200)) }
    }
    let probe = try system.establish("probe", at: .softSerial, as: .ordered) { _ in
      gateway.beats.beat(since: work.heart, now: HostedMachine.now())
    }

    let heart = try work.beat(system) { probe.schedule() }
    work.feed(system) { input.schedule() }
    let questions = work.ask {
      system.raise(to: .softNet) { _ in gateway.table.busiest() }
    }
    system.detach(heart)
    system.raise(to: .softNet) { _ in gateway.table.finish(through: work.sweepsDue) }
    log.schedule(on: 1)
    system.shutdown()
    return work.outcome(sweeps: gateway.table.sweeps, gateway.log, gateway.beats, questions: questions)
  }
}
