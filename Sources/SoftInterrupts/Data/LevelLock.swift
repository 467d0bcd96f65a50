// A lock with a place in the order, for MP-safe code.
//
// Law: taken at IPL ≤ its level only; masks to the level, waits at it and serves what is above; stands in the order as (level,
// after its gate, rank): two of one level in ascending rank, and no gate at or below the level is entered under it.

/// A value guarded by a lock of a level.
///
/// Where an ordinary mutex may be held across no raise and be shared with no handler above, this one may: it keeps out the
/// handlers of its CPU up to its level, and its waiters serve what is above.
public final class LevelLock<Value, M: Machine>: @unchecked Sendable {
  // Sendable: the value is touched under the lock only.
  @usableFromInline let level: Level
  @usableFromInline let rank: Int32
  @usableFromInline let queue: UnsafeMutablePointer<GateQueue<M>>
  @usableFromInline let system: SystemRef<M>
  /// Kept, so that the system is there as long as its locks are; nil for a lock that is the system's own.
  @usableFromInline let keeper: InterruptSystem<M>?
  /// The agent that has the lock, by its address; 0 for none. Relaxed: an agent finds its own address only if it wrote it.
  @usableFromInline let owner: UnsafeMutablePointer<M.Word>
  @usableFromInline let value: UnsafeMutablePointer<Value>

  @inlinable init(
    _ owner: InterruptSystem<M>, keeps: Bool = true, at level: Level, rank: Int32, _ value: sending Value
  ) {
    keeper = keeps ? owner : nil
    system = owner.core
    self.owner = .words(1)
    self.level = level
    self.rank = rank
    queue = .allocate(capacity: 1)
    queue.initialize(
      to: GateQueue(word: GateWord(.words(Agent<M>.wordsPerLine)), level: level, gate: level.gate))
    self.value = .allocate(capacity: 1)
    self.value.initialize(to: value)
  }

  deinit {
    owner.deallocate()
    queue.pointee.word.word.deallocate()
    queue.pointee.deallocate()
    queue.deallocate()
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Runs `body` with the value, at the lock's level. CPUs and visitors, at IPL ≤ the level; waits in order.
  ///
  /// A violation that is collected runs `body` all the same, under the lock; only a lock that this thread has already always stops
  /// the program, for there is nothing to go on with.
  @inlinable
  public func withLock<R: ~Copyable, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (inout Value) throws(E) -> R
  ) throws(E) -> R {
    try locked(.init(file, line)) { () throws(E) in try body(&value.pointee) }
  }

  /// Runs `body` under the lock.
  @inlinable
  func locked<R: ~Copyable, E: Error>(_ site: Violation.Site, _ body: () throws(E) -> R) throws(E) -> R {
    let agent = system.currentAgent()
    let c = agent.context
    let saved = (agent.ipl, c.pointee.lockedThrough, c.pointee.lockedRank)
    #if Witness
      if owner.load(.relaxed) == UInt(bitPattern: agent.p) && !Mutant.isOn(.noLockOrder) {
        system.object.report(
          .levelLockTwice, agent, level, "a LevelLock of rank \(rank)", site, mustTrap: true)
      }
      // With threads for levels it is a plain lock, without a place in an order.
      if system.configuration.execution == .inline,
        let rule = GateOrder.levelLock(
          agent.standing, at: level, rank: Int(rank), highestRank: Int(saved.2))
      {
        system.report(rule, agent, level, "a LevelLock of rank \(rank)", site)
      }
    #endif
    agent.ipl = max(saved.0, level)
    if !agent.tryTake(queue) { agent.acquire(queue, waitingAt: max(saved.0, level)) }
    #if Witness
      owner.store(UInt(bitPattern: agent.p), .relaxed)
    #endif
    // Also after a violation that was collected: never below where we stood.
    agent.ipl = max(saved.0, level)
    c.pointee.lockedThrough = max(saved.1, level)
    c.pointee.lockedRank = rank
    c.pointee.pins &+= 1
    defer {
      c.pointee.pins &-= 1
      c.pointee.lockedThrough = saved.1
      c.pointee.lockedRank = saved.2
      #if Witness
        owner.store(0, .relaxed)
      #endif
      agent.leaveLock(queue)
      agent.ipl = saved.0
      agent.recognise()
    }
    return try body()
  }
}

extension AgentRef {
  @inlinable func leaveLock(_ queue: UnsafeMutablePointer<GateQueue<M>>) {
    let word = queue.pointee.word
    if word.wantsCare(queue.pointee.gate) {
      leaveOne(queue, returningTo: queue.pointee.level)
    } else if !word.free(queue.pointee.gate).isEmpty {
      look(queue)
    }
  }
}

extension InterruptSystem {
  /// Makes a lock of `level`. Locks of one level that are taken inside each other have different ranks, lowest first.
  @inlinable
  public func levelLock<Value>(
    at level: Level, rank: Int32 = 0, _ value: sending Value
  ) -> LevelLock<Value, M> {
    LevelLock(self, at: level, rank: rank, value)
  }
}
