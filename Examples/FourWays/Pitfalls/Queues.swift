// What goes wrong on dispatch queues. See run.
import Dispatch
import Limiter

private final class Server: @unchecked Sendable {
  let tableQueue = DispatchQueue(label: "table")
  let logQueue = DispatchQueue(label: "log")
  var sessions = Sessions()
}

// case: the table touched from elsewhere | wrong
private func f1(_ server: Server) -> Int {
  server.sessions.count
}

// case: the table in plain variables | refused
private func f2(_ server: Server) {
  var table = Sessions()
  server.tableQueue.async { _ = table.hit("a") }  // error: mutation of captured var
  _ = table.hit("a")
}

// case: a timeout taken back too late | wrong
private func f3(_ server: Server, _ timer: DispatchWorkItem) {
  // From another queue than the timer's: it may be running.
  timer.cancel()
  server.tableQueue.async { _ = server.sessions.hit("a") }
}

// case: a slow call among the events | wrong
private func f4(_ server: Server) {
  server.tableQueue.async { writeLog("limited a") }
}

// case: two that wait for each other | wrong
private func f5(_ server: Server) {
  server.tableQueue.async { server.logQueue.sync { _ = server.tableQueue.sync { server.sessions.count } } }
}

// case: an await in the middle | none
// A block awaits nothing.

// case: looked in one section, done in the next | wrong
private func f7(_ server: Server) {
  let isEmpty = server.tableQueue.sync { server.sessions.count == 0 }
  if isEmpty { server.tableQueue.sync { _ = server.sessions.hit("first") } }
}

// case: lines in another order | wrong
private func f8(_ server: Server) {
  let queue = DispatchQueue(label: "log", attributes: .concurrent)
  for line in ["one", "two"] { queue.async { writeLog(line) } }
}

// case: a queue with two producers | none
// A queue takes any number.

// case: one event taken for one run | wrong
private func f9(_ source: any DispatchSourceUserDataAdd, _ server: Server) {
  // Events coalesce, and `data` says how many: one is counted.
  source.setEventHandler { _ = server.sessions.hit("a") }
}

// case: a queue without a bound | wrong
private func f10(_ server: Server) {
  server.logQueue.async { writeLog("limited a") }
}

// case: long work before what is urgent | wrong
private func f11(_ server: Server, _ probe: DispatchWorkItem) {
  // A quality of service orders nothing within a queue.
  server.tableQueue.async(execute: probe)
}

// case: data on the wrong side of the order | none
// There is no order.

// case: old code inside new | none
// There is no order.

// case: isolation claimed that is not there | stopped
private func f14(_ server: Server) -> Int {
  dispatchPrecondition(condition: .onQueue(server.tableQueue))
  return server.sessions.count
}

// case: the end without what was under way | wrong
private func f15(_ server: Server) {
  server.logQueue.async { writeLog("closed a") }
  // The program may end before: nobody waits for the queue.
}
