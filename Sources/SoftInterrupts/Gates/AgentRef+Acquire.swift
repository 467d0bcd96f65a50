// Taking a gate in order: the only place where the core waits for a gate.
//
// Law: who waits for gate k is at max(the IPL before, k−1), so what is above is still served on this CPU; it owns the gate
// at IPL k before it dispatches anything. Called with k above every gate held. Everything read before is stale after.

extension AgentRef {
  /// One try of one gate. The caller is at the gate's IPL.
  ///
  /// A reserved gate is refused, unless it is kept for this CPU or was kept for too long; either ends the reservation.
  @inlinable @inline(__always) func tryTake(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    let gate = queue.pointee.gate
    if queue.pointee.word.take(gate) { return true }
    if !queue.pointee.word.isOnlyReserved(gate) { return false }
    return takeReserved(queue)
  }

  @inlinable @inline(never)
  func takeReserved(_ queue: UnsafeMutablePointer<GateQueue<M>>) -> Bool {
    let now = M.now()
    let lapse = system.configuration.reservationLapse
    return locked(queue) { queue in
      if let kept = queue.pointee.reservedFor {
        let lapsed =
          !Mutant.isOn(.noLapse) && now &- queue.pointee.freeSince > lapse && now > queue.pointee.freeSince
        guard kept.pointee.agent == p || lapsed else { return false }
        queue.pointee.reservedFor = nil
      }
      // In one step, so that nobody slips in between. It fails only if a holder came (it sees ATTN when it leaves).
      return queue.pointee.word.takeKept(queue.pointee.gate)
    }
  }

  /// Notes a gate as held. Gates above `none` are noted *before* they are tried and struck off after they are freed: a big-lock
  /// handler that interrupts in between then errs on the safe side. For gate `none` neither side is safe (noted and not held, such
  /// a handler would run without it; held and not noted, aged work would wait for its own CPU), so both are done at IPL `high`.
  @inlinable @inline(__always) func note(_ gates: GateSet) { held.formUnion(gates) }
  @inlinable @inline(__always) func strike(_ gates: GateSet) { held.subtract(gates) }

  /// One try of one gate; if it succeeds the IPL is the gate's. It is noted while it is tried and once it is ours, but not while it
  /// is waited for: what interrupts the wait may enter it.
  @inlinable func tryNoting(_ queue: UnsafeMutablePointer<GateQueue<M>>, _ noted: GateSet) -> Bool {
    let level = queue.pointee.level
    ipl = level == .none ? .high : Mutant.isOn(.takeDescending) ? max(ipl, level) : level
    note(noted)
    if tryTake(queue) {
      if level == .none { ipl = .none }
      return true
    }
    strike(noted)
    return false
  }

  /// Takes gate `none`, waiting in order if need be. At IPL `none`, holding nothing.
  @inlinable func takeBigLock() {
    let queue = system.queue(.none)
    counters(.none).pointee.taken &+= 1
    if tryNoting(queue, Level.none.gate) { return }
    ipl = .none
    acquire(queue, waitingAt: .none, noting: Level.none.gate, forBase: true)
  }

  /// Takes one gate, waiting in order at `waitLevel` (the IPL now, which is below the gate's level, or is it for an MP-safe
  /// handler's own gate and for LevelLocks). On return the agent is at the gate's IPL and has `noted` noted. `forBase`: base code raises.
  @inlinable @inline(never)
  func acquire(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, waitingAt waitLevel: Level, noting noted: GateSet = [],
    forBase isForBase: Bool = false
  ) {
    let level = queue.pointee.level
    let deaf = Mutant.isOn(.deafWait)
    let waitLevel = deaf ? level : Mutant.isOn(.lowWait) ? .none : waitLevel
    let counters = self.counters(level)
    counters.pointee.contended &+= 1
    let start = system.configuration.timing ? M.now() : 0
    // Briefly without a place in the queue; then with one, so that the time of being overtaken counts.
    // Not where others wait already, or somebody has its turn: it would spin in vain, or cut a turn short. A CPU's handlers and LevelLocks do
    // all the same: it has a processor of its own mostly, and for another CPU's short section a wake-up is too long a wait. Base code does
    // not: two CPUs' base code that spun left no moment to handlers, which come before it (Documentation/Decisions/0019).
    let spins =
      isCPU && !p.pointee.isLevelThread && !isForBase || !queue.pointee.word.isAwaited(queue.pointee.gate)
    let rounds = spins ? min(system.configuration.spinRounds, 64) : 0
    var round = 0
    while round < rounds {
      if tryNoting(queue, noted) { break }
      ipl = waitLevel
      recognise()
      M.pause(round)
      round &+= 1
    }
    if round >= rounds { wait(queue, at: waitLevel, noting: noted, spinning: spins) }
    if start != 0 { counters.pointee.waitTime &+= M.now() &- start }
  }

