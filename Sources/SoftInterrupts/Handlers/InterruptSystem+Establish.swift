// Establishing handlers, changing their way in, suspending and disestablishing them.
//
// Law: what is changed here is changed between runs. Who changes an ordered or big-lock handler of level X says so first and
// then enters gate X; who changes an MP-safe one waits for the CPUs at X. Both have a place in the order, or are refused.

/// Why a handler could not be established.
public enum EstablishError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Handlers run at `softClock` … `high`, not in base code.
  case levelNone
  /// All slots of the level are in use.
  case tooMany(Level, limit: Int)
  /// With `Execution.threads` there are no gates.
  case threadsAreMPSafe
  /// With `Execution.threads` no token would be true.
  case threadsHaveNoGates
  /// The system has been shut down.
  case shutDown

  @inlinable public var description: String {
    switch self {
    case .levelNone:
      "no handler can be established at level none: base code runs there; choose softClock or above"
    case .tooMany(let level, let limit):
      "all \(limit) handlers of level \(level) are established: disestablish one, or let one handler serve several sources"
    case .threadsAreMPSafe: "with execution by threads handlers are .mpSafe and bring explicit locks"
    case .threadsHaveNoGates:
      "with execution by threads there are no gates for a token to stand for: establish at a Level, untyped"
    case .shutDown: "the system has been shut down: establish handlers before shutdown()"
    }
  }
}

/// What became of a change of a handler.
public enum ChangeResult: Sendable, Equatable {
  /// Done. `dropped`: on how many CPUs it was pending and will not run.
  case done(dropped: Int)
  /// The handler has been disestablished, or has ended itself. Nothing was done.
  case notEstablished
  /// The wait it needs is out of order here; the witness has said so. Nothing was changed.
  case refused
}

extension InterruptSystem {
  /// How many handlers one level can have.
  @inlinable public static var handlersPerLevel: Int { UInt.bitWidth / 2 - InternalSlots.count }

  /// Establishes a handler.
  ///
  /// - Parameters:
  ///   - name: for the witness and the statistics.
  ///   - level: at which it runs; not `none`.
  ///   - way: which gates its dispatch takes.
  ///   - placement: whether only the CPU it was scheduled on may run it.
  ///   - body: runs to completion at `level`. It must not wait for anything but the order's own waits.
  /// - Returns: a handle; it stays valid to ask after the handler is gone.
  /// - Note: May be called at any level but in a signal handler. Allocates. O(1).
  @inlinable public func establish(
    _ name: String, at level: Level, as way: WayIn, _ placement: Placement = .bound,
    _ body: @escaping (borrowing Here<M>) -> Void
  ) throws(EstablishError) -> Handler<M> {
    if level == .none { throw .levelNone }
    if configuration.execution == .threads && way != .mpSafe { throw .threadsAreMPSafe }
    return try occupy(InternalSlots.mask, name, at: level, as: way, placement, body)
  }

  /// Takes a slot outside (or, for the core's own handlers, inside) the internal ones.
  @inlinable func occupy(
    _ excluded: UInt, _ name: String, at level: Level, as way: WayIn, _ placement: Placement,
    _ body: @escaping (borrowing Here<M>) -> Void
  ) throws(EstablishError) -> Handler<M> {
    let ways = ways(level)
    reclaim(level)
    var found: Handler<M>?
    var old: HandlerBody<M>?
    let body = HandlerBody(body)
    var isDown = false
    lockedTable {
      isDown = isShutDown
      let free = PendingWord.handlers & ~ways.used.load(.relaxed) & ~excluded
      guard !isDown, free != 0 else { return }
      let index = free.trailingZeroBitCount
      let slot = slotMemory(level, index)
      ways.used.fetchOr(slot.pointee.bit, .relaxed)
      M.touches(slot, .write)
      M.touches(slot, part: 1, .write)
      slot.pointee.name = name
      slot.pointee.isBound = placement == .bound
      slot.pointee.suspensions = 0
      slot.pointee.retiring = false
      old = slot.replaceBody(body)
      slot.pointee.clearStatistics(cpuCount)
      for cpu in 0..<cpuCount {
        let claims = PendingWord.claims(agent(ofCPU: cpu).pending(level).load(.relaxed))
        slot.pointee.beginOrder(cpu, claims: claims)
      }
      if placement == .anywhere { ways.anywhere.fetchOr(slot.pointee.bit, .relaxed) }
      // Relaxed: the handle brings the fields above to who schedules, and that to who runs it.
      let generation = slot.pointee.generation.fetchAdd(1, .relaxed) &+ 1
      ways.set(slot.pointee.bit, way)
      found = Handler(slot: slot, generation: generation)
    }
    // The last owner's body dies outside the lock.
    withExtendedLifetime(old) {}
    if isDown { throw .shutDown }
    guard let found else { throw .tooMany(level, limit: Self.handlersPerLevel) }
    return found
  }

