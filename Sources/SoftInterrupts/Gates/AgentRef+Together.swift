// An experiment: a raise of several gates that holds none of them while it waits.
//
// Law: who waits holds no gate of its set; what it holds is below all of them, as in the ordered way, so there is no cycle. It stands in the
// queue of the highest gate k that it found busy, at max(saved, k−1) (or at saved), and each try is of the whole set in one step.
//
// Nothing is lost: a try follows its announcement. If it fails, either k is held, and its holder's freeing comes later in the word's order and sees
// the announcement; or k is free and another gate is busy. Then it leaves k's queue and looks in the stead of who may have told it, so that
// who waits behind it is told. Who is handed k owns it: it tries the rest, and if that fails leaves k as any holder would.
// Bounded: after so many queues the ordered way is taken.

extension AgentRef {
  @inlinable @inline(never) func takeTogether(_ gates: GateSet, from saved: Level) {
    let word = p.pointee.gateWord
    var left = system.configuration.setRounds
    strike(gates)
    let isForBase = context.pointee.kind == .base
    while left > 0 {
      let busy = word.unavailable(gates)
      if busy.isEmpty {
        if tryAll(gates) { return }
        ipl = saved
        continue
      }
      left &-= 1
      let level = system.configuration.setLowest ? busy.lowest : busy.highest
      let waitLevel = system.configuration.setAtSaved ? saved : max(saved, level.below)
      if awaitTogether(gates, system.queue(level), at: waitLevel, forBase: isForBase) { return }
      self.counters(.none).pointee.setFailures &+= 1
    }
    self.counters(.none).pointee.setFallbacks &+= 1
    takeInOrder(gates, from: saved)
  }

  /// Waits for the busy gate alone, leaves it, and takes all in one step; after so many times in order.
  @inlinable @inline(never) func takeAfterBusy(_ gates: GateSet, from saved: Level) {
    let word = p.pointee.gateWord
    strike(gates)
    var left = system.configuration.setRounds
    let isForBase = context.pointee.kind == .base
    while left > 0 {
      let busy = word.unavailable(gates)
      if busy.isEmpty {
        if tryAll(gates) { return }
        ipl = saved
        continue
      }
      let level = system.configuration.setLowest ? busy.lowest : busy.highest
      // Holding none in any case.
      if level == gates.lowest { break }
      left &-= 1
      let waitLevel = max(saved, level.below)
      ipl = waitLevel
      acquire(system.queue(level), waitingAt: waitLevel, noting: level.gate, forBase: isForBase)
      leave(level.gate, keeping: held.subtracting(level.gate), returningTo: waitLevel)
      if tryAll(gates) { return }
      ipl = waitLevel
      self.counters(.none).pointee.setFailures &+= 1
    }
    self.counters(.none).pointee.setFallbacks &+= 1
    takeInOrder(gates, from: saved)
  }

  /// One try of all; the IPL is theirs if it succeeds.
  @inlinable func tryAll(_ gates: GateSet) -> Bool {
    ipl = gates.highest
    note(gates)
    if p.pointee.gateWord.take(gates) { return true }
    strike(gates)
    return false
  }

  /// As ``tryAll(_:)``, where the queue's gate may be kept for this CPU.
  @inlinable func tryAllKept(_ gates: GateSet, _ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    if tryAll(gates) { return true }
    let gate = queue.pointee.gate
    guard p.pointee.gateWord.isOnlyReserved(gate), takeReserved(queue) else { return false }
    return tryRest(gates, queue)
  }

  /// The queue's gate is ours: the rest as well, or none. The IPL is not what it was.
  @inlinable func tryRest(_ gates: GateSet, _ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    let gate = queue.pointee.gate
    note(gates)
    ipl = gates.highest
    if p.pointee.gateWord.take(gates.subtracting(gate)) { return true }
    strike(gates.subtracting(gate))
    ipl = queue.pointee.level
    return false
  }

