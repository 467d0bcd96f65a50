// The stack: lwIP, which is not thread-safe and takes no lock here, as data of level softNet.
//
// Law: every call into lwIP is made by who holds the stack's guard: a handler at softNet, a callout at softClock whose guard is softNet, or
// whoever came in by `enter`. lwIP itself asks, at each of its core-lock assertions. lwIP's data is global, so a second stack of a process
// has a second lwIP, and a guard of its own.

import CLwIPStack
import Glibc
public import HostedMachine
public import SoftInterrupts
import Synchronization

/// How a stack is to run.
public struct StackConfiguration: Sendable {
  public var discipline: StackDiscipline = .ordered
  /// 1 to 64; `oneCPU` has one whatever this says.
  public var cpus: Int = 2
  /// The soft level whose gate is the stack's guard; above softClock, where its timers are.
  public var level: Level = .softNet
  /// How many frames each of the two rings of a device holds.
  public var ringCapacity: Int = 1_024
  /// The most TCP control blocks (without listening ones) and packet buffers; 0 for no limit.
  public var mostConnections: Int = 0
  public var mostBuffers: Int = 0
  /// A pcap file to which every frame is written; for looking into something.
  public var capture: String? = nil
  /// For how many rounds an idle CPU polls at most (``Configuration``'s `idleRounds`); nil for its default.
  public var idleRounds: Int? = nil
  /// lwIP under its own core lock instead, without soft interrupts: the baseline, for programs that do not link CLwIPGuard.
  public var coreLock: CoreLockMode? = nil
  /// How often the baseline's thread looks at its device before it sleeps.
  public var idlePolls = 16
  /// Whether a core-lock assertion that fails ends the program; otherwise it is counted.
  public var trapsUnguarded = true

  public init() {}
}

/// What a stack has counted.
public struct StackCounts: Sendable {
  /// lwIP's core-lock assertions that were asked, and those that failed.
  public var assertions: UInt64
  public var failures: UInt64
  /// Protected sections and requests of the core lock.
  public var protections: UInt64
  public var locks: UInt64
  /// What lwIP has now.
  public var connections, listeners, endpoints, segments, buffers: Int
  /// Allocations refused by a limit.
  public var refused: UInt64
  /// Frames in and out, and those for which the stack's own rings had no room.
  public var framesIn, framesOut, droppedIn, droppedOut: UInt64
  /// Frames that never came so far (``NetworkDevice/droppedByKernel``); nil if no device can tell.
  public var droppedByKernel: UInt64?
  /// How often each timer ran.
  public var timerRuns: [(name: String, runs: UInt64)]
}

/// lwIP at softNet.
public final class NetworkStack: @unchecked Sendable {
  // Sendable: what is `let` is safe by itself or under the guard; what is `var` is under the guard, or set before the CPUs see it.

  public let system: InterruptSystem<HostedMachine>
  let plan: StackPlan
  let configuration: StackConfiguration
  /// Its lwIP.
  let lwip: UnsafePointer<lwip_api>
  /// The stack whose system it is, if not its own; and those that run on ours.
  private let first: NetworkStack?
  private var others: [NetworkStack] = []
  private let lock: LevelLock<Void, HostedMachine>
  /// The thread that has `lock`; 0 for none. Relaxed: a thread finds its own number only if it wrote it.
  private let lockOwner = Atomic<UInt>(0)

  let log: FrameLog?
  /// What was counted before: lwIP's accounts are of the process, those of a stack its own.
  private let baseline: lwip_counts
  var ports: [DevicePort] = []
  var timers: [StackTimer] = []
  var timeouts: [StackTimeout] = []
  var deferred:
    [(function: @convention(c) (UnsafeMutableRawPointer?) -> Void, argument: UnsafeMutableRawPointer?)] = []
  var deferredHandler: Handler<HostedMachine>!
  var services = StackServices()
  private(set) var isRunning = true
  /// In the baseline: lwIP's lock and the device's thread.
  private(set) var core: CoreLock?

