// Asking for something to be run on the same CPU: a schedule and its run, and a schedule of what is pending.
//
// Law: the task is an addition to one word for all. We run each at the next point; a peer for which many at a time are cheaper gets
// them in batches of 1,000, so it is shown at its best.

import CPeers
import CxxPeers
import Dispatch
import Gauges
import HostedMachine
import HotPaths
import NIOCore
import NIOPosix
import SoftInterrupts

private let runs = 200_000

/// Tasks posted from the loop's own thread in batches; they run at the loop's next turn.
private func runOnLoop(_ loop: any EventLoop, _ count: Int, _ word: UnsafeMutablePointer<UInt64>) throws {
  nonisolated(unsafe) let word = word
  for _ in 0..<count / 1_000 {
    try loop.submit { for _ in 0..<1_000 { loop.execute { word.pointee &+= 1 } } }.wait()
  }
  try loop.submit {}.wait()
}

private func runOnQueue(_ queue: DispatchQueue, _ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  nonisolated(unsafe) let word = word
  for _ in 0..<count { queue.async { word.pointee &+= 1 } }
  queue.sync {}
}

/// The same on a concurrent queue. Nothing keeps its blocks apart, so the word is changed by relaxed operations, and need not be right.
private func runBeside(_ queue: DispatchQueue, _ count: Int, _ word: HostedWord) {
  nonisolated(unsafe) let word = word
  for _ in 0..<count {
    queue.async { HostedMachine.Word.store(word, HostedMachine.Word.load(word, .relaxed) &+ 1, .relaxed) }
  }
  // A barrier: all have ended.
  queue.sync(flags: .barrier) {}
}

private func onAnother(
  _ isThere: Bool, _ name: String, _ note: String, package: String, goals: [String: Goal] = [:],
  count: Int = runs, _ system: System, _ word: UnsafeMutablePointer<UInt64>,
  _ body: @escaping (UInt64, UnsafeMutablePointer<UInt64>) -> Void
) -> Contender {
  guard isThere else { return .missing(name, note, package: package) }
  return Contender(
    name: name, note: note, goals: goals,
    round: { [onCPU(system) { steadily(count) { body(UInt64($0), word) } }] })
}

private func runSession(_ name: String, _ way: WayIn) throws -> Session {
  let system = try System(on: .hosted(cpus: 1), usualConfiguration())
  let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  word.initialize(to: 0)
  let handler = try system.establish("run", at: .softNet, as: way) { _ in word.pointee &+= 1 }
  let queue = DispatchQueue(label: "serial")
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop = group.next()
  let goal = [name: Goal.atMost(0.15)]
  nonisolated(unsafe) let shared = hostedWords(8)
  let concurrent = DispatchQueue(label: "concurrent", attributes: .concurrent)
  let beside =
    way == .mpSafe
    ? [
      Contender(
        name: "dispatch, concurrent queue", note: "Blocks run on several threads of the pool at once.",
        goals: goal,
        round: { [steadily(runs / 2) { runBeside(concurrent, $0, shared) }] })
    ] : []
  return Session(
    ours: { [onCPU(system) { steadily(runs) { scheduleAndRun(handler, system, $0) } }] },
    peers: beside + [
      Contender(
        name: "dispatch, serial queue",
        note: "libdispatch: first in, first out, on a thread of its pool; a closure is allocated for each.",
        goals: goal,
        round: { [steadily(runs / 2) { runOnQueue(queue, $0, word) }] }),
      Contender(
        name: "NIO event loop",
        note: "SwiftNIO: from the loop's own thread to its next turn, 1,000 a turn. One priority.",
        goals: goal,
        round: { [try steadily(runs / 2) { try runOnLoop(loop, $0, word) }] }),
      onAnother(
        peer_has_asio(), "Boost.Asio strand, each",
        "Kept apart and in order by a strand, one thread; each is run before the next is posted. One priority.",
        package: "libboost-dev", goals: goal, system, word
      ) { peer_asio_strand_run($0, $1) },
      onAnother(
        peer_has_asio(), "Boost.Asio strand, batches", "The same, 1,000 posted before they are run.",
        package: "libboost-dev", goals: goal, system, word
      ) { peer_asio_strand_batches($0, 1_000, $1) },
      onAnother(
        peer_has_tbb(), "oneTBB, each", "A task group in an arena of one thread; nothing keeps tasks apart.",
        package: "libtbb-dev", goals: goal, system, word
      ) { peer_tbb_run($0, $1) },
      onAnother(
        peer_has_tbb(), "oneTBB, batches", "The same, 1,000 before the wait.", package: "libtbb-dev",
        goals: goal, system, word
      ) { peer_tbb_batches($0, 1_000, $1) },
      onAnother(
        peer_has_uv(), "libuv async",
        "A coalescing wake-up and one turn of the loop: goes through an eventfd.",
        package: "libuv1-dev", count: runs / 10, system, word
      ) { peer_uv_async_run($0, $1) },
      onAnother(
        peer_has_urcu(), "liburcu call_rcu",
        "Deferred past a grace period to a thread of its own, in batches.",
        package: "liburcu-dev", system, word
      ) { peer_urcu_call_rcu($0, $1) },
      onAnother(
        peer_has_urcu(), "liburcu wfcqueue",
        "A queue alone: put in, taken out, called. Nobody is kept out or woken.",
        package: "liburcu-dev", system, word
      ) { peer_urcu_wfcq_run($0, $1) },
      onAnother(
        peer_has_ck(), "ck_ring", "A ring of one producer and one consumer alone, as above.",
        package: "libck-dev", system, word
      ) { peer_ck_ring_run($0, $1) },
      onAnother(
        peer_has_ck(), "ck_fifo", "A queue of one producer and one consumer alone, as above.",
        package: "libck-dev", system, word
      ) { peer_ck_fifo_run($0, $1) },
    ],
    close: {
      try? group.syncShutdownGracefully()
      system.shutdown()
    })
}

