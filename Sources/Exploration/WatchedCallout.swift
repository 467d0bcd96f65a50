// Callouts that are watched: not twice at once, not early, not after a cancel that was exact, not after the end, not lost.
//
// Law: as for handlers, the benefit of the doubt goes to the core. An arming may run until something is known to have ended it: a
// later arming or cancel by who holds the guard (then dispatch compares under the guard, after it), a halt or retire that has
// returned, an answer that says it was taken out of the wheel. What a call without the guard takes back may have been about to start.

public import SimulatedMachine
public import SoftInterrupts

extension World {
  /// Makes a callout whose arming, cancelling and runs are watched. As `InterruptSystem/callout(_:at:guard:as:exactly:cpu:_:)`.
  public func callout(
    _ name: String, at level: Level, guard guardLevel: Level? = nil, as way: WayIn = .ordered,
    exactly: Bool = false, cpu: Int? = nil, _ body: @escaping (borrowing Here<SimulatedMachine>) -> Void
  ) throws(CalloutError) -> WatchedCallout {
    let record = CalloutRecord(
      name, way, guardLevel ?? (way == .mpSafe ? .none : level), cpu: cpu ?? callingCPU ?? 0)
    let callout = try system.callout(
      "callout", at: level, guard: guardLevel, as: way, exactly: exactly, cpu: cpu
    ) { [unowned self] here in
      if !self.isLive { return }
      self.note("callout \"\(name)\" starts")
      self.willRun(record, here.gates)
      body(here)
      record.boundary.pass(isWrite: false)
      self.didRun(record)
      self.note("callout \"\(name)\" ends")
    }
    callouts.append(record)
    boundaries.append(record.boundary)
    return WatchedCallout(world: self, raw: callout, record: record)
  }
}

/// What is known of a callout's armings and runs. Times in moments: each call, return, start and end is one.
final class CalloutRecord {
  struct Arming {
    var id: Int
    /// The earliest time for which it can be: the clock at its call, and the delay.
    var earliest: Duration
    /// When its call returned; nil before.
    var returned: Int?
  }
  let name: String
  let way: WayIn
  let guardLevel: Level
  let cpu: Int
  let boundary = Boundary()
  /// Armings that may still run.
  var armings: [Arming] = []
  /// The moment after which a run must start; 0 for none. And the moment at which the last one started.
  var required = 0
  var started = 0
  /// The process in whose stack the body is; nil while it does not run.
  var active: Int?
  var runs = 0
  /// Calls that take back (cancel, halt, retire): how many have not returned, and when the last one was made.
  var takingBack = 0
  var takenBack = 0
  var taker = "it was never armed"
  var hasEnded = false
  var isExposed = false
  /// Retired by its own body, or by what is on top of it: it may end the run that it is in.
  var endsAfterRun = false
  var isEnding = false

  init(_ name: String, _ way: WayIn, _ guardLevel: Level, cpu: Int) {
    (self.name, self.way, self.guardLevel, self.cpu) = (name, way, guardLevel, cpu)
  }

  /// An arming that nothing has taken back was followed by no run.
  var isLost: Bool { required > started && !hasEnded && !endsAfterRun && !isExposed }

  /// What returned before a moment cannot run any more.
  func end(before moment: Int, by taker: String) {
    armings.removeAll { $0.returned.map { $0 < moment } ?? false }
    self.taker = taker
  }
  /// The newest of what returned before a moment cannot run any more.
  func endNewest(before moment: Int, by taker: String) {
    guard armings.allSatisfy({ $0.returned.map { $0 < moment } ?? false }) else { return }
    if !armings.isEmpty { armings.removeLast() }
    self.taker = taker
  }
}

/// A callout whose armings and runs are watched.
public struct WatchedCallout: @unchecked Sendable {
  // Sendable: as the world.
  unowned let world: World
  let raw: Callout<SimulatedMachine>
  let record: CalloutRecord

  /// The plain handle. Once a program has it not every arming is seen: only runs at once and runs without the guard are looked for.
  public var callout: Callout<SimulatedMachine> {
    record.isExposed = true
    return raw
  }