  /// Makes a system of soft interrupts and starts lwIP on it.
  ///
  /// - Parameter first: a stack on whose system this one is to run, with a level, and so a guard, of its own; the discipline and the CPUs
  ///   are that stack's. They end together.
  /// - Throws: ``DeviceFailure`` if another lwIP cannot be loaded, or the system cannot be made.
  public convenience init(
    _ configuration: StackConfiguration = StackConfiguration(), beside first: NetworkStack? = nil
  ) throws(DeviceFailure) {
    let plan =
      configuration.coreLock != nil
      ? StackPlan(coreLockAt: configuration.level)
      : StackPlan(configuration.discipline, cpus: configuration.cpus, level: configuration.level)
    try self.init(configuration, plan, beside: first)
  }

  init(
    _ configuration: StackConfiguration, _ plan: StackPlan, beside first: NetworkStack? = nil
  ) throws(DeviceFailure) {
    guard configuration.level > .softClock && configuration.level < .vm else {
      throw DeviceFailure(description: "a stack's level is softBio, softNet or softSerial")
    }
    if let first,
      first.plan.level == plan.level || first.plan.discipline != plan.discipline || !first.isRunning
    {
      throw DeviceFailure(description: "two stacks of a system have a level each, and one discipline")
    }
    log = try configuration.capture.map { (path) throws(DeviceFailure) in try FrameLog(path) }
    self.plan = plan
    self.configuration = configuration
    lwip = try LwIPInstances.take(isInterposed: plan.guarding != .coreLock)
    self.first = first
    do throws(DeviceFailure) {
      system = if let first { first.system } else { try Self.makeSystem(configuration, plan) }
    } catch {
      LwIPInstances.giveBack(lwip)
      throw error
    }
    baseline = lwip.pointee.count_now()
    lock = system.levelLock(at: plan.level, ())
    installHooks()
    if let mode = configuration.coreLock {
      core = CoreLock(self, mode)
      lwip.pointee.core_start()
      core!.findThread()
      return
    }
    do {
      try makeTimers()
      let me = Unmanaged.passUnretained(self)
      deferredHandler = try establish("lwip deferred", .anywhere) { _ in
        me._withUnsafeGuaranteedRef { $0.runDeferred() }
      }
    } catch {
      // Nothing of what was made has been asked to run.
      if first == nil { shutdown() } else { letGoOfLwIP() }
      throw DeviceFailure(description: "\(plan.name): \(error)")
    }
    enter {
      lwip.pointee.set_limits(Int64(configuration.mostConnections), Int64(configuration.mostBuffers))
      lwip.pointee.start()
    }
    if let first { first.enter { first.others.append(self) } }
  }

  private static func makeSystem(
    _ configuration: StackConfiguration, _ plan: StackPlan
  ) throws(DeviceFailure) -> InterruptSystem<HostedMachine> {
    var bounds = plan.configuration
    if let rounds = configuration.idleRounds { bounds.idleRounds = rounds }
    // The CPUs' threads inherit the mask: libslirp writes to sockets that may have gone, and has no other way to hear of it than
    // the error.
    var pipe = sigset_t()
    var before = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    do {
      return try InterruptSystem(on: .hosted(cpus: plan.cpus), bounds)
    } catch { throw DeviceFailure(description: error.description) }
  }

  // MARK: The guard

