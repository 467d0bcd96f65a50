// The way in for machines on which any instruction is a recognition point.
//
// Law: called on a CPU's own thread of execution, on top of whatever it interrupted, between two of its instructions. Nothing at
// or below the IPL is started, so who must not be interrupted has said so by its IPL.

/// What a machine looks at to know whether an interrupt of the core's may be taken on a CPU now.
@frozen public struct InterruptState<M: Machine> {
  /// Bit k: level k asks to be looked at. Bit 0 is no level and interrupts nobody.
  public let summary: UnsafeMutablePointer<M.Word>
  /// The CPU's IPL and the levels that pause (bit k for level k): its own thread's plain memory.
  public let ipl: UnsafePointer<Level>
  /// The levels that have used up their share, a bit for each.
  public let throttled: UnsafePointer<UInt8>

  @inlinable init(
    summary: UnsafeMutablePointer<M.Word>, ipl: UnsafePointer<Level>, throttled: UnsafePointer<UInt8>
  ) {
    self.summary = summary
    self.ipl = ipl
    self.throttled = throttled
  }
}

extension InterruptSystem {
  /// For machines: an interrupt (a doorbell, a device) has arrived on the calling CPU. Serves what is above its IPL and returns
  /// to what was interrupted.
  ///
  /// Does nothing on a thread of execution that is no CPU.
  @inlinable public static func interruptArrived() {
    guard let current = M.current else { return }
    let agent = AgentRef(current.assumingMemoryBound(to: Agent<M>.self))
    let (fellAsleep, sleeps) = (agent.p.pointee.fallsAsleep, agent.p.pointee.sleeps)
    agent.recognise()
    // What we interrupt may be about to sleep, after a look of its own, until a time that it has worked out. What ran here may have
    // armed a callout and looked at the wheel already, or have slept and used up a ring that was for what it interrupts: this ring
    // makes that sleep end, and look again. Between two instructions there is no later look of its own.
    if (fellAsleep || agent.p.pointee.sleeps != sleeps) && !Mutant.isOn(.keepRing) {
      agent.p.pointee.fallsAsleep = fellAsleep
      M.unpark(agent.p.pointee.seat)
    }
  }

  /// For machines: where the CPU, whose ``Machine/current`` is `current`, shows what it admits. Valid while the system lives.
  @inlinable public static func interruptState(of current: UnsafeMutableRawPointer) -> InterruptState<M>? {
    let agent = current.assumingMemoryBound(to: Agent<M>.self)
    guard agent.pointee.isCPU, let ipl = agent.pointer(to: \.ipl),
      let throttled = agent.pointer(to: \.throttled)
    else { return nil }
    return InterruptState(
      summary: agent.pointee.summary, ipl: UnsafePointer(ipl), throttled: UnsafePointer(throttled))
  }
}