  /// Waits in the queue until the gate is this agent's.
  @inlinable func wait(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, at waitLevel: Level, noting noted: GateSet,
    spinning: Bool = true
  ) {
    let level = queue.pointee.level
    let gate = queue.pointee.gate
    precondition(p.pointee.waitDepth < Agent<M>.nodes, "more nested waits than gates")
    let node = p.pointee.waiters + p.pointee.waitDepth
    p.pointee.waitDepth += 1
    ipl = waitLevel
    node.pointee.agent = p
    node.pointee.passes = 0
    node.pointee.owesTry = false
    node.pointee.since = M.now()
    // Relaxed: published by the queue's lock.
    node.pointee.state.store(WaiterState.waiting, .relaxed)
    node.pointee.queue = queue
    locked(queue) {
      $0.append(node)
      // Still at IPL `high`: what interrupts from here on finds that this CPU waits, and says that it serves.
      p.pointee.waiting = node
    }
    var spins = spinning ? 0 : system.configuration.spinRounds
    while true {
      if node.pointee.state.load(.relaxed) == WaiterState.woken {
        if expect(node, at: waitLevel, noting: noted) {
          took(queue, from: node)
          break
        }
        // That was its spinning.
        spins = system.configuration.spinRounds
      }
      // I try now, or say again that I wait: no longer `woken`. A failure means granted.
      if node.pointee.state.load(.relaxed) == WaiterState.woken {
        // Before the change: what interrupts after it finds `waiting`, and must know that the wake was used up.
        node.pointee.owesTry = true
        M.localFence()
        _ = node.pointee.state.compareExchange(WaiterState.woken, WaiterState.waiting, .relaxed)
      }
      // Publish, then announce. Also after each return from serving: the releaser that passed over us has freed the gate
      // before our announcement, or sees it (GateWord.swift).
      if queue.pointee.word.announce(gate, waits: !Mutant.isOn(.notAwaited)) && !Mutant.isOn(.noTry) {
        if tryNoting(queue, noted) {
          took(queue, from: node)
          break
        }
        ipl = waitLevel
      }
      node.pointee.owesTry = false
      if node.pointee.state.load(.relaxed) == WaiterState.granted {
        ipl = level
        // Nothing is dispatched on this CPU between the grant and this.
        note(noted)
        // The granter said so under the lock, and unlinked the node after it: the lock brings the gate, with all its earlier
        // holders' writes, and the node is free to reuse.
        locked(queue) { _ in p.pointee.waiting = nil }
        break
      }
      // A pause that is over is over here too: the wait may be for who waits for the level that pauses.
      if p.pointee.throttled != 0 { readmitThrottled() }
      if hasWork(above: waitLevel) {
        recognise()
        continue
      }
      if spins < system.configuration.spinRounds {
        // Looks without announcing, until there is something to do; the announcement before the sleep is the one that counts.
        repeat {
          M.pause(spins)
          spins &+= 1
          if spins & 15 == 0 {
            poll(force: false)
            // What paused may be what the gate's holder waits for; however long it spins.
            if !Mutant.isOn(.spinThroughTurn) { readmitThrottled() }
          }
        } while spins < system.configuration.spinRounds && queue.pointee.word.isHeld(gate)
          && node.pointee.state.load(.relaxed) == WaiterState.waiting && !hasWork(above: waitLevel)
        continue
      }
      sleep(above: waitLevel, refused: queue.pointee.word.isOnlyReserved(gate))
    }
    p.pointee.waitDepth -= 1
  }