  /// Disestablishes a handler: when this returns `.done`, it does not run and never will again.
  ///
  /// For an ordered, disjoint or big-lock handler this *is* entering the gate of its level; for an MP-safe one it is a wait
  /// for the CPUs at its level. So it is called where raising to that level is in order. What was pending is dropped and
  /// counted. From inside the handler itself use ``Here/retire()``.
  @discardableResult
  @inlinable public func disestablish(
    _ handler: Handler<M>, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    var body: HandlerBody<M>?
    let result = change(handler, .init(file, line)) { slot, ways in
      // Relaxed: the claims below, and the heavy fence before the slot's reuse, come after it.
      slot.pointee.generation.fetchAdd(1, .relaxed)
      ways.set(slot.pointee.bit, nil)
      let dropped = self.clearPending(slot)
      // No run is under way and none can start: the body may go. It dies outside of any lock.
      M.touches(slot, part: 1, .write)
      body = slot.replaceBody()
      // Or the next owner of the slot would be suspended for ever.
      slot.pointee.suspensions = 0
      self.quarantine(slot)
      return .done(dropped: dropped)
    }
    withExtendedLifetime(body) {}
    return result
  }

  /// Changes the way in of a live handler, between runs. What is pending runs under the new way.
  @discardableResult
  @inlinable public func setWay(
    _ way: WayIn, of handler: Handler<M>, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    if Mutant.isOn(.changeAtOnce) { ways(handler.slot.pointee.level).set(handler.slot.pointee.bit, way) }
    return change(handler, .init(file, line)) { slot, ways in
      ways.set(slot.pointee.bit, way)
      return .done(dropped: 0)
    }
  }

  /// Keeps a handler from running until ``resume(_:)`` has been called as often; when this returns `.done`, no run is under way.
  /// Schedules are kept. In order where raising to the handler's level is.
  @discardableResult
  @inlinable public func suspend(
    _ handler: Handler<M>, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    change(handler, .init(file, line)) { slot, _ in
      slot.pointee.suspensions = slot.pointee.suspensions + 1
      return .done(dropped: 0)
    }
  }

  /// Ends one suspension; with the last one what became pending meanwhile is run. Any level.
  @inlinable @discardableResult public func resume(_ handler: Handler<M>) -> ChangeResult {
    let slot = handler.slot
    var result = ChangeResult.notEstablished
    lockedTable {
      guard slot.pointee.generation.load(.relaxed) == handler.generation, slot.pointee.suspensions > 0
      else { return }
      slot.pointee.suspensions = slot.pointee.suspensions - 1
      if slot.pointee.suspensions == 0 && slot.pointee.changes == 0 {
        // Release: what was done while it was suspended is seen by who finds it admitted again.
        ways(slot.pointee.level).suspended.fetchAnd(~slot.pointee.bit, .release)
      }
      result = .done(dropped: 0)
    }
    if result != .notEstablished { ringPending(handler) }
    return result
  }

  // MARK: -

