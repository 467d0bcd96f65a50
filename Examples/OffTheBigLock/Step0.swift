// Step 0: threads, and one Mutex around everything.

import Glibc
import HostedMachine
import Synchronization

final class Locked: Sendable {
  struct Gateway {
    var table = Table()
    var log = Log()
    var beats = Beats()
  }
  let gateway = Mutex(Gateway())
}

enum Step0 {
  static func run(_ work: Work) throws -> Outcome {
    let shared = Locked()
    var threads: [pthread_t] = []
    // [threads]
    threads.append(
      thread {
        while let batch = work.take() {
          shared.gateway.withLock { $0.table.take(batch) }
          _ = work.note(batch.count)
        }
      })
    threads.append(
      thread {
        while !work.isOver {
          usleep(1_000)
          shared.gateway.withLock { $0.table.expire(through: work.sweepsDue) }
        }
      })
    threads.append(
      thread {
        while !work.isOver {
          usleep(1_000)
          shared.gateway.withLock { $0.log.write($0.table.takeClosed()) }
        }
      })
    threads.append(
      thread {
        var due = work.startHeart()
        while !work.isOver {
          due += Beats.period
          sleep(until: due)
          shared.gateway.withLock { $0.beats.beat(since: work.heart, now: HostedMachine.now()) }
        }
      })
    // [/threads]

    let questions = work.ask { shared.gateway.withLock { $0.table.busiest() } }
    for thread in threads { pthread_join(thread, nil) }
    return shared.gateway.withLock {
      $0.table.finish(through: work.sweepsDue)
      $0.log.write($0.table.takeClosed())
      return work.outcome(sweeps: $0.table.sweeps, $0.log, $0.beats, questions: questions)
    }
  }

  private static func thread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    // Taken back by the thread, which is made: with a handful of them the system has room.
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    let error = pthread_create(
      &thread, nil,
      {
        Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
        return nil
      }, box)
    precondition(error == 0, "a thread could not be made")
    return thread
  }

  private static func sleep(until due: UInt64) {
    let now = HostedMachine.now()
    if due > now { usleep(UInt32((due - now) / 1_000)) }
  }
}
