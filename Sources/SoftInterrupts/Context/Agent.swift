// Whoever can hold gates: a CPU or a visitor (a thread that is no CPU). One for each thread of execution and system.
//
// Law: the plain fields belong to the thread itself (and to what interrupts it there); everybody else touches the words
// only. `held` contains every gate of every context of this agent, and every held gate is at or below `ipl` — at every
// instruction, because on bare metal any instruction can be interrupted: raise before you acquire, release before you
// lower.

/// What an agent is.
@frozen @usableFromInline enum AgentRole: UInt8 {
  /// A CPU's own thread.
  case cpu
  /// A thread that is no CPU.
  case visitor
  /// The thread of one level of a CPU (`Execution.threads`): it serves that level and polls nothing.
  case levelThread
}

/// One run of a handler, base code, or a visitor's code; lives on the stack of who runs it.
@frozen @usableFromInline struct Context<M: Machine> {
  /// What this one interrupted.
  @usableFromInline var parent: UnsafeMutablePointer<Context<M>>?
  /// The handler it runs; nil for base code and visitors.
  @usableFromInline var slot: UnsafeMutablePointer<HandlerSlot<M>>?
  /// Gates taken by this context's own frames.
  @usableFromInline var own: GateSet
  @usableFromInline var kind: ContextKind
  @usableFromInline var entry: Level
  @usableFromInline var floor: Level
  /// The highest LevelLock held, and its rank.
  @usableFromInline var lockedThrough: Level = .none
  @usableFromInline var lockedRank: Int32 = 0
  /// Open per-CPU cells and masks: nothing may sleep while this is not 0.
  @usableFromInline var pins: Int32 = 0

  @inlinable init(
    parent: UnsafeMutablePointer<Context<M>>?, slot: UnsafeMutablePointer<HandlerSlot<M>>?,
    kind: ContextKind, entry: Level, floor: Level, own: GateSet
  ) {
    self.parent = parent
    self.slot = slot
    self.kind = kind
    self.entry = entry
    self.floor = floor
    self.own = own
  }
}

/// Where gates were taken: one raise. Each raise stores it between two locked instructions, so it is two words.
@frozen @usableFromInline struct Taking {
  /// The gates in the lowest byte, the line above.
  @usableFromInline var gatesAndLine: UInt
  /// The file's name, a literal.
  @usableFromInline var file: UnsafePointer<UInt8>
  @inlinable @inline(__always) init(_ gates: GateSet, _ site: Violation.Site) {
    gatesAndLine = site.line << 8 | gates.rawValue
    file = site.file.utf8Start
  }
  @inlinable var gates: GateSet { GateSet(rawValue: gatesAndLine & 0xff) }
  @inlinable var line: UInt { gatesAndLine >> 8 }
}

