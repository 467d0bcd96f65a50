// Handlers that are watched: what each call promises is held against what runs.
//
// Law: only what must hold is asked for. A schedule, run or change is known here by the moments of its call and its return, and the
// core's own decision lies somewhere between; whatever could have come in either order is given the benefit of it. So a finding is
// a broken promise, while some broken promises of overlapping calls are not seen. Beginnings and ends of runs, and returns of changes,
// are points of the handler's own word, or a reduction would take them to commute: those of runs under the gate as writes (the
// gate orders them already), those of MP-safe runs as reads.

public import SimulatedMachine
public import SoftInterrupts

extension World {
  /// Establishes a handler whose schedules, runs and changes are watched: never twice at once, never lost, in order, not while it is
  /// suspended, not after its end, not without having been asked to.
  public func handler(
    _ name: String, at level: Level, as way: WayIn, _ placement: Placement = .bound,
    _ body: @escaping (borrowing Here<SimulatedMachine>) -> Void
  ) throws(EstablishError) -> WatchedHandler {
    let record = HandlerRecord(name, level, way, placement, cpus: system.cpuCount)
    let handler = try system.establish(name, at: level, as: way, placement) { [unowned self] here in
      if !self.isLive { return }
      let cpu = here.cpu ?? 0
      let isExclusive = self.hasGates && here.gates.contains(level.gate)
      if isExclusive { record.boundary.pass(isWrite: true) }
      self.willRun(record, cpu, isExclusive)
      body(here)
      record.boundary.pass(isWrite: isExclusive)
      self.didRun(record, cpu, isExclusive)
    }
    let word = InterruptSystem.generationWord(of: handler)
    record.generation = (word, word.value)
    handlers.append(record)
    boundaries.append(record.boundary)
    return WatchedHandler(world: self, raw: handler, record: record)
  }
}

/// A handler whose schedules and runs are watched.
public struct WatchedHandler: @unchecked Sendable {
  // Sendable: as the world.
  unowned let world: World
  let raw: Handler<SimulatedMachine>
  let record: HandlerRecord

  /// The plain handle. Once a program has it not every schedule is seen, and lost ones and runs without one are not looked for.
  public var handler: Handler<SimulatedMachine> {
    record.isExposed = true
    return raw
  }

  /// How often it has run to its end.
  public var runs: Int { record.runs }

  /// On the calling CPU; on CPU 0 elsewhere.
  @discardableResult public func schedule() -> ScheduleResult {
    world.schedule(record, on: world.callingCPU ?? 0) { raw.schedule() }
  }

  /// As a handler's, watched.
  @discardableResult public func schedule(on cpu: Int) -> ScheduleResult {
    world.schedule(record, on: cpu) { raw.schedule(on: cpu) }
  }

  /// After `.done` it does not run, and what was pending has run or is counted.
  @discardableResult public func disestablish(
    file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    let before = record.required
    let result = world.change(record, "disestablishes") {
      world.system.disestablish(raw, file: file, line: line)
    }
    guard case .done(let dropped) = result else { return result }
    record.hasEnded = true
    if record.isRunning {
      world.fail(.useAfterEnd, "\"\(record.name)\" is disestablished, and runs still")
    }
    let lost = record.pending(before)
    if dropped < lost.count && !record.isExposed {
      world.fail(
        .lostWork,
        "\"\(record.name)\" was pending on CPU \(lost.map(String.init).joined(separator: ", ")) when it was disestablished; it has not run, and \(dropped) are said to be dropped"
      )
    }
    return result
  }

  /// After `.done` it does not run until it is resumed as often.
  @discardableResult public func suspend(
    file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    let result = world.change(record, "suspends") { world.system.suspend(raw, file: file, line: line) }
    guard case .done = result else { return result }
    record.suspensions += 1
    if record.suspensions > 0 && record.isRunning {
      world.fail(.takenBack, "\"\(record.name)\" is suspended, and runs still")
    }
    return result
  }

