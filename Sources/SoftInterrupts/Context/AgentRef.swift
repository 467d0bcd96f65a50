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
    UnsafeRawPointer(p).loadUnaligned(fromByteOffset: Self.asksOffset, as: UInt64.self)
  }
  /// The first four bytes of `notices`.
  @inlinable @inline(__always) var asks: UInt32 {
    get { UnsafeRawPointer(p).loadUnaligned(fromByteOffset: Self.asksOffset, as: UInt32.self) }
    // One store of the width that the loads have: they need not wait for it to leave the processor's store buffer.
    nonmutating set {
      UnsafeMutableRawPointer(p).storeBytes(of: newValue, toByteOffset: Self.asksOffset, as: UInt32.self)
    }
  }
  /// The other four.
  @inlinable @inline(__always) var otherNotices: UInt32 {
    UnsafeRawPointer(p).loadUnaligned(fromByteOffset: Self.asksOffset + 4, as: UInt32.self)
  }
  @inlinable @inline(__always) static var asksOffset: Int {
    MemoryLayout<Agent<M>>.offset(of: \.bigLockNotes).unsafelyUnwrapped
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

  /// Asks this agent's CPU to look at a level again: the hint, then the doorbell if it needs one.
  ///
  /// Bit, then look whether it sleeps; a CPU says that it is about to sleep, and looks at the bits (`saysItParks`). Both change the
  /// summary in between, and of two changes of one word the later one sees the earlier: so either the sleeper finds the bit, or (acquire) we
  /// find that it sleeps. No fence is needed.
  ///
  /// The release pairs with the acquire of the CPU's clearing of the bit, so it sees what was published before.
  /// - Parameter isHere: it is the caller itself, whom a ring could only tell to wake up again.
  @inlinable @inline(__always) func ring(_ level: Level, isHere: Bool = false) {
    M.announces(summary, Self.bit(level))
    summary.fetchOr(Self.bit(level), .acquireRelease)
    if let seats = p.pointee.levelSeats {
      M.unpark(seats[Int(level.rawValue)])
    } else if parks || M.interruptsByRinging && !isHere {
      M.unpark(p.pointee.seat)
    }
  }

  /// Whether this CPU sleeps or is about to. Asked by who has just changed its summary, and acquired it. (If this is still 1 when it is awake
  /// again, it is rung once too often.)
  @inlinable var parks: Bool { p.pointee.parking.load(.relaxed) != 0 && !Mutant.isOn(.noParkLook) }

  /// Says that this CPU is about to sleep, before it looks for the last time. See ``ring(_:isHere:)``. Acquire: what was marked before a bit
  /// is found by a look at `pending` too. (Who sleeps on top of it takes it back: whom it interrupts is rung, see `interruptArrived`.)
  @inlinable func saysItParks() {
    p.pointee.parking.store(1, .relaxed)
    if M.interruptsByRinging {
      // Others ring in any case; who asks is this very thread, in what interrupts it.
      M.localFence()
    } else {
      let old = summary.rewrite(.acquireRelease)
      M.looks(summary, old & Self.bits(above: .none))
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
