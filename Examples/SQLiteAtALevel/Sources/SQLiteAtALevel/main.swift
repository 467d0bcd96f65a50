// SQLite in single-thread mode, used by many tasks, a handler and a timeout at once.
//
//     swift run --package-path Examples/SQLiteAtALevel

import HostedMachine
import LevelActors
import SoftInterrupts

let system = try InterruptSystem(on: .hosted(cpus: 2))
try LevelActors.bootstrap(system)
let accounts = try await Accounts()
print("SQLite has a mutex: \(await accounts.hasMutex)")

// An ordered handler of the level needs no await: it is at the level.
let interest = try AwaitedHandler(system, "interest", at: .softBio, as: .ordered) { _ in
  SoftBio.assumeIsolated {
    do { try accounts.deposit(1, to: "interest") } catch { print("interest: \(error)") }
  }
}
// A timeout runs at softClock and touches what softBio guards: it says so.
let fee = try system.callout("fee", at: .softClock, guard: .softBio) { _ in
  SoftBio.assumeIsolated {
    do { try accounts.deposit(-1, to: "fees") } catch { print("fee: \(error)") }
  }
}
fee.schedule(after: .microseconds(100))

try await withThrowingTaskGroup(of: Void.self) { group in
  for task in 0..<8 {
    group.addTask {
      for _ in 0..<250 { try await accounts.deposit(2, to: "account \(task % 4)") }
    }
  }
  group.addTask { for _ in 0..<100 { try await interest.run() } }
  try await group.waitForAll()
}

// The fee is taken when the level says so, and not by a guess at the time.
while try await accounts.changes() < 2_101 { await Task.yield() }
let (changes, total) = (try await accounts.changes(), try await accounts.total())
print("\(changes) changes; \(total) in all")
await accounts.close()
print("everything ran: \(system.shutdown().isComplete)")