@frozen @usableFromInline struct Agent<M: Machine> {
  // Own thread only.
  @usableFromInline var context: UnsafeMutablePointer<Context<M>>
  @usableFromInline var held: GateSet = []
  /// The system's, here so that a raise finds it without a detour.
  @usableFromInline let gateWord: GateWord<M>
  // Eight bytes, up to `ipl`, that are read as one word, `notices`: all 0 where a CPU has nothing to do but what its summary asks. Each is changed
  // alone, so that who interrupts may change another. The first four, `asks`, every recognition point looks at.
  /// Two sets of levels: see `deferred` and `aged`.
  @usableFromInline var bigLockNotes: UInt16 = 0
  /// Levels whose big-lock work waits until this CPU holds no gate; bit k is level k.
  @inlinable var deferred: UInt8 {
    get { UInt8(truncatingIfNeeded: bigLockNotes) }
    set { bigLockNotes = bigLockNotes & 0xff00 | UInt16(newValue) }
  }
  /// Levels whose big-lock work has aged: it is waited for at the next return to IPL `none`.
  @inlinable var aged: UInt8 {
    get { UInt8(truncatingIfNeeded: bigLockNotes >> 8) }
    set { bigLockNotes = bigLockNotes & 0x00ff | UInt16(newValue) << 8 }
  }
  /// 1 if there is an own mark: see `ownMark`.
  @usableFromInline var hasOwnMark: UInt8 = 0
  /// The grace of a shutdown is over: no further run starts here.
  @usableFromInline var isAbandoned = false
  /// Levels that have used their budget; bit k is level k.
  @usableFromInline var throttled: UInt8 = 0
  /// Levels whose asynchronous work has a wait of its own under way; bit 0 stands for aged big-lock work.
  @usableFromInline var queued: UInt8 = 0
  /// This CPU is offline: no run starts here but of cross-calls.
  @usableFromInline var isAside = false
  @usableFromInline var role: AgentRole
  @usableFromInline var ipl: Level = .none
  /// Levels whose dispatch was refused by a reservation, and when to try again.
  @usableFromInline var retry: UInt8 = 0
  /// Whether this CPU may have own marks at all: it runs its handlers itself, and no times are kept.
  @usableFromInline let takesOwnMarks: Bool
  @usableFromInline var retryAt: UInt64 = 0
  /// How often it has slept: who interrupts learns whether what it served has.
  @usableFromInline var sleeps: UInt32 = 0
  /// It has begun to fall asleep: what it found before may be stale once something has run on top of it.
  @usableFromInline var fallsAsleep = false
  /// A level thread's level.
  @usableFromInline var servedLevel: Level = .none
  /// The seats of the CPU's level threads; nil unless execution is by threads.
  @usableFromInline var levelSeats: UnsafeMutablePointer<M.Seat>?
  @usableFromInline let cpu: Int
  @usableFromInline var system: SystemRef<M>
  /// The wait that this agent's top context is in, while nothing runs on top of it.
  @usableFromInline var waiting: UnsafeMutablePointer<Waiter<M>>?
  @usableFromInline var waitDepth: Int = 0
  /// One node for each nested wait; at most one for each gate and one more for each level's own gate.
  @usableFromInline let waiters: UnsafeMutablePointer<Waiter<M>>
  /// Where raises took the gates this agent holds; entry k belongs to the raise, or (empty) to the dispatch, whose lowest gate is
  /// k, and means nothing once k has been left. See `taking(of:)`.
  @usableFromInline let takings: UnsafeMutablePointer<Taking>
  /// Failed tries of gate k since it was last taken.
  @usableFromInline let tries: UnsafeMutablePointer<Int>
  @usableFromInline let base: UnsafeMutablePointer<Context<M>>
  @usableFromInline let seat: M.Seat
  @usableFromInline var share = Share()
  @usableFromInline var pollTick: UInt8 = 0
  /// The deadline of the callout whose body runs.
  @usableFromInline var calloutDeadline: UInt64 = 0
  /// The earliest deadline of this CPU's wheel, as far as the CPU knows; others say so with summary bit 0.
  @usableFromInline var nextDue: UInt64 = .max
  @usableFromInline var lastPoll: UInt64 = 0

  // Words: shared. What others write when they ask something of this CPU is on one line (cross-calls: two); what they read then, and
  // what this CPU writes for itself, is on others. See Documentation/Decisions/0018.
  /// Bit k: look at level k again. A hint; `pending` is the truth. In front of it, where level `none` has nothing pending.
  @usableFromInline let summary: UnsafeMutablePointer<M.Word>
  /// For each level the pending handlers, a bit each: the only truth.
  @usableFromInline let pending: UnsafeMutablePointer<M.Word>
  /// For each level: odd while this CPU runs MP-safe handlers of it.
  @usableFromInline let epochs: UnsafeMutablePointer<M.Word>
  /// For each level the list of cross-calls, newest first.
  @usableFromInline let calls: UnsafeMutablePointer<M.Word>
  /// How many `schedule`s are between their check of the generation and their mark.
  @usableFromInline let inflight: UnsafeMutablePointer<M.Word>
  /// 1 while the thread is about to sleep or sleeps; read by who has set a bit of the summary.
  @usableFromInline let parking: UnsafeMutablePointer<M.Word>
  /// An `OfflineState`.
  @usableFromInline let offline: UnsafeMutablePointer<M.Word>
  /// Odd while this CPU, told to stop, has nothing to do.
  @usableFromInline let rest: UnsafeMutablePointer<M.Word>
  /// A visitor's: whether it is with a thread; see `VisitState`.
  @usableFromInline let visit: UnsafeMutablePointer<M.Word>
  @usableFromInline let block: UnsafeMutablePointer<M.Word>
  @usableFromInline let statistics: UnsafeMutablePointer<LevelCounters>
  @usableFromInline var wheel: LockedWheel<M>?
  /// The handler that is marked as `hasOwnMark` says; else without a meaning.
  @usableFromInline var ownMark: UnsafeMutablePointer<HandlerSlot<M>>?
  /// When the row of the share was last looked at. With it an agent is six lines of 64 B on the hosted machine (CrossCPUTests).
  @usableFromInline var chargedAt: UInt64 = 0

  /// Words on one cache line; a line is 64 B, and at least eight words.
  @inlinable static var wordsPerLine: Int { Swift.max(8, 64 / MemoryLayout<M.Word>.stride) }
  @inlinable static var nodes: Int { 2 * Level.count + 2 }
  @inlinable static var lines: Int { 6 }

