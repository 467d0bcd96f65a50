// To another CPU: a handler there while both poll, a cross-call and its wait, and a CPU that sleeps.
//
// Law: two pinned threads. A line transfer is half of a turn in which a read-modify-write goes to and fro, since a turn moves the line
// twice: to the look that sees the news, and to the change. It is measured anew in each round.

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

/// Turns of a part, and parts of a round: its figure is the median of the parts, so that a part in which a CPU was descheduled is none.
private let (turns, parts) = (50, 60)

/// A message that goes to and fro until it has been sent so often; one CPU has it at a time.
private final class Ball: @unchecked Sendable {
  // Sendable: what is written before a schedule is read in the run after it.
  var sent = 0
  var start: UInt64 = 0
  /// Nanoseconds for one way, of each part.
  var times: [Double] = []
  let done = DispatchSemaphore(value: 0)
  var there: Handler<HostedMachine>?
  var back: Handler<HostedMachine>?

  /// The message is back: times each part, and says whether it is to go on.
  func isToGoOn() -> Bool {
    if sent % turns == 0 {
      let now = HostedMachine.now()
      if sent > 0 { times.append(Double(now - start) / Double(2 * turns)) }
      start = now
    }
    sent += 1
    return sent <= turns * parts
  }
}

private func lineTransfer() throws -> Double { Gauges.median(try pingPong(rounds: 20, turns: 100)) / 2 }

private func pollingSession(_ name: String, atMost lines: Double, _ crossCall: Bool) throws -> Session {
  var configuration = usualConfiguration()
  configuration.idleRounds = .max
  // Systems whose CPUs poll have both processors, so each side has its own for its round only.
  func withSystem(_ body: (System) throws -> Double) throws -> [Double] {
    let system = try System(on: .hosted(cpus: 2), configuration)
    defer { system.shutdown() }
    return [try body(system)]
  }
  func handlers(_ system: System) throws -> Double {
    let ball = Ball()
    // Two levels, so that neither finds the other's gate.
    ball.there = try system.establish("there", at: .softNet, as: .ordered) { _ in ball.back?.schedule(on: 0) }
    ball.back = try system.establish("back", at: .softBio, as: .ordered) { _ in
      if ball.isToGoOn() { ball.there?.schedule(on: 1) } else { ball.done.signal() }
    }
    ball.back?.schedule(on: 0)
    ball.done.wait()
    let figure = Gauges.median(ball.times)
    (ball.there, ball.back) = (nil, nil)
    return figure
  }
  func calls(_ system: System) throws -> Double {
    onCPU(system) {
      steadily(turns * parts) { for _ in 0..<$0 { system.crossCallAndWait(on: 1, at: .softNet) { _ in } } }
    }
  }
  var peers = [
    Contender(
      name: "a line transfer",
      note: "What the machine takes to move one cache line: no queue, no order, no run.",
      goals: [name: .atMost(lines)], round: { [try lineTransfer()] })
  ]
  peers.append(
    Contender(
      name: "what is physically needed",
      note: crossCall
        ? "In C: the call is linked and a bit set, seen, claimed, the list taken, the call read, answered in, the answer seen. A floor for any call by a list and a pending bit; no order, no levels."
        : "In C: a bit set in the target's word, seen, claimed; a word that all gates share taken and freed; one word written. A floor for any ordered schedule; no order among handlers, no parking, no counts.",
      round: {
        nonisolated(unsafe) var figure = 0.0
        let play: @Sendable (Int32, UInt64) -> Void = crossCall ? peer_needed_calls : peer_needed_messages
        peer_needed_begin()
        try together(
          { figure = steadily(turns * parts) { play(0, UInt64($0)) } },
          { for _ in 0..<20 { play(1, UInt64(turns * parts / 20)) } })
        return [crossCall ? figure : figure / 2]
      }))
  let note =
    "Concurrency Kit's ring of one producer and one consumer, polled: a message \(crossCall ? "there and back" : "one way"), nothing is run."
  peers.append(
    peer_has_ck()
      ? Contender(
        name: "ck_ring, polled", note: note,
        round: {
          nonisolated(unsafe) let rings = peer_ck_rings_new()
          nonisolated(unsafe) var figure = 0.0
          try together(
            { figure = steadily(turns * parts) { peer_ck_rings_play(rings, 0, UInt64($0)) } },
            { peer_ck_rings_play(rings, 1, UInt64(turns * parts)) })
          peer_ck_rings_free(rings)
          return [crossCall ? figure : figure / 2]
        }) : .missing("ck_ring, polled", note, package: "libck-dev"))
  return Session(ours: { try withSystem(crossCall ? calls : handlers) }, peers: peers)
}

// MARK: Asleep

/// Where a sleeper says that it is awake, and when it was.
final class Stamp: @unchecked Sendable {
  // Sendable: atomic words, for the life of the process.
  private let awake = hostedWords(8)
  private let since = hostedWords(8)
  func mark() {
    HostedMachine.Word.store(since, UInt(HostedMachine.now()), .relaxed)
    // Release: the time is read after the acquire in `next`.
    _ = HostedMachine.Word.fetchAdd(awake, 1, .release)
  }
  /// Nanoseconds from now, through `ring`, to the sleeper's mark.
  func next(_ ring: () -> Void) -> UInt64 {
    let seen = HostedMachine.Word.load(awake, .relaxed)
    let start = HostedMachine.now()
    ring()
    awaitValue(awake, seen + 1)
    let woken = UInt64(HostedMachine.Word.load(since, .relaxed))
    return woken > start ? woken - start : 0
  }
}

