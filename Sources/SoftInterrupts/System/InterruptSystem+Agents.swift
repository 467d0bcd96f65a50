// Who is calling: the CPU of this thread, or a visitor made for it on demand.
//
// Law: `M.current` is nil or an agent of some system that belongs to the calling thread. A thread holds gates of one system
// at a time; a visitor's agent of another system is put aside when it holds nothing. A thread may keep an agent of a
// system that has gone: whoever comes second, the system or the thread, gives the memory back (`VisitState`).

/// The states of an agent's `visit` word.
@usableFromInline enum VisitState {
  /// With a thread.
  @inlinable static var taken: UInt { 0 }
  /// With nobody: the next visitor takes it.
  @inlinable static var idle: UInt { 1 }
  /// With a thread, and the system has gone: the thread gives the memory back.
  @inlinable static var orphaned: UInt { 2 }
}

extension InterruptSystem {
  /// The agent of the calling thread, made if need be. One load and one compare when it exists.
  @inlinable @inline(__always) func currentAgent() -> AgentRef<M> { core.currentAgent() }

  /// The agent of the calling thread, if it has one of this system.
  @inlinable func existingAgent() -> AgentRef<M>? { core.existingAgent() }

  /// Whether the calling thread is one of this system's CPUs.
  @inlinable public var isCPU: Bool { existingAgent()?.isCPU ?? false }

  /// The CPU that the calling thread is, counted from 0; nil for a thread that is none of this system's. Any level.
  @inlinable public var currentCPU: Int? {
    guard let agent = existingAgent(), agent.isCPU else { return nil }
    return agent.cpu
  }

  /// The gates that the calling context has taken or was dispatched with: those of its own frames, as ``Here/gates``, for code that
  /// no `Here` reaches, such as a C library that asks whether it is protected. Empty on a thread that is nothing here. Any level; three loads.
  @inlinable public var gates: GateSet { existingAgent()?.context.pointee.own ?? [] }

  /// Whether the calling context's own frames hold the gate of `level`: whether what it guards may be touched here. As ``gates``; always
  /// false with ``Execution/threads``, where there are none.
  @inlinable public func holds(_ level: Level) -> Bool { gates.contains(level.gate) }

  /// Makes the calling thread a visitor of this system. Never waits; allocates at a thread's first visit.
  @inlinable @inline(never) func visitorAgent() -> AgentRef<M> {
    if let current = M.current {
      let other = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
      let isInside = other.isCPU || !other.held.isEmpty || other.context != other.p.pointee.base
      if isInside && !Mutant.isOn(.manySystems) {
        other.system.object.report(.twoSystems, other, .none, "another system", .init("", 0), mustTrap: true)
      }
      if !isInside { other.endVisit() }
    }
    var found: UnsafeMutablePointer<Agent<M>>?
    var spare: UnsafeMutablePointer<Agent<M>>?
    lockedVisitors {
      // Acquire: pairs with the release of who was here before.
      found = visitors.first {
        $0.pointee.visit.compareExchange(VisitState.idle, VisitState.taken, .acquire)
      }
      if found == nil { spare = spareVisitors.popLast() }
    }
    if found == nil {
      let made = spare ?? .allocate(capacity: 1)
      made.initialize(
        to: Agent(system: core, cpu: nil, seat: machine.makeVisitorSeat(), after: spare))
      M.touches(made, .fresh)
      lockedVisitors { visitors.append(made) }
      found = made
    }
    M.touches(found!, .write)
    M.setCurrent(found)
    return AgentRef(found!)
  }

  /// For machines: the thread whose `M.current` was this pointer has ended.
  @inlinable public static func threadEnded(_ current: UnsafeMutableRawPointer) {
    AgentRef(current.assumingMemoryBound(to: Agent<M>.self)).endVisit()
  }

  /// The agents that no thread is with. Visitor lock held, so that none is taken meanwhile. Acquire: pairs with the release of who
  /// was here before.
  func idleVisitors() -> [UnsafeMutablePointer<Agent<M>>] {
    visitors.filter { visitor in
      guard visitor.pointee.visit.load(.acquire) == VisitState.idle else { return false }
      M.touches(visitor, .read)
      return true
    }
  }

  /// The system goes: agents that are with a thread are left to it.
  @inlinable func releaseVisitors() {
    for visitor in visitors {
      if visitor.pointee.visit.compareExchange(VisitState.taken, VisitState.orphaned, .acquireRelease) {
        continue
      }
      machine.releaseSeat(visitor.pointee.seat)
      visitor.pointee.deallocate()
      visitor.deallocate()
    }
    for spare in spareVisitors {
      spare.pointee.deallocate()
      spare.deallocate()
    }
  }

  @inlinable func lockedVisitors(_ body: () -> Void) { core.locked(visitorLock, body) }

  /// Whether no visitor has a schedule in flight.
  @inlinable func visitorsAreQuiet() -> Bool {
    var quiet = true
    lockedVisitors {
      for visitor in visitors where visitor.pointee.inflight.load(.acquire) != 0 { quiet = false }
    }
    return quiet
  }
}

extension AgentRef {
  /// Puts a visitor's agent aside. It holds nothing. Called by its thread when it visits another system or ends. Of the system
  /// nothing is touched: it may have gone, or go meanwhile.
  @usableFromInline func endVisit() {
    if isCPU { return }
    precondition(held.isEmpty, "a thread ended while it held gates: leave every raise first")
    M.setCurrent(nil)
    M.touches(p, .write)
    if p.pointee.visit.compareExchange(VisitState.taken, VisitState.idle, .acquireRelease) { return }
    p.pointee.deallocate()
    p.deallocate()
  }
}
