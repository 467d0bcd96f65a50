// Hops to actors: plain ones, at a level, on a dispatch queue, on an event loop; alone and contended, from the pool and from a CPU.
//
// Law: a hop is one `await actor.add()` that comes back to where it was called, and whose answer is used there, or the compiler leaves
// the way back out.

import CPeers
import Dispatch
import Gauges
import HostedMachine
import HotPaths
import LevelActors
import NIOCore
import NIOPosix
import SoftInterrupts
import Synchronization

private protocol Counting: Actor {
  func add() -> Int
}

private actor Plain: Counting {
  var count = 0
  func add() -> Int {
    count += 1
    return count
  }
}

private actor AtLevel: LevelActor, Counting {
  nonisolated let levelExecutor: LevelExecutor
  var count = 0
  init(_ executor: LevelExecutor) { levelExecutor = executor }
  func add() -> Int {
    count += 1
    return count
  }
}

private final class DispatchExecutor: SerialExecutor, TaskExecutor {
  let queue: DispatchQueue
  init(_ queue: DispatchQueue) { self.queue = queue }
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// The pool of dispatch, for tasks.
private final class DispatchTaskExecutor: TaskExecutor {
  let queue = DispatchQueue(label: "tasks", attributes: .concurrent)
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

private actor OnQueue: Counting {
  let executor = DispatchExecutor(DispatchQueue(label: "actor"))
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  var count = 0
  func add() -> Int {
    count += 1
    return count
  }
}

private actor OnLoop: Counting {
  let loop: any EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
  var count = 0
  init(_ loop: any EventLoop) { self.loop = loop }
  func add() -> Int {
    count += 1
    return count
  }
}

/// A thread that takes jobs and does nothing else: what is left of an executor that runs its jobs elsewhere than where they were enqueued.
private final class BareExecutor: SerialExecutor, @unchecked Sendable {
  // Sendable: `word` is accessed atomically.
  private let jobs = Mutex<[UnownedJob]>([])
  private let parks: Bool
  /// Counts the batches: what the thread looks at, or sleeps on.
  private let word: UnsafeMutablePointer<UInt32>
  private let isOver = Atomic<Bool>(false)

  init(parks: Bool) {
    self.parks = parks
    word = .allocate(capacity: 1)
    word.initialize(to: 0)
  }
  deinit { word.deallocate() }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = jobs.withLock { jobs in
      jobs.append(job)
      return jobs.count == 1
    }
    if isFirst { ring() }
  }

  private func ring() { if parks { peer_futex_wake(word) } else { peer_count(word) } }

  /// Runs jobs on a thread of its own while `body` runs.
  func during<R>(_ body: () -> R) -> R {
    isOver.store(false, ordering: .releasing)
    let thread = OwnThread { [self] in
      peer_pin(Int32(HostedMachine.allowedProcessors()[0]))
      var batch: [UnownedJob] = []
      while !isOver.load(ordering: .acquiring) {
        let seen = peer_counted(word)
        jobs.withLock { swap(&$0, &batch) }
        for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        if !batch.isEmpty {
          batch.removeAll(keepingCapacity: true)
        } else if parks {
          peer_futex_wait(word, seen)
        } else {
          while peer_counted(word) == seen { HostedMachine.pause(0) }
        }
      }
    }
    defer {
      isOver.store(true, ordering: .releasing)
      ring()
      thread.join()
    }
    return body()
  }
}

private actor OnThread: Counting {
  let executor: BareExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  var count = 0
  init(_ executor: BareExecutor) { self.executor = executor }
  func add() -> Int {
    count += 1
    return count
  }
}

@inline(never) private func use(_ answer: Int) { if answer < 0 { print(answer) } }

/// Nanoseconds for each call: `tasks` tasks, `calls` calls in all.
private func measure<A: Counting>(
  _ actor: A, tasks: Int, calls: Int, on executor: (any TaskExecutor)?
) async -> Double {
  await Task.detached(executorPreference: executor) {
    _ = await actor.add()
    let start = HostedMachine.now()
    if tasks == 1 {
      for _ in 0..<calls { use(await actor.add()) }
    } else {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<tasks {
          group.addTask(executorPreference: executor) {
            for _ in 0..<calls / tasks { use(await actor.add()) }
          }
        }
      }
    }
    return Double(HostedMachine.now() - start) / Double(calls)
  }.value
}

private let calls = 10_000

private func session(_ name: String, tasks: Int, fromCPU: Bool, parks: Bool) throws -> Session {
  var configuration = Configuration()
  // CPUs that park at once leave the processors to the pool; those that poll answer sooner.
  if parks { configuration.idleRounds = 0 }
  let system = try System(on: .hosted(cpus: 2), configuration)
  let level = AtLevel(try LevelExecutor(system, at: .softNet))
  let cpus: (any TaskExecutor)? = fromCPU ? CPUTaskExecutor(system) : nil
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  func side<A: Counting>(_ actor: A, on executor: (any TaskExecutor)?) -> () -> [Double] {
    { [blocking { await measure(actor, tasks: tasks, calls: calls, on: executor) }] }
  }
  // From the pool, uncontended, the runtime switches inline to a plain actor: a row that is lost, and has no goal.
  let goals: [String: Goal] = fromCPU || tasks > 1 ? [name: .atMost(1)] : [:]
  var peers = [
    Contender(
      name: "plain actor",
      note:
        "Exclusion by the runtime, which runs the job where the caller is if nobody else does. No level, no order.",
      goals: goals, round: side(Plain(), on: cpus)),
    Contender(
      name: "actor on a dispatch queue", note: "A custom executor: each job is a block of a serial queue.",
      round: side(OnQueue(), on: cpus)),
    Contender(
      name: "actor on an NIO event loop", note: "The loop's own executor: each job is a task of the loop.",
      round: side(OnLoop(group.next()), on: cpus)),
  ]
  if fromCPU {
    peers.append(
      Contender(
        name: "plain actor, dispatch executor",
        note: "A plain actor, called from a task whose executor is a concurrent dispatch queue.",
        round: side(Plain(), on: DispatchTaskExecutor())))
  } else {
    let bare = BareExecutor(parks: parks)
    let round = side(OnThread(bare), on: nil)
    peers.append(
      Contender(
        name: "actor on a bare thread",
        note:
          "A custom executor: a thread that takes jobs from an array and does nothing else; it \(parks ? "sleeps on a futex" : "polls"). What a hop to another thread costs here, without levels.",
        round: { bare.during(round) }))
  }
  return Session(
    ours: side(level, on: cpus), peers: peers,
    close: {
      try? group.syncShutdownGracefully()
      system.shutdown()
    })
}

func actorExperiments() -> [Experiment] {
  var all: [Experiment] = []
  for parks in [false, true] {
    for fromCPU in [false, true] {
      for tasks in [1, 8] {
        let name = "actor-\(fromCPU ? "cpu" : "pool")-\(tasks)\(parks ? "-parks" : "")"
        let title =
          "a call of an actor at softNet from \(tasks == 1 ? "one task" : "8 tasks") \(fromCPU ? "on the CPUs" : "of the pool")"
          + (parks ? ", idle CPUs park at once" : "")
        all.append(
          Experiment(name, title) { try session(name, tasks: tasks, fromCPU: fromCPU, parks: parks) })
      }
    }
  }
  return all
}
