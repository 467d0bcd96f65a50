// Base code that blocks in system calls leaves its CPU to a thread that stands in for it.
//
// Law: two threads are one CPU one after the other, never at once: the one that comes has seen all that the one that went wrote.

extension Here {
  /// Leaves the CPU while `body` blocks in system calls: the CPU's handlers go on, on a thread that stands in for it.
  ///
  /// Base code at IPL `none` that holds no gate, cell, mask or LevelLock. In `body` the thread is a visitor, and this `Here` is
  /// another thread's: use the system's own `raise` there (debug builds stop at a use of it). Coming back waits, holding nothing,
  /// until the CPU is at IPL `none`.
  @inlinable public func leaveCPU<R, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: () throws(E) -> R
  ) throws(E) -> R {
    let agent = agent
    let system = agent.system
    let c = agent.context
    guard agent.isCPU, agent.held.isEmpty, agent.ipl == .none, c.pointee.pins == 0,
      c.pointee.lockedThrough == .none, c.pointee.parent == nil
    else {
      system.report(.leaveUnderGate, agent, .none, "leaving the CPU", .init(file, line))
      return try body()
    }
    let words = UnsafeMutablePointer<M.Word>.words(2)
    let (back, gone) = (words, words + 1)
    // The words go when the substitute has said that it is gone.
    defer { words.deallocate() }
    M.setCurrent(nil)
    // A seat of its own: in `body` the thread may visit other systems, and come back as another visitor.
    let seat = system.object.machine.makeVisitorSeat()
    defer { system.object.machine.releaseSeat(seat) }
    nonisolated(unsafe) let flags = (back, gone)
    M.touches(words, .fresh)
    M.touches(agent.p, .write)
    do throws(MachineError) {
      try system.object.machine.startSubstitute(forCPU: agent.cpu) {
        M.setCurrent(UnsafeMutableRawPointer(agent.p))
        M.touches(agent.p, .write)
        // Relaxed: the other thread has done nothing as this CPU since it started this one.
        system.object.loop(agent, runsJobs: false) { flags.0.load(.relaxed) != 0 }
        M.touches(agent.p, .write)
        M.setCurrent(nil)
        // Release: what was done here as this CPU is visible to the other thread.
        flags.1.store(1, .release)
        M.unpark(seat)
      }
    } catch {
      M.fatal("CPU \(agent.cpu): no thread to stand in for it: \(error)")
    }
    defer {
      back.store(1, .relaxed)
      // As base code that was submitted: levels that never end leave it its share.
      agent.summary.fetchOr(1, .relaxed)
      M.unpark(agent.p.pointee.seat)
      while gone.load(.acquire) == 0 { system.object.machine.park(seat, until: .max) }
      M.touches(agent.p, .write)
      // Whatever visitor the thread is by now.
      if let visitor = M.current { AgentRef(visitor.assumingMemoryBound(to: Agent<M>.self)).endVisit() }
      M.setCurrent(UnsafeMutableRawPointer(agent.p))
      // What the other left pending.
      agent.recognise()
    }
    return try body()
  }
}
