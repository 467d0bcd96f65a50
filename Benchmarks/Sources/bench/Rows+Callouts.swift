// Timers: arming, cancelling, moving and expiring some among many that are armed, chosen at random.
//
// Law: the same choices and the same delays for all, on one thread that is the timers' own; nothing expires but what is to. A peer whose
// operation is slow does fewer of them, and says so.

import CPeers
import Dispatch
import Gauges
import HostedMachine
import HotPaths
import NIOCore
import NIOPosix
import SoftInterrupts

/// Which timers, and for how long, in the order of the operations.
private struct Choices {
  var which: [UInt32]
  var milliseconds: [UInt64]

  /// Different ones, so that each operation finds a timer that is armed.
  init(_ operations: Int, of armed: Int, _ random: inout Fixed) {
    var chosen = Set<UInt32>()
    which = []
    while which.count < operations {
      let index = UInt32(random.next() % UInt64(armed))
      if chosen.insert(index).inserted { which.append(index) }
    }
    milliseconds = (0..<operations).map { _ in 600_000 + random.next() % 3_600_000 }
  }
}

/// Timers of one kind: what each operation does with those chosen.
private protocol Timers {
  func cancel(_ choices: Choices)
  func arm(_ choices: Choices)
  /// Cancels and arms each; those that can do it at once do.
  func move(_ choices: Choices)
  /// What has to be done before those chosen can be armed for now, and is not timed.
  func prepareToExpire(_ choices: Choices)
  /// Arms those chosen for now, and waits until they have run.
  func expire(_ choices: Choices)
  func close()
}
extension Timers {
  func prepareToExpire(_ choices: Choices) {}
  /// Nanoseconds for one of each operation. All are armed before and after it.
  func round(_ operations: Int, of armed: Int, _ random: inout Fixed) -> [Double] {
    let choices = Choices(operations, of: armed, &random)
    let cancel = time(operations) { _ in self.cancel(choices) }
    let arm = time(operations) { _ in self.arm(choices) }
    let move = time(operations) { _ in self.move(choices) }
    prepareToExpire(choices)
    let expire = time(operations) { _ in self.expire(choices) }
    self.arm(choices)
    return [arm, cancel, move, expire]
  }
}

private final class Count: @unchecked Sendable {
  // Sendable: one thread's at a time: the timers', then that of who waits for them.
  var value = 0
}

private struct OurTimers: Timers {
  let system: System
  let callouts: [Callout<HostedMachine>]
  let count = Count()

  init(_ system: System, _ armed: Int, _ random: inout Fixed) throws {
    self.system = system
    let count = count
    callouts = try (0..<armed).map { _ in
      try system.callout("timer", at: .softClock, guard: .softNet, cpu: 0) { _ in count.value += 1 }
    }
    for callout in callouts {
      callout.schedule(after: .milliseconds(600_000 + Int(random.next() % 3_600_000)))
    }
  }
  func cancel(_ choices: Choices) { for index in choices.which { callouts[Int(index)].cancel() } }
  func arm(_ choices: Choices) {
    let now = HostedMachine.now()
    for (index, delay) in zip(choices.which, choices.milliseconds) {
      callouts[Int(index)].schedule(at: now + delay * 1_000_000)
    }
  }
  func move(_ choices: Choices) {
    let now = HostedMachine.now()
    for (index, delay) in zip(choices.which, choices.milliseconds) {
      callouts[Int(index)].cancel()
      callouts[Int(index)].schedule(at: now + delay * 1_000_000)
    }
  }
  func expire(_ choices: Choices) {
    let wanted = count.value + choices.which.count
    let now = HostedMachine.now()
    for index in choices.which { callouts[Int(index)].schedule(at: now) }
    while count.value < wanted { system.checkpoint() }
  }
  func close() { system.shutdown() }
}