  @inlinable func awaitTogether(
    _ gates: GateSet, _ queue: UnsafeMutablePointer<GateQueue<M>>, at waitLevel: Level, forBase isForBase: Bool
  ) -> Bool {
    let level = queue.pointee.level
    let gate = queue.pointee.gate
    let word = queue.pointee.word
    let counters = self.counters(level)
    counters.pointee.contended &+= 1
    let spinning = isCPU && !p.pointee.isLevelThread && !isForBase || !word.isAwaited(gate)
    let rounds = spinning ? min(system.configuration.spinRounds, 64) : 0
    var round = 0
    while round < rounds {
      if tryAll(gates) { return true }
      ipl = waitLevel
      recognise()
      M.pause(round)
      round &+= 1
    }
    precondition(p.pointee.waitDepth < Agent<M>.nodes, "more nested waits than gates")
    let node = p.pointee.waiters + p.pointee.waitDepth
    p.pointee.waitDepth += 1
    defer { p.pointee.waitDepth -= 1 }
    ipl = waitLevel
    node.pointee.agent = p
    node.pointee.passes = 0
    node.pointee.owesTry = false
    node.pointee.since = M.now()
    node.pointee.state.store(WaiterState.waiting, .relaxed)
    node.pointee.queue = queue
    locked(queue) {
      $0.append(node)
      p.pointee.waiting = node
    }
    var spins = spinning ? 0 : system.configuration.spinRounds
    while true {
      if node.pointee.state.load(.relaxed) == WaiterState.woken {
        if expectAll(gates, node, at: waitLevel) {
          took(queue, from: node)
          return true
        }
        spins = system.configuration.spinRounds
      }
      if node.pointee.state.load(.relaxed) == WaiterState.woken {
        node.pointee.owesTry = true
        M.localFence()
        _ = node.pointee.state.compareExchange(WaiterState.woken, WaiterState.waiting, .relaxed)
      }
      if word.announce(gate, waits: true) {
        if tryAll(gates) {
          took(queue, from: node)
          return true
        }
        ipl = waitLevel
        if word.isOnlyReserved(gate) {
          if takeReserved(queue) {
            note(gate)
            ipl = level
            took(queue, from: node)
            if tryRest(gates, queue) { return true }
            giveBack(queue, to: waitLevel)
            return false
          }
        } else if !word.isHeld(gate), !word.unavailable(gates).isEmpty {
          // The gate is free, and another one is not.
          var isMine = false
          ringing(level) {
            locked(queue) { queue in
              p.pointee.waiting = nil
              if node.pointee.state.load(.relaxed) == WaiterState.granted {
                isMine = true
                return (nil, 0)
              }
              queue.remove(node)
              return lookLocked(queue)
            }
          }
          if isMine {
            ipl = level
            note(gate)
            if tryRest(gates, queue) { return true }
            giveBack(queue, to: waitLevel)
          }
          return false
        }
      }
      node.pointee.owesTry = false
      if node.pointee.state.load(.relaxed) == WaiterState.granted {
        ipl = level
        note(gate)
        locked(queue) { _ in p.pointee.waiting = nil }
        if tryRest(gates, queue) { return true }
        giveBack(queue, to: waitLevel)
        return false
      }
      if p.pointee.throttled != 0 { readmitThrottled() }
      if hasWork(above: waitLevel) {
        recognise()
        continue
      }
      if spins < system.configuration.spinRounds {
        repeat {
          M.pause(spins)
          spins &+= 1
          if spins & 15 == 0 {
            poll(force: false)
            readmitThrottled()
          }
        } while spins < system.configuration.spinRounds && word.isHeld(gate)
          && node.pointee.state.load(.relaxed) == WaiterState.waiting && !hasWork(above: waitLevel)
        continue
      }
      sleep(above: waitLevel, refused: word.isOnlyReserved(gate))
    }
  }

  /// Leaves a gate that was ours while the rest was busy.
  @inlinable func giveBack(_ queue: UnsafeMutablePointer<GateQueue<M>>, to waitLevel: Level) {
    self.counters(.none).pointee.setGivenBack &+= 1
    leaveOne(queue, returningTo: max(waitLevel, queue.pointee.level.below))
    ipl = waitLevel
  }

  /// As ``expect(_:at:noting:)``, for the set. Where another gate is busy there is nothing to poll for.
  @inlinable func expectAll(
    _ gates: GateSet, _ node: UnsafeMutablePointer<Waiter<M>>, at waitLevel: Level
  ) -> Bool {
    let queue = node.pointee.queue!
    let (word, gate) = (queue.pointee.word, queue.pointee.gate)
    var left = system.configuration.spinRounds == 0 ? 0 : system.configuration.pollRounds
    let (seldom, inARow) = (8, 4)
    var round = 0
    var free = 0
    while left > 0 && node.pointee.state.load(.relaxed) == WaiterState.woken && !hasWork(above: waitLevel)
      && p.pointee.throttled == 0
    {
      M.pause(round)
      if round & 15 == 15 { poll(force: false) }
      let looks = round % seldom == 0 || free > 0
      round &+= 1
      left &-= 1
      if !looks { continue }
      free = word.isHeld(gate) ? 0 : free &+ 1
      if free < inARow { continue }
      if tryAll(gates) { return true }
      ipl = waitLevel
      if !word.isHeld(gate) { return false }
      free = 0
    }
    return false
  }
}
