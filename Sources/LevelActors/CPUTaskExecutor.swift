// A task executor: MP-safe work of tasks as base code of a system's CPUs.
//
// Law: a job runs exactly once. Who pushes into a CPU's empty list gives that CPU base code that takes the list; who is refused takes
// the list himself and gives it to another CPU, or, when there is none left, to the concurrency pool. Taking is one exchange, so any
// number may take: no job is taken twice, and whoever has taken jobs has to find them a place.

public import SoftInterrupts
import Synchronization

/// Runs tasks on the CPUs of an `InterruptSystem`, at level `none`, many at once.
///
/// ```swift
/// let cpus = CPUTaskExecutor(system)
/// await withTaskExecutorPreference(cpus) { await work() }
/// ```
///
/// Jobs are base code: every handler interrupts them, at their recognition points and between any two jobs; they hold no gate and
/// may raise. Jobs that block a CPU block what comes after them on it, as all base code does. The priority of a task changes nothing
/// of the order: jobs of one CPU start in the order in which they were given to it.
public final class CPUTaskExecutor: TaskExecutor {
  @usableFromInline let push: @Sendable (CPUTaskExecutor, UnownedJob) -> Void
  private let late = Atomic<Int>(0)

  /// - Parameters:
  ///   - system: whose CPUs run the jobs.
  ///   - budget: how many jobs a CPU runs in a row before other base code of its has its turn.
  @inlinable public init<M: Machine>(_ system: InterruptSystem<M>, budget: Int = 32) {
    precondition(budget >= 1, "a run takes at least one job")
    let lists = CPULists<M>(system, budget: budget)
    push = { lists.push($1, $0) }
  }

  /// Gives a job to a CPU: the calling one if nothing waits there, or else to each in turn. Any thread, any level; it may spin for a
  /// lock that is held for some instructions, at IPL `high`, and allocates.
  @inlinable public func enqueue(_ job: consuming ExecutorJob) { push(self, UnownedJob(job)) }

  /// How many jobs have run on the concurrency pool because the system had been shut down.
  public var lateJobs: Int { late.load(ordering: .relaxed) }

  @usableFromInline func runLate(_ jobs: [UnownedJob]) {
    late.wrappingAdd(jobs.count, ordering: .relaxed)
    Task.detached { [self] in
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
  }
}

/// Base code that was accepted: it runs, or is dropped, and then says so.
@usableFromInline final class Promise: @unchecked Sendable {
  // Sendable: `isKept` is written by the one who runs it, or was refused, and read when nobody holds it any more.
  @usableFromInline var isKept = false
  @usableFromInline let dropped: @Sendable () -> Void
  @inlinable init(_ dropped: @escaping @Sendable () -> Void) { self.dropped = dropped }
  deinit { if !isKept { dropped() } }
}

/// The jobs of each CPU.
@usableFromInline final class CPULists<M: Machine>: @unchecked Sendable {
  // Sendable: `incoming` are words; `rest` of a CPU is touched by that CPU's base code only, which runs one after the other.
  @usableFromInline let system: InterruptSystem<M>
  @usableFromInline let budget: Int
  @usableFromInline let incoming: [Incoming<M, UnownedJob>]
  @usableFromInline let rest: UnsafeMutablePointer<UInt>
  /// Whose turn it is. Relaxed: any CPU is right.
  @usableFromInline let turn: UnsafeMutablePointer<M.Word>

  @inlinable init(_ system: InterruptSystem<M>, budget: Int) {
    self.system = system
    self.budget = budget
    incoming = (0..<system.cpuCount).map { _ in Incoming() }
    rest = .allocate(capacity: system.cpuCount)
    rest.initialize(repeating: 0, count: system.cpuCount)
    turn = .allocate(capacity: 1)
    turn.initialize(to: M.Word(0))
  }

  deinit {
    for list in incoming { list.deallocate() }
    rest.deallocate()
    turn.deallocate()
  }

  @inlinable func push(_ job: UnownedJob, _ executor: CPUTaskExecutor) {
    if let cpu = system.currentCPU, incoming[cpu].isEmpty {
      push(job, on: cpu, executor)
    } else {
      push(job, on: Int(M.Word.fetchAdd(turn, 1, .relaxed) % UInt(system.cpuCount)), executor)
    }
  }

  @inlinable func push(_ job: UnownedJob, on first: Int, _ executor: CPUTaskExecutor) {
    guard incoming[first].push(job) else { return }
    var cpu = first
    for _ in 0..<system.cpuCount {
      if give(cpu, executor) { return }
      // Refused: the CPU is offline, or all is over. What is in its list is ours to move, with what came meanwhile.
      let next = (cpu + 1) % system.cpuCount
      var isNew = false
      take(incoming[cpu].takeAll()) { if incoming[next].push($0) { isNew = true } }
      // Somebody else has given that CPU its base code, or taken everything.
      if !isNew { return }
      cpu = next
    }
    runLate(incoming[cpu].takeAll(), executor)
  }

  @inlinable func runLate(_ batch: UInt, _ executor: CPUTaskExecutor) {
    var left: [UnownedJob] = []
    take(batch) { left.append($0) }
    if !left.isEmpty { executor.runLate(left) }
  }

  /// Gives a CPU its base code. If a shutdown drops that, which is after the CPUs have stopped, what it was for runs on the pool.
  @inlinable func give(_ cpu: Int, _ executor: CPUTaskExecutor) -> Bool {
    let promise = Promise { [self] in
      // The CPU has stopped: nobody else touches its rest.
      let mine = rest[cpu]
      rest[cpu] = 0
      runLate(mine, executor)
      runLate(incoming[cpu].takeAll(), executor)
    }
    let isAccepted = system.submit(on: cpu) { here in
      promise.isKept = true
      self.run(here, cpu, executor)
    }
    if !isAccepted { promise.isKept = true }
    return isAccepted
  }

  /// A CPU's base code.
  @inlinable func run(_ here: borrowing Here<M>, _ cpu: Int, _ executor: CPUTaskExecutor) {
    var left = budget
    while true {
      if rest[cpu] == 0 { rest[cpu] = incoming[cpu].takeAll() }
      if rest[cpu] == 0 { return }
      if left == 0 {
        // The CPU takes no more base code: it is about to leave, and this is the last that looks.
        if give(cpu, executor) { return }
        left = budget
      }
      left -= 1
      let job = UnownedJob(bits: rest[cpu])
      // Read before the job runs: then the link is the runtime's again.
      rest[cpu] = job.link.pointee
      job.runSynchronously(on: executor.asUnownedTaskExecutor())
      here.checkpoint()
    }
  }

  /// Hands out a batch.
  @inlinable func take(_ batch: UInt, _ body: (UnownedJob) -> Void) {
    var next = batch
    while next != 0 {
      let job = UnownedJob(bits: next)
      next = job.link.pointee
      body(job)
    }
  }
}
