// Sleeping, ringing, spinning and joining.

import CSimulated
import SoftInterrupts

extension SimulatedMachine {
  // MARK: Seats

  func makeSeat() -> Seat {
    if seatsInUse == seats.count {
      let memory = UnsafeMutablePointer<SeatMemory>.allocate(capacity: 1)
      memory.initialize(to: SeatMemory())
      seats.append(memory)
    }
    seatsInUse += 1
    return Seat(memory: seats[seatsInUse - 1])
  }

  public func seat(ofCPU cpu: Int) -> Seat { Seat(memory: seats[cpu]) }
  public func makeVisitorSeat() -> Seat { makeSeat() }
  /// Seats are given back together, by ``reset()``: none is reused within a run, so a late ring meets nobody.
  public func releaseSeat(_ seat: Seat) {}

  public func park(_ seat: Seat, until deadline: UInt64) {
    guard let engine = EngineRef.inProcess else {
      drive { seat.memory.pointee.ring.bits != 0 || deadline <= self.time }
      seat.memory.pointee.ring.bits = 0
      return
    }
    let process = engine.me
    process.pointee.pending = Operation(kind: .park, order: .acquire, object: engine.object(seat.word))
    process.pointee.parkedOn = seat.memory
    process.pointee.deadline = deadline
    if engine.p.pointee.timed != nil && process.pointee.kind == .cpu {
      process.pointee.deadline = min(deadline, nextDue(cpu: engine.p.pointee.running))
    }
    engine.sleepUnlessRung(engine.p.pointee.running)
    engine.decide()
    process.pointee.parkedOn = nil
    process.pointee.hasChanged = true
    process.pointee.seenCount = 0
    seat.memory.pointee.sleeper = -1
    let wasRung = seat.memory.pointee.ring.bits != 0
    seat.memory.pointee.ring.bits = 0
    engine.weak?.wake(engine.p.pointee.running, Int(seat.word.pointee.object), seat.word)
    engine.did(.park, .write, value: wasRung ? UInt(truncatingIfNeeded: deadline) : 0)
  }

  public static func unpark(_ seat: Seat) {
    guard let engine = EngineRef.inProcess else {
      seat.memory.pointee.ring.bits = 1
      if let engine = EngineRef.current { engine.wakeSleeper(seat.memory) }
      return
    }
    engine.announce(.unpark, seat.word, .release)
    seat.memory.pointee.ring.bits = 1
    seat.memory.pointee.rings &+= 1
    engine.wakeSleeper(seat.memory)
    engine.weak?.ring(engine.p.pointee.running, Int(seat.word.pointee.object), seat.word)
    engine.did(.unpark, .read)
    engine.me.pointee.hasChanged = true
    engine.me.pointee.seenCount = 0
    engine.changed()
  }

  /// One step of a spin wait: the caller cannot go on before a word that it has read since it last changed one has another value,
  /// or before nothing else can run.
  ///
  /// Why that loses nothing that a safety check could see. A wait that looks, finds nothing and pauses has changed nothing; as
  /// long as the words that it looked at keep their values it would look again, find the same and be here again. A run in
  /// which it does so any number of times has the same states as one in which it does not, so these need not be explored; and
  /// so the tree of choices is finite although the loop is not. If in one round the loop *has* changed a word (`round` above
  /// 0), the pause is no wait and ends at once. What a scheduler may not assume is fairness: when nothing else can run, who
  /// spins is let go on, and if nothing changes for long (with the clock moving) the run ends as a livelock.
  ///
  /// What is given up: a loop that spins for a *bounded* number of rounds and then does something else is explored as if the
  /// bound were reached only when nothing else can run. Explore such code with a bound of 0
  /// (`Configuration/spinRounds`, `Configuration/idleRounds`), which takes the way past the bound at once.
  ///
  /// With ``SpinPolicy/await`` the process is not let go on at all in a run in which others have changed what it looked at: the
  /// schedule in which its last look comes after the change has the same states, since the failed look changed nothing, and the
  /// reduction explores it because the look and the change are in a race ("assume" in CDSChecker's and GenMC's treatment of
  /// spin loops).
  public static func pause(_ round: Int) {
    guard let engine = EngineRef.inProcess else {
      guard let engine = EngineRef.current else { return }
      engine.p.pointee.machine.driveOnce()
      // The thread that waits is outside of the machine: its patience is the clock.
      engine.p.pointee.now &+= 1_000
      return
    }
    let index = engine.p.pointee.running
    let process = engine.me
    process.pointee.pending = Operation(kind: .pause)
    var watchesOn = false
    if let timed = engine.p.pointee.timed {
      watchesOn = timed._withUnsafeGuaranteedRef { $0.pauses(engine, index, round) }
      if watchesOn { engine.shortenSeen(process) }
      // With time a wait ends by itself: what is watched besides only wakes it early.
      process.pointee.hasChanged = false
    }
    // Before the first round the loop has looked once: what came before it may be anybody's, and may be gone.
    if round == 0 && process.pointee.hasChanged { engine.keepLastSeen(process) }
    if round == 0 || !process.pointee.hasChanged {
      engine.block(index, .spinning)
      engine.p.pointee.spinning.insert(index)
      if engine.p.pointee.spinPolicy == .wake && engine.seesChange(index) { engine.wake(index) }
    }
    engine.decide()
    if let weak = engine.weak {
      for entry in 0..<process.pointee.seenCount { weak.catchUp(index, process.pointee.seen![entry].at) }
    }
    process.pointee.hasChanged = false
    if !watchesOn { process.pointee.seenCount = 0 }
    engine.did(.pause, .none)
  }
}

extension SimulatedMachine {
  // MARK: For who asks what processes wait for

  /// The process for whose end a process waits; nil if it waits for none.
  public func joined(_ process: Int) -> Int? {
    isJoining(process) ? Int(engine.process(process).pointee.joins) : nil
  }
  /// The words that a spinning process has looked at since it last changed one.
  public func watched(_ process: Int) -> [UnsafeMutablePointer<SimulatedWord>] {
    let process = engine.process(process)
    return (0..<process.pointee.seenCount).map { process.pointee.seen![$0].at }
  }
}

extension EngineRef {
  @inline(__always) func wakeSleeper(_ seat: UnsafeMutablePointer<SeatMemory>) {
    let sleeper = Int(seat.pointee.sleeper)
    if sleeper < 0 { return }
    seat.pointee.sleeper = -1
    process(sleeper).pointee.state = .ready
    p.pointee.ready.insert(sleeper)
  }

  func keepLastSeen(_ process: UnsafeMutablePointer<Process>) {
    let count = process.pointee.seenCount
    if count < 2 { return }
    process.pointee.seen![0] = process.pointee.seen![count - 1]
    process.pointee.seenCount = 1
  }

  /// Waits for the end of a process.
  func join(_ index: Int) {
    let me = me
    me.pointee.joins = Int32(index)
    let end = endWord(index)
    me.pointee.pending = Operation(kind: .join, order: .acquire, object: object(end))
    if process(index).pointee.state != .ended { block(p.pointee.running, .joining) }
    decide()
    me.pointee.joins = -1
    weak?.wake(p.pointee.running, Int(end.pointee.object), end)
    did(.join, .read)
  }

  /// The word that stands for the end of a process. Within the process's record, which does not move.
  func endWord(_ index: Int) -> UnsafeMutablePointer<SimulatedWord> {
    process(index).pointer(to: \.end)!
  }
}
