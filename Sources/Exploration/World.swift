// What a program to be explored is made of: a system, base code, visitors, devices, data, and what is expected at the end.
//
// Law: a world is built anew for each schedule, by the same closure. What the closure reads from outside must not change between
// schedules, or two runs of one schedule differ.

public import SimulatedMachine
public import SoftInterrupts

/// One run of a program.
public final class World: @unchecked Sendable {
  // Sendable: used on the machine's one thread.

  /// The system; made when the program first asks for it, so that programs without one are explored without.
  public var system: InterruptSystem<SimulatedMachine> {
    if let made { return made }
    let system: InterruptSystem<SimulatedMachine>
    do {
      system = try InterruptSystem(on: machine, configuration)
    } catch { SimulatedMachine.fatal("no system: \(error)") }
    made = system
    // Every CPU goes to sleep in its loop.
    machine.settle()
    willUse(system)
    return system
  }
  private let willUse: (InterruptSystem<SimulatedMachine>) -> Void
  private(set) var made: InterruptSystem<SimulatedMachine>?
  private let configuration: Configuration
  public let machine: SimulatedMachine
  let watcher: Watcher
  var handlers: [HandlerRecord] = []
  var checks: [() -> Void] = []
  var said: String?
  /// Base code that was given and has not ended, by CPU.
  var unfinished: [Int]
  var data: [(word: UnsafeMutablePointer<SimulatedWord>, name: String)] = []
  /// Pending schedules of bound ordered handlers, for their order.
  var waiting: [(record: HandlerRecord, cpu: Int, called: UInt64, returned: UInt64)] = []

  init(
    _ machine: SimulatedMachine, _ configuration: Configuration, _ watcher: Watcher,
    _ system: InterruptSystem<SimulatedMachine>?,
    _ willUse: @escaping (InterruptSystem<SimulatedMachine>) -> Void
  ) {
    self.machine = machine
    made = system
    self.willUse = willUse
    self.configuration = configuration
    self.watcher = watcher
    watcher.tenure = nil
    unfinished = Array(repeating: 0, count: machine.cpuCount)
  }

  // MARK: Who runs

  /// Gives a CPU base code. It begins when the exploration does; several on one CPU run one after the other.
  public func base(
    on cpu: Int, as way: BaseWay = .mpSafe, _ body: @escaping (borrowing Here<SimulatedMachine>) -> Void
  ) {
    unfinished[cpu] += 1
    nonisolated(unsafe) let body = body
    system.submit(on: cpu) { [unowned self] here in
      SimulatedMachine.waitForRun()
      switch way {
      case .mpSafe: body(here)
      case .bigLock: self.system.bigLock { body($0) }
      }
      self.unfinished[cpu] -= 1
    }
  }

  /// A thread that is no CPU.
  public func visitor(_ name: String = "visitor", _ body: @escaping () -> Void) {
    machine.visitor(name, body)
  }

  /// A device: `body` is called at a point that the exploration chooses, from outside of every CPU.
  public func device(_ name: String = "device", _ body: @escaping () -> Void) { machine.device(name, body) }

  /// Lets time pass: at a point that the exploration chooses the clock goes forward, although others could go on. Looking at the
  /// clock is an operation then. (Without it the clock moves when nobody can go on, and only then.)
  public func clock(_ name: String = "clock", after time: Duration) {
    let (seconds, attoseconds) = time.components
    let nanoseconds = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    machine.watchClock()
    machine.device(name) { SimulatedMachine.elapse(nanoseconds) }
  }

  /// Establishes a handler whose runs are watched: never twice at once, never lost, in order.
  public func handler(
    _ name: String, at level: Level, as way: WayIn, _ placement: Placement = .bound,
    _ body: @escaping (borrowing Here<SimulatedMachine>) -> Void
  ) throws(EstablishError) -> WatchedHandler {
    let record = HandlerRecord(name, level, way, placement, cpus: system.cpuCount)
    let handler = try system.establish(name, at: level, as: way, placement) { [unowned self] here in
      let cpu = here.cpu ?? 0
      self.willRun(record, cpu)
      body(here)
      self.didRun(record, cpu)
    }
    handlers.append(record)
    return WatchedHandler(world: self, handler: handler, record: record)
  }

  /// Declares data: its accesses are scheduling points, and must be ordered by the program. With a guard they are to be made under
  /// that level's gate.
  public func shared<Value>(
    _ name: String, guard guardLevel: Level? = nil, _ value: Value
  ) -> Shared<Value> {
    let shared = Shared(self, name, guardLevel, value)
    data.append((shared.word, name))
    return shared
  }

  /// A scheduling point of its own; in a body it checks that the gates held are held alone.
  public func point() {
    SimulatedMachine.point()
    checkHere()
  }

  // MARK: What is expected

  /// Ends the run with a violation if `condition` is false. Anywhere.
  public func expect(
    _ condition: Bool, _ message: @autoclosure () -> String = "an expectation of the program"
  ) {
    if !condition { fail(.expectation, message()) }
  }

  /// Called when everything has finished.
  public func finally(_ check: @escaping () -> Void) { checks.append(check) }