/// Rings a sleeper so often from a pinned thread, each time once it sleeps; the median, and all of them in the histogram.
private func wakes(_ stamp: Stamp, into histogram: inout Histogram<UInt64>, _ ring: @escaping () -> Void)
  -> [Double]
{
  nonisolated(unsafe) let ring = ring
  nonisolated(unsafe) var times: [Double] = []
  let thread = OwnThread {
    peer_pin(Int32(HostedMachine.allowedProcessors()[0]))
    for _ in 0..<200 {
      // Long enough to be asleep; what is asleep is asleep for as long as we like.
      let settled = HostedMachine.now() + 80_000
      while HostedMachine.now() < settled { HostedMachine.pause(0) }
      times.append(Double(stamp.next(ring)))
    }
  }
  thread.join()
  for time in times { _ = histogram.record(UInt64(time)) }
  return [Gauges.median(times)]
}

/// A peer's sleeper: how it is rung, and how it ends.
private func sleeper(
  _ name: String, _ note: String, goals: [String: Goal] = [:],
  _ make: @escaping (Stamp) -> (ring: () -> Void, end: () -> Void)
) -> (Contender, () -> Void) {
  let stamp = Stamp()
  let (ring, end) = make(stamp)
  var histogram = newHistogram()
  return (
    Contender(
      name: name, note: note, goals: goals, round: { wakes(stamp, into: &histogram, ring) },
      recorded: { ["schedule-parked": histogram] }, forget: { histogram.reset() }), end
  )
}

/// A thread on the second processor that waits and marks until it is told to stop.
private func loopThread(
  _ stamp: Stamp, wait: @escaping @Sendable () -> Void, ring: @escaping () -> Void
) -> (ring: () -> Void, end: () -> Void) {
  let over = hostedWords(8)
  nonisolated(unsafe) let flag = over
  let thread = OwnThread {
    peer_pin(Int32(HostedMachine.allowedProcessors()[1]))
    while true {
      wait()
      if HostedMachine.Word.load(flag, .acquire) == 1 { return }
      stamp.mark()
    }
  }
  return (
    ring,
    {
      HostedMachine.Word.store(over, 1, .release)
      ring()
      thread.join()
    }
  )
}

private func parkedSession() throws -> Session {
  var configuration = usualConfiguration()
  configuration.idleRounds = 0
  let system = try System(
    on: .hosted(cpus: 1, processors: [HostedMachine.allowedProcessors()[1]]), configuration)
  let stamp = Stamp()
  let handler = try system.establish("wake", at: .softNet, as: .ordered) { _ in stamp.mark() }
  var histogram = newHistogram()
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop = group.next()
  let queue = DispatchQueue(label: "wake")
  let second = Int32(HostedMachine.allowedProcessors()[1])
  let uv = "One loop that sleeps in epoll, woken through an eventfd; coalesces."
  var made = [
    sleeper("futex", "A bare wake-up: nothing is queued or run.", goals: ["schedule-parked": .atMost(1.2)]) {
      stamp in
      let word = UnsafeMutablePointer<UInt32>.allocate(capacity: 32)
      word.initialize(repeating: 0, count: 32)
      nonisolated(unsafe) let shared = word
      nonisolated(unsafe) var seen: UInt32 = 0
      return loopThread(
        stamp,
        wait: {
          peer_futex_wait(shared, seen)
          seen &+= 1
        }, ring: { peer_futex_wake(shared) })
    },
    sleeper("eventfd", "A bare wake-up through a descriptor.") { stamp in
      let descriptor = peer_eventfd()
      return loopThread(
        stamp, wait: { peer_eventfd_wait(descriptor) }, ring: { peer_eventfd_ring(descriptor) })
    },
    sleeper(
      "dispatch, serial queue",
      "A pool's thread is woken or made. It cannot be pinned, so it may be woken on the ringer's own processor, which is sooner."
    ) { stamp in
      ({ queue.async { stamp.mark() } }, {})
    },
    sleeper("NIO event loop", "One loop that sleeps in epoll.") { stamp in
      loop.execute { peer_pin(second) }
      return ({ loop.execute { stamp.mark() } }, { try? group.syncShutdownGracefully() })
    },
  ]
  if peer_has_uv() {
    made.append(
      sleeper("libuv async", uv) { stamp in
        let opaque = Unmanaged.passUnretained(stamp).toOpaque()
        let loop = peer_uv_sleeper_new(
          second, { Unmanaged<Stamp>.fromOpaque($0).takeUnretainedValue().mark() }, opaque)
        return ({ peer_uv_ring(loop) }, { withExtendedLifetime(stamp) { peer_uv_sleeper_free(loop) } })
      })
  } else {
    made.append((.missing("libuv async", uv, package: "libuv1-dev"), {}))
  }
  let ends = made.map(\.1)
  return Session(
    ours: { wakes(stamp, into: &histogram) { handler.schedule(on: 0) } },
    recorded: { ["schedule-parked": histogram] }, forget: { histogram.reset() }, peers: made.map(\.0),
    close: {
      for end in ends { end() }
      system.shutdown()
    })
}

func crossCPUExperiments() -> [Experiment] {
  [
    Experiment("schedule-polling", "schedule, and the handler runs on another CPU that polls") {
      try pollingSession("schedule-polling", atMost: 4, false)
    },
    Experiment("cross-call", "a cross-call and its wait, both CPUs polling") {
      try pollingSession("cross-call", atMost: 6, true)
    },
    Experiment("schedule-parked", "schedule, and the handler runs on another CPU that sleeps") {
      try parkedSession()
    },
  ]
}
