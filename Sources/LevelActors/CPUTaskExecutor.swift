// A task executor: MP-safe work of tasks as base code of a system's CPUs.
//
// Law: a job that is enqueued runs exactly once (`CPULists`), on a CPU or, after the shutdown, on the concurrency pool.

public import SoftInterrupts
import Synchronization

/// Runs tasks on the CPUs of an `InterruptSystem`, at level `none`, many at once.
///
/// ```swift
/// let cpus = CPUTaskExecutor(system)
/// await withTaskExecutorPreference(cpus) { await work() }
/// ```
///
/// A job that another job or another thread enqueues is the calling CPU's if nothing waits there, or else each CPU's in turn; a task that
/// comes back from a level goes on where the level ran, but for one in sixteen. Jobs are base code: every handler interrupts them, at their recognition points and between any two jobs; they hold no gate and
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
    let lists = CPULists<M, CPUTaskExecutor>(system, budget: budget)
    push = { lists.push($1, for: $0) }
  }

  /// Gives a job to a CPU: the calling one if nothing waits there, or else to each in turn. Any thread, any level. Where the CPU is not
  /// running jobs already, it may spin for a lock that is held for some instructions, at IPL `high`, and allocates.
  @inlinable public func enqueue(_ job: consuming ExecutorJob) { push(self, UnownedJob(job)) }

  /// How many jobs have run on the concurrency pool because the system had been shut down.
  public var lateJobs: Int { late.load(ordering: .relaxed) }

}

extension CPUTaskExecutor: ItemTaker {
  @usableFromInline package func perform(_ job: UnownedJob) {
    job.runSynchronously(on: asUnownedTaskExecutor())
  }

  @usableFromInline package func performLate(_ jobs: [UnownedJob]) {
    late.wrappingAdd(jobs.count, ordering: .relaxed)
    Task.detached { [self] in
      for job in jobs { perform(job) }
    }
  }
}
