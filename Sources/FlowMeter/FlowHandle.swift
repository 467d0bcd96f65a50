// How the owner of a table speaks of a flow. Invariant: a handle names one flow for as long as that flow
// is in the table, and nothing afterwards: the generation tells a later owner of the slot apart.

/// A flow in a ``FlowTable``.
///
/// It survives growth and the removal of other flows. Once its flow has left the table it is refused,
/// until its slot has been used anew 2³¹ times.
public struct FlowHandle: Hashable, Sendable {
  let slot: UInt32
  /// Odd: even generations are those of free slots.
  let generation: UInt32

  init(slot: UInt32, generation: UInt32) {
    self.slot = slot
    self.generation = generation
  }

  /// The handle as a word, for a callout's argument.
  public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

  /// The handle with this ``rawValue``. Any word will do: one that names no flow is refused by the table.
  public init(rawValue: UInt64) {
    slot = UInt32(truncatingIfNeeded: rawValue)
    generation = UInt32(truncatingIfNeeded: rawValue >> 32)
  }
}

/// What ``FlowTable/record(_:wireLength:timestamp:)`` did with a packet.
public enum Recorded: Sendable, Hashable {
  /// It was the first of its flow; the owner arms whatever ages the flow.
  case new(FlowHandle)
  /// It was counted in a flow that is known.
  case existing(FlowHandle)
  /// It would have begun a flow, and the table holds as many as it may: the packet is not counted.
  case full
}

/// What ``FlowTable/expire(_:now:)`` found.
public enum Ageing: Sendable, Hashable {
  /// The flow stays. It was last seen at `lastSeen`; unless further packets come it expires at `due`,
  /// which is when to ask again.
  case stillActive(lastSeen: Int64, due: Int64)
  /// The flow has left the table, for this reason.
  case expired(FlowRecord, FlowEndReason)
  /// The handle names no flow: it has left the table already.
  case stale
}

/// Why a flow's record was closed; the values are those of the IPFIX element flowEndReason (136).
public enum FlowEndReason: UInt8, Sendable, Hashable, CaseIterable {
  /// No packet came for the idle timeout.
  case idleTimeout = 1
  /// The flow lasts longer than the active timeout, which reports long flows in parts.
  case activeTimeout = 2
  /// The meter stopped.
  case forcedEnd = 4
  /// The table was full.
  case lackOfResources = 5
}

/// When flows expire, in nanoseconds of capture time.
public struct FlowTimeouts: Sendable, Hashable {
  /// How long a flow may be silent.
  public var idle: Int64
  /// How long a record may go on.
  public var active: Int64

  /// Timeouts; 15 s and 60 s unless told otherwise.
  ///
  /// - Precondition: both are positive.
  public init(idle: Int64 = 15_000_000_000, active: Int64 = 60_000_000_000) {
    precondition(idle > 0 && active > 0, "timeouts are positive")
    self.idle = idle
    self.active = active
  }
}