  /// How often it has run to its end.
  public var runs: Int { record.runs }

  /// As a callout's, watched.
  @discardableResult public func schedule(after delay: Duration) -> ArmResult {
    world.arm(record, world.clockNow + delay) { raw.schedule(after: delay) }
  }
  /// As a callout's, watched.
  @discardableResult public func schedule(afterNanoseconds nanoseconds: UInt64) -> ArmResult {
    world.arm(record, world.clockNow + .nanoseconds(Int64(clamping: nanoseconds))) {
      raw.schedule(afterNanoseconds: nanoseconds)
    }
  }

  /// As a callout's, watched.
  @discardableResult public func schedule(at deadline: UInt64) -> ArmResult {
    world.arm(record, .nanoseconds(Int64(clamping: deadline))) { raw.schedule(at: deadline) }
  }

  /// As a callout's; the answer is held against what the body does afterwards.
  @discardableResult public func cancel() -> CancelResult {
    let holdsGuard = world.holdsGuard(record)
    let called = world.moment()
    record.takingBack += 1
    record.takenBack = called
    world.note("cancels \"\(record.name)\"")
    let result = raw.cancel()
    world.note("that is \(result)")
    record.boundary.pass(isWrite: true)
    record.takingBack -= 1
    switch result {
    case .cancelled:
      record.required = 0
      // Without the guard only what was in the wheel is known to be gone.
      if holdsGuard {
        record.end(before: called, by: "it was cancelled under its guard")
      } else {
        record.endNewest(before: called, by: "it was cancelled")
      }
    case .notArmed: record.end(before: called, by: "it was not armed, said the last cancel")
    case .mayBeRunning:
      record.required = 0
      if holdsGuard {
        world.fail(
          .takenBack, "a cancel of \"\(record.name)\" by who holds its guard does not know whether it runs")
      }
    case .retired: break
    }
    if holdsGuard && result != .retired, let active = record.active, active != SimulatedMachine.runningProcess
    {
      world.fail(.takenBack, "\"\(record.name)\" was cancelled under its guard, and its body runs")
    }
    return result
  }

  /// As a callout's; once it has answered true the body must not run.
  @discardableResult public func halt(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    let called = world.moment()
    record.takingBack += 1
    record.takenBack = called
    world.note("halts \"\(record.name)\"")
    let isDone = raw.halt(file: file, line: line)
    world.note("that is \(isDone ? "done" : "refused")")
    record.boundary.pass(isWrite: true)
    record.takingBack -= 1
    if !isDone { return false }
    record.required = 0
    let hadOther =
      record.armings.contains { $0.returned.map { $0 > called } ?? true } || record.started > called
    record.end(before: called, by: "it was halted")
    if let active = record.active, active != SimulatedMachine.runningProcess, !hadOther {
      world.fail(.takenBack, "\"\(record.name)\" was halted, and its body runs")
    }
    return true
  }

  /// As a callout's; once it has answered true the body must not run.
  @discardableResult public func retire(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    let called = world.moment()
    let me = SimulatedMachine.runningProcess
    record.takingBack += 1
    record.takenBack = called
    record.isEnding = true
    world.note("retires \"\(record.name)\"")
    let isDone = raw.retire(file: file, line: line)
    world.note("that is \(isDone ? "done" : "refused")")
    record.boundary.pass(isWrite: true)
    record.takingBack -= 1
    if !isDone { return false }
    record.required = 0
    if record.active == me && me != nil || world.isOnTopOfCallouts(record) {
      // From inside, or from on top of a body that may be about to begin: it ends with that.
      record.endsAfterRun = true
      return true
    }
    if record.active != nil { world.fail(.useAfterEnd, "\"\(record.name)\" has retired, and its body runs") }
    record.hasEnded = true
    record.end(before: .max, by: "it has retired")
    return true
  }
}

extension World {
  /// The clock, looked at without an operation.
  var clockNow: Duration { .nanoseconds(Int64(clamping: machine.time)) }

