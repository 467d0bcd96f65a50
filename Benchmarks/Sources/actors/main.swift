// What a hop to an actor costs: plain actors, actors at a level, actors on a dispatch queue; alone and contended.
//
//     swift run -c release --package-path Benchmarks actors [rounds] [calls]
//
// One process, rounds that alternate between the rows, medians with the least and the most. A hop is one `await actor.add()` that comes
// back to where it was called, so there and back. "From the pool" the caller runs on a thread of the concurrency pool; "from a CPU" on
// a CPU of the system, by a task executor.

import Dispatch
import HostedMachine
import LevelActors
import SoftInterrupts

typealias System = InterruptSystem<HostedMachine>

protocol Counting: Actor {
  func add() -> Int
}

actor Plain: Counting {
  var count = 0
  func add() -> Int {
    count += 1
    return count
  }
}

actor AtLevel: LevelActor, Counting {
  nonisolated let levelExecutor: LevelExecutor
  var count = 0
  init(_ executor: LevelExecutor) { levelExecutor = executor }
  func add() -> Int {
    count += 1
    return count
  }
}

final class DispatchExecutor: SerialExecutor {
  let queue = DispatchQueue(label: "actor")
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}

actor OnQueue: Counting {
  let executor = DispatchExecutor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  var count = 0
  func add() -> Int {
    count += 1
    return count
  }
}

/// Something that the caller does with each answer, where it was called from: without it the compiler leaves out the way back, and a loop
/// of calls stays with the actor.
@inline(never) func use(_ answer: Int) { if answer < 0 { print(answer) } }

/// Nanoseconds for each call: `tasks` tasks, `calls` calls in all.
func measure<A: Counting>(
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

struct Row {
  var name: String
  var run: () async -> Double
  var times: [Double] = []
}

func rows(_ system: System, _ calls: Int) throws -> [Row] {
  let net = try LevelExecutor(system, at: .softNet)
  let cpus = CPUTaskExecutor(system)
  let (plain, level, queue) = (Plain(), AtLevel(net), OnQueue())
  var rows: [Row] = []
  for (where_, executor) in [("from the pool", nil as (any TaskExecutor)?), ("from a CPU", cpus)] {
    for (how, tasks) in [("one task", 1), ("8 tasks", 8)] {
      rows.append(
        Row(name: "plain actor, \(where_), \(how)") {
          await measure(plain, tasks: tasks, calls: calls, on: executor)
        })
      rows.append(
        Row(name: "actor at softNet, \(where_), \(how)") {
          await measure(level, tasks: tasks, calls: calls, on: executor)
        })
      rows.append(
        Row(name: "actor on a dispatch queue, \(where_), \(how)") {
          await measure(queue, tasks: tasks, calls: calls, on: executor)
        })
    }
  }
  // What a level is without Swift's actors: the same thread goes in and comes out.
  rows.append(
    Row(name: "raise(exactly: .softNet) from a CPU, no actor") {
      await Task.detached(executorPreference: cpus) {
        var count = 0
        let start = HostedMachine.now()
        for _ in 0..<calls { system.raise(exactly: .softNet) { _ in count += 1 } }
        return Double(HostedMachine.now() - start) / Double(calls)
      }.value
    })
  return rows
}

func run() async throws {
  let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
  let rounds = arguments.first ?? 9
  let calls = arguments.dropFirst().first ?? 20_000
  // Idle CPUs that park at once leave the processors to the pool; those that poll answer sooner. Both are shown.
  for (name, idleRounds) in [
    ("idle CPUs park after a while (the default)", 2_000), ("idle CPUs park at once", 0),
  ] {
    var configuration = Configuration()
    configuration.idleRounds = idleRounds
    let system = try System(on: .hosted(cpus: 2), configuration)
    var rows = try rows(system, calls)
    for _ in 0..<rounds {
      for index in rows.indices { rows[index].times.append(await rows[index].run()) }
    }
    print("\(rounds) rounds of \(calls) calls, 2 CPUs, \(name); ns a call: median (least–most)")
    for row in rows {
      let sorted = row.times.sorted()
      let padding = String(repeating: " ", count: max(0, 50 - row.name.count))
      print(
        "  \(row.name)\(padding) \(Int(sorted[sorted.count / 2])) (\(Int(sorted[0]))–\(Int(sorted[sorted.count - 1])))"
      )
    }
    await withCheckedContinuation { done in
      DispatchQueue.global().async {
        system.shutdown()
        done.resume()
      }
    }
  }
}

try await run()