/// Timer sources on a serial queue. A source that was cancelled is gone, so cancelling is to move it to never. A change is made by the
/// queue's side, so each operation ends with a turn of the queue.
private struct DispatchTimers: Timers {
  let queue = DispatchQueue(label: "timers")
  let sources: [any DispatchSourceTimer]
  let count = Count()

  init(_ armed: Int, _ random: inout Fixed) {
    let (queue, count) = (queue, count)
    sources = (0..<armed).map { _ in
      let source = DispatchSource.makeTimerSource(queue: queue)
      source.setEventHandler { count.value += 1 }
      return source
    }
    for source in sources {
      source.schedule(deadline: .now() + .milliseconds(600_000 + Int(random.next() % 3_600_000)))
      source.activate()
    }
    queue.sync {}
  }
  func cancel(_ choices: Choices) {
    for index in choices.which { sources[Int(index)].schedule(deadline: .distantFuture) }
    queue.sync {}
  }
  func arm(_ choices: Choices) {
    let now = DispatchTime.now()
    for (index, delay) in zip(choices.which, choices.milliseconds) {
      sources[Int(index)].schedule(deadline: now + .milliseconds(Int(delay)))
    }
    queue.sync {}
  }
  func move(_ choices: Choices) { arm(choices) }
  func expire(_ choices: Choices) {
    let wanted = queue.sync { count.value } + choices.which.count
    let now = DispatchTime.now()
    for index in choices.which { sources[Int(index)].schedule(deadline: now) }
    while queue.sync(execute: { count.value < wanted }) {}
  }
  func close() {
    for source in sources { source.cancel() }
    queue.sync {}
  }
}

/// Tasks scheduled on a loop, from its own thread.
private final class LoopTimers: Timers, @unchecked Sendable {
  // Sendable: whoever calls waits for the loop, which alone touches what is here.
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop: any EventLoop
  var tasks: [Scheduled<Void>?]
  let count = Count()

  init(_ armed: Int, _ random: inout Fixed) {
    loop = group.next()
    tasks = Array(repeating: nil, count: armed)
    let delays = (0..<armed).map { _ in 600_000 + random.next() % 3_600_000 }
    onLoop { for (index, delay) in delays.enumerated() { self.start(index, delay) } }
  }
  private func onLoop(_ body: @escaping @Sendable () -> Void) { try? loop.submit(body).wait() }
  private func start(_ index: Int, _ milliseconds: UInt64) {
    let count = count
    tasks[index] = loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { count.value += 1 }
  }
  func cancel(_ choices: Choices) {
    onLoop { for index in choices.which { self.tasks[Int(index)]?.cancel() } }
  }
  func arm(_ choices: Choices) {
    onLoop {
      for (index, delay) in zip(choices.which, choices.milliseconds) { self.start(Int(index), delay) }
    }
  }
  func move(_ choices: Choices) {
    onLoop {
      for (index, delay) in zip(choices.which, choices.milliseconds) {
        self.tasks[Int(index)]?.cancel()
        self.start(Int(index), delay)
      }
    }
  }
  func prepareToExpire(_ choices: Choices) { cancel(choices) }
  func expire(_ choices: Choices) {
    let wanted = count.value + choices.which.count
    onLoop { for index in choices.which { self.start(Int(index), 0) } }
    while (try? loop.submit { self.count.value < wanted }.wait()) == true {}
  }
  func close() { try? group.syncShutdownGracefully() }
}

private struct UVTimers: Timers {
  let timers: OpaquePointer
  init(_ armed: Int, _ random: inout Fixed) {
    timers = peer_uv_timers_new(UInt64(armed))
    var all = Choices(0, of: 1, &random)
    all.which = (0..<UInt32(armed)).map { $0 }
    all.milliseconds = all.which.map { _ in 600_000 + random.next() % 3_600_000 }
    arm(all)
  }
  func cancel(_ choices: Choices) {
    peer_uv_timers_cancel(timers, choices.which, UInt64(choices.which.count))
  }
  func arm(_ choices: Choices) {
    peer_uv_timers_arm(timers, choices.which, choices.milliseconds, UInt64(choices.which.count))
  }
  func move(_ choices: Choices) {
    // Starting a timer that is started stops it first.
    arm(choices)
  }
  func expire(_ choices: Choices) {
    peer_uv_timers_expire(timers, choices.which, UInt64(choices.which.count))
  }
  func close() { peer_uv_timers_free(timers) }
}

