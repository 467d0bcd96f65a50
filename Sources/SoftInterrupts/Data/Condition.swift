// Waiting for a condition: the one sleep that the order admits.
//
// Law: base code and visitors only, with no mask, cell or LevelLock. The waiter registers under the guard's gate, then leaves
// *all* gates of its context, `none` included, falls to IPL `none` and serves; then it takes the gates again, ascending, and
// tests again. The signaller holds the guard's gate. A section with a wait in it is two sections.

/// A condition on data that a level guards.
public final class Condition<M: Machine>: @unchecked Sendable {
  // Sendable: the list is touched under the guard's gate only.
  @usableFromInline let level: Level
  @usableFromInline let system: SystemRef<M>
  /// Kept, so that the system is there as long as its conditions are.
  @usableFromInline let owner: InterruptSystem<M>
  @usableFromInline var waiting: [(seat: M.Seat, flag: UnsafeMutablePointer<M.Word>)] = []

  @inlinable init(_ owner: InterruptSystem<M>, _ level: Level) {
    self.owner = owner
    system = owner.core
    self.level = level
  }

  /// Waits until `isTrue` holds. The caller has raised to the guard; it holds the same gates on return, and `isTrue` was tested
  /// under them. Everything read before is stale. False, after the witness has said so, if it may not wait here.
  @discardableResult
  @inlinable public func wait(
    file: StaticString = #fileID, line: UInt = #line, until isTrue: () -> Bool
  ) -> Bool {
    let agent = system.currentAgent()
    let c = agent.context
    let site = Violation.Site(file, line)
    if c.pointee.kind.isHandler || c.pointee.pins != 0 || c.pointee.lockedThrough != .none {
      system.report(
        c.pointee.kind.isHandler ? .conditionInHandler : .parkUnderGate, agent, level, "a condition", site)
      return false
    }
    guard c.pointee.own.contains(level.gate), agent.held.contains(level.gate) else {
      system.report(.conditionWithoutGuard, agent, level, "a condition", site)
      return false
    }
    while !isTrue() {
      let flag = UnsafeMutablePointer<M.Word>.words(1)
      M.touches(flag, .fresh)
      // Registered under the guard: a signaller comes after, and finds us.
      waiting.append((agent.p.pointee.seat, flag))
      // Relaxed: it is set under the guard, which is taken again.
      agent.leaveAllAndServe(until: { flag.load(.relaxed) != 0 }, keeping: level)
      M.touches(flag, .write)
      flag.deallocate()
    }
    return true
  }

  /// Lets every waiter test again. The caller holds the guard's gate.
  @inlinable public func broadcast(file: StaticString = #fileID, line: UInt = #line) {
    let agent = system.currentAgent()
    guard agent.context.pointee.own.contains(level.gate) else {
      system.report(.conditionWithoutGuard, agent, level, "a condition", .init(file, line))
      return
    }
    let all = waiting
    waiting = []
    for waiter in all {
      let seat = waiter.seat
      // Once it is 1 the waiter may free the flag: the seat was copied before.
      M.touches(waiter.flag, .write)
      waiter.flag.store(1, .relaxed)
      M.unpark(seat)
    }
  }
}

extension AgentRef {
  /// Leaves every gate of the context, serves at IPL `none` until `isDone`, and takes them again, ascending.
  @inlinable func leaveAllAndServe(until isDone: () -> Bool, keeping guardLevel: Level) {
    let c = context
    let gates = c.pointee.own
    let (savedIPL, savedFloor) = (ipl, c.pointee.floor)
    let kept = Mutant.isOn(.keepLowerGates) ? gates.subtracting(guardLevel.gate) : []
    leaveWithBigLock(gates.subtracting(kept), returningTo: .none)
    c.pointee.own = kept
    c.pointee.floor = .none
    ipl = .none
    serveUntil(isDone)
    if gates.contains(Level.none.gate) && kept.isEmpty {
      takeBigLock()
    }
    takeAscending(gates.subtracting(kept).subtracting(Level.none.gate), from: .none)
    c.pointee.own = gates
    c.pointee.floor = savedFloor
    ipl = savedIPL
  }
}

extension InterruptSystem {
  /// Makes a condition on data guarded by `level`.
  @inlinable public func condition(guardedBy level: Level) -> Condition<M> { Condition(self, level) }
}
