import HostedMachine
import SoftInterrupts

func run() throws {
  let system = try InterruptSystem(on: .hosted(cpus: 2))
  let words = Ring<String, HostedMachine>(capacity: 64)  // one producer, one consumer: no guard
  var letters = 0  // touched at softNet only, from whatever CPU: no lock
  let changed = system.condition(guardedBy: .softNet)
  // A handler at softNet: on at most one CPU at a time.
  let count = try system.establish("count", at: .softNet, as: .ordered) { _ in
    while let word = words.pop() { letters += word.count }
    changed.broadcast()
  }
  // A timeout runs at softClock and touches data of softNet: it says so.
  let report = try system.callout("report", at: .softClock, guard: .softNet) { here in
    print("\(letters) letters, counted anew; holding the gates of \(here.gates)")
    letters = 0
    changed.broadcast()
  }
  for word in ["soft", "interrupts"] where words.push(word) { count.schedule() }
  // Base code, here a thread that is no CPU, raises before it touches the data.
  system.raise(to: .softNet) { _ in
    changed.wait { letters == 14 }
    report.schedule(after: .milliseconds(1))
    changed.wait { letters == 0 }
  }
  print("everything ran: \(system.shutdown().isComplete)")
}

try run()