  /// The next moment.
  func moment() -> Int {
    moments += 1
    return moments
  }

  /// Whether the calling context's own frames hold what the body runs under.
  func holdsGuard(_ record: CalloutRecord) -> Bool {
    guard let current = SimulatedMachine.runningProcess.flatMap({ machine.current($0) }),
      let own = InterruptSystem<SimulatedMachine>.view(of: current)?.topOwned
    else { return false }
    if record.way == .bigLock && own.contains(Level.none.gate) { return true }
    return record.guardLevel != .none && own.contains(record.guardLevel.gate)
  }

  /// Whether the caller runs on top of its CPU's callouts, of which this one's may be next.
  func isOnTopOfCallouts(_ record: CalloutRecord) -> Bool {
    guard callingCPU == record.cpu, !record.armings.isEmpty,
      let current = SimulatedMachine.runningProcess.flatMap({ machine.current($0) }),
      let runs = InterruptSystem<SimulatedMachine>.view(of: current)?.runs
    else { return false }
    return runs.dropLast().contains("callouts")
  }

  func arm(_ record: CalloutRecord, _ earliest: Duration, _ body: () -> ArmResult) -> ArmResult {
    let holdsGuard = holdsGuard(record)
    let called = moment()
    let hadEnded = record.hasEnded
    let isAlone = record.takingBack == 0
    note("arms \"\(record.name)\" for \(earliest)")
    record.armings.append(.init(id: called, earliest: earliest, returned: nil))
    let result = body()
    let returned = moment()
    if result == .retired {
      record.armings.removeAll { $0.id == called }
      if !record.isEnding && !isStopping {
        fail(.lostWork, "\"\(record.name)\" has not retired, and was not armed")
      }
      return result
    }
    if hadEnded { fail(.useAfterEnd, "\"\(record.name)\" has retired, and was armed") }
    // Others that had returned are superseded: by who holds the guard for certain, else what was in the wheel.
    let others = record.armings.filter { $0.id != called }
    if holdsGuard {
      record.armings.removeAll { $0.id != called && ($0.returned.map { $0 < called } ?? false) }
    } else if result == .rearmed, others.allSatisfy({ $0.returned.map { $0 < called } ?? false }),
      let newest = others.last
    {
      record.armings.removeAll { $0.id == newest.id }
    }
    if let mine = record.armings.firstIndex(where: { $0.id == called }) {
      record.armings[mine].returned = returned
    }
    if isAlone && record.takingBack == 0 && record.takenBack < called {
      record.required = max(record.required, called)
    }
    return result
  }

  func willRun(_ record: CalloutRecord, _ gates: GateSet) {
    if record.active != nil { fail(.reentered, "callout \"\(record.name)\" starts while it runs") }
    if record.hasEnded { fail(.useAfterEnd, "callout \"\(record.name)\" starts after it has retired") }
    if record.guardLevel != .none && hasGates && !gates.contains(record.guardLevel.gate) {
      fail(.unguarded, "callout \"\(record.name)\" runs without the gate of its guard \(record.guardLevel)")
    }
    if record.isExposed { record.armings.insert(.init(id: 0, earliest: .zero, returned: 0), at: 0) }
    guard let first = record.armings.firstIndex(where: { $0.earliest <= clockNow }) else {
      if let early = record.armings.map(\.earliest).min() {
        fail(
          .early,
          "callout \"\(record.name)\" starts at \(clockNow), and is armed for \(early) (before that \(record.taker))"
        )
      } else {
        fail(.takenBack, "callout \"\(record.name)\" starts, and is not armed: \(record.taker)")
      }
      return
    }
    record.armings.remove(at: first)
    record.taker = "it has run since it was armed"
    record.active = SimulatedMachine.runningProcess
    record.started = moment()
    checkHere()
  }

  func didRun(_ record: CalloutRecord) {
    checkHere()
    record.active = nil
    record.runs += 1
    if record.endsAfterRun {
      record.hasEnded = true
      record.end(before: .max, by: "it has retired")
    }
  }
}
