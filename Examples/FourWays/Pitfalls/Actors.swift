// What goes wrong on actors. See run.
import Dispatch
import Limiter

private actor Table {
  var sessions = Sessions()
  var timers: [String: Task<Void, Never>] = [:]
  func hit(_ name: String) { _ = sessions.hit(name) }
  func expire(_ name: String) { _ = sessions.expire(name) }
  func isEmpty() -> Bool { sessions.count == 0 }
}
private actor Log {
  func write(_ line: String) { writeLog(line) }
  func report(_ table: Table) async { if await table.isEmpty() { writeLog("empty") } }
}

// case: the table touched from elsewhere | refused
private func f1(_ table: Table) -> Int {
  table.sessions.count  // error: actor-isolated property
}

// case: the table in plain variables | refused
private func f2() {
  var table = Sessions()
  Task.detached { _ = table.hit("a") }  // error: sending value of non-Sendable
  _ = table.hit("a")
}

// case: a timeout taken back too late | wrong
extension Table {
  func arm(_ name: String) {
    // The old task may sleep no more and wait for the actor: it expires what has just been hit.
    timers[name]?.cancel()
    timers[name] = Task {
      guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return }
      expire(name)
    }
  }
}

// case: a slow call among the events | wrong
extension Table {
  // Keeps a thread of the pool, which has as many as processors.
  func limited(_ name: String) { writeLog("limited \(name)") }
}

// case: two that wait for each other | wrong
private func f5(_ table: Table, _ answered: DispatchSemaphore) async {
  // The task needs a thread of the pool, and this one waits for it on one.
  Task {
    await table.hit("a")
    answered.signal()
  }
  answered.wait()
}

// case: an await in the middle | wrong
extension Table {
  func first(_ log: Log) async {
    guard sessions.count == 0 else { return }
    // Others have their turn here: the table may not be empty any more.
    await log.write("first")
    hit("first")
  }
}

// case: looked in one section, done in the next | wrong
private func f7(_ table: Table) async {
  if await table.isEmpty() { await table.hit("first") }
}

// case: lines in another order | wrong
private func f8(_ log: Log) {
  Task { await log.write("one") }
  Task { await log.write("two") }
}

// case: a queue with two producers | none
// A stream takes any number.

// case: one event taken for one run | none
// One element, one turn of the loop.

// case: a queue without a bound | wrong
private func f10() -> (AsyncStream<String>, AsyncStream<String>.Continuation) {
  AsyncStream.makeStream(of: String.self)
}

// case: long work before what is urgent | wrong
extension Table {
  // A priority does not interrupt: on a pool of one thread the probe waits.
  func churn() { for index in 0..<1_000_000 { hit("\(index)") } }
}

// case: data on the wrong side of the order | none
// There is no order.

// case: old code inside new | none
// There is no order.

// case: isolation claimed that is not there | stopped
private func f14(_ table: Table) -> Int {
  table.assumeIsolated { $0.sessions.count }
}

// case: the end without what was under way | wrong
private func f15(_ log: Log) {
  Task.detached { await log.write("closed a") }
  // The program may end before: nobody awaits the task.
}
