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
//
// A turn in which a thread that was running stood still for two beats' time has two late beats, and those alone are its p99.9. With
// real-time priorities nothing of any side does that: the system did, or the host. So such a turn is taken again, whoever's it is,
// at most four times; how often, and what was counted all the same, stands under the table. It is seen where all sides run the same code: in
// an item, from one look of the producer at the clock to the next, and in the bare thread. Who sleeps is not seen: what the
// sleep costs is that side's own.

import CPeers
import Dispatch
import Gauges
import Glibc
import Histogram
import HostedMachine
import HotPaths
import NIOCore
import NIOPosix
import SoftInterrupts

private let burst = 64
private let beatInterval: UInt64 = 211_000
private let roundLength: UInt64 = 400_000_000
/// A running thread that stands still for longer has decided the turn's p99.9.
private let stillness = 2 * beatInterval
private let retakes = 4

/// Real-time priorities: what works, what takes beats where that is a thread of its own, and the producer. 0 is an ordinary thread.
private enum Priority: Int32 {
  case work = 1
  case beats
  case producer
}

/// The longest that a thread which was running stood still in a turn.
private final class Still: @unchecked Sendable {
  // Sendable: a word. Relaxed: who reads it has waited for the last beat; an item after that is no matter.
  private let word = hostedWords(8)
  var longest: UInt64 { UInt64(HostedMachine.Word.load(word, .relaxed)) }
  func forget() { HostedMachine.Word.store(word, 0, .relaxed) }
  /// Two threads may write at once, and the shorter one last: each has several to write then, or the turn's p99.9 is that of another pause.
  @inline(__always) func note(_ start: UInt64, _ end: UInt64) {
    if end > start, end - start > longest { HostedMachine.Word.store(word, UInt(end - start), .relaxed) }
  }
}

/// The work of one item, some 5 µs; one thread at a time.
private final class Work: @unchecked Sendable {
  // Sendable: what uses it is serial.
  let still = Still()
  private let data = UnsafeMutablePointer<UInt64>.allocate(capacity: 1_024)
  private var sum: UInt64 = 0
  init() { data.initialize(repeating: 3, count: 1_024) }
  @inline(never) func item() {
    let start = HostedMachine.now()
    for _ in 0..<4 { for index in 0..<1_024 { sum = (sum ^ data[index]) &* 0x9e37_79b9_7f4a_7c15 } }
    still.note(start, HostedMachine.now())
  }
}

/// What happened to the beats of a round.
private final class Beats: @unchecked Sendable {
  // Sendable: the histogram is the serial side's until the round's last beat; the counts are words.
  var histogram = newHistogram()
  private let done = hostedWords(8)
  func beat(_ due: UInt64) {
    let now = HostedMachine.now()
    _ = histogram.record(now > due ? now - due : 1)
    // Release: the histogram is read after the acquire in `wait`.
    _ = HostedMachine.Word.fetchAdd(done, 1, .release)
  }
  func wait(for count: UInt) { while HostedMachine.Word.load(done, .acquire) < count { usleep(1_000) } }
}

/// Has a queue's thread made by who is not pinned, and take part, before the producer needs it.
private func prepare(_ queue: DispatchQueue, _ scheduling: Scheduling, _ priority: Priority) {
  let done = DispatchSemaphore(value: 0)
  queue.async {
    scheduling.join(priority)
    done.signal()
  }
  done.wait()
}

/// How a side is told of a burst and of a beat that was due.
private struct Load {
  var burst: () -> Void
  var beat: (_ due: UInt64) -> Void
}

/// How the threads of a session are scheduled.
private struct Scheduling {
  var isRealtime: Bool
  let processors = HostedMachine.allowedProcessors().map(Int32.init)
  /// Called by each thread that takes part, each time: it asks the system once. A thread that the pinned producer made, as a queue's may
  /// be, would be pinned beside it for ever; so a peer's threads are freed. Ours stay where they are pinned.
  func join(_ priority: Priority, anywhere: Bool = true) {
    peer_take_part(isRealtime ? priority.rawValue : 0, anywhere, processors[0], processors[1])
  }
}

