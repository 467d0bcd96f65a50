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
    // On a process's stack its CPUs could not be started and settled.
    if SimulatedMachine.runningProcess != nil {
      SimulatedMachine.fatal(
        "the program first asks for its system in the middle of the run, not while it is built")
    }
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
  let configuration: Configuration
  /// With execution by threads contexts only stand as if they held the gates.
  var hasGates: Bool { configuration.execution == .inline }
  /// The machine that the program runs on.
  public let machine: SimulatedMachine
  /// None when a run that went wrong is over: its world stays, and must not keep who watched.
  @exclusivity(unchecked) private(set) var watcher: Watcher!
  var handlers: [HandlerRecord] = []
  var checks: [() -> Void] = []
  var said: String?
  /// Base code that was given and has not ended, by CPU.
  var unfinished: [Int]
  var data: [(word: UnsafeMutablePointer<SimulatedWord>, name: String)] = []
  var boundaries: [Boundary] = []
  var callouts: [CalloutRecord] = []
  /// Whether an armed callout that never runs is right. (On a CPU that stays offline it is in any case.)
  public var calloutsMayRest = false
  /// Pending schedules of bound ordered handlers, for their order.
  var waiting: [PendingSchedule] = []
  /// What the program's shutdown said; and whether one has been begun.
  var report: ShutdownReport?
  var isStopping = false
  /// False while the system is taken down: the run has its verdict, and what was left pending is no part of it. Watched bodies are
  /// not called any more, and what others do is not judged: nobody is there to leave to.
  var isLive = true
  /// How many moments there were: calls, returns, beginnings and ends, in the order in which they came.
  var moments = 0

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

  /// The run has been left in the middle, and the world with it: what can be given back is.
  func leaveBehind() {
    watcher = nil
    checks = []
    made?.leaveBehind()
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
    if !isLive { return }
    watcher.fail(rule, message)
    SimulatedMachine.endRun()
  }

  // MARK: Checks at the program's own points

  func checkHere() {
    guard isLive, hasGates, let process = SimulatedMachine.runningProcess else {
      return
    }
    watcher.checkOwnership(machine, process)
    if watcher.broken != nil { SimulatedMachine.endRun() }
  }

  func checkGuard(_ level: Level?, _ name: String) {
    guard isLive, let process = SimulatedMachine.runningProcess else { return }
    checkHere()
    guard let level, let current = machine.current(process),
      let view = InterruptSystem<SimulatedMachine>.view(of: current)
    else { return }
    if !view.topOwned.contains(level.gate) {
      fail(.unguarded, "\(machine.name(process)) touches \(name) without gate \(level)")
    }
  }

  /// The name of a word, for stories.
  func name(of word: UnsafeMutablePointer<SimulatedWord>?) -> String? {
    guard let word else { return nil }
    if let data = data.first(where: { $0.word == word }) { return data.name }
    // Nothing of the program's, nor of the core's.
    if boundaries.contains(where: { $0.word == word }) { return "" }
    return made?.name(of: word)
  }
}
