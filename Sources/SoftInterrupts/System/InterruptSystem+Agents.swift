// Who is calling: the CPU of this thread, or a visitor made for it on demand.
//
// Law: `M.current` is nil or an agent of some system that belongs to the calling thread. A thread holds gates of one system
// at a time; a visitor's agent of another system is put aside when it holds nothing.

extension InterruptSystem {
  /// The agent of the calling thread, made if need be. One load and one compare when it exists.
  @inlinable @inline(__always) func currentAgent() -> AgentRef<M> { core.currentAgent() }

  /// The agent of the calling thread, if it has one of this system.
  @inlinable func existingAgent() -> AgentRef<M>? { core.existingAgent() }

  /// Makes the calling thread a visitor of this system. Never waits; allocates at a thread's first visit.
  @inlinable @inline(never) func visitorAgent() -> AgentRef<M> {
    if let current = M.current {
      let other = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
      if other.system == .gone {
        // Nothing is left of it.
      } else if other.isCPU || !other.held.isEmpty || other.context != other.p.pointee.base {
        other.system.object.report(.twoSystems, other, .none, "another system", .init("", 0), mustTrap: true)
      }
      if other.system != .gone { other.system.object.endVisit(other) }
    }
    var found: UnsafeMutablePointer<Agent<M>>?
    lockedVisitors {
      found = idleVisitors.popLast()
    }
    if found == nil {
      let made = UnsafeMutablePointer<Agent<M>>.allocate(capacity: 1)
      made.initialize(to: Agent(system: core, cpu: nil, seat: machine.makeVisitorSeat()))
      lockedVisitors { visitors.append(made) }
      found = made
    }
    M.setCurrent(found)
    return AgentRef(found!)
  }

  /// Takes a visitor's agent back. It holds nothing. Called when its thread visits another system or ends.
  @inlinable func endVisit(_ agent: AgentRef<M>) {
    if agent.isCPU { return }
    precondition(agent.held.isEmpty, "a thread ended while it held gates: leave every raise first")
    M.setCurrent(nil)
    lockedVisitors { idleVisitors.append(agent.p) }
  }

  /// For machines: the thread whose `M.current` was this pointer has ended.
  @inlinable public static func threadEnded(_ current: UnsafeMutableRawPointer) {
    let agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
    if agent.system != .gone { agent.system.object.endVisit(agent) }
  }

  /// Visitors are no CPU, so nothing interrupts this but signals, which take no locks; a CPU is at IPL `high` inside.
  @inlinable func lockedVisitors(_ body: () -> Void) {
    if let agent = existingAgent() {
      agent.locked(visitorLock, body)
    } else {
      spinLock(M.self, visitorLock)
      body()
      visitorLock.store(0, .release)
    }
  }

  /// Whether no visitor has a schedule in flight.
  @inlinable func visitorsAreQuiet() -> Bool {
    var quiet = true
    lockedVisitors {
      for visitor in visitors where visitor.pointee.inflight.load(.acquire) != 0 { quiet = false }
    }
    return quiet
  }
}