// MARK: Sessions

private func session(_ suffix: String, _ armed: Int) throws -> Session {
  var random = Fixed()
  let operations = min(4_096, armed / 2)
  let system = try System(on: .hosted(cpus: 1))
  let ours = try OurTimers(system, armed, &random)
  var goals: [String: Goal] = [:]
  for operation in ["arm", "cancel", "move", "expire"] {
    goals["callout-\(operation)-\(suffix)"] = .atMost(0.2)
  }
  func peer(
    _ name: String, _ note: String, _ timers: any Timers, _ operations: Int, goals: [String: Goal] = [:]
  ) -> Contender {
    var random = Fixed()
    return Contender(
      name: name, note: note, goals: goals, round: { timers.round(operations, of: armed, &random) })
  }
  // A loop's cancel looks through its heap: with a million, a few have to do.
  let few = armed > 10_000 ? 32 : operations
  let dispatch = DispatchTimers(armed, &random)
  let loop = LoopTimers(armed, &random)
  var peers = [
    peer(
      "dispatch timers",
      "Timer sources: a move is written down, and made by the queue's side later, where several of one timer are one. A cancelled one cannot be armed again, so \"never\" stands for it. Cancelling says nothing about a handler that may be running.",
      dispatch, operations, goals: goals),
    peer(
      "NIO scheduled tasks",
      "A promise and a closure are made for each\(few < operations ? "; \(few) operations a round, since a cancel looks through all" : "").",
      loop, few, goals: goals),
  ]
  var closes: [any Timers] = [dispatch, loop]
  let note = "A heap within one loop; milliseconds; no exclusion with other threads."
  if peer_has_uv() {
    let timers = UVTimers(armed, &random)
    peers.append(peer("libuv timers", note, timers, operations))
    closes.append(timers)
  } else {
    peers.append(.missing("libuv timers", note, package: "libuv1-dev"))
  }
  // What the memory allows: a block of 128 bytes for each that is armed, one word of it changed.
  let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: 16 * armed)
  memory.initialize(repeating: 0, count: 16 * armed)
  var choice = Fixed()
  peers.append(
    Contender(
      name: "touching as much memory",
      note:
        "128 bytes for each that is armed: one word of each chosen is changed, in the same order. Arming and cancelling change neighbours too.",
      goals: ["callout-move-\(suffix)": .atMost(1.5)],
      round: {
        onCPU(system) {
          let choices = Choices(operations, of: armed, &choice)
          let touch = time(operations) { _ in for index in choices.which { memory[16 * Int(index)] &+= 1 } }
          return [.nan, .nan, touch, .nan]
        }
      }))
  let (others, block) = (closes, memory)
  return Session(
    ours: { onCPU(system) { ours.round(operations, of: armed, &random) } }, peers: peers,
    close: {
      for timers in others { timers.close() }
      ours.close()
      block.deallocate()
    })
}

func calloutExperiments() -> [Experiment] {
  [("1k", 1_000), ("1M", 1_000_000)].map { suffix, armed in
    let what = [
      ("arm", "arm a callout"), ("cancel", "cancel one"), ("move", "cancel one and arm it again"),
      ("expire", "arm one that is due, and run it"),
    ]
    return Experiment(
      what.map {
        Figure(name: "callout-\($0.0)-\(suffix)", title: "\($0.1), \(suffix) armed, chosen at random")
      }, roundLimit: armed > 10_000 ? 7 : .max
    ) { try session(suffix, armed) }
  }
}
