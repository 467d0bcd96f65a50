// Timers of each kind, behind one protocol: what the rows of the callouts measure.
//
// Law: a figure ends when what was asked for is in effect, on whichever thread that is done; less the wait for that, which is one for
// all of an operation's. All are armed before and after a part.

import CPeers
import Dispatch
import Gauges
import Glibc
import HostedMachine
import HotPaths
import NIOCore
import NIOPosix
import SoftInterrupts

/// Which timers, and for how long, in the order of the operations.
struct Choices {
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

  /// The same ones, for times after all that were ever chosen.
  func later() -> Choices {
    var choices = self
    for index in milliseconds.indices { choices.milliseconds[index] += 3_600_000 }
    return choices
  }
}

/// Timers of one kind: what each operation does with those chosen, until it is in effect.
protocol Timers {
  /// What the figures are taken by.
  var clock: () -> UInt64 { get }
  func cancel(_ choices: Choices)
  func arm(_ choices: Choices)
  /// Gives each, which is armed, another time.
  func move(_ choices: Choices)
  /// What has to be done before those chosen can be armed for now, and is not timed.
  func prepareToExpire(_ choices: Choices)
  /// Arms those chosen for now, and waits until they have run.
  func expire(_ choices: Choices)
  /// The wait for effect that each operation ends with, when there is nothing to wait for.
  func settle()
  func close()
}
extension Timers {
  func prepareToExpire(_ choices: Choices) {}
  func settle() {}
  var clock: () -> UInt64 { HostedMachine.now }
  /// The median of so many parts, for each operation.
  func round(
    _ parts: Int, _ operations: Int, of armed: Int, _ random: inout Fixed, _ coolDown: () -> Void
  ) -> [Double] {
    let figures = (0..<parts).map { _ in part(operations, of: armed, &random, coolDown) }
    return figures[0].indices.map { place in median(figures.map { $0[place] }) }
  }

  /// Nanoseconds for one of each operation.
  func part(_ operations: Int, of armed: Int, _ random: inout Fixed, _ coolDown: () -> Void) -> [Double] {
    let choices = Choices(operations, of: armed, &random)
    let others = Choices(operations, of: armed, &random)
    let due = Choices(operations, of: armed, &random)
    func taken(_ body: () -> Void) -> Double {
      let start = clock()
      body()
      return Double(clock() - start) / Double(operations)
    }
    let empty = median((0..<9).map { _ in taken(settle) })
    func timed(_ body: () -> Void) -> Double {
      coolDown()
      return taken(body) - empty
    }
    let cancel = timed { self.cancel(choices) }
    let arm = timed { self.arm(choices) }
    let move = timed { self.move(others) }
    let late = Choices(operations, of: armed, &random).later()
    let postpone = timed { self.move(late) }
    prepareToExpire(due)
    let expire = timed { self.expire(due) }
    self.arm(due)
    return [arm, cancel, move, expire, postpone]
  }
}

/// What has run, and who waits for how much of it.
final class Fired: @unchecked Sendable {
  // Sendable: one thread's at a time: the timers', then that of who waits for them.
  var value = 0
  var wanted = Int.max
  let done = DispatchSemaphore(value: 0)
  func add() {
    value += 1
    if value == wanted { done.signal() }
  }
}

struct OurTimers: Timers {
  let system: System
  let callouts: [Callout<HostedMachine>]
  let count = Fired()

  init(_ system: System, _ armed: Int, _ random: inout Fixed) throws {
    self.system = system
    let count = count
    callouts = try (0..<armed).map { _ in
      try system.callout("timer", at: .softClock, guard: .softNet, cpu: 0) { _ in count.add() }
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
  // Arming one that is armed moves it, as with a source and with libuv.
  func move(_ choices: Choices) { arm(choices) }
  func expire(_ choices: Choices) {
    let wanted = count.value + choices.which.count
    let now = HostedMachine.now()
    for index in choices.which { callouts[Int(index)].schedule(at: now) }
    while count.value < wanted { system.checkpoint() }
  }
  func close() { system.shutdown() }
}

/// Timer sources on a serial queue. A source that was cancelled is gone, so cancelling is to move it to never. A change is made by
/// libdispatch's manager thread, which takes them in their order, so each operation ends when a source that was changed last has fired.
struct DispatchTimers: Timers {
  let queue = DispatchQueue(label: "timers")
  let sources: [any DispatchSourceTimer]
  let last: any DispatchSourceTimer
  var clock: () -> UInt64 = HostedMachine.now
  let count = Fired()
  let settled = DispatchSemaphore(value: 0)

  init(_ armed: Int, _ random: inout Fixed) {
    let (queue, count, settled) = (queue, count, settled)
    sources = (0..<armed).map { _ in
      let source = DispatchSource.makeTimerSource(queue: queue)
      source.setEventHandler { count.add() }
      return source
    }
    last = DispatchSource.makeTimerSource(queue: queue)
    last.setEventHandler { settled.signal() }
    last.schedule(deadline: .distantFuture)
    last.activate()
    for source in sources {
      source.schedule(deadline: .now() + .milliseconds(600_000 + Int(random.next() % 3_600_000)))
      source.activate()
    }
    settle()
  }
  func settle() {
    last.schedule(deadline: .now())
    settled.wait()
  }
  func cancel(_ choices: Choices) {
    for index in choices.which { sources[Int(index)].schedule(deadline: .distantFuture) }
    settle()
  }
  func arm(_ choices: Choices) {
    let now = DispatchTime.now()
    for (index, delay) in zip(choices.which, choices.milliseconds) {
      sources[Int(index)].schedule(deadline: now + .milliseconds(Int(delay)))
    }
    settle()
  }
  func move(_ choices: Choices) { arm(choices) }
  func expire(_ choices: Choices) {
    queue.sync { count.wanted = count.value + choices.which.count }
    let now = DispatchTime.now()
    for index in choices.which { sources[Int(index)].schedule(deadline: now) }
    count.done.wait()
  }
  func close() {
    for source in sources { source.cancel() }
    last.cancel()
    queue.sync {}
  }
}

/// Nanoseconds that all processors together have given to this process.
func processorTime() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Tasks scheduled on a loop, from its own thread.
final class LoopTimers: Timers, @unchecked Sendable {
  // Sendable: whoever calls waits for the loop, which alone touches what is here.
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop: any EventLoop
  var tasks: [Scheduled<Void>?]
  let count = Fired()

  init(_ armed: Int, _ random: inout Fixed) {
    loop = group.next()
    tasks = Array(repeating: nil, count: armed)
    let delays = (0..<armed).map { _ in 600_000 + random.next() % 3_600_000 }
    onLoop { for (index, delay) in delays.enumerated() { self.start(index, delay) } }
  }
  func onLoop(_ body: @escaping @Sendable () -> Void) { try? loop.submit(body).wait() }
  func start(_ index: Int, _ milliseconds: UInt64) {
    let count = count
    tasks[index] = loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { count.add() }
  }
  func settle() { onLoop {} }
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
    onLoop {
      self.count.wanted = self.count.value + choices.which.count
      for index in choices.which { self.start(Int(index), 0) }
    }
    count.done.wait()
  }
  func close() { try? group.syncShutdownGracefully() }
}

struct UVTimers: Timers {
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
