// Doing one step.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Player {
  func perform(_ step: Step, _ frame: Frame) {
    let line = step.line
    switch step.action {
    case .read(let operand, let into):
      let value = value(operand, frame)
      if let into { frame.locals[into] = value }
    case .write(let place, let operand): write(value(operand, frame), to: place, frame)
    case .add(let place, let operand):
      let more = value(operand, frame)
      // A read and a write: what comes between them is lost.
      let before = read(place, frame)
      write(sum(before, more), to: place, frame)
    case .set(let index, let operand): frame.locals[index] = value(operand, frame)
    case .branch(let test, let then, let otherwise):
      perform(holds(test, frame) ? then : otherwise, frame)
    case .times(let count, let steps): for _ in 0..<count { perform(steps, frame) }
    case .expect(let test, let message): expect(test, message, frame)
    case .point: world.point()
    case .checkpoint: system.checkpoint()
    case .yield: system.yieldBigLock()
    case .spin(let test):
      var round = 0
      while !holds(test, frame) {
        SimulatedMachine.pause(round)
        round += 1
      }
    case .raise, .tryRaise, .mask, .bigLock, .lock, .open: enter(step.action, line, frame)
    case .schedule(let handler, let cpu, let into):
      let handler = handlers[handler]
      let result = cpu.map { handler.schedule(on: scenario.cpu($0)) } ?? handler.schedule()
      keep(Answer(result), into, frame)
    case .arm(let callout, let after, let into):
      keep(Answer(callouts[callout].schedule(afterNanoseconds: after)), into, frame)
    case .cancel(let callout, let into): keep(Answer(callouts[callout].cancel()), into, frame)
    case .broadcast(let condition):
      conditions[condition].broadcast(file: "scenario", line: line)
      world.checkWitness()
    default: ask(step.action, line, frame)
    }
  }

  // MARK: Sections

  private func enter(_ action: Action, _ line: UInt, _ frame: Frame) {
    switch action {
    case .raise(let level, let isExact, let steps):
      if isExact {
        system.raise(exactly: level, file: "scenario", line: line) { _ in inside(steps, frame) }
      } else {
        system.raise(to: level, file: "scenario", line: line) { _ in inside(steps, frame) }
      }
    case .tryRaise(let level, let steps, let otherwise):
      let entered: Void? = system.tryRaise(to: level, file: "scenario", line: line) { _ in
        inside(steps, frame)
      }
      if entered == nil { inside(otherwise, frame) }
    case .mask(let level, let steps):
      system.mask(to: level, file: "scenario", line: line) { _ in inside(steps, frame) }
    case .bigLock(let steps):
      system.bigLock(file: "scenario", line: line) { _ in inside(steps, frame) }
    case .lock(let index, let steps):
      let name = scenario.locks[index].name
      world.note("wants lock \"\(name)\"")
      switch locks[index] {
      case .plain(let lock):
        lock.withLock {
          world.note("has lock \"\(name)\"")
          perform(steps, frame)
        }
      case .level(let lock):
        lock.withLock(file: "scenario", line: line) { _ in
          world.note("has lock \"\(name)\"")
          inside(steps, frame)
        }
      }
      world.note("leaves lock \"\(name)\"")
    case .open(let index, let steps):
      cells[index].open(file: "scenario", line: line) { value in
        frame.open.append((index, value))
        inside(steps, frame)
        frame.open.removeLast()
      }
      world.checkWitness()
    default: break
    }
  }

  /// The steps of a section, which may have been refused: then what was collected ends the run before them.
  private func inside(_ steps: [Step], _ frame: Frame) {
    world.checkWitness()
    perform(steps, frame)
  }

  // MARK: What may be refused

  private func ask(_ action: Action, _ line: UInt, _ frame: Frame) {
    switch action {
    case .disestablish(let handler, let into):
      keep(Answer(handlers[handler].disestablish(file: "scenario", line: line)), into, frame)
    case .suspend(let handler, let into):
      keep(Answer(handlers[handler].suspend(file: "scenario", line: line)), into, frame)
    case .resume(let handler, let into): keep(Answer(handlers[handler].resume()), into, frame)
    case .setWay(let handler, let way, let into):
      let result = handlers[handler].setWay(scenario.way(way), file: "scenario", line: line)
      keep(Answer(result), into, frame)
    case .halt(let callout, let into):
      keep(Answer(callouts[callout].halt(file: "scenario", line: line)), into, frame)
    case .retire(let callout, let into):
      keep(Answer(callouts[callout].retire(file: "scenario", line: line)), into, frame)
    case .wait(let condition, let test, let into):
      world.note("waits until \(test.text)")
      let waited = conditions[condition].wait(file: "scenario", line: line) { holds(test, frame) }
      keep(Answer(waited), into, frame)
    case .crossCall(let cpu, let level, let isWaited, let body, let into):
      let cpu = scenario.cpu(cpu)
      let call: @Sendable (borrowing Here<SimulatedMachine>) -> Void = { [self] _ in
        world.note("a cross-call starts")
        perform(body)
        world.note("a cross-call ends")
      }
      let isDone =
        isWaited
        ? system.crossCallAndWait(on: cpu, at: level, file: "scenario", line: line, call)
        : system.crossCall(on: cpu, at: level, call)
      keep(Answer(isDone), into, frame)
    case .barrier(let level, let into):
      keep(Answer(system.barrier(at: level, file: "scenario", line: line)), into, frame)
    case .offline(let cpu, let into): keep(Answer(system.offline(scenario.cpu(cpu))), into, frame)
    case .online(let cpu, let into): keep(Answer(system.online(scenario.cpu(cpu))), into, frame)
    default: break
    }
    world.checkWitness()
  }

  private func keep(_ answer: Answer, _ into: Int?, _ frame: Frame) {
    if let into { frame.locals[into] = .answer(answer) }
  }

  // MARK: Values

  private func read(_ place: Place, _ frame: Frame) -> Quantity {
    switch place {
    case .datum(let index): return data[index].value
    // The reader has seen to it that it is open.
    case .cell(let index): return frame.open.last { $0.cell == index }?.value.value ?? .number(0)
    }
  }

  private func write(_ value: Quantity, to place: Place, _ frame: Frame) {
    switch place {
    case .datum(let index): data[index].value = value
    case .cell(let index): frame.open.last { $0.cell == index }?.value.value = value
    }
  }

  private func sum(_ a: Quantity, _ b: Quantity) -> Quantity {
    guard case .number(let a) = a, case .number(let b) = b else {
      world.expect(false, "only numbers are added")
      return .number(0)
    }
    return .number(a &+ b)
  }

  func value(_ operand: Operand, _ frame: Frame) -> Quantity {
    switch operand {
    case .constant(let value): value
    case .place(let place): read(place, frame)
    case .local(let index): frame.locals[index]
    case .sum(let index): cells[index].values.reduce(.number(0)) { sum($0, $1.value) }
    case .handlerRuns(let index): .number(handlers[index].runs)
    case .calloutRuns(let index): .number(callouts[index].runs)
    }
  }

  private func holds(_ test: Test, _ frame: Frame) -> Bool {
    holds(test, value(test.left, frame), value(test.right, frame))
  }

  private func holds(_ test: Test, _ left: Quantity, _ right: Quantity) -> Bool {
    switch (test.relation, left, right) {
    case (.equal, _, _): left == right
    case (.unequal, _, _): left != right
    case (.below, .number(let a), .number(let b)): a < b
    case (.above, .number(let a), .number(let b)): a > b
    // An answer is neither below nor above anything.
    default: false
    }
  }

  private func expect(_ test: Test, _ message: String, _ frame: Frame) {
    let (left, right) = (value(test.left, frame), value(test.right, frame))
    if holds(test, left, right) { return }
    var text = message.isEmpty ? "" : message + ": "
    text += "expected that \(test.text); "
    text += test.right.isConstant ? "it is \(left)" : "they are \(left) and \(right)"
    world.expect(false, text)
  }
}

extension Operand {
  var isConstant: Bool { if case .constant = self { true } else { false } }
}

extension Answer {
  init(_ result: ScheduleResult) {
    self =
      switch result {
      case .scheduled: .scheduled
      case .coalesced: .coalesced
      case .notEstablished: .notEstablished
      case .offline: .offline
      }
  }
  init(_ result: ArmResult) {
    self =
      switch result {
      case .armed: .armed
      case .rearmed: .rearmed
      case .retired: .retired
      }
  }
  init(_ result: CancelResult) {
    self =
      switch result {
      case .cancelled: .cancelled
      case .notArmed: .notArmed
      case .mayBeRunning: .mayBeRunning
      case .retired: .retired
      }
  }
  init(_ result: ChangeResult) {
    self =
      switch result {
      case .done: .done
      case .notEstablished: .notEstablished
      case .refused: .refused
      }
  }
  init(_ isDone: Bool) { self = isDone ? .done : .refused }
}