@inline(never) private func relaxedLoads(_ word: HostedWord, _ count: Int) -> UInt {
  var sum: UInt = 0
  for _ in 0..<count { sum &+= HostedMachine.Word.load(word, .relaxed) }
  return sum
}

@inline(never) private func lockedAdditions(_ word: HostedWord, _ count: Int) {
  for _ in 0..<count { _ = HostedMachine.Word.fetchAdd(word, 1, .acquireRelease) }
}

nonisolated(unsafe) private var sink: UInt = 0

private func coalescedSession() throws -> Session {
  let system = try System(on: .hosted(cpus: 1), usualConfiguration())
  let handler = try system.establish("pending", at: .softNet, as: .ordered) { _ in }
  let word = hostedWords(8)
  let queue = DispatchQueue(label: "source")
  let source = DispatchSource.makeUserDataAddSource(queue: queue)
  source.setEventHandler {}
  source.activate()
  var peers = [
    Contender(
      name: "a relaxed load",
      note: "The least that asking costs: whether it is pending. Loops are not subtracted.",
      goals: ["schedule-coalesced": .atMost(2)],
      round: { [onCPU(system) { steadily(runs) { sink &+= relaxedLoads(word, $0) } }] }),
    Contender(
      name: "a locked addition",
      note: "What the order asks for: a schedule always does its read-modify-write, or a wake-up is lost.",
      round: { [onCPU(system) { steadily(runs) { lockedAdditions(word, $0) } }] }),
    Contender(
      name: "dispatch source, merge",
      note:
        "DispatchSourceUserDataAdd: adds up what was asked for and not yet served; its queue is kept busy.",
      round: {
        let gate = DispatchSemaphore(value: 0)
        queue.async { gate.wait() }
        let figure = steadily(runs) { for _ in 0..<$0 { source.add(data: 1) } }
        gate.signal()
        queue.sync {}
        return [figure]
      }),
  ]
  let note = "uv_async_send to what is pending already: a load and a compare."
  peers.append(
    peer_has_uv()
      ? Contender(
        name: "libuv async, pending", note: note,
        round: { [onCPU(system) { steadily(runs) { peer_uv_async_coalesced(UInt64($0)) } }] })
      : .missing("libuv async, pending", note, package: "libuv1-dev"))
  return Session(
    ours: {
      [onCPU(system) { system.mask(to: .softNet) { _ in steadily(runs) { scheduleOnly(handler, $0) } } }]
    },
    peers: peers,
    close: {
      source.cancel()
      system.shutdown()
    })
}

func scheduleExperiments() -> [Experiment] {
  [
    Experiment("schedule-run", "schedule, and the handler runs at the next point: ordered") {
      try runSession("schedule-run", .ordered)
    },
    Experiment("schedule-run-mpSafe", "schedule, and the handler runs at the next point: MP-safe") {
      try runSession("schedule-run-mpSafe", .mpSafe)
    },
    Experiment("schedule-coalesced", "schedule of what is pending") { try coalescedSession() },
  ]
}