  /// Runs `body` under the stack's guard: at its level. A no-op for who holds it. Any thread below that level; waits in order. Never in a task's
  /// `onCancel`, which Swift calls under that task's lock: who resumes the task under the guard would wait for it, for ever. There a task of
  /// its own enters. The same goes for all that waits for the guard, as closing a connection does.
  @inline(__always)
  public func enter<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    if plan.isGateOff { return try body() }
    switch plan.guarding {
    case .gate:
      if plan.way == .bigLock && !system.gates.contains(Level.none.gate) {
        return try system.bigLock { (here: borrowing Here<HostedMachine>) throws(E) -> R in
          try here.raise(exactly: plan.level) { (_: borrowing Here<HostedMachine>) throws(E) -> R in
            try body()
          }
        }
      }
      return try system.raise(exactly: plan.level) { (_: borrowing Here<HostedMachine>) throws(E) -> R in
        try body()
      }
    case .lock:
      if isLockMine { return try body() }
      return try lock.withLock { (_: inout Void) throws(E) -> R in
        lockOwner.store(UInt(pthread_self()), ordering: .relaxed)
        defer { lockOwner.store(0, ordering: .relaxed) }
        return try body()
      }
    case .coreLock: return try core!.enter(body)
    }
  }

  private var isLockMine: Bool { lockOwner.load(ordering: .relaxed) == UInt(pthread_self()) }

  /// Whether the calling context holds the guard: what lwIP's assertions ask.
  var isGuarded: Bool {
    switch plan.guarding {
    case .gate: holdsGate
    case .lock: isLockMine
    case .coreLock: core!.isMine
    }
  }

  /// The same where the guard is a gate.
  @inline(__always) var holdsGate: Bool { system.gates.contains(plan.level.gate) }

  /// Establishes a handler at softNet whose body runs under the guard.
  func establish(
    _ name: String, _ placement: Placement, _ body: @escaping (borrowing Here<HostedMachine>) -> Void
  ) throws(EstablishError) -> Handler<HostedMachine> {
    if plan.isGateOff { return try system.establish(name, at: plan.level, as: .mpSafe, placement, body) }
    switch plan.guarding {
    case .gate: return try system.establish(name, at: plan.level, as: plan.way, placement, body)
    case .lock:
      let me = Unmanaged.passUnretained(self)
      // With a thread for each level nobody drains for others.
      let placement: Placement = plan.execution == .threads ? .bound : placement
      return try system.establish(name, at: plan.level, as: .mpSafe, placement) { here in
        me._withUnsafeGuaranteedRef { stack in stack.enter { body(here) } }
      }
    case .coreLock: preconditionFailure("the baseline has no handlers at softNet")
    }
  }

  // MARK: Life

  /// Ends it in order, with those that share its system: connections are reset, devices detached, CPUs stopped. By a thread that is no CPU
  /// and holds nothing. Later calls do nothing.
  @discardableResult public func shutdown() -> ShutdownReport {
    if let first { return first.shutdown() }
    let all = [self] + enter { others }
    // Each, also after one that had ended.
    guard all.map({ $0.leaveNetwork() }).contains(true) else { return system.shutdown() }
    let report = system.shutdown()
    for stack in all { stack.letGoOfLwIP() }
    others = []
    return report
  }

  /// Its lwIP may be another stack's.
  private func letGoOfLwIP() {
    var none = lwip_hooks()
    lwip.pointee.set_hooks(&none)
    LwIPInstances.giveBack(lwip)
  }

  /// Resets what is open and lets go of the devices. False if that has been done.
  private func leaveNetwork() -> Bool {
    // Then nobody else sends.
    core?.stop()
    let isFirst = enter {
      defer { isRunning = false }
      if isRunning {
        services.end()
        _ = lwip.pointee.abort_all()
        // A reset is the last thing that the other end hears. Without an interface (its device could not be attached) nothing is sent.
        for port in ports where port.netif != nil {
          if core != nil { port.pushFromMailbox() } else { port.device.transmit(port) }
        }
      }
      return isRunning
    }
    guard isFirst else { return false }
    if core == nil { for port in ports { port.device.detach() } }
    enter {
      // What lwIP has put off, to loop its own frames back, names an interface: before it goes. Nothing answers any more, so this ends.
      while !deferred.isEmpty { runDeferred() }
      for port in ports {
        if let netif = port.netif { lwip.pointee.netif_remove(netif) }
        port.netif = nil
      }
    }
    return true
  }

  /// What was counted up to now. Any thread below softNet.
  public var counts: StackCounts {
    enter {
      let c = lwip.pointee.count_now()
      return StackCounts(
        assertions: c.assertions - baseline.assertions, failures: c.failures - baseline.failures,
        protections: c.protections - baseline.protections, locks: c.locks - baseline.locks,
        connections: Int(c.tcp_pcbs), listeners: Int(c.listen_pcbs), endpoints: Int(c.udp_pcbs),
        segments: Int(c.segments), buffers: Int(c.pbufs), refused: c.refused - baseline.refused,
        framesIn: ports.reduce(0) { $0 + $1.incoming.count },
        framesOut: ports.reduce(0) { $0 + $1.outgoing.count },
        droppedIn: ports.reduce(0) { $0 + $1.incoming.dropped },
        droppedOut: ports.reduce(0) { $0 + $1.outgoing.dropped },
        droppedByKernel: ports.reduce(nil) { sum, port in
          port.device.droppedByKernel.map { (sum ?? 0) + $0 } ?? sum
        },
        timerRuns: timers.map { ($0.name.description, $0.runs) })
    }
  }
}