  /// Called whenever a process has come to own a gate, in the middle of a step: it may look, and must change nothing of the system.
  package func onTenure(_ body: @escaping (_ gate: Level, _ process: Int, _ isAskedFor: Bool) -> Void) {
    watcher.tenure = body
  }

  /// What this run came to: counted in ``Exploration/outcomes``.
  public func outcome(_ text: String) { said = text }

  func fail(_ rule: Rule, _ message: String) {
    watcher.fail(rule, message)
    SimulatedMachine.endRun()
  }

  // MARK: Checks at the program's own points

  func checkHere() {
    guard let process = SimulatedMachine.runningProcess else { return }
    watcher.checkOwnership(machine, process)
    if watcher.broken != nil { SimulatedMachine.endRun() }
  }

  func checkGuard(_ level: Level?, _ name: String) {
    guard let process = SimulatedMachine.runningProcess else { return }
    checkHere()
    guard let level, let current = machine.current(process),
      let view = InterruptSystem<SimulatedMachine>.view(of: current)
    else { return }
    if !view.topOwned.contains(level.gate) {
      fail(.unguarded, "\(machine.name(process)) touches \(name) without gate \(level)")
    }
  }

  private func willRun(_ record: HandlerRecord, _ cpu: Int) {
    let now = machine.stepCount
    let others = record.way == .mpSafe ? record.active[cpu] : record.active.reduce(0, +)
    if others > 0 { fail(.reentered, "handler \"\(record.name)\" starts on CPU \(cpu) while it runs") }
    record.active[cpu] += 1
    record.started[cpu] = now
    checkHere()
    guard record.way == .ordered, record.placement == .bound else { return }
    guard let mine = waiting.firstIndex(where: { $0.record === record && $0.cpu == cpu }) else { return }
    let called = waiting[mine].called
    waiting.remove(at: mine)
    if let earlier = waiting.first(where: {
      $0.cpu == cpu && $0.record.level == record.level && $0.returned < called && !$0.record.isHeldBack
    }) {
      fail(.outOfOrder, "\"\(record.name)\" runs before \"\(earlier.record.name)\", scheduled before it")
    }
  }

  private func didRun(_ record: HandlerRecord, _ cpu: Int) {
    checkHere()
    record.active[cpu] -= 1
    record.runs += 1
  }

  func didSchedule(_ record: HandlerRecord, _ cpu: Int, called: UInt64, _ result: ScheduleResult) {
    guard result != .notEstablished else { return }
    record.required[cpu] = max(record.required[cpu], called + 1)
    guard result == .scheduled, record.way == .ordered, record.placement == .bound,
      record.started[cpu] <= called
    else { return }
    waiting.append((record, cpu, called, machine.stepCount))
  }

  /// The name of a word, for stories.
  func name(of word: UnsafeMutablePointer<SimulatedWord>?) -> String? {
    guard let word else { return nil }
    return data.first { $0.word == word }?.name ?? made?.name(of: word)
  }
}

/// What is known of a handler's schedules and runs.
final class HandlerRecord {
  let name: String
  let level: Level
  let way: WayIn
  let placement: Placement
  var active: [Int]
  /// The step after which a run must start, and the step at which the last one started; by CPU.
  var required: [UInt64]
  var started: [UInt64]
  var runs = 0
  var isGone = false
  var isHeldBack = false

  init(_ name: String, _ level: Level, _ way: WayIn, _ placement: Placement, cpus: Int) {
    (self.name, self.level, self.way, self.placement) = (name, level, way, placement)
    active = Array(repeating: 0, count: cpus)
    required = Array(repeating: 0, count: cpus)
    started = Array(repeating: 0, count: cpus)
  }

  /// Whether some schedule was not followed by a run; on which CPU.
  var lost: Int? {
    if isGone || isHeldBack { return nil }
    if placement == .anywhere {
      return (required.max() ?? 0) > (started.max() ?? 0) ? 0 : nil
    }
    return required.indices.first { required[$0] > started[$0] }
  }
}

/// A handler whose schedules and runs are watched.
public struct WatchedHandler: @unchecked Sendable {
  // Sendable: as the world.
  unowned let world: World
  public let handler: Handler<SimulatedMachine>
  let record: HandlerRecord

  /// How often it has run to its end.
  public var runs: Int { record.runs }

  /// On the calling CPU; on CPU 0 elsewhere.
  @discardableResult public func schedule() -> ScheduleResult {
    let process = SimulatedMachine.runningProcess.map { world.machine.cpu($0) } ?? -1
    let called = world.machine.stepCount
    let result = handler.schedule()
    world.didSchedule(record, max(process, 0), called: called, result)
    return result
  }

  @discardableResult public func schedule(on cpu: Int) -> ScheduleResult {
    let called = world.machine.stepCount
    let result = handler.schedule(on: cpu)
    world.didSchedule(record, cpu, called: called, result)
    return result
  }

  @discardableResult public func disestablish() -> ChangeResult {
    let result = world.system.disestablish(handler)
    if case .done = result { record.isGone = true }
    return result
  }

  @discardableResult public func suspend() -> ChangeResult {
    record.isHeldBack = true
    return world.system.suspend(handler)
  }

  @discardableResult public func resume() -> ChangeResult {
    let result = world.system.resume(handler)
    record.isHeldBack = false
    return result
  }
}