  /// As a handler's, watched.
  @discardableResult public func resume() -> ChangeResult {
    record.boundary.pass(isWrite: true)
    record.suspensions -= 1
    let result = world.change(record, "resumes") { world.system.resume(raw) }
    if result != .done(dropped: 0) { record.suspensions += 1 }
    return result
  }

  /// From the handler's own run: no later one starts, and what is pending is dropped. (`Here/retire()` does as well.)
  public func retire(_ here: borrowing Here<SimulatedMachine>) { here.retire() }

  /// Changes the way in; runs that start after `.done` are let in by it.
  @discardableResult public func setWay(
    _ way: WayIn, file: StaticString = #fileID, line: UInt = #line
  ) -> ChangeResult {
    let (isAlone, number) = (record.changing == 0, record.changes + 1)
    let result = world.change(record, "makes \(way)") {
      world.system.setWay(way, of: raw, file: file, line: line)
    }
    if case .done = result {
      record.way = way
      record.isWayKnown = isAlone && record.changes == number
    }
    return result
  }
}

extension World {
  /// The CPU whose context calls; nil for visitors and devices, and for who is no process.
  var callingCPU: Int? {
    guard let current = SimulatedMachine.runningProcess.flatMap({ machine.current($0) }),
      let view = InterruptSystem<SimulatedMachine>.view(of: current), view.isCPU
    else { return nil }
    return view.cpu
  }

  func schedule(
    _ record: HandlerRecord, on cpu: Int, _ body: () -> ScheduleResult
  ) -> ScheduleResult {
    let called = machine.stepCount
    let began = moment()
    let hadEnded = record.hasEnded
    record.asked[cpu] += 1
    note("schedules \"\(record.name)\" on CPU \(cpu)")
    record.calls.append((cpu, began))
    let result = body()
    record.calls.remove(at: record.calls.firstIndex { $0.cpu == cpu && $0.began == began }!)
    if result != .scheduled { note("\"\(record.name)\": \(result)") }
    if result == .notEstablished {
      if !record.isGone { fail(.lostWork, "\"\(record.name)\" is established, and a schedule was refused") }
      return result
    }
    if hadEnded {
      fail(.useAfterEnd, "\"\(record.name)\" had ended, and a schedule by its old handle was accepted")
    }
    record.required[cpu] = max(record.required[cpu], called + 1)
    if result == .scheduled { record.promised[cpu] = max(record.promised[cpu], called + 1) }
    guard result == .scheduled, record.way == .ordered, record.placement == .bound,
      record.changing == 0, record.started[cpu] <= called
    else { return result }
    waiting.append(
      PendingSchedule(record: record, cpu: cpu, called: began, returned: moment()))
    return result
  }

  /// A change of a handler: what is pending may keep its place, lose it or go, at some moment of it.
  func change(
    _ record: HandlerRecord, _ what: @autoclosure () -> String, _ body: () -> ChangeResult
  ) -> ChangeResult {
    note("\(what()) \"\(record.name)\"")
    record.changing += 1
    record.changes += 1
    defer {
      record.changing -= 1
      // It may have been kept from running meanwhile: only who is scheduled from here on comes after it for certain, and what was
      // accepted may have been left where it was by a CPU that went.
      let now = moment()
      for index in waiting.indices where waiting[index].record === record { waiting[index].returned = now }
      for cpu in record.promised.indices { record.promised[cpu] = 0 }
    }
    let result = body()
    note("that is \(result)")
    record.boundary.pass(isWrite: true)
    return result
  }

