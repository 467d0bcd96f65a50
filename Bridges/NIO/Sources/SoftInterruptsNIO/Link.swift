// One event loop and one handler of a level: what goes between them.
//
// Law: what is offered was offered by the event loop alone, and taken by runs of the handler alone, which is bound and always
// scheduled on one CPU: so never two at once, whatever its way in; once the handler has ended (its body was given back), by the event
// loop. Publish, then ask: who offers schedules afterwards; who posts into the empty outbox has the bell rung afterwards.
//
// Attacked and found to hold:
// - *Ring full, resume.* The protocol is `Intake`'s (explored). Who was refused schedules the handler too, so that what fills the ring
//   is taken even if no `channelReadComplete` follows.
// - *Close and deliver.* Both happen on the event loop, and go the same way: `closed` waits behind what was refused before. A channel
//   that has gone leaves its rest with the link, which has its handler in `waiting`.
// - *Shutdown and deliver.* A mark that the shutdown drops tells nobody. The end of the handler's body does: it makes the loop look
//   (`runsEnded`), which then is the one consumer and counts what it finds. An arrival after that finds `isOver`.
// - *Shutdown and write.* The loop, once bell and handler have ended, closes the outbox and empties it for the last time; who posts after
//   that finds it closed, and counts what will not be written (`Outbox`, explored). So nothing is asked of an event loop after
//   `waitForEnd`, when its group may be shut down.
// - *Two runs of the bell at once* both see the outbox asked for: the exchange gives it to one.
// - *The event loop asks its own level for something.* It schedules, which waits for nothing.

import HostedMachine
import LevelActors
import NIOConcurrencyHelpers
import NIOCore
import SoftInterrupts
import Synchronization

extension LevelPort {
  /// What the level asks of the event loop.
  enum Order: Sendable {
    case write(Connection, Outbound, WriteFailure)
    case close(Connection, now: Bool)
    case reading(Connection, Bool)
    /// There is room again in the intake.
    case goOn
  }

  /// What the body of a link's handler keeps; its end is the handler's.
  final class Runs: Sendable {
    let link: Link
    let budget: Int
    init(_ link: Link, _ budget: Int) {
      self.link = link
      self.budget = budget
    }
    /// One run of the handler.
    func run(_ body: (Arrival) -> Void) { link.run(budget, body) }
    deinit { link.askForEnd { $0.runsEnded() } }
  }

  /// What the body of the bell keeps; its end is the bell's: afterwards nobody asks for what is in the outboxes.
  final class Ringer: Sendable {
    let links: [Link]
    init(_ links: [Link]) { self.links = links }
    func ring() { for link in links { link.hopIfAsked() } }
    deinit { for link in links { link.askForEnd { $0.bellEnded() } } }
  }

  final class Link: @unchecked Sendable {
    // Sendable: `handler`, `bell` and `isLive` are set before it is shared; `waiting`, `channels`, `isOver`, `isBellGone` are the event
    // loop's.
    typealias ChannelSide = LevelChannelHandler<Inbound, Outbound>
    let system: InterruptSystem<HostedMachine>
    let loop: any EventLoop
    let counts: Counts
    let cpu: Int
    let intake: Intake<Arrival, HostedMachine>
    let outbox = Outbox<Order, HostedMachine>()
    /// Somebody has posted into the empty outbox, and the event loop has not been asked to empty it.
    private let isAsked = Atomic<Bool>(false)
    var handler: Handler<HostedMachine>?
    var bell: Handler<HostedMachine>?
    /// Channels with something that was refused, in the order of their turns.
    private var waiting = CircularBuffer<ChannelSide>()
    private var channels: [ObjectIdentifier: ChannelSide] = [:]
    /// The handler has ended.
    private(set) var isOver = false
    private var isBellGone = false
    /// The port was made: its ends are to be told.
    var isLive = false
    let ending: Ending

    init(
      _ system: InterruptSystem<HostedMachine>, _ loop: any EventLoop, _ counts: Counts, _ ending: Ending,
      cpu: Int, capacity: Int
    ) {
      self.system = system
      self.loop = loop
      self.counts = counts
      self.ending = ending
      self.cpu = cpu
      intake = Intake(capacity: capacity)
    }

    // MARK: At the level

    /// The run of the handler.
    func run(_ budget: Int, _ body: (Arrival) -> Void) {
      var left = budget
      var messages = 0
      while left > 0, let arrival = intake.take() {
        left -= 1
        if case .message = arrival.event { messages += 1 }
        body(arrival)
        system.checkpoint()
      }
      // Relaxed: a count.
      counts.delivered.wrappingAdd(messages, ordering: .relaxed)
      if intake.giveBack() { post(.goOn) }
      // A run that stops for its budget has not looked; what came after its claim was scheduled by who offered it.
      if left == 0 && !intake.isEmpty { handler?.schedule(on: cpu) }
    }