/// Plays one round from a pinned thread; 99.9 % of the beats were done within the result, in microseconds.
private func play(
  _ load: Load, _ beats: Beats, every interval: UInt64, _ still: Still, _ scheduling: Scheduling
) -> Double {
  nonisolated(unsafe) let load = load
  nonisolated(unsafe) var count: UInt = 0
  // Ordinary threads have the processors for a moment: if they have had none of one for a second, the system gives them 50 ms.
  usleep(50_000)
  still.forget()
  let thread = OwnThread {
    peer_pin(scheduling.processors[1])
    // With the highest priority nobody moves it, so it needs no pin, and what it makes has none.
    scheduling.join(.producer, anywhere: scheduling.isRealtime)
    let start = HostedMachine.now() + 1_000_000
    let end = start + roundLength
    var (nextBurst, nextBeat, last) = (start, start, start)
    while nextBeat < end {
      let now = HostedMachine.now()
      still.note(last, now)
      last = max(now, start)
      if now >= nextBurst {
        load.burst()
        nextBurst += interval
      }
      if now >= nextBeat {
        load.beat(nextBeat)
        count += 1
        nextBeat += beatInterval
      }
      HostedMachine.pause(0)
    }
  }
  thread.join()
  beats.wait(for: count)
  return Double(beats.histogram.valueAtPercentile(99.9)) / 1e3
}

/// A side's turns: taken again while they were disturbed, all sides alike.
private final class Turns {
  private let still: Still
  private let scheduling: Scheduling
  private var recorded = newHistogram()
  private var (again, kept) = (0, 0)
  init(_ still: Still, _ scheduling: Scheduling) { (self.still, self.scheduling) = (still, scheduling) }

  var histogram: Histogram<UInt64> { recorded }
  func forget() {
    recorded.reset()
    (again, kept) = (0, 0)
  }
  private var count: String { kept == 0 ? "\(again)" : "\(again), and \(kept) counted though disturbed" }
  func remark(beside ours: Turns) -> String {
    if again + kept + ours.again + ours.kept == 0 { return "" }
    return "turns taken again: ours \(ours.count); theirs \(count)"
  }
  func take(_ turn: (Beats) -> Double) -> [Double] {
    for attempt in 0... {
      let beats = Beats()
      let result = turn(beats)
      // Ordinary threads have time slices: those are what that row shows.
      let isDisturbed = scheduling.isRealtime && still.longest > stillness
      if isDisturbed && attempt < retakes {
        again += 1
        continue
      }
      if isDisturbed { kept += 1 }
      recorded.add(beats.histogram)
      return [result]
    }
    fatalError("never")
  }
}

/// A thread on our CPU's processor that looks for beats and does nothing else, while a load runs.
private func bare(
  _ due: Due, _ beats: Beats, _ still: Still, _ scheduling: Scheduling, _ play: () -> Double
) -> Double {
  nonisolated(unsafe) let over = hostedWords(8)
  defer { over.deallocate() }
  let thread = OwnThread {
    peer_pin(scheduling.processors[0])
    scheduling.join(.work, anywhere: false)
    var last = HostedMachine.now()
    while HostedMachine.Word.load(over, .acquire) == 0 {
      while let time = due.ring.pop() { beats.beat(time) }
      HostedMachine.pause(0)
      let now = HostedMachine.now()
      still.note(last, now)
      last = now
    }
  }
  let result = play()
  HostedMachine.Word.store(over, 1, .release)
  thread.join()
  return result
}

/// Beats that are due, from the producer to the CPU: a ring of one producer and one consumer.
private final class Due: @unchecked Sendable {
  // Sendable: see above.
  let ring = Ring<UInt64, HostedMachine>(capacity: 4_096)
}

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
  let interval = UInt64(item * Double(burst) / 0.9)
  nonisolated(unsafe) let bursts = hostedWords(8)
  let due = Due()
  nonisolated(unsafe) var present: Beats?
  // Items are taken one by one, with a point between them, as handlers at softNet do that have much to do.
  let net = try system.establish("net", at: .softNet, as: .ordered) { here in
    scheduling.join(.work, anywhere: false)
    var left = Int(HostedMachine.Word.exchange(bursts, 0, .acquireRelease)) * burst
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
            for _ in 0..<burst {
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
            for _ in 0..<burst {
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
            for _ in 0..<burst {
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
      "softSerial while softNet has 90 % of the CPU: 99.9 % of the beats done within; "
        + (isRealtime ? "threads of real-time priority" : "ordinary threads"),
      unit: "µs",
      open: { try session(name, Scheduling(isRealtime: isRealtime)) })
  }
}
