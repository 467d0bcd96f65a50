// One run of a scenario: makes what it declares in a world, and does the steps.
//
// Law: it holds no state but the world's and its frames'; so two runs of one schedule do the same. After each step that the core may
// refuse it looks at the witness, so that a story ends where the rule was broken.

import Exploration
import SimulatedMachine
import SoftInterrupts

/// A scenario that many runs share.
final class Plan: Sendable {
  let scenario: Scenario
  let takesCPUsAway: Bool
  init(_ scenario: Scenario) {
    self.scenario = scenario
    takesCPUsAway = scenario.takesCPUsAway
  }
}

/// A program that the core refuses to make: a verdict, not an error of the scenario.
struct Refusal: Error {
  var rule: Rule
  var message: String
}

/// What one run of a body keeps.
final class Frame {
  var locals: [Quantity]
  /// The cells that it has open.
  var open: [(cell: Int, value: Shared<Quantity>)] = []

  init(_ body: Body) {
    locals = body.locals == 0 ? [] : Array(repeating: .number(0), count: body.locals)
  }
}

final class Player: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  let plan: Plan
  unowned let world: World
  let system: InterruptSystem<SimulatedMachine>
  var data: [Shared<Quantity>] = []
  var cells: [SharedCells<Quantity>] = []
  var locks: [AnyLock] = []
  var conditions: [Condition<SimulatedMachine>] = []
  var handlers: [WatchedHandler] = []
  var callouts: [WatchedCallout] = []

  enum AnyLock {
    case plain(PlainLock)
    case level(LevelLock<Void, SimulatedMachine>)
  }

  init(_ plan: Plan, _ world: World) {
    self.plan = plan
    self.world = world
    system = world.system
  }

  /// Inlined: else all of it is copied at each look.
  @inline(__always) var scenario: Scenario { plan.scenario }

  /// Makes the program in its world.
  func build() throws {
    world.calloutsMayRest = plan.takesCPUsAway
    for datum in scenario.data {
      data.append(world.shared(datum.name, guard: datum.guardLevel, .number(datum.value)))
    }
    for cell in scenario.cells { cells.append(world.cells(cell.name, at: cell.level, .number(cell.value))) }
    for lock in scenario.locks {
      if let level = lock.level {
        locks.append(.level(system.levelLock(at: level, rank: lock.rank, ())))
      } else {
        locks.append(.plain(world.plainLock(lock.name)))
      }
    }
    for condition in scenario.conditions {
      conditions.append(system.condition(guardedBy: condition.guardLevel))
    }
    for (index, plan) in scenario.handlers.enumerated() { try make(plan, index) }
    for (index, plan) in scenario.callouts.enumerated() { try make(plan, index) }
    for base in scenario.base { make(base) }
    for visitor in scenario.visitors {
      world.visitor(visitor.name) { self.perform(visitor.body) }
    }
    for device in scenario.devices {
      world.device(device.name) { self.perform(device.body) }
    }
    for (index, time) in scenario.clocks.enumerated() {
      world.clock(index == 0 ? "clock" : "clock \(index)", after: .nanoseconds(time))
    }
    world.finally { [self] in finish() }
  }

  private func make(_ plan: HandlerPlan, _ index: Int) throws {
    let (way, body) = (scenario.way(plan.way), plan.body)
    let retires = body.steps.last.map { if case .retireSelf = $0.action { true } else { false } } ?? false
    do throws(EstablishError) {
      handlers.append(
        try world.handler(plan.name, at: plan.level, as: way, plan.placement) { [self] here in
          perform(body)
          if retires { handlers[index].retire(here) }
        })
    } catch {
      throw ScenarioError(file: "", line: 0, path: "$.handlers[\(index)]", problem: "\(error)")
    }
  }

  private func make(_ plan: CalloutPlan, _ index: Int) throws {
    let body = plan.body
    do throws(CalloutError) {
      callouts.append(
        try world.callout(
          plan.name, at: plan.level, guard: plan.guardLevel, as: scenario.way(plan.way),
          exactly: plan.isExact,
          cpu: scenario.cpu(plan.cpu)
        ) { [self] _ in perform(body) })
    } catch {
      if case .disjointGuard(_, let level, let guardLevel) = error {
        let error = CalloutError.disjointGuard(plan.name, at: level, guard: guardLevel)
        throw Refusal(rule: .witness(.disjointRaises), message: "\(error)")
      }
      throw ScenarioError(file: "", line: 0, path: "$.callouts[\(index)]", problem: "\(error)")
    }
  }

  private func make(_ base: BasePlan) {
    let way = scenario.discipline == .bigLock ? BaseWay.bigLock : base.way
    world.base(on: scenario.cpu(base.cpu), as: way) { [self] here in
      let frame = Frame(base.body)
      for step in base.body.steps {
        // The one step that needs to be where it was handed to.
        if case .leaveCPU(let steps) = step.action {
          here.leaveCPU(file: "scenario", line: step.line) { perform(steps, frame) }
          world.checkWitness()
        } else {
          perform(step, frame)
        }
      }
    }
  }

  private func finish() {
    perform(scenario.finally)
    if scenario.outcome.isEmpty { return }
    let frame = Frame(Body())
    let values = scenario.outcome.map { "\($0.name)=\(value($0.operand, frame))" }
    world.outcome(values.joined(separator: " "))
  }

  func perform(_ body: Body) { perform(body.steps, Frame(body)) }

  func perform(_ steps: [Step], _ frame: Frame) {
    for step in steps { perform(step, frame) }
  }
}

extension Scenario {
  /// Whether a step takes a CPU offline.
  var takesCPUsAway: Bool {
    func has(_ steps: [Step]) -> Bool {
      steps.contains { step in
        switch step.action {
        case .offline: true
        case .branch(_, let then, let otherwise): has(then) || has(otherwise)
        case .times(_, let steps): has(steps)
        default: false
        }
      }
    }
    return visitors.contains { has($0.body.steps) }
  }
}