  /// - Parameter old: an agent that nobody knows any more, whose memory this one gets; nil for memory of its own.
  @inlinable init(
    system: SystemRef<M>, cpu: Int?, seat: M.Seat, after old: UnsafeMutablePointer<Self>? = nil
  ) {
    self.system = system
    gateWord = system.gateWord
    role = cpu == nil ? .visitor : .cpu
    let configuration = system.configuration
    takesOwnMarks = cpu != nil && configuration.execution == .inline && !configuration.timing
    self.cpu = cpu ?? -1
    self.seat = seat
    let line = Self.wordsPerLine
    block = old?.pointee.block ?? .words(Self.lines * line)
    if old != nil { block.initialize(repeating: M.Word(0), count: Self.lines * line) }
    summary = block
    pending = block
    calls = block + line
    // Written seldom.
    offline = block + 2 * line
    parking = offline + 1
    epochs = block + 3 * line
    inflight = block + 4 * line
    rest = inflight + 1
    visit = block + 5 * line
    waiters = old?.pointee.waiters ?? .allocate(capacity: Self.nodes)
    takings = old?.pointee.takings ?? .allocate(capacity: Level.count)
    takings.initialize(repeating: Taking([], .init("", 0)), count: Level.count)
    tries = old?.pointee.tries ?? .allocate(capacity: Level.count)
    tries.initialize(repeating: 0, count: Level.count)
    statistics = old?.pointee.statistics ?? .allocate(capacity: Level.count)
    statistics.initialize(repeating: LevelCounters(), count: Level.count)
    base = old?.pointee.base ?? .allocate(capacity: 1)
    base.initialize(
      to: Context(
        parent: nil, slot: nil, kind: cpu == nil ? .visitor : .base, entry: .none, floor: .none, own: []))
    context = base
    for index in 0..<Self.nodes {
      (waiters + index).initialize(to: old == nil ? Waiter() : Waiter(after: waiters[index]))
    }
  }

  /// Gives the memory back. The agent holds nothing and nobody knows it any more.
  @inlinable mutating func deallocate() {
    for index in 0..<Self.nodes { waiters[index].deallocate() }
    waiters.deallocate()
    takings.deallocate()
    tries.deallocate()
    statistics.deallocate()
    base.deallocate()
    levelSeats?.deallocate()
    block.deallocate()
  }

  @inlinable var isCPU: Bool { role != .visitor }
  @inlinable var isLevelThread: Bool { role == .levelThread }

  @inlinable var standing: Standing {
    let c = context
    return Standing(
      kind: c.pointee.kind, entry: c.pointee.entry, ipl: ipl, floor: c.pointee.floor, own: c.pointee.own,
      held: held, lockedThrough: c.pointee.lockedThrough)
  }
}

extension UnsafeMutablePointer where Pointee: MachineWord {
  /// `count` words of 0 at the start of a cache line, with nothing else on their last one.
  @inlinable static func words(_ count: Int) -> Self {
    // Eight words begin together also where a word is larger than the machine's own (the simulated machine's).
    let alignment = Swift.max(64, 8 * MemoryLayout<Pointee>.stride)
    let size = (count * MemoryLayout<Pointee>.stride + alignment - 1) / alignment * alignment
    let raw = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
    let words = raw.bindMemory(to: Pointee.self, capacity: count)
    words.initialize(repeating: Pointee(0), count: count)
    return words
  }
}

/// What a level did on one agent. Plain counters: written by the agent's own thread, read when it stands still or
/// approximately.
@frozen public struct LevelCounters: Sendable {
  /// Exact raises and dispatches that took this level's gate.
  public var taken: UInt64 = 0
  /// Cumulative raises to this level that took gates: this level's and those below it that were missing.
  public var raisedThrough: UInt64 = 0
  /// How often this level's gate was waited for.
  public var contended: UInt64 = 0
  /// Dispatches that found the gate busy and left a mark.
  public var delegated: UInt64 = 0
  /// Times this agent, leaving, handed the gate to a waiter.
  public var handedOff: UInt64 = 0
  /// Times this agent, leaving, passed over a waiter that was serving.
  public var passedOver: UInt64 = 0
  /// Handlers that this agent ran for others, under its hold of the gate.
  public var drained: UInt64 = 0
  /// Runs of handlers at this level.
  public var runs: UInt64 = 0
  /// Waiting for the gate, in nanoseconds.
  public var waitTime: UInt64 = 0
  /// Running handlers, in nanoseconds.
  public var runTime: UInt64 = 0
  /// Times that the level had to pause for lower ones.
  public var throttled: UInt64 = 0
  /// Raises of an ordered handler to below its own level: correct code does this in shared subroutines only.
  public var suspect: UInt64 = 0

  /// All counters 0.
  @inlinable public init() {}
}