  /// The end of a wait by the waiter's own try. Who still waits was told nothing yet: the leaving has to look.
  @inlinable func took(
    _ queue: UnsafeMutablePointer<GateQueue<M>>, from node: UnsafeMutablePointer<Waiter<M>>
  ) {
    locked(queue) {
      let isFirst = $0.pointee.head == node || Mutant.isOn(.turnsForAll)
      $0.remove(node)
      if $0.pointee.head != nil {
        // Who takes it past others has this one section: as long as a turn lasts nobody is handed the gate, so turns begun behind a
        // waiter's back could follow each other for ever.
        if isFirst { $0.pointee.turnEnds = M.now() &+ system.configuration.turn }
        if !Mutant.isOn(.tookInSilence) { $0.pointee.word.setAttention($0.pointee.gate) }
      }
      p.pointee.waiting = nil
    }
  }

  /// Polls as the waiter that was told; whether it took the gate. It stays `woken`, and so leavers need not look: it is ready before
  /// its turn begins, without a wake-up of the operating system in between.
  ///
  /// It looks at the leavers' word seldom, since each look takes the line from them, and takes the gate only if that is free at several
  /// looks in a row: left for good, and not between two sections of a turn. Whatever ends the polling, the caller goes on as if
  /// it had just been woken.
  @inlinable func expect(
    _ node: UnsafeMutablePointer<Waiter<M>>, at waitLevel: Level, noting noted: GateSet
  ) -> Bool {
    let queue = node.pointee.queue!
    let (word, gate) = (queue.pointee.word, queue.pointee.gate)
    // Where nobody spins nobody polls.
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
      if tryNoting(queue, noted) { return true }
      ipl = waitLevel
      // Kept for another: to be waited for in a sleep that ends when that lapses.
      if word.isOnlyReserved(gate) { return false }
      free = 0
    }
    return false
  }

  /// Whether something above a level asks to be looked at and may run.
  @inlinable func hasWork(above level: Level) -> Bool {
    summary.load(.relaxed) & Self.bits(above: level) & ~UInt(p.pointee.throttled) != 0
      || p.pointee.hasOwnMark != 0
  }

  /// Sleeps until the seat is rung, unless something above `level` waits already.
  ///
  /// Everybody who changes what the sleeper waits for rings the seat afterwards, and a ring before the sleep ends it; so
  /// there is no check to race with, but one: who sets a bit of the summary (a signal handler of this very thread included) rings only
  /// whom it finds about to sleep. So that is said before the look (``ring(_:)``).
  /// Who was `refused` a gate that is kept for somebody looks again when the reservation may have lapsed: it may be that
  /// nobody else does. Who is `resting` counts it: while the count is odd nothing is scheduled from here.
  @inlinable func sleep(above level: Level, refused: Bool = false, resting: Bool = false) {
    // Set also when a sleep on top of it has been: who interrupts puts it back (`interruptArrived`).
    p.pointee.fallsAsleep = true
    if !Mutant.isOn(.parkUnsaid) { saysItParks() }
    var deadline = UInt64.max
    let keepsTime = isCPU && !p.pointee.isLevelThread
    if keepsTime { deadline = nextDeadline() }
    // One more: it has lapsed when it is older than that.
    if refused {
      let more: UInt64 = Mutant.isOn(.sleepToLapse) ? 0 : 1
      deadline = min(deadline, M.now() &+ system.configuration.reservationLapse &+ more)
    }
    // Nobody is rung at the end of a shutdown's grace. Acquire: `stopBy` was written before.
    if keepsTime && system.stopping.load(.acquire) & 1 != 0 {
      M.touches(system.p, .read)
      deadline = min(deadline, system.stopBy)
    }
    if resting { countRest() }
    if summary.load(.relaxed) & (Self.bits(above: level) | 1) & ~UInt(p.pointee.throttled) == 0
      && p.pointee.hasOwnMark == 0
    {
      if Mutant.isOn(.parkUnsaid) { saysItParks() }
      system.object.machine.park(p.pointee.seat, until: deadline)
      p.pointee.sleeps &+= 1
    }
    if resting { countRest() }
    p.pointee.parking.store(0, .relaxed)
    p.pointee.fallsAsleep = false
    if keepsTime { poll(force: true) }
  }
}
