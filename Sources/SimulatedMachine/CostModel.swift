// What operations cost on a machine that is to be predicted: figures that were measured on a real one.
//
// Law: a model is data. Nothing in the simulation knows a duration that does not come from here or from the program's own
// `SimulatedMachine.work(_:)`.

/// What a machine's operations cost, in nanoseconds.
///
/// The words of the core are on cache lines as they are on the hosted machine: eight words of 8 bytes share one line of 64 bytes. A
/// line is with the process that wrote it last, or copied to those that have read it since:
///
/// - an operation on a line that the caller has costs its hit;
/// - a read of a line that another has written, and a write of one that others have, cost a ``lineTransfer`` besides, and the
///   transfers of one line follow each other: it is with one processor at a time;
/// - a copy of a line that nobody has written since costs a ``sharedFetch``, and many may fetch it at once;
/// - a store goes to the store buffer: the caller goes on, its next read-modify-write waits for it.
public struct CostModel: Sendable, Equatable {
  /// Operations on a word whose line the caller has.
  public var loadHit = 1.0
  /// A store to a line that the CPU has for itself, in nanoseconds.
  public var storeHit = 1.0
  /// An atomic read-modify-write of a line that the CPU has for itself, in nanoseconds.
  public var readModifyWriteHit = 5.0
  /// A line comes from the processor that has written it.
  public var lineTransfer = 60.0
  /// A line comes that others have read only.
  public var sharedFetch = 30.0
  /// The plain instructions of the core that belong to one operation on a word.
  public var plainStep = 1.0
  /// One pause of a spin wait.
  public var pause = 15.0
  /// A fence on all processors.
  public var heavyFence = 2_000.0
  /// Reading the clock, and the tick counter.
  public var clock = 25.0
  /// A look at the counter of ticks, in nanoseconds.
  public var ticks = 10.0
  /// Ringing who sleeps: what it costs the ringer, and from the end of that to the sleeper's next step.
  public var ringSleeper = 1_000.0
  /// From a ring until a sleeper runs, in nanoseconds.
  public var wakeSleeper = 5_000.0

  /// All figures as a round guess; a model that is to predict anything is measured.
  public init() {}
}

/// The same in the simulation's unit, whole picoseconds: sums of it are exact.
struct Costs {
  var load, store, modify, transfer, fetch, step, pause, heavyFence, clock, ticks, ring, wake: UInt64

  init(_ model: CostModel) {
    func whole(_ nanoseconds: Double) -> UInt64 { Self.picoseconds(nanoseconds) }
    load = whole(model.loadHit)
    store = whole(model.storeHit)
    modify = whole(model.readModifyWriteHit)
    transfer = whole(model.lineTransfer)
    fetch = whole(model.sharedFetch)
    step = whole(model.plainStep)
    pause = max(whole(model.pause), 1)
    heavyFence = whole(model.heavyFence)
    clock = whole(model.clock)
    ticks = whole(model.ticks)
    ring = whole(model.ringSleeper)
    wake = whole(model.wakeSleeper)
  }

  /// What is no sensible duration is none: a model's file is somebody's input.
  static func picoseconds(_ nanoseconds: Double) -> UInt64 {
    let value = nanoseconds * 1_000
    return value > 0 && value < 0x1p62 ? UInt64(value + 0.5) : 0
  }
}
