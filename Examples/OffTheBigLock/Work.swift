// The load, which is the same for every step: two ports with events, and base code that asks a question now and then.
//
// Law: a port belongs to one CPU (CPU 0 until there is a reason to spread them), as a queue of a network card does: its thread alone takes from it. How many events, sweeps, lines and
// questions there are does not depend on the step. The beats do, for they are by the clock: they are what is measured.

import Glibc
import HostedMachine
import SoftInterrupts
import Synchronization

final class Port: @unchecked Sendable {
  // Sendable: taken from by its CPU's thread only.
  private let events: [Event]
  private var next = 0
  static let batch = 64

  init(_ events: [Event]) { self.events = events }
  var isEmpty: Bool { next == events.count }

  /// The next events that have come, at most a batch.
  func take() -> ArraySlice<Event>? {
    if isEmpty { return nil }
    let end = min(next + Self.batch, events.count)
    defer { next = end }
    return events[next..<end]
  }
}

final class Work: Sendable {
  static let cpus = 2
  static let questions = 200
  let ports: [Port]
  private let total: Int
  // Of the thread that takes from both ports.
  private nonisolated(unsafe) var turn = 1
  /// Relaxed: how far the ports are; the data has guards of its own.
  private let done = Atomic<Int>(0)
  let began = HostedMachine.now()
  private let cpuBegan = Work.processorTime()

  init(_ events: [[Event]]) {
    ports = events.map(Port.init)
    total = events.reduce(0) { $0 + $1.count }
  }

  /// The same events for the same number: sessions that come and go, some of which fall silent for a while.
  static func events(_ count: Int) -> [[Event]] {
    (0..<cpus).map { port in
      var state = UInt64(port + 1)
      return (0..<count / cpus).map { index in
        // A linear congruential generator (Knuth's MMIX constants): its upper bits are enough here.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let time = UInt32(index / 16)
        let session = time + UInt32(state >> 54)
        return Event(session: session * 2 + UInt32(port), time: time, bytes: UInt32(state >> 32) & 1_023 + 40)
      }
    }
  }

  /// One sweep of the table for so many events.
  static let sweepEvery = 8_192
  var sweepsDue: Int { done.load(ordering: .relaxed) / Self.sweepEvery }

  /// So many events more have been entered. True if a sweep has become due.
  func note(_ count: Int) -> Bool {
    let (old, new) = done.add(count, ordering: .relaxed)
    return old / Self.sweepEvery != new / Self.sweepEvery
  }
  var isOver: Bool { done.load(ordering: .relaxed) == total }

  /// Base code: asks its questions at equal parts of the work, on the calling thread, and returns when all of it is done. How long each
  /// took comes out.
  func ask(_ question: () -> UInt64) -> [UInt64] {
    var times: [UInt64] = []
    for number in 1...Self.questions {
      while done.load(ordering: .relaxed) < total * number / Self.questions { usleep(50) }
      let before = HostedMachine.now()
      _ = question()
      times.append(HostedMachine.now() - before)
    }
    return times
  }

  /// The next events of both ports in turn: for who polls them alone.
  func take() -> ArraySlice<Event>? {
    turn = 1 - turn
    return ports[turn].take() ?? ports[1 - turn].take()
  }

  /// The devices: CPU 0 has events as long as there are any, and looks at what else is to be done in between. With `isSpread` each CPU
  /// has those of its own port.
  func feed(
    _ system: InterruptSystem<HostedMachine>, isSpread: Bool = false,
    _ interrupt: @escaping @Sendable () -> Void
  ) {
    for cpu in 0..<(isSpread ? Self.cpus : 1) {
      system.submit(on: cpu) { here in
        while isSpread ? !self.ports[cpu].isEmpty : self.ports.contains(where: { !$0.isEmpty }) {
          interrupt()
          here.checkpoint()
        }
      }
    }
  }

  /// The heart: an interrupt each millisecond, on CPU 1.
  func beat(
    _ system: InterruptSystem<HostedMachine>, _ interrupt: @escaping () -> Void
  ) throws -> Attachment {
    startHeart()
    return try system.attachTimer(every: .nanoseconds(Int64(Beats.period)), on: 1) { _ in interrupt() }
  }

  /// When the heart was started: its first beat is due a period later. Release and acquire, though whoever beats has come by a timer.
  private let heartbeat = Atomic<UInt64>(0)
  var heart: UInt64 { heartbeat.load(ordering: .acquiring) }
  @discardableResult func startHeart() -> UInt64 {
    let now = HostedMachine.now()
    heartbeat.store(now, ordering: .releasing)
    return now
  }

  /// The processor time of all threads of this process, in seconds.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// What a step came to.
  func outcome(sweeps: Int, _ log: Log, _ beats: Beats, questions: [UInt64]) -> Outcome {
    Outcome(
      seconds: Double(HostedMachine.now() - began) / 1e9, cpuSeconds: Self.processorTime() - cpuBegan,
      events: total, lines: log.lines, digest: log.digest,
      sweeps: sweeps, questions: questions, latenesses: beats.latenesses)
  }
}

struct Outcome {
  var seconds, cpuSeconds: Double
  var events, lines: Int
  var digest: UInt64
  var sweeps: Int
  /// How long base code's questions took, and how late the beats were; in nanoseconds.
  var questions: [UInt64]
  var latenesses: [UInt64]

  /// What must be the same for every step.
  var work: String {
    let hex = String(digest, radix: 16)
    return "\(events) events, \(sweeps) sweeps, \(questions.count) questions, \(lines) lines, digest "
      + String(repeating: "0", count: 16 - hex.count) + hex
  }
}
