// A serial executor whose jobs run at a level: Swift's actors as handlers of a system.
//
// Law: a job that was enqueued runs exactly once, holding the gate of its level, at most one at a time; jobs start in the order in which
// they were enqueued. Between two jobs, and so across every `await`, nothing is held. `enqueue` waits for nothing and runs nothing.

public import SoftInterrupts
import Synchronization

/// Runs the jobs of actors at a level of an `InterruptSystem`, as one ordinary `.ordered` handler of it.
///
/// ```swift
/// actor Table: LevelActor {
///   nonisolated let levelExecutor: LevelExecutor
///   init(_ executor: LevelExecutor) { levelExecutor = executor }
/// }
/// let atNet = try LevelExecutor(system, at: .softNet)
/// let table = Table(atNet)
/// ```
///
/// Actors that share an executor, or two executors of one level and system, exclude each other: what guards them is the level's
/// gate. So ordered handlers of that level, and whoever raises to it, exclude them as well, and are isolated to them:
/// `assumeIsolated` holds there.
///
/// - **Priority**: the level *is* the priority. The priority of a task is kept, inherited and shown by the runtime as ever, and changes
///   nothing of the order: jobs of one executor start in the order in which they were enqueued.
/// - **Shutdown**: what was enqueued before runs within the grace. What is left, or comes later, runs on the concurrency pool, one job
///   after another, under the gate (``lateJobs``): a task is never left waiting for ever.
/// - An executor keeps one of its level's handlers (`InterruptSystem/handlersPerLevel`) until the shutdown: make one for each level, not
///   one for each actor.
public final class LevelExecutor: SerialExecutor {
  /// The level at which the jobs run.
  public let level: Level
  /// Its handler's name, for the witness and the statistics.
  public let name: String
  /// The system, for comparing.
  @usableFromInline let systemIdentity: ObjectIdentifier
  // Closures, so that what is generic over the machine is specialised where the executor is made.
  @usableFromInline let push: @Sendable (UnownedJob) -> Bool
  @usableFromInline let holds: @Sendable () -> Bool
  @usableFromInline let runLate: @Sendable ((UnownedJob) -> Void) -> Bool
  @usableFromInline let afterHours = AfterHours()
  private let late = Atomic<Int>(0)

  /// Establishes the handler.
  ///
  /// - Parameters:
  ///   - system: where the handler is established.
  ///   - level: not `none`.
  ///   - cpu: where jobs that other threads enqueue become pending; a CPU's own become pending there.
  ///   - budget: how many jobs one run of the handler takes, before the core decides who is next.
  ///   - name: nil for one made of the level's.
  /// - Throws: as `InterruptSystem/establish(_:at:as:_:_:)`.
  @inlinable public init<M: Machine>(
    _ system: InterruptSystem<M>, at level: Level, on cpu: Int = 0, budget: Int = 32,
    name: String? = nil
  ) throws(EstablishError) {
    self.level = level
    self.name = name ?? "actors at \(level)"
    systemIdentity = ObjectIdentifier(system)
    let queue = LevelQueue<M, UnownedJob>(system, at: level, home: cpu, budget: budget)
    push = { queue.push($0) }
    holds = { system.holds(level) }
    runLate = { queue.runLate($0) }
    // The handler keeps the executor, whose actors may have gone, until it ends.
    let end = HandlerEnd { [self] in lookLate() }
    queue.handler = try system.establish(self.name, at: level, as: .ordered, .anywhere) { [self] here in
      let isAskedFor = queue.run(here) { $0.runSynchronously(on: asUnownedSerialExecutor()) }
      if !isAskedFor { lookLate() }
      withExtendedLifetime(end) {}
    }
  }

  /// Enqueues a job. Any thread and level, under any gates; waits for nothing: a compare-exchange and, if nothing was there, a
  /// `Handler/schedule()`. Not in a signal handler: the runtime is not made for that.
  @inlinable public func enqueue(_ job: consuming ExecutorJob) {
    if !push(UnownedJob(job)) { lookLate() }
  }

  /// The executor as the runtime compares it: see ``isSameExclusiveExecutionContext(other:)``.
  @inlinable public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(complexEquality: self)
  }

  /// Whether the two exclude each other: one level of one system.
  @inlinable public func isSameExclusiveExecutionContext(other: LevelExecutor) -> Bool {
    systemIdentity == other.systemIdentity && level == other.level
  }

  /// Whether the calling context holds what guards the actors: in a job, in an ordered handler of the level, inside a raise to it.
  @inlinable public func isIsolatingCurrentContext() -> Bool? { holds() }

  /// Stops the program where ``isIsolatingCurrentContext()`` is false.
  @inlinable public func checkIsolated() {
    if !holds() {
      fatalError(
        "not isolated to \"\(name)\": this context does not hold gate \(level): await, or raise to \(level)")
    }
  }

  /// How many jobs have run on the concurrency pool because their system had been shut down.
  public var lateJobs: Int { late.load(ordering: .relaxed) }

  /// The handler has ended, or may have: what is there is run on the pool, under the gate.
  @usableFromInline func lookLate() {
    afterHours.look { [self] in
      runLate { job in
        late.wrappingAdd(1, ordering: .relaxed)
        job.runSynchronously(on: asUnownedSerialExecutor())
      }
    }
  }
}

/// An actor at a level of one's own, or of a second system.
public protocol LevelActor: Actor {
  /// Where its jobs run; kept by the actor.
  nonisolated var levelExecutor: LevelExecutor { get }
}

extension LevelActor {
  /// The level's executor.
  @inlinable public nonisolated var unownedExecutor: UnownedSerialExecutor {
    levelExecutor.asUnownedSerialExecutor()
  }
}