    /// Any thread, any level.
    func post(_ order: Order) {
      switch outbox.post(order) {
      case .queued: return
      // Nobody will write it. Each order is taken once, so it is counted once.
      case .closed: outbox.takeAll { if case .write = $0 { unwritten() } }
      case .first:
        // Release: who sees it asked for takes the order. The schedule orders it for the bell besides.
        isAsked.store(true, ordering: .releasing)
        // If the bell has ended, `bellEnded` comes.
        bell?.schedule()
      }
    }

    /// The bell: an MP-safe handler, which holds no gate.
    func hopIfAsked() {
      // Acquire: pairs with the release of `post`.
      if isAsked.exchange(false, ordering: .acquiring) { hop() }
    }

    private func hop() {
      assert(system.gates.isEmpty, "NIO is called under a gate")
      counts.hops.wrappingAdd(1, ordering: .relaxed)
      loop.execute { self.emptyOutbox() }
    }

    /// A body was given back, on whatever thread, under whatever gates: a thread of the concurrency pool, which holds none, asks the
    /// event loop.
    func askForEnd(_ part: @escaping @Sendable (Link) -> Void) {
      if isLive { Task.detached { self.loop.execute { part(self) } } }
    }

    // MARK: On the event loop

    func add(_ channel: ChannelSide) { channels[ObjectIdentifier(channel)] = channel }
    func remove(_ channel: ChannelSide) { channels[ObjectIdentifier(channel)] = nil }

    /// A channel was refused; it is not in the queue.
    func wait(_ channel: ChannelSide) {
      if waiting.isEmpty { counts.stops.wrappingAdd(1, ordering: .relaxed) }
      waiting.append(channel)
      ring()
    }

    /// Has the level look. Waits for nothing. If the handler has ended, `runsEnded` comes.
    func ring() { handler?.schedule(on: cpu) }

    private func emptyOutbox() {
      var written: [ChannelSide] = []
      outbox.takeAll { order in
        switch order {
        case .write(let connection, let message, let onFailure):
          // It has gone: `closed` was its last event, or will be.
          guard let channel = connection.handler else { return unwritten() }
          counts.written.wrappingAdd(1, ordering: .relaxed)
          if channel.write(message, onFailure) { written.append(channel) }
        case .close(let connection, let now): connection.handler?.close(now: now)
        case .reading(let connection, let isReading): connection.handler?.setReading(isReading)
        case .goOn:
          intake.goOn()
          serveWaiting()
        }
      }
      for channel in written { channel.flush() }
    }

    func unwritten() { counts.unwritten.wrappingAdd(1, ordering: .relaxed) }

    /// Offers what was kept, one of each channel in turn.
    private func serveWaiting() {
      while let channel = waiting.popFirst() {
        if let arrival = channel.kept.first {
          guard intake.offer(arrival) else {
            waiting.prepend(channel)
            break
          }
          channel.kept.removeFirst()
        }
        if channel.kept.isEmpty { channel.readIfWanted() } else { waiting.append(channel) }
      }
      ring()
    }

    /// The handler's body was given back: no run is under way and none will begin.
    func runsEnded() {
      isOver = true
      // What the level has written before its end.
      emptyOutbox()
      // The one consumer from here on; `Task.detached` and `execute` have ordered us after the last run.
      while let arrival = intake.take() { drop(arrival) }
      while let channel = waiting.popFirst() { channel.dropKept() }
      for channel in channels.values { channel.portEnded() }
      closeIfEnded()
    }

    /// The bell's body was given back: nobody asks for what is in the outbox.
    func bellEnded() {
      isBellGone = true
      emptyOutbox()
      closeIfEnded()
    }

    private func closeIfEnded() {
      guard isOver && isBellGone else { return }
      outbox.close()
      emptyOutbox()
      ending.count()
    }

    func drop(_ arrival: Arrival) {
      guard case .message = arrival.event else { return }
      counts.undelivered.wrappingAdd(1, ordering: .relaxed)
      arrival.connection.handler?.undelivered += 1
    }
  }
}

/// Waits until each link has ended. Never under a gate: links count on their event loops, and who waits is a task.
final class Ending: Sendable {
  private let state: NIOLockedValueBox<(left: Int, waiters: [CheckedContinuation<Void, Never>])>
  init(links: Int) { state = NIOLockedValueBox((links, [])) }

  func count() {
    let waiters = state.withLockedValue { state -> [CheckedContinuation<Void, Never>] in
      state.left -= 1
      if state.left > 0 { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { waiter in
      let isOver = state.withLockedValue { state in
        if state.left > 0 { state.waiters.append(waiter) }
        return state.left <= 0
      }
      if isOver { waiter.resume() }
    }
  }
}
