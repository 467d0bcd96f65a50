// The statistics that a comparison shows of gates and handlers, and the spans of its timelines.
//
// Invariant: plain counters and sums over all measured rounds; times are in nanoseconds.

/// What happened at the gate of one level.
public struct GateFigures: Sendable, Equatable {
  /// The level whose gate it is; `none` is the big lock.
  public var level: LevelName
  /// How often it was taken, by raises and by dispatch.
  public var taken: UInt64
  /// How often it was busy when asked for.
  public var contended: UInt64
  /// How often a releaser handed it to a waiter directly.
  public var handoffs: UInt64
  /// How often a waiter was passed over because it was serving a higher level.
  public var passedOver: UInt64
  /// How long raises waited for it, in all, in nanoseconds.
  public var waitNanoseconds: UInt64

  /// The figures of a gate.
  public init(
    level: LevelName, taken: UInt64, contended: UInt64, handoffs: UInt64 = 0, passedOver: UInt64 = 0,
    waitNanoseconds: UInt64 = 0
  ) {
    self.level = level
    self.taken = taken
    self.contended = contended
    self.handoffs = handoffs
    self.passedOver = passedOver
    self.waitNanoseconds = waitNanoseconds
  }
}

/// What happened to one handler.
public struct HandlerFigures: Sendable, Equatable {
  /// The name with which it was established.
  public var name: String
  /// Its level.
  public var level: LevelName
  /// The way in with which it was established.
  public var wayIn: WayInName
  /// How often it was scheduled.
  public var scheduled: UInt64
  /// How many of those found it pending already.
  public var coalesced: UInt64
  /// How often it ran.
  public var run: UInt64
  /// How often it was left to the holder of a busy gate.
  public var delegated: UInt64
  /// How often it was given to another CPU.
  public var handedOff: UInt64
  /// How often its turn at a gate was passed over.
  public var passedOver: UInt64
  /// From schedule to run, in all, in nanoseconds.
  public var queueingNanoseconds: UInt64
  /// Waiting for gates, in all, in nanoseconds.
  public var gateWaitNanoseconds: UInt64
  /// Running, in all, in nanoseconds.
  public var runNanoseconds: UInt64

  /// The figures of a handler.
  public init(
    name: String, level: LevelName, wayIn: WayInName, scheduled: UInt64, coalesced: UInt64 = 0, run: UInt64,
    delegated: UInt64 = 0, handedOff: UInt64 = 0, passedOver: UInt64 = 0, queueingNanoseconds: UInt64 = 0,
    gateWaitNanoseconds: UInt64 = 0, runNanoseconds: UInt64 = 0
  ) {
    self.name = name
    self.level = level
    self.wayIn = wayIn
    self.scheduled = scheduled
    self.coalesced = coalesced
    self.run = run
    self.delegated = delegated
    self.handedOff = handedOff
    self.passedOver = passedOver
    self.queueingNanoseconds = queueingNanoseconds
    self.gateWaitNanoseconds = gateWaitNanoseconds
    self.runNanoseconds = runNanoseconds
  }
}

/// One thing that one CPU did for a while, for the timeline.
public struct TimelineSpan: Sendable, Equatable {
  /// What the CPU did.
  public enum Kind: String, Sendable, CaseIterable {
    /// It ran a handler, or base code, of the level.
    case run
    /// It was in a section raised to the level.
    case raise
    /// It waited for the gate of the level.
    case wait
  }

  /// The CPU, from 0.
  public var cpu: Int
  /// The level.
  public var level: LevelName
  /// When it began, in nanoseconds on a clock that all spans of one timeline share.
  public var start: UInt64
  /// When it ended; a span that ends before it starts is not drawn.
  public var end: UInt64
  /// What the CPU did.
  public var kind: Kind

  /// A span.
  public init(cpu: Int, level: LevelName, start: UInt64, end: UInt64, kind: Kind) {
    self.cpu = cpu
    self.level = level
    self.start = start
    self.end = end
    self.kind = kind
  }
}
