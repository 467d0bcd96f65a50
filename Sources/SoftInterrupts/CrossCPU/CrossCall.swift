// Cross-calls: a function that runs on another CPU, at a level.
//
// Law: a cross-call's function is MP-safe: it takes no gate of its level. Calls to one CPU and level run in the order in which
// they were made. A call that waits has a place in the order (a wait for CPUs), or is refused.

/// One call on its way, linked into its CPU's list by its address. Who waits for it keeps it on its own stack, where the answer is
/// part of it: one line goes to the CPU that runs it and comes back. Without a waiter it is on the heap, and whoever runs or drops it
/// gives it back.
@usableFromInline struct CrossCall<M: Machine> {
  @usableFromInline let body: (borrowing Here<M>) -> Void
  @usableFromInline var next: UInt = 0
  /// Nil if nobody waits.
  @usableFromInline let waiter: M.Seat?
  /// A `CrossCallState`.
  @usableFromInline var state = M.Word(CrossCallState.onItsWay)

  @inlinable init(waiter: M.Seat?, _ body: @escaping (borrowing Here<M>) -> Void) {
    self.body = body
    self.waiter = waiter
  }

  /// The call's answer.
  @inlinable static func answer(_ call: UnsafeMutablePointer<Self>) -> UnsafeMutablePointer<M.Word> {
    // Safe: a stored property of a structure without observers has an address.
    call.pointer(to: \.state)!
  }

  /// Runs the call, or drops it, and tells the waiter if there is one. It may go then, and take the call with it: nothing of it is touched after.
  @inlinable
  static func end(
    _ call: UnsafeMutablePointer<Self>, as state: UInt, _ run: ((borrowing Here<M>) -> Void) -> Void
  ) {
    guard let waiter = call.pointee.waiter else {
      let body = call.pointee.body
      call.deinitialize(count: 1)
      call.deallocate()
      return run(body)
    }
    run(call.pointee.body)
    M.touches(call, part: 1, .write)
    // Release: pairs with the waiter's acquire, after which it gives the memory back. One change of the word tells it and learns whether it
    // sleeps: either this comes first and the waiter's last look before its sleep finds it, or that is found here.
    let old = answer(call).exchange(state, .release)
    if old == CrossCallState.awaited { M.unpark(waiter) }
  }
}

/// What became of a call that is waited for.
@usableFromInline enum CrossCallState {
  @inlinable static var onItsWay: UInt { 0 }
  @inlinable static var hasRun: UInt { 1 }
  /// Its CPU has left, and nobody will run it.
  @inlinable static var dropped: UInt { 2 }
  /// On its way, and who waits for it sleeps, or is about to: it is to be rung.
  @inlinable static var awaited: UInt { 3 }

  @inlinable static func isEnd(_ state: UInt) -> Bool { state == hasRun || state == dropped }
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
    let call = UnsafeMutablePointer<CrossCall<M>>.allocate(capacity: 1)
    call.initialize(to: CrossCall<M>(waiter: nil, body))
    return post(call, cpu, level, existingAgent())
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
    // On lines of its own, for the life of this frame, which ends after the answer. Asked for with this alignment it would come from the heap: some
    // 700 instructions for each call.
    let line = Swift.max(64, MemoryLayout<CrossCall<M>>.alignment)
    let lines = (MemoryLayout<CrossCall<M>>.size + line - 1) / line * line
    return withUnsafeTemporaryAllocation(byteCount: lines + line, alignment: 16) { memory in
      let call = memory.baseAddress!.alignedUp(toMultipleOf: line).bindMemory(
        to: CrossCall<M>.self, capacity: 1)
      call.initialize(to: CrossCall<M>(waiter: agent.p.pointee.seat, body))
      defer { call.deinitialize(count: 1) }
      return postAndWait(call, cpu, level, agent)
    }
  }

  @inlinable func postAndWait(
    _ call: UnsafeMutablePointer<CrossCall<M>>, _ cpu: Int, _ level: Level, _ agent: AgentRef<M>
  ) -> Bool {
    let answer = CrossCall<M>.answer(call)
    M.touches(call, part: 1, .fresh)
    defer { M.touches(call, part: 1, .write) }
    // Relaxed, but for the last look.
    let hasEnded = { CrossCallState.isEnd(answer.load(.relaxed)) }
    // It fails if the answer has come, which is looked for next.
    let willSleep = {
      if !Mutant.isOn(.awaitUnsaid) {
        _ = answer.compareExchange(CrossCallState.onItsWay, CrossCallState.awaited, .relaxed)
      }
    }
    if post(call, cpu, level, agent) {
      agent.serveUntil({ hasEnded() || self.mayHaveLeft(agent) }, willSleep)
    }
    if !hasEnded() {
      // The system stops, or has: who would run the call may have left. Who takes the list finishes all calls in it, and whether
      // that is us or another, ours among them; its memory is ours until then.
      dropCalls(cpu, level)
      agent.serveUntil(hasEnded, willSleep)
    }
    // Acquire: pairs with the exchange after the body.
    return answer.load(.acquire) == CrossCallState.hasRun
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
  @inlinable func post(
    _ call: UnsafeMutablePointer<CrossCall<M>>, _ cpu: Int, _ level: Level, _ agent: AgentRef<M>?
  ) -> Bool {
    let home = self.agent(ofCPU: cpu)
    let list = home.p.pointee.calls + Int(level.rawValue)
    // Both lines of the CPU's that are changed here.
    M.willWrite(home.summary)
    M.willWrite(list)
    let address = UInt(bitPattern: call)
    M.touches(address, .fresh)
    // Release: publishes the call to the exchange that takes the list.
    while true {
      let head = list.load(.relaxed)
      call.pointee.next = head
      if list.compareExchange(head, address, .release) { break }
    }
    let slot = slots[Int(level.rawValue) * UInt.bitWidth + InternalSlots.crossCalls]!
    // Relaxed: it changes at a shutdown only, and the schedule compares it again.
    let handler = Handler<M>(slot: slot, generation: slot.pointee.generation.load(.relaxed) | 1)
    switch handler.markElsewhere(cpu: cpu, from: agent) {
    case .notEstablished:
      // Shut down. Who takes the list drops the calls; this one may be among them or not, but nobody will run it.
      return false
    case .scheduled, .coalesced, .offline: break
    }
    if let agent, agent == home { agent.recognise() }
    return true
  }
}

extension AgentRef {
  /// Runs the calls that have come for a level, oldest first.
  @inlinable func runCrossCalls(_ level: Level) {
    // The CPU's list, also in a level's own thread.
    let list = system.agent(ofCPU: cpu).p.pointee.calls + Int(level.rawValue)
    // Acquire: pairs with the release in `post`.
    var next = list.exchange(0, .acquire)
    var oldest: UnsafeMutablePointer<CrossCall<M>>?
    while let call = UnsafeMutablePointer<CrossCall<M>>(bitPattern: next) {
      M.touches(next, .write)
      // Read, then answered in: it comes once.
      M.willWrite(call)
      next = call.pointee.next
      // A lone call's line is only read.
      if oldest != nil || call.pointee.next != 0 { call.pointee.next = UInt(bitPattern: oldest) }
      oldest = call
    }
    while let call = oldest {
      oldest = UnsafeMutablePointer(bitPattern: call.pointee.next)
      CrossCall<M>.end(call, as: CrossCallState.hasRun) { $0(Here(self)) }
      recognise()
    }
  }
}
