// What is played in a turn of the loaded rows: the producer, the work, the beats, and whether the turn counts.
//
// Law: a turn in which a thread that was running stood still for two beats' time has two late beats, and those alone are its p99.9. With
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
import SoftInterrupts

let loadedBurst = 64
private let beatInterval: UInt64 = 211_000
private let roundLength: UInt64 = 400_000_000
/// A running thread that stands still for longer has decided the turn's p99.9.
private let stillness = 2 * beatInterval
private let retakes = 4

/// Real-time priorities: what works, what takes beats where that is a thread of its own, and the producer. 0 is an ordinary thread.
enum Priority: Int32 {
  case work = 1
  case beats
  case producer
}

/// The longest that a thread which was running stood still in a turn.
final class Still: @unchecked Sendable {
  // Sendable: a word. Relaxed: who reads it has waited for the last beat; an item after that is no matter.
  private let word = hostedWords(8)
  var longest: UInt64 { UInt64(HostedMachine.Word.load(word, .relaxed)) }
  func forget() { HostedMachine.Word.store(word, 0, .relaxed) }
  @inline(__always) func note(_ start: UInt64, _ end: UInt64) {
    guard end > start else { return }
    let length = UInt(end - start)
    var seen = HostedMachine.Word.load(word, .relaxed)
    while length > seen && !HostedMachine.Word.compareExchange(word, seen, length, .relaxed) {
      seen = HostedMachine.Word.load(word, .relaxed)
    }
  }
}

/// The work of one item, some 5 µs; one thread at a time.
final class Work: @unchecked Sendable {
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
final class Beats: @unchecked Sendable {
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
func prepare(_ queue: DispatchQueue, _ scheduling: Scheduling, _ priority: Priority) {
  let done = DispatchSemaphore(value: 0)
  queue.async {
    scheduling.join(priority)
    done.signal()
  }
  done.wait()
}

/// How a side is told of a burst and of a beat that was due.
struct Load {
  var burst: () -> Void
  var beat: (_ due: UInt64) -> Void
}

/// How the threads of a session are scheduled.
struct Scheduling {
  var isRealtime: Bool
  let processors = HostedMachine.allowedProcessors().map(Int32.init)
  /// Called by each thread that takes part, each time: it asks the system once. A thread that the pinned producer made, as a queue's may
  /// be, would be pinned beside it for ever; so a peer's threads are freed. Ours stay where they are pinned.
  func join(_ priority: Priority, anywhere: Bool = true) {
    peer_take_part(isRealtime ? priority.rawValue : 0, anywhere, processors[0], processors[1])
  }
}

/// Plays one round from a pinned thread; 99.9 % of the beats were done within the result, in microseconds.
func play(
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
final class Turns {
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
func bare(
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
final class Due: @unchecked Sendable {
  // Sendable: see above.
  let ring = Ring<UInt64, HostedMachine>(capacity: 4_096)
}
