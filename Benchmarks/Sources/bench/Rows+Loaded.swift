// A short urgent thing while long work is at nine tenths: from when a beat was due to when it was done.
//
// Law: the same producer for all, a pinned thread that looks at the clock: bursts of work that take 90 % of one processor, and a beat
// each 211 µs, which falls anywhere into a burst. An item is the same sum over memory everywhere; how many make 90 % is measured in the
// same session. A beat that comes late because the producer was descheduled is late for all; how late that alone makes them, "the
// machine itself" shows: a thread that does nothing but take them.
//
// Twice: with every thread that takes part at a real-time priority, the same for all sides, and as ordinary threads. Whatever else
// becomes runnable on the processor of an ordinary thread gets a time slice of 3 ms, in which 14 beats are due: of the 1,900 of a round
// p99.9 is the second latest, so one slice is all that the figure says, whoever takes the beats (decision 0022).

import CPeers
import Dispatch
import Gauges
import Histogram
import HostedMachine
import HotPaths
import NIOCore
import NIOPosix
import SoftInterrupts

private func session(_ figure: String, _ scheduling: Scheduling) throws -> Session {
  var configuration = usualConfiguration()
  configuration.pollInterval = 20_000
  // Between two bursts there are some 36 µs. A CPU that sleeps there is late by its wake-up, and its processor halts, which the host takes for leave
  // to use it: with these 200 µs it sleeps when the load is over.
  configuration.idleRounds = 400
  let system = try System(
    on: .hosted(cpus: 1, processors: [HostedMachine.allowedProcessors()[0]]), configuration)
  let work = Work()
  // What an item takes here, from the best of many; so the load is 90 %.
  let item = onCPU(system) { (0..<200).map { _ in time(20) { for _ in 0..<$0 { work.item() } } }.min()! }
  let interval = UInt64(item * Double(loadedBurst) / 0.9)
  nonisolated(unsafe) let bursts = hostedWords(8)
  let due = Due()
  nonisolated(unsafe) var present: Beats?
  // Items are taken one by one, with a point between them, as handlers at softNet do that have much to do.
  let net = try system.establish("net", at: .softNet, as: .ordered) { here in
    scheduling.join(.work, anywhere: false)
    var left = Int(HostedMachine.Word.exchange(bursts, 0, .acquireRelease)) * loadedBurst
    while left > 0 {
      work.item()
      here.checkpoint()
      left -= 1
    }
  }
  let serial = try system.establish("serial", at: .softSerial, as: .ordered) { _ in
    while let time = due.ring.pop() { present?.beat(time) }
  }
  let ourTurns = Turns(work.still, scheduling)
  // What ordinary threads are late by is mostly nobody's doing here.
  let reach =
    scheduling.isRealtime
    ? ""
    : " Where the machine itself is late by more than a tenth of this, the goal is met by nobody (decision 0022)."
  func contender(
    _ name: String, _ note: String, isOurs: Bool = false, goal: Bool = true,
    prepare: @escaping () -> Void = {},
    _ load: @escaping (Beats) -> Load
  ) -> Contender {
    let turns = isOurs ? ourTurns : Turns(work.still, scheduling)
    return Contender(
      name: name, note: goal && !isOurs ? note + reach : note, goals: goal ? [figure: .atMost(0.1)] : [:],
      round: {
        turns.take { beats in
          prepare()
          return play(load(beats), beats, every: interval, work.still, scheduling)
        }
      }, recorded: { [figure: turns.histogram] }, forget: turns.forget,
      remark: { turns.remark(beside: ourTurns) })
  }
  let ours = contender("ours", "", isOurs: true) { beats in
    present = beats
    return Load(
      burst: {
        _ = HostedMachine.Word.fetchAdd(bursts, 1, .acquireRelease)
        net.schedule(on: 0)
      },
      beat: { time in
        _ = due.ring.push(time)
        serial.schedule(on: 0)
      })
  }
  let floor = Due()
  let floorTurns = Turns(work.still, scheduling)
  let machine = Contender(
    name: "the machine itself",
    note:
      "A thread that spins on our CPU's processor and takes the beats, without work or anything else: what the scheduler and the host leave.",
    round: {
      floorTurns.take { beats in
        let load = Load(burst: {}, beat: { time in _ = floor.ring.push(time) })
        return bare(floor, beats, work.still, scheduling) {
          play(load, beats, every: interval, work.still, scheduling)
        }
      }
    }, recorded: { [figure: floorTurns.histogram] }, forget: floorTurns.forget,
    remark: { floorTurns.remark(beside: ourTurns) })
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop = group.next()
  let one = DispatchQueue(label: "one")
  let low = DispatchQueue(label: "work", qos: .utility)
  let high = DispatchQueue(label: "beats", qos: .userInteractive)
  return Session(
    ours: ours.round, recorded: ours.recorded, forget: ours.forget,
    peers: [
      machine,
      contender(
        "NIO event loop", "One loop, a task for each item and each beat: one priority, first in, first out."
      ) {
        beats in
        Load(
          burst: {
            for _ in 0..<loadedBurst {
              loop.execute {
                scheduling.join(.work)
                work.item()
              }
            }
          },
          beat: { time in loop.execute { beats.beat(time) } })
      },
      contender(
        "dispatch, one serial queue", "The same on a serial queue, which is what keeps them apart.",
        prepare: { prepare(one, scheduling, .work) }
      ) { beats in
        Load(
          burst: {
            for _ in 0..<loadedBurst {
              one.async {
                scheduling.join(.work)
                work.item()
              }
            }
          },
          beat: { time in one.async { beats.beat(time) } })
      },
      contender(
        "dispatch, a queue each",
        "Beats on a queue of a higher class, so on a second thread: nothing keeps them and the work apart.",
        goal: false,
        prepare: {
          prepare(low, scheduling, .work)
          prepare(high, scheduling, .beats)
        }
      ) { beats in
        Load(
          burst: {
            for _ in 0..<loadedBurst {
              low.async {
                scheduling.join(.work)
                work.item()
              }
            }
          },
          beat: { time in
            high.async {
              scheduling.join(.beats)
              beats.beat(time)
            }
          })
      },
    ],
    close: {
      one.sync {}
      low.sync {}
      try? group.syncShutdownGracefully()
      system.shutdown()
      peer_take_part_end()
    })
}

func loadedExperiments() -> [Experiment] {
  [true, false].map { isRealtime in
    let name = isRealtime ? "loaded-serial" : "loaded-shared"
    return Experiment(
      name,
      "softSerial while softNet has 90 % of the CPU, which polls between the bursts: 99.9 % of the beats done within; "
        + (isRealtime ? "threads of real-time priority" : "ordinary threads"),
      unit: "µs",
      open: { try session(name, Scheduling(isRealtime: isRealtime)) })
  }
}
