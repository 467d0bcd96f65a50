// What the body at the level sees of a channel.
//
// Law: a connection refers to no Channel of NIO's. So whoever lets go of the last reference at a level, under whatever gates, frees
// memory there and nothing of an event loop's.

public import NIOCore
import Synchronization

extension LevelPort {
  /// Something that happened to a channel.
  public struct Arrival: Sendable {
    public let connection: Connection
    public let event: Event
  }

  /// What happened to a channel. `opened` comes first and `closed` last, each once; `failed` may come before `opened`.
  public enum Event: Sendable {
    case opened
    case message(Inbound)
    /// What is written goes to the peer (true), or only makes NIO's buffers grow.
    case writable(Bool)
    /// An error in the pipeline, or of a write that was to be told.
    case failed(any Error)
    case closed
  }

  /// Whether a write that fails is told.
  public enum WriteFailure: Sendable {
    /// By ``Event/failed(_:)``.
    case told
    /// Only counted, in ``LevelPortStatistics/unwritten``, if the channel had gone. Saves NIO a promise for each message.
    case ignored
  }

  /// A channel, as seen from a level: a name to write to. May be kept, in any table, for as long as one likes.
  public final class Connection: Hashable, @unchecked Sendable {
    // Sendable: `handler` and the addresses are the event loop's; the addresses are set before the first arrival is offered.
    /// Counted from 0, unique in its port.
    public let number: Int
    let link: Link
    var handler: LevelChannelHandler<Inbound, Outbound>?
    let writable = Atomic<Bool>(true)
    /// Where the channel is bound and what it is connected to; nil if it is not.
    public internal(set) var localAddress: SocketAddress?
    public internal(set) var remoteAddress: SocketAddress?

    init(_ number: Int, _ link: Link) {
      self.number = number
      self.link = link
    }

    /// Writes a message to the channel. Any thread and any level, under any gates: NIO is called later, on the event loop. Messages
    /// that are posted to a connection by one context after another keep that order. What is not yet written when the channel closes is counted and, if
    /// it is to be, told.
    ///
    /// Nothing here bounds what is posted: heed ``Event/writable(_:)``.
    public func write(_ message: Outbound, onFailure: WriteFailure = .told) {
      link.post(.write(self, message, onFailure))
    }

    /// Closes the channel after what was written before has been sent. Any thread and level.
    public func close() { link.post(.close(self, now: false)) }

    /// Closes the channel at once; what has not been sent fails. Any thread and level.
    public func abort() { link.post(.close(self, now: true)) }

    /// Stops (or goes on) reading from this channel: what it has received is still delivered. Any thread and level.
    public func setReading(_ isReading: Bool) { link.post(.reading(self, isReading)) }

    /// What ``Event/writable(_:)`` said last, on the event loop: a hint, stale at once.
    public var isWritable: Bool { writable.load(ordering: .relaxed) }

    public static func == (a: Connection, b: Connection) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(number) }
  }
}