  /// A run begins.
  func willRun(_ record: HandlerRecord, _ cpu: Int, _ isExclusive: Bool) {
    let now = machine.stepCount
    let name = "\"\(record.name)\""
    if record.exclusive > 0 || record.active[cpu] > 0 || (isExclusive && record.isRunning) {
      fail(.reentered, "handler \(name) starts on CPU \(cpu) while it runs")
    }
    if record.hasEnded { fail(.useAfterEnd, "\(name) starts on CPU \(cpu) after its end") }
    if record.suspensions > 0 && record.changing == 0 {
      fail(.takenBack, "\(name) starts on CPU \(cpu) while it is suspended")
    }
    if record.changing == 0 && record.isWayKnown && isExclusive == (record.way == .mpSafe) {
      fail(.reentered, "\(name) is \(record.way) now, and was let in by another way on CPU \(cpu)")
    }
    record.begun[cpu] += 1
    let isAsked =
      record.placement == .bound
      ? record.begun[cpu] <= record.asked[cpu] : record.begun.reduce(0, +) <= record.asked.reduce(0, +)
    if !isAsked && !record.isExposed {
      fail(.unasked, "\(name) starts on CPU \(cpu), and nobody scheduled it there")
    }
    record.active[cpu] += 1
    if isExclusive { record.exclusive += 1 }
    let isOwed = record.required[cpu] > record.started[cpu]
    record.started[cpu] = now
    checkHere()
    if watcher.overtakes.limit != .max { overtake(record, cpu) }
    checkOrder(record, cpu, isOwed: isOwed)
  }

  func didRun(_ record: HandlerRecord, _ cpu: Int, _ isExclusive: Bool) {
    checkHere()
    record.active[cpu] -= 1
    if isExclusive { record.exclusive -= 1 }
    record.runs += 1
    // It has retired in this run. (An MP-safe one may just be starting on another CPU.)
    if isExclusive && record.isGone && !isStopping { record.hasEnded = true }
  }

  /// Bound ordered handlers of one level and CPU run in the order of the schedules that made them pending; the order of schedules
  /// that overlap is nobody's.
  ///
  /// Where no schedule that has returned is owed a run, the run is of one that has not: of the first of those at the latest.
  private func checkOrder(_ record: HandlerRecord, _ cpu: Int, isOwed: Bool) {
    guard record.way == .ordered, record.placement == .bound else { return }
    let called: Int
    if let mine = waiting.firstIndex(where: { $0.record === record && $0.cpu == cpu }) {
      called = waiting[mine].called
      waiting.remove(at: mine)
    } else if !isOwed, record.changing == 0,
      let first = record.calls.filter({ $0.cpu == cpu }).map(\.began).min()
    {
      called = first
    } else {
      return
    }
    if let earlier = waiting.first(where: {
      $0.cpu == cpu && $0.record.level == record.level && $0.returned < called && $0.record.suspensions <= 0
        && $0.record.changing == 0 && $0.record.way == .ordered && $0.record.isWayKnown && !$0.record.isGone
    }) {
      fail(
        .outOfOrder,
        "\"\(record.name)\" runs on CPU \(cpu) before \"\(earlier.record.name)\", which was scheduled before it"
      )
    }
  }

  /// Whatever else is pending on a CPU is overtaken by a run that starts there.
  private func overtake(_ record: HandlerRecord, _ cpu: Int) {
    record.overtaken[cpu] = 0
    for other in handlers where other !== record {
      guard other.placement == .bound, other.required[cpu] > other.started[cpu], other.suspensions <= 0,
        other.changing == 0, !other.isGone
      else {
        other.overtaken[cpu] = 0
        continue
      }
      other.overtaken[cpu] += 1
      if other.overtaken[cpu] > watcher.overtakes.limit {
        fail(
          .starvation,
          "\"\(other.name)\" is pending on CPU \(cpu), where \(other.overtaken[cpu]) other runs have started since: the last was \"\(record.name)\""
        )
      }
    }
  }

  /// Stops the system: what it then says was not run is held against what did not run.
  @discardableResult public func shutdown(grace: Duration = .seconds(5)) -> ShutdownReport {
    let isFirst = !isStopping
    isStopping = true
    let report = system.shutdown(grace: grace)
    if isFirst { self.report = report }
    return report
  }
}
