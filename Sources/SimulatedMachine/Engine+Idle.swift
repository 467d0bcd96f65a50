// When nobody can go on: the clock moves, or it is over.
//
// Law: virtual time moves only here, so between two moves nothing depends on how long anything takes. A jump of the clock comes
// after everything that was done before it, in every schedule: it is no choice.

import SoftInterrupts

extension EngineRef {
  /// How often in a row spinning processes may be let look again while nothing changes.
  static var idleLimit: UInt32 { 1_024 }

  /// Lets somebody go on; false if nobody ever will.
  @inline(never) func idle() -> Bool {
    if let timed = p.pointee.timed {
      return timed._withUnsafeGuaranteedRef { $0.idle(p.pointee.machine) }
    }
    if p.pointee.spinning != 0 && p.pointee.spinPolicy == .await {
      var left = p.pointee.spinning
      var isRedundant = false
      while left != 0 {
        let index = left.first
        left.remove(index)
        if seesChange(index) { isRedundant = true }
      }
      if isRedundant {
        p.pointee.spinPolicy = .wake
        p.pointee.pilot._withUnsafeGuaranteedRef { $0.isRedundant(p.pointee.machine, p.pointee.last) }
        // The pilot has taken note of it.
        p.pointee.last = Event()
        wakeSpinning()
        return true
      }
    }
    var next = UInt64.max
    for index in 0..<p.pointee.processCount where process(index).pointee.state == .parked {
      next = min(next, process(index).pointee.deadline)
    }
    if p.pointee.spinning != 0 {
      // Who spins may watch the clock: it moves in steps that grow while nothing changes.
      p.pointee.quantum = p.pointee.quantum == 0 ? 1_000 : min(p.pointee.quantum * 2, 1_000_000_000)
      next = min(next, p.pointee.now &+ p.pointee.quantum)
    }
    if next == .max {
      p.pointee.stop = .stuck
      return false
    }
    if next > p.pointee.horizon {
      p.pointee.stop = .horizon
      return false
    }
    p.pointee.idleRounds += 1
    if p.pointee.idleRounds > Self.idleLimit {
      p.pointee.stop = .spinning
      return false
    }
    p.pointee.now = max(p.pointee.now, next)
    let woken = wakeDue() | p.pointee.spinning
    var spinning = p.pointee.spinning
    while spinning != 0 {
      let index = spinning.first
      spinning.remove(index)
      wake(index)
    }
    if p.pointee.isPiloted {
      p.pointee.pilot._withUnsafeGuaranteedRef {
        $0.idled(p.pointee.machine, p.pointee.last, woken: woken)
      }
      // The pilot has taken note of it.
      p.pointee.last = Event()
    }
    return true
  }

  /// Ends the sleep of whose time has come.
  @discardableResult func wakeDue() -> ProcessSet {
    var woken: ProcessSet = 0
    for index in 0..<p.pointee.processCount {
      let process = process(index)
      guard process.pointee.state == .parked && process.pointee.deadline <= p.pointee.now else { continue }
      process.pointee.state = .ready
      process.pointee.parkedOn?.pointee.sleeper = -1
      woken.insert(index)
    }
    p.pointee.ready |= woken
    return woken
  }
}
