// A program of the theorem on the real core.
//
// Law: an access is a read and a write of watched data, and beside the watching there is a copy that nobody watches: who has read
// what somebody else then changed finds it, whatever the clocks say.

public import Exploration
import SimulatedMachine
import SoftInterrupts

extension RandomProgram {
  /// Builds it in a world. The outcome is the values of the data.
  public func build(_ world: World, checking isOutcome: ((String) -> Bool)? = nil) throws {
    let running = RunningProgram(self, world)
    try running.establish()
    world.finally {
      let outcome = Self.outcome(running.copies)
      world.outcome(outcome)
      if let isOutcome {
        world.expect(isOutcome(outcome), "\(outcome) is the outcome of no run on one processor")
      }
    }
  }

  static func outcome(_ values: [UInt64]) -> String {
    values.enumerated().map { "\(name($0.offset)) = \(history($0.element))" }.joined(separator: ", ")
  }

  /// A value as the constants that made it, in their order; "1.4" is 31 · 1 + 4.
  static func history(_ value: UInt64) -> String {
    if value == 0 { return "0" }
    var digits: [String] = []
    var left = value
    while left != 0 {
      digits.append("\(left % 31)")
      left /= 31
    }
    return digits.reversed().joined(separator: ".")
  }
}

private final class RunningProgram: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  typealias Place = Here<SimulatedMachine>

  let program: RandomProgram
  unowned let world: World
  var data: [Shared<UInt64>]
  var copies: [UInt64]
  var cells: [PerCPU<Int, SimulatedMachine>] = []
  /// What a cell of a CPU stands for, watched.
  var cellData: [[Shared<Int>]] = []
  var locks: [LevelLock<Int, SimulatedMachine>] = []
  var conditions: [(condition: Condition<SimulatedMachine>, isTrue: Shared<Bool>)] = []
  var handlers: [WatchedHandler] = []
  var callouts: [Callout<SimulatedMachine>] = []

  init(_ program: RandomProgram, _ world: World) {
    self.program = program
    self.world = world
    data = program.data.enumerated().map { index, datum in
      let isUnderGate = datum.isChecked && datum.lock == nil
      return world.shared(RandomProgram.name(index), guard: isUnderGate ? datum.guardLevel : nil, 0)
    }
    copies = program.data.map { _ in 0 }
    for (index, level) in program.cells.enumerated() {
      cells.append(world.system.perCPU(at: level) { _ in 0 })
      cellData.append((0..<program.cpus).map { world.shared("c\(index) of CPU \($0)", 0) })
    }
    for lock in program.locks {
      locks.append(world.system.levelLock(at: lock.level, rank: Int32(lock.rank), 0))
    }
    for (index, level) in program.conditions.enumerated() {
      conditions.append(
        (world.system.condition(guardedBy: level), world.shared("w\(index)", guard: level, false)))
    }
  }

  func establish() throws {
    for (index, work) in program.handlers.enumerated() {
      handlers.append(
        try world.handler("h\(index)", at: work.level, as: work.way, work.placement) { here in
          self.run(work.steps, here)
        })
    }
    let names: [StaticString] = ["t0", "t1", "t2", "t3"]
    for (index, timer) in program.callouts.enumerated() {
      callouts.append(
        try world.system.callout(
          names[index], at: timer.level, guard: timer.guardLevel, as: timer.way, exactly: timer.isExact,
          cpu: timer.cpu
        ) { here in self.run(timer.steps, here) })
    }
    for base in program.bases where base.isVisitor {
      let system = world.system
      world.visitor("visitor") {
        if base.isBigLock {
          system.bigLock { here in self.run(base.steps, here) }
        } else {
          self.visit(base.steps)
        }
      }
    }
    for base in program.bases where !base.isVisitor {
      world.base(on: base.cpu, as: base.isBigLock ? .bigLock : .mpSafe) { here in self.run(base.steps, here) }
    }
    if program.hasClock { world.clock(after: .milliseconds(1)) }
    for device in program.devices {
      let handler = handlers[device.handler]
      world.device("card") { handler.schedule(on: device.cpu) }
    }
  }

  func run(_ steps: [Step], _ here: borrowing Place) {
    for step in steps {
      switch step {
      case .raise(let level, let inner): here.raise(to: level) { here in run(inner, here) }
      case .exactly(let level, let inner): here.raise(exactly: level) { here in run(inner, here) }
      case .mask(let level, let inner): here.mask(to: level) { here in run(inner, here) }
      case .lock(let lock, let inner): locks[lock].withLock { _ in run(inner, here) }
      case .open(let cell): open(cell, here)
      case .checkpoint: here.checkpoint()
      default: bare(step)
      }
    }
  }

  /// A visitor's steps, at level none.
  func visit(_ steps: [Step]) {
    for step in steps {
      switch step {
      case .raise(let level, let inner): world.system.raise(to: level) { here in run(inner, here) }
      case .exactly(let level, let inner): world.system.raise(exactly: level) { here in run(inner, here) }
      case .lock(let lock, let inner): locks[lock].withLock { _ in visit(inner) }
      default: bare(step)
      }
    }
  }

  /// What can be done anywhere, as far as the order admits it. (A visitor has neither masks nor cells: nothing.)
  func bare(_ step: Step) {
    switch step {
    case .update(let datum, let constant): change(datum) { constant }
    case .mix(let datum, let from): change(datum) { self.data[from].value }
    case .schedule(let handler): handlers[handler].schedule()
    case .arm(let callout): callouts[callout].schedule(afterNanoseconds: 0)
    case .cancel(let callout, let datum, let constant):
      let result = callouts[callout].cancel()
      change(datum) { result == .cancelled ? constant : constant + 1 }
    case .wait(let index):
      let (condition, isTrue) = conditions[index]
      condition.wait { isTrue.value }
    case .signal(let index):
      conditions[index].isTrue.value = true
      conditions[index].condition.broadcast()
    case .raise, .exactly, .mask, .lock, .open, .checkpoint: break
    }
  }

  func change(_ datum: Int, _ added: () -> UInt64) {
    let value = data[datum].value
    let result = value &* 31 &+ added()
    data[datum].value = result
    world.expect(
      copies[datum] == value,
      "\(data[datum].name) was \(RandomProgram.history(value)) when it was read and is "
        + "\(RandomProgram.history(copies[datum])) when it is written")
    copies[datum] = result
  }

  func open(_ cell: Int, _ here: borrowing Place) {
    guard let cpu = here.cpu else { return }
    let watched = cellData[cell][cpu]
    cells[cell].open { value in
      let before = value
      watched.value += 1
      world.expect(watched.value == before + 1, "\(watched.name) was changed while it was open")
      value = before + 1
    }
  }
}
