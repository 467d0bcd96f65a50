// The one handle through which an agent's memory is reached.
//
// An agent is never accessed as a whole (`inout`): what interrupts its thread accesses the same fields, so each access
// here is of a single field, through the pointer.

@frozen @usableFromInline struct AgentRef<M: Machine>: Equatable {
  @usableFromInline let p: UnsafeMutablePointer<Agent<M>>
  @inlinable @inline(__always) init(_ p: UnsafeMutablePointer<Agent<M>>) { self.p = p }

  @inlinable @inline(__always) var ipl: Level {
    get { p.pointee.ipl }
    nonmutating set { p.pointee.ipl = newValue }
  }
  @inlinable @inline(__always) var held: GateSet {
    get { p.pointee.held }
    nonmutating set { p.pointee.held = newValue }
  }
  @inlinable @inline(__always) var context: UnsafeMutablePointer<Context<M>> {
    get { p.pointee.context }
    nonmutating set { p.pointee.context = newValue }
  }
  @inlinable @inline(__always) var system: SystemRef<M> { p.pointee.system }
  @inlinable @inline(__always) var isCPU: Bool { p.pointee.isCPU }
  /// Whatever keeps a recognition point from serving just what the summary asks: big-lock work put off or aged, levels that pause, a
  /// wait of asynchronous work, no run to start, no CPU; 0 if there is none. A look that is followed by another at what it found.
  @inlinable @inline(__always) var notices: UInt64 {
    // The bytes from `bigLockNotes` on (LayoutTests).
    UnsafeRawPointer(p).loadUnaligned(
      fromByteOffset: MemoryLayout<Agent<M>>.offset(of: \.bigLockNotes).unsafelyUnwrapped, as: UInt64.self)
  }
  @inlinable var cpu: Int { p.pointee.cpu }
  @inlinable var standing: Standing { p.pointee.standing }
  @inlinable @inline(__always) var summary: UnsafeMutablePointer<M.Word> { p.pointee.summary }

  @inlinable func pending(_ level: Level) -> UnsafeMutablePointer<M.Word> {
    p.pointee.pending + Int(level.rawValue)
  }
  @inlinable func counters(_ level: Level) -> UnsafeMutablePointer<LevelCounters> {
    p.pointee.statistics + Int(level.rawValue)
  }

  /// The bits of a summary that are above a level.
  @inlinable static func bits(above level: Level) -> UInt { ~0 &<< (UInt(level.rawValue) &+ 1) }
  /// The bit of a level.
  @inlinable static func bit(_ level: Level) -> UInt { 1 &<< UInt(level.rawValue) }

  /// Asks this agent's CPU to look at a level again: the hint, then the doorbell.
  ///
  /// The release pairs with the acquire of the CPU's clearing of the bit, so it sees what was published before.
  @inlinable func ring(_ level: Level) {
    M.announces(summary, Self.bit(level))
    summary.fetchOr(Self.bit(level), .release)
    unpark(level)
  }

  /// Wakes whoever serves a level of this CPU.
  @inlinable @inline(__always) func unpark(_ level: Level) {
    if let seats = p.pointee.levelSeats {
      M.unpark(seats[Int(level.rawValue)])
    } else {
      M.unpark(p.pointee.seat)
    }
  }

  /// Work of this CPU was taken off it: if it waits for just that to go offline, it looks again. The taking comes before the light
  /// fence, the flag before the heavy one and a ring: so either the flag is seen here, or that ring comes after the taking.
  @inlinable func ringIfLeaving() {
    M.light()
    if p.pointee.offline.load(.relaxed) != OfflineState.inUse { M.unpark(p.pointee.seat) }
  }

  /// Runs `body` under a queue's lock, at IPL `high`: whoever interrupted this CPU inside could want the lock too.
  @inlinable func locked<R>(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, _ body: (UnsafeMutablePointer<GateQueue<M>>) -> R
  ) -> R {
    locked(queue.pointee.lock) { body(queue) }
  }

  /// Runs `body` at IPL `high`: for changes of what an interrupting context changes for good. The fences keep the compiler from
  /// moving it out.
  @inlinable func uninterrupted<R>(_ body: () -> R) -> R {
    let saved = ipl
    ipl = .high
    M.localFence()
    let result = body()
    M.localFence()
    ipl = saved
    return result
  }

  /// Runs `body` under a core-internal lock, at IPL `high`.
  @inlinable func locked<R>(_ lock: UnsafeMutablePointer<M.Word>, _ body: () -> R) -> R {
    uninterrupted { spinLocked(M.self, lock, body) }
  }
}
