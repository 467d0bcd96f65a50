// One level that many threads want: 8 threads on two processors, a section of one word.
//
// Law: every side runs the same loops twice: once without a clock, for throughput and for who got how much, and once with the time
// of each wait written down. Percentiles are weighted by the time waited: a wait of 1 ms counts as a thousand of 1 µs, since that is
// where the time of those who wait went.

import CPeers
import Gauges
import Glibc
import Histogram
import HostedMachine
import HotPaths
import SoftInterrupts
import Synchronization

private let threadCount = 8
private let windows = 20
private let figures = [
  Figure(
    name: "contended-throughput", title: "8 threads, 2 processors, one level: sections a second", unit: "M/s"),
  Figure(name: "contended-longest", title: "the same: the longest wait of a round", unit: "µs"),
  Figure(
    name: "contended-jain", title: "the same: Jain's index of fairness over windows of 10 ms, median",
    unit: ""),
  Figure(
    name: "contended-wait", title: "the same: within what 99 % of the waiting was, weighted by time",
    unit: "µs"),
]

/// A lock as the threads see it: one section, around an addition.
private struct Exclusion {
  var name: String
  var note: String
  var goals: [String: Goal] = [:]
  /// Runs sections until `over` is 1, publishing how many in `count`; with a histogram, the time to get in of each.
  var loop: @Sendable (_ over: HostedWord, _ count: HostedWord, _ waits: Waits?) -> Void
}

private final class Waits: @unchecked Sendable {
  // Sendable: one thread's, read once it has ended.
  var histogram = newHistogram()
  var longest: UInt64 = 0
  func record(_ wait: UInt64) {
    longest = max(longest, wait)
    // Weighted by its own length.
    _ = histogram.record(max(wait, 1), count: max(wait, 1))
  }
}

/// The loop around any way of excluding: generic, so that each is specialised.
@inline(__always) private func sections(
  _ over: HostedWord, _ count: HostedWord, _ waits: Waits?, _ word: UnsafeMutablePointer<UInt64>,
  _ exclusively: (() -> Void) -> Void
) {
  var done: UInt = 0
  if let waits {
    while HostedMachine.Word.load(over, .relaxed) == 0 {
      let start = HostedMachine.now()
      var inside: UInt64 = 0
      exclusively {
        inside = HostedMachine.now()
        word.pointee &+= 1
      }
      waits.record(inside > start ? inside - start : 0)
    }
  } else {
    while HostedMachine.Word.load(over, .relaxed) == 0 {
      exclusively { word.pointee &+= 1 }
      done &+= 1
      HostedMachine.Word.store(count, done, .relaxed)
    }
  }
}

/// One round of one side.
private func round(_ exclusion: Exclusion, _ recorded: inout Histogram<UInt64>) -> [Double] {
  let processors = HostedMachine.allowedProcessors()
  let (over, counts) = (hostedWords(8), hostedWords(8 * threadCount))
  nonisolated(unsafe) let (sharedOver, sharedCounts) = (over, counts)
  func threads(_ waits: [Waits]?) -> [OwnThread] {
    HostedMachine.Word.store(over, 0, .relaxed)
    return (0..<threadCount).map { index in
      OwnThread {
        peer_pin_two(Int32(processors[0]), Int32(processors[1]))
        exclusion.loop(sharedOver, sharedCounts + 8 * index, waits?[index])
      }
    }
  }
  func end(_ threads: [OwnThread]) {
    HostedMachine.Word.store(over, 1, .relaxed)
    for thread in threads { thread.join() }
  }
  // Without a clock.
  var running = threads(nil)
  usleep(20_000)
  var before = (0..<threadCount).map { HostedMachine.Word.load(counts + 8 * $0, .relaxed) }
  let (start, first) = (HostedMachine.now(), before)
  var indices: [Double] = []
  for _ in 0..<windows {
    usleep(10_000)
    let now = (0..<threadCount).map { HostedMachine.Word.load(counts + 8 * $0, .relaxed) }
    let shares = zip(now, before).map { Double($0 - $1) }
    let sum = shares.reduce(0, +)
    let squares = shares.reduce(0) { $0 + $1 * $1 }
    if squares > 0 { indices.append(sum * sum / (Double(threadCount) * squares)) }
    before = now
  }
  let seconds = Double(HostedMachine.now() - start) / 1e9
  let sections = zip(before, first).reduce(0.0) { $0 + Double($1.0 - $1.1) }
  end(running)
  // With the time of each wait.
  let waits = (0..<threadCount).map { _ in Waits() }
  running = threads(waits)
  usleep(UInt32(windows) * 10_000)
  end(running)
  var all = newHistogram()
  for wait in waits { all.add(wait.histogram) }
  recorded.add(all)
  over.deallocate()
  counts.deallocate()
  return [
    sections / seconds / 1e6, Double(waits.map(\.longest).max()!) / 1e3, Gauges.median(indices),
    Double(all.valueAtPercentile(99)) / 1e3,
  ]
}

private func session() throws -> Session {
  // Its only CPU sleeps: the threads are visitors.
  var configuration = usualConfiguration()
  configuration.idleRounds = 0
  let system = try System(on: .hosted(cpus: 1), configuration)
  nonisolated(unsafe) let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  word.initialize(to: 0)
  nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  pthread_mutex_init(mutex, nil)
  func contender(_ exclusion: Exclusion) -> Contender {
    var recorded = newHistogram()
    return Contender(
      name: exclusion.name, note: exclusion.note, goals: exclusion.goals,
      round: { round(exclusion, &recorded) },
      recorded: { ["contended-wait": recorded] }, forget: { recorded.reset() })
  }
  let ours = contender(
    Exclusion(name: "ours", note: "") { over, count, waits in
      sections(over, count, waits, word) { body in system.raise(exactly: .softNet) { _ in body() } }
    })
  var peers = [
    contender(
      Exclusion(
        name: "pthread_mutex",
        note:
          "Barges without a bound, so that it is fast, and somebody may wait for as long as the others like.",
        goals: ["contended-throughput": .atLeast(0.5), "contended-longest": .atMost(0.2)]
      ) { over, count, waits in
        sections(over, count, waits, word) { body in
          pthread_mutex_lock(mutex)
          body()
          pthread_mutex_unlock(mutex)
        }
      }),
    contender(
      Exclusion(
        name: "Swift Mutex",
        note:
          "On a futex that lends its holder the waiter's priority: under contention the kernel hands it over."
      ) { over, count, waits in
        sections(over, count, waits, word) { body in contendedMutex.withLock { _ in body() } }
      }),
  ]
  let note = "Strictly fair, and spins: a holder or the next in line that is descheduled stops all."
  if peer_has_ck() {
    nonisolated(unsafe) let lock = peer_ck_ticket_new()
    peers.append(
      contender(
        Exclusion(name: "ck_spinlock_ticket", note: note) { over, count, waits in
          sections(over, count, waits, word) { body in
            peer_ck_ticket_lock(lock)
            body()
            peer_ck_ticket_unlock(lock)
          }
        }))
  } else {
    peers.append(.missing("ck_spinlock_ticket", note, package: "libck-dev"))
  }
  peers.append(
    .bound(
      "all the same", "1 if every thread got as much in each window.", [.nan, .nan, 1, .nan],
      goals: ["contended-jain": .atLeast(0.9)]))
  return Session(
    ours: ours.round, recorded: ours.recorded, forget: ours.forget, peers: peers, close: { system.shutdown() }
  )
}

private let contendedMutex = Mutex<Void>(())

func contendedExperiments() -> [Experiment] { [Experiment(figures, open: session)] }
