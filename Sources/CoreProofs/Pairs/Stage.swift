// What the operations of one program act on: the same handler, callout, lock and data for all of them.
//
// Law: an object is made before the run, and only if an operation asks for it while it is prepared, so that what a pair does not
// need is not explored. Data is declared with its guard: whoever touches it without is found, as is every race.

import Exploration
import SimulatedMachine
import SoftInterrupts

final class Stage: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  unowned let world: World
  let system: System
  var handlers: [StageHandler] = []
  var callouts: [StageCallout] = []

  init(_ world: World) {
    self.world = world
    system = world.system
    for level in [Level.none, .softNet] { _ = number(level) }
    world.finally { [self] in check() }
  }

  // MARK: What the operations of this program do besides; said while they are prepared

  /// Some operation disestablishes the shared handlers, or shuts the system down.
  var endsHandlers = false
  var takesOffline = false
  var shutsDown = false {
    didSet { endsHandlers = true }
  }

  // MARK: Handlers and callouts

  private var made: [String: StageHandler] = [:]
  private func handler(
    _ name: String, at level: Level, as way: WayIn, _ placement: Placement = .bound
  ) -> StageHandler {
    if let handler = made[name] { return handler }
    do {
      let handler = try StageHandler(self, name, at: level, as: way, placement)
      made[name] = handler
      return handler
    } catch { Machinery.fatal("\(error)") }
  }
  var net: StageHandler { handler("net", at: .softNet, as: .ordered) }
  var anywhere: StageHandler { handler("anywhere", at: .softNet, as: .ordered, .anywhere) }
  var safe: StageHandler { handler("safe", at: .softNet, as: .mpSafe) }
  var big: StageHandler { handler("big", at: .softNet, as: .bigLock) }

  private var madeCallouts: [String: StageCallout] = [:]
  private func callout(_ name: StaticString, guard guardLevel: Level?, as way: WayIn) -> StageCallout {
    if let callout = madeCallouts["\(name)"] { return callout }
    do {
      let callout = try StageCallout(self, name, at: .softClock, guard: guardLevel, as: way)
      madeCallouts["\(name)"] = callout
      return callout
    } catch { Machinery.fatal("\(error)") }
  }
  /// At softClock, under the gate of softNet, taken cumulatively.
  var timer: StageCallout { callout("timer", guard: .softNet, as: .ordered) }
  /// Without a guard: only a halt is exact.
  var plain: StageCallout { callout("plain", guard: nil, as: .mpSafe) }

  // MARK: Data

  private var numbers: [Level: Shared<Int>] = [:]
  private var touches: [Level: Int] = [:]
  private func number(_ level: Level) -> Shared<Int> {
    if let number = numbers[level] { return number }
    let number = world.shared("data of \(level)", guard: level, 0)
    numbers[level] = number
    return number
  }

  /// Reads and writes the datum whose guard is `level`: two accesses, between which nobody may come.
  func touch(_ level: Level) {
    let number = number(level)
    number.value += 1
    touches[level, default: 0] += 1
  }

  lazy var lock = system.levelLock(at: .softNet, 0)
  lazy var locked = world.shared("data of the lock", 0)
  lazy var cell = system.perCPU(at: .softNet) { _ in 0 }
  lazy var ring = Ring<Int, Machinery>(capacity: 2)
  lazy var condition = system.condition(guardedBy: .softNet)
  /// Under the gate of softNet.
  var isReady = false
  private var hasSignaller = false

  /// Somebody who makes the condition true, so that who waits for it can end.
  func needSignaller() {
    _ = condition
    if hasSignaller { return }
    hasSignaller = true
    world.visitor("signaller") { [self] in signal() }
  }

  func signal() {
    system.raise(exactly: .softNet) { _ in
      isReady = true
      condition.broadcast()
    }
  }

  // MARK: Calls and base code that must run

  /// Calls and base code that were accepted, and how many of them have run.
  var acceptedCalls = 0
  var callsRun = 0
  /// Refused after they were linked: the end may have run or dropped them.
  var refusedCalls = 0
  var acceptedJobs = 0
  var jobsRun = 0
  var report: ShutdownReport?
  var hasShutDown = false

  /// By CPU: true from the return of `offline` to the call of `online`.
  private var offlineCPUs: Set<Int> = []
  func isOffline(_ cpu: Int) -> Bool { offlineCPUs.contains(cpu) }
  func setOffline(_ cpu: Int, _ isOffline: Bool) {
    if isOffline { offlineCPUs.insert(cpu) } else { offlineCPUs.remove(cpu) }
  }

  // MARK: -

  var step: UInt64 { world.machine.stepCount }
  /// Of the last run that was begun.
  private(set) var serial = 0
  func nextSerial() -> Int {
    serial += 1
    return serial
  }

  func expect(_ condition: Bool, _ message: @autoclosure () -> String) { world.expect(condition, message()) }

  /// The runs of handlers that are under way.
  var activeRuns: Set<Int> {
    for handler in handlers { handler.compared() }
    return handlers.reduce(into: []) { $0.formUnion($1.activeRuns) }
  }

  private func check() {
    for handler in handlers { handler.checkDelivered() }
    for callout in callouts { callout.checkDelivered() }
    for (level, number) in numbers {
      expect(number.value == touches[level, default: 0], "data of \(level): an update was lost")
    }
    let (calls, jobs) = (report?.crossCalls ?? 0, report?.jobs ?? 0)
    expect(callsRun <= acceptedCalls, "a cross-call that was refused has run")
    expect(
      acceptedCalls - callsRun <= calls + refusedCalls,
      "\(acceptedCalls - callsRun) accepted cross-calls have not run; \(calls) counted as dropped")
    expect(
      acceptedJobs - jobsRun <= jobs,
      "\(acceptedJobs - jobsRun) pieces of accepted base code have not run; \(jobs) counted as dropped")
  }
}
