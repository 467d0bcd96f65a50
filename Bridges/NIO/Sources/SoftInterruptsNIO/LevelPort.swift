// Channels of event loops, served at a level.
//
// Law: no thread of an event loop waits for a gate, and no run that holds a gate calls NIO. What arrives goes through one bounded
// intake for each event loop into one handler for each event loop; what is written goes into one outbox for each event loop, and an
// MP-safe handler, the bell, asks the event loop, once for each batch, to empty it. Everything else is in Link.swift and
// LevelChannelHandler.swift.

public import HostedMachine
public import NIOCore
public import SoftInterrupts
import Synchronization

/// A level as the place where channels are served: what they receive is given to one body at the level, which writes back.
///
/// ```swift
/// let port = try LevelPort<ByteBuffer, ByteBuffer>(
///   system, "echo", at: .softNet, as: .ordered, on: group
/// ) { arrival, _ in
///   if case .message(let bytes) = arrival.event { arrival.connection.write(bytes) }
/// }
/// let server = try await ServerBootstrap(group: group)
///   .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try port.attach(channel) } }
///   .bind(host: "127.0.0.1", port: 7).get()
/// ```
///
/// Streams and datagrams alike: `Inbound` is what the handlers before it in the pipeline deliver, `Outbound` what they take. Each event
/// loop has a handler of its own at the level, bound to one CPU, so what a channel receives is in order whatever the way in; MP-safe, the event
/// loops' handlers run side by side.
///
/// Its end: ``end(file:line:)`` or the shutdown of the system; then ``waitForEnd()``; then the group's shutdown. The level's handlers are counted: see ``SoftInterrupts/InterruptSystem/handlersPerLevel``.
public final class LevelPort<Inbound: Sendable, Outbound: Sendable>: Sendable {
  public let system: InterruptSystem<HostedMachine>
  public let level: Level
  let links: [Link]
  let bell: Handler<HostedMachine>
  private let connections = Atomic<Int>(0)
  let counts: Counts
  let ending: Ending

  /// Makes a port whose body runs in the ordinary way.
  ///
  /// - Parameters:
  ///   - group: the event loops whose channels may be attached.
  ///   - capacity: how many arrivals an event loop may be ahead of the level before its channels stop reading.
  ///   - budget: how many arrivals one run of the handler takes.
  ///   - body: is called at `level`, as a part of the run of a handler established `as` said, once for each arrival, in order for each
  ///     event loop. It may raise as such a handler may, and waits for nothing else.
  /// - Throws: as `establish`; nothing is left established then.
  public convenience init(
    _ system: InterruptSystem<HostedMachine>, _ name: String, at level: Level, as way: WayIn,
    on group: any EventLoopGroup, capacity: Int = 1_024, budget: Int = 64,
    _ body: @escaping @Sendable (Arrival, borrowing Here<HostedMachine>) -> Void
  ) throws(EstablishError) {
    try self.init(system, name, level, group, capacity, budget) { runs throws(EstablishError) in
      try system.establish(name, at: level, as: way) { here in runs.run { body($0, here) } }
    }
  }

  /// Makes a port whose body gets the token of its level. See ``init(_:_:at:as:on:capacity:budget:_:)-(_,_,Level,_,_,_,_,_)``.
  public convenience init<L: HandlerLevel>(
    _ system: InterruptSystem<HostedMachine>, _ name: String, at level: L.Type, as way: TypedWay.Ordered,
    on group: any EventLoopGroup, capacity: Int = 1_024, budget: Int = 64,
    _ body: @escaping @Sendable (Arrival, inout Held<L, HostedMachine>) -> Void
  ) throws(EstablishError) {
    try self.init(system, name, L.level, group, capacity, budget) { runs throws(EstablishError) in
      try system.establish(name, at: level, as: way) { held in runs.run { body($0, &held) } }.untyped
    }
  }

  /// Makes a port that is not migrated yet: its body gets the token of its level, and that of the big lock, lent.
  public convenience init<L: HandlerLevel>(
    _ system: InterruptSystem<HostedMachine>, _ name: String, at level: L.Type, as way: TypedWay.BigLock,
    on group: any EventLoopGroup, capacity: Int = 1_024, budget: Int = 64,
    _ body:
      @escaping @Sendable (
        Arrival, inout Held<L, HostedMachine>, borrowing Held<None, HostedMachine>
      ) -> Void
  ) throws(EstablishError) {
    try self.init(system, name, L.level, group, capacity, budget) { runs throws(EstablishError) in
      try system.establish(name, at: level, as: way) { held, none in
        runs.run { body($0, &held, none) }
      }.untyped
    }
  }

  /// Makes an MP-safe port: its body holds no gate, and runs for several event loops at once.
  public convenience init<L: HandlerLevel>(
    _ system: InterruptSystem<HostedMachine>, _ name: String, at level: L.Type, as way: TypedWay.MPSafe,
    on group: any EventLoopGroup, capacity: Int = 1_024, budget: Int = 64,
    _ body: @escaping @Sendable (Arrival, inout At<L, HostedMachine>) -> Void
  ) throws(EstablishError) {
    try self.init(system, name, L.level, group, capacity, budget) { runs throws(EstablishError) in
      try system.establish(name, at: level, as: way) { at in runs.run { body($0, &at) } }.untyped
    }
  }