  /// Excludes every run of a handler, in order, and calls `body` meanwhile, under the table lock: changers exclude each other,
  /// also those of an MP-safe handler, which wait for the CPUs side by side.
  @inlinable func change(
    _ handler: Handler<M>, _ site: Violation.Site,
    _ body: (UnsafeMutablePointer<HandlerSlot<M>>, Ways<M>) -> ChangeResult
  ) -> ChangeResult {
    let slot = handler.slot
    let level = slot.pointee.level
    let agent = currentAgent()
    let ways = ways(level)
    if agent.isRunning(slot) && !Mutant.isOn(.changeInside) {
      report(.changeFromInside, agent, level, slot.pointee.name, site)
      return .refused
    }
    while true {
      // Relaxed, here and below: what is done is looked at again under the table lock.
      guard slot.pointee.generation.load(.relaxed) == handler.generation else { return .notEstablished }
      let way = ways.way(of: slot.pointee.bit)
      if way == .mpSafe {
        if let rule = GateOrder.waitForCPUs(agent.standing, at: level) {
          report(rule, agent, level, nameForReport(handler), site)
          return .refused
        }
      } else if case .violation(let rule) = GateOrder.exact(agent.standing, to: level) {
        report(rule, agent, level, nameForReport(handler), site)
        return .refused
      }
      var isCurrent = false
      lockedTable {
        isCurrent =
          slot.pointee.generation.load(.relaxed) == handler.generation && !slot.pointee.retiring
          && ways.way(of: slot.pointee.bit) == way
        if isCurrent {
          // Keeps dispatch away while we wait. Relaxed: the gate, or the heavy fence of the wait, is between this and who might
          // not see it.
          slot.pointee.changes = slot.pointee.changes + 1
          ways.suspended.fetchOr(slot.pointee.bit, .relaxed)
        }
      }
      // Changed under us: look again.
      guard isCurrent else { continue }
      var result = ChangeResult.notEstablished
      var isRetry = false
      func finish() {
        self.lockedTable {
          // Another changer may have been here while we waited: it has ended the handler, or we have waited for the wrong thing.
          if slot.pointee.generation.load(.relaxed) == handler.generation {
            isRetry = ways.way(of: slot.pointee.bit) != way
            if !isRetry { result = body(slot, ways) }
          }
          slot.pointee.changes = slot.pointee.changes - 1
          if slot.pointee.suspensions == 0 && slot.pointee.changes == 0 {
            // Release: who finds it admitted again finds the way that it has now.
            ways.suspended.fetchAnd(~slot.pointee.bit, .release)
          }
        }
      }
      if way == .mpSafe {
        waitForCPUs(at: level, agent)
        finish()
      } else if Mutant.isOn(.noDrainOnDisestablish) {
        finish()
      } else {
        raise(exactly: level, file: site.file, line: site.line) { _ in finish() }
      }
      ringPending(handler)
      if !isRetry { return result }
    }
  }

  /// The name that a report shows. Copied under the table lock: the slot may have had its next owner meanwhile, who writes it there.
  @inlinable func nameForReport(_ handler: Handler<M>) -> String {
    var name = "a handler that has ended"
    lockedTable {
      if handler.slot.pointee.generation.load(.relaxed) == handler.generation {
        name = handler.slot.pointee.name
      }
    }
    return name
  }

  /// Rings each CPU on which the handler is pending: its mark may have been looked at under what was true before.
  @inlinable func ringPending(_ handler: Handler<M>) {
    let slot = handler.slot
    let level = slot.pointee.level
    // As a schedule: the slot gets no next owner meanwhile, whose marks would be taken for this one's.
    let inflight = existingAgent()?.p.pointee.inflight
    handler.enter(inflight)
    for cpu in 0..<cpuCount where handler.isCurrent {
      let home = agent(ofCPU: cpu)
      // A read-modify-write, not a load: a mark that it does not see comes later in the word's order, and so does the look
      // that the mark asks for, which then sees what was changed before (release).
      guard home.pending(level).rewrite(.release) & slot.pointee.bit != 0 else { continue }
      home.ring(level)
      // Change, then flag: as a schedule does, and the light fence is that of `enter`, which comes after the change too. A CPU that was
      // seen in use leaves only after it has seen the change, and does not then before it has run what is pending.
      if home.p.pointee.offline.load(.relaxed) != OfflineState.inUse { _ = reroute(handler, from: home) }
    }
    handler.exit(inflight)
    if let agent = existingAgent(), agent.isCPU { agent.recognise() }
  }

  /// Takes back what is pending; on how many CPUs.
  @inlinable func clearPending(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) -> Int {
    var dropped = 0
    for cpu in 0..<cpuCount {
      let word = agent(ofCPU: cpu).pending(slot.pointee.level)
      if PendingWord.claim(word, slot.pointee.bit) != nil {
        if !Mutant.isOn(.silentDrop) { dropped += 1 }
        agent(ofCPU: cpu).ringIfLeaving()
      }
    }
    return dropped
  }
}
