// Cross-calls: a function that runs on another CPU, at a level.
//
// Law: a cross-call's function is MP-safe: it takes no gate of its level. Calls to one CPU and level run in the order in which
// they were made. A call that waits has a place in the order (a wait for CPUs), or is refused.

/// One call on its way. Linked into its CPU's list by its address; the list holds it.
@usableFromInline final class CrossCall<M: Machine> {
  @usableFromInline let body: (borrowing Here<M>) -> Void
  @usableFromInline var next: UInt = 0
  /// A `CrossCallState`; nil for a call that nobody waits for.
  @usableFromInline let done: UnsafeMutablePointer<M.Word>?
  @usableFromInline let waiter: M.Seat?

  @inlinable init(
    done: UnsafeMutablePointer<M.Word>?, waiter: M.Seat?, _ body: @escaping (borrowing Here<M>) -> Void
  ) {
    self.body = body
    self.done = done
    self.waiter = waiter
  }

  /// Tells the waiter, if there is one. It may go then, and take the word with it: nothing of it is touched after.
  @inlinable func finish(_ state: UInt) {
    guard let done else { return }
    let waiter = waiter
    M.touches(done, .write)
    // Release: pairs with the waiter's acquire, after which it frees the word.
    done.store(state, .release)
    if let waiter { M.unpark(waiter) }
  }
}

/// What became of a call that is waited for.
@usableFromInline enum CrossCallState {
  @inlinable static var onItsWay: UInt { 0 }
  @inlinable static var hasRun: UInt { 1 }
  /// Its CPU has left, and nobody will run it.
  @inlinable static var dropped: UInt { 2 }
}

extension InterruptSystem {
  /// Runs `body` on a CPU at `level`, later; does not wait. Any thread and level but signal handlers. Allocates.
  ///
  /// - Returns: false if the system has been shut down; `body` has then run before its end, or never will.
  @discardableResult
  @inlinable public func crossCall(
    on cpu: Int, at level: Level, _ body: @escaping @Sendable (borrowing Here<M>) -> Void
  ) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "crossCall: no such CPU")
    precondition(level != .none, "crossCall: not at level none; submit base code instead")
    return post(CrossCall<M>(done: nil, waiter: nil, body), cpu, level)
  }

  /// Runs `body` on a CPU at `level` and waits for its end, serving meanwhile. On the calling CPU it is called at once.
  ///
  /// A wait for CPUs: refused (false) unless `level` is above every gate held and above the IPL. False also if the system was shut
  /// down before the call could run; then it never will.
  @discardableResult
  @inlinable public func crossCallAndWait(
    on cpu: Int, at level: Level, file: StaticString = #fileID, line: UInt = #line,
    _ body: @escaping @Sendable (borrowing Here<M>) -> Void
  ) -> Bool {
    precondition(cpu >= 0 && cpu < cpuCount, "crossCallAndWait: no such CPU")
    precondition(level != .none, "crossCallAndWait: not at level none")
    let agent = currentAgent()
    if let rule = GateOrder.waitForCPUs(agent.standing, at: level) {
      report(rule, agent, level, "a cross-call to CPU \(cpu)", .init(file, line))
      return false
    }
    let done = UnsafeMutablePointer<M.Word>.words(1)
    M.touches(done, .fresh)
    defer {
      M.touches(done, .write)
      done.deallocate()
    }
    let call = CrossCall<M>(done: done, waiter: agent.p.pointee.seat, body)
    let isPosted = post(call, cpu, level)
    // Relaxed, but for the last look.
    if isPosted {
      agent.serveUntil { done.load(.relaxed) != CrossCallState.onItsWay || self.mayHaveLeft(agent) }
    }
    if done.load(.relaxed) == CrossCallState.onItsWay {
      // The system stops, or has: who would run the call may have left. Who takes the list finishes all calls in it, and whether
      // that is us or another, ours among them; its word is ours until then.
      dropCalls(cpu, level)
      agent.serveUntil { done.load(.relaxed) != CrossCallState.onItsWay }
    }
    // Acquire: pairs with the store after the body.
    return done.load(.acquire) == CrossCallState.hasRun
  }

  /// Whether the CPUs (for a level's thread: the level threads) may have left, so that a call to one may wait for ever.
  @inlinable func mayHaveLeft(_ agent: AgentRef<M>) -> Bool {
    let flag = configuration.execution == .threads ? Self.levelThreadsMayStop : Self.cpusMayLeave
    return stopping.load(.relaxed) & flag != 0
  }

  /// Waits until everything that runs at `level` or above on any CPU when this is called has ended: the CPUs first, holding
  /// nothing, then the gates `level` … `high`, each entered and left. False if it was refused.
  @discardableResult
  @inlinable public func barrier(
    at level: Level, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    let agent = currentAgent()
    let site = Violation.Site(file, line)
    if let rule = GateOrder.waitForCPUs(agent.standing, at: level) {
      report(rule, agent, level, "a barrier", site)
      return false
    }
    for above in Level.allCases where above >= level && above != .none {
      waitForCPUs(at: above, agent)
    }
    for above in Level.allCases where above >= level && above != .none {
      raise(exactly: above, file: file, line: line) { _ in }
    }
    return true
  }

  /// Links a call and asks its CPU to look. False, and nothing done, if the system is shut down.
  @inlinable func post(_ call: CrossCall<M>, _ cpu: Int, _ level: Level) -> Bool {
    let home = agent(ofCPU: cpu)
    let list = home.p.pointee.calls + Int(level.rawValue)
    let address = UInt(bitPattern: Unmanaged.passRetained(call).toOpaque())
    M.touches(address, .fresh)
    // Release: publishes the call to the exchange that takes the list.
    var head = list.load(.relaxed)
    repeat {
      head = list.load(.relaxed)
      call.next = head
    } while !list.compareExchange(head, address, .release)
    let slot = slots[Int(level.rawValue) * UInt.bitWidth + InternalSlots.crossCalls]!
    // Relaxed: it changes at a shutdown only, and the schedule compares it again.
    let handler = Handler<M>(slot: slot, generation: slot.pointee.generation.load(.relaxed) | 1)
    switch handler.schedule(on: cpu) {
    case .notEstablished:
      // Shut down. Who takes the list drops the calls; this one may be among them or not, but nobody will run it.
      return false
    case .scheduled, .coalesced, .offline: break
    }
    if let agent = existingAgent(), agent == home { agent.recognise() }
    return true
  }
}

extension AgentRef {
  /// Runs the calls that have come for a level, oldest first.
  @inlinable func runCrossCalls(_ level: Level) {
    // The CPU's list, also in a level's own thread.
    let list = system.agent(ofCPU: cpu).p.pointee.calls + Int(level.rawValue)
    // Acquire: pairs with the release in `post`.
    var address = list.exchange(0, .acquire)
    var reversed: UInt = 0
    while address != 0 {
      M.touches(address, .write)
      let call = Self.call(at: address)
      let next = call.next
      call.next = reversed
      reversed = address
      address = next
    }
    while reversed != 0 {
      let call = Unmanaged<CrossCall<M>>.fromOpaque(UnsafeRawPointer(bitPattern: reversed)!)
        .takeRetainedValue()
      reversed = call.next
      call.body(Here(self))
      call.finish(CrossCallState.hasRun)
      recognise()
    }
  }

  @inlinable static func call(at address: UInt) -> CrossCall<M> {
    // Safe: the list holds a retained reference of each call whose address is in it.
    Unmanaged<CrossCall<M>>.fromOpaque(UnsafeRawPointer(bitPattern: address)!).takeUnretainedValue()
  }
}