  /// - Parameter establish: establishes the handler of a link, whose body keeps what it is given.
  private init(
    _ system: InterruptSystem<HostedMachine>, _ name: String, _ level: Level, _ group: any EventLoopGroup,
    _ capacity: Int, _ budget: Int, _ establish: (Runs) throws(EstablishError) -> Handler<HostedMachine>
  ) throws(EstablishError) {
    precondition(budget >= 1, "a run takes at least one arrival")
    let loops = Array(group.makeIterator())
    precondition(!loops.isEmpty, "a port needs an event loop")
    let ending = Ending(links: loops.count)
    let counts = Counts()
    let links = loops.enumerated().map { index, loop in
      Link(system, loop, counts, ending, cpu: index % system.cpuCount, capacity: capacity)
    }
    let ringer = Ringer(links)
    let bell = try system.establish("\(name): bell", at: level, as: .mpSafe, .anywhere) { _ in ringer.ring() }
    var made = 0
    do throws(EstablishError) {
      for link in links {
        link.bell = bell
        link.handler = try establish(Runs(link, budget))
        made += 1
      }
    } catch {
      for link in links[..<made] { system.disestablish(link.handler.unsafelyUnwrapped) }
      system.disestablish(bell)
      throw error
    }
    for link in links { link.isLive = true }
    self.system = system
    self.level = level
    self.counts = counts
    self.ending = ending
    self.links = links
    self.bell = bell
  }

  /// Adds the port's handler at the end of a channel's pipeline: from there on the channel is served at the level.
  ///
  /// On the channel's event loop, as in a channel initializer.
  /// - Throws: ``LevelPortError/foreignEventLoop`` if the channel's is none of the port's; ``LevelPortError/ended(undelivered:)``.
  @discardableResult public func attach(_ channel: any Channel) throws -> Connection {
    let handler = try makeHandler(for: channel)
    try channel.pipeline.syncOperations.addHandler(handler)
    return handler.connection
  }

  /// The port's handler for a channel, to be put wherever its `Inbound` and `Outbound` are the right ones. On the channel's event loop.
  public func makeHandler(for channel: any Channel) throws(LevelPortError) -> LevelChannelHandler<
    Inbound, Outbound
  > {
    guard let link = links.first(where: { $0.loop === channel.eventLoop }) else { throw .foreignEventLoop }
    if link.isOver { throw .ended(undelivered: 0) }
    let number = connections.wrappingAdd(1, ordering: .relaxed).oldValue
    return LevelChannelHandler(Connection(number, link))
  }

  /// Ends the port while its system goes on: when this returns the body does not run, and never will. Its channels are told
  /// (``LevelPortError/ended(undelivered:)``) and closed, after what was written before has been sent. The shutdown of the system does the same.
  ///
  /// It waits for the gate of the level, so: where raising to that level is in order, and never on one of the port's event loops.
  public func end(file: StaticString = #fileID, line: UInt = #line) {
    precondition(
      !links.contains { $0.loop.inEventLoop },
      "an event loop waits for no gate: end the port from another thread")
    for link in links { system.disestablish(link.handler.unsafelyUnwrapped, file: file, line: line) }
    system.disestablish(bell, file: file, line: line)
  }

  /// Waits until the port has ended, by ``end(file:line:)`` or the shutdown of its system, and its event loops know: from then on it asks nothing
  /// of them, and they may be shut down. A task's cancellation does not end the wait.
  public func waitForEnd() async { await ending.wait() }

  /// What the port has done so far; each number exact when nothing is under way.
  public var statistics: LevelPortStatistics { counts.all }
}

/// Why a channel is not, or no longer, served by a port.
public enum LevelPortError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The channel's event loop is not of the group that the port was made with.
  case foreignEventLoop
  /// The port was ended, or its system shut down. `undelivered`: how many messages this channel had received that nobody has seen.
  case ended(undelivered: Int)
  /// A message was written to a channel that the port's handler had left.
  case detached

  public var description: String {
    switch self {
    case .foreignEventLoop:
      "the channel's event loop is none of the port's: give the port and the bootstrap the same group"
    case .ended(let undelivered):
      "the port has ended, or its system was shut down; messages of this channel that nobody has seen: \(undelivered)"
    case .detached: "the channel is closed, or has left its port"
    }
  }
}

/// Counts of a port.
public struct LevelPortStatistics: Sendable, Equatable {
  /// Messages that were given to the body.
  public var delivered = 0
  /// Messages that were received and will not be given to it: the port had ended.
  public var undelivered = 0
  /// Messages that were written to channels.
  public var written = 0
  /// Messages that were posted and could not be written: their channel was closed.
  public var unwritten = 0
  /// Tasks that event loops were asked for: one for each batch of messages, of whatever channels of the loop.
  public var hops = 0
  /// Times that an event loop was ahead of the level by the whole capacity, so that channels stopped reading.
  public var stops = 0
}

/// The counts, each of them written by several threads.
final class Counts: Sendable {
  let delivered = Atomic<Int>(0)
  let undelivered = Atomic<Int>(0)
  let written = Atomic<Int>(0)
  let unwritten = Atomic<Int>(0)
  let hops = Atomic<Int>(0)
  let stops = Atomic<Int>(0)

  var all: LevelPortStatistics {
    // Relaxed: counts.
    LevelPortStatistics(
      delivered: delivered.load(ordering: .relaxed), undelivered: undelivered.load(ordering: .relaxed),
      written: written.load(ordering: .relaxed), unwritten: unwritten.load(ordering: .relaxed),
      hops: hops.load(ordering: .relaxed), stops: stops.load(ordering: .relaxed))
  }
}
