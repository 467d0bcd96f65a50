// What goes wrong on SwiftNIO's event loops. See run.
import Limiter
import NIOCore
import NIOPosix

private final class Table: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  var sessions = Sessions()
  func hit(_ name: String) { _ = sessions.hit(name) }
}

// case: the table touched from elsewhere | warned
private func f1(_ table: Table, _ other: any EventLoop) {
  other.execute { table.hit("a") }  // warning: capture of 'table' with non-Sendable type 'Table'
}

// case: the table in plain variables | warned
private func f2(_ other: any EventLoop) {
  var table = Sessions()
  other.execute { _ = table.hit("a") }  // warning: mutation of captured var
  _ = table.hit("a")
}

// case: a timeout taken back too late | wrong
private func f3(_ timer: Scheduled<Void>, _ table: Table) {
  // From another thread than the timer's loop: it may be running.
  timer.cancel()
  table.hit("a")
}

// case: a slow call among the events | wrong
private func f4(_ loop: any EventLoop) {
  loop.execute { writeLog("limited a") }
}

// case: two that wait for each other | stopped
private func f5(_ loop: any EventLoop) {
  // In a debug build; else it waits for ever.
  loop.execute { _ = try? loop.submit { 1 }.wait() }
}

// case: an await in the middle | wrong
private func f6(_ table: NIOLoopBound<Table>, _ lookup: EventLoopFuture<Void>) -> EventLoopFuture<Void> {
  // The future's callback comes in a later turn of the loop.
  guard table.value.sessions.count == 0 else { return lookup }
  return lookup.map { table.value.hit("first") }
}

// case: looked in one section, done in the next | wrong
private func f7(_ table: NIOLoopBound<Table>, _ loop: any EventLoop) async throws {
  if try await loop.submit({ table.value.sessions.count == 0 }).get() {
    try await loop.submit { table.value.hit("first") }.get()
  }
}

// case: lines in another order | wrong
private func f8() {
  let pool = NIOThreadPool(numberOfThreads: 2)
  pool.start()
  for line in ["one", "two"] { pool.submit { _ in writeLog(line) } }
}

// case: a queue with two producers | none
// A loop takes tasks from any number.

// case: one event taken for one run | none
// One datagram, one channelRead.

// case: a queue without a bound | wrong
private func f10(_ pool: NIOThreadPool) {
  pool.submit { _ in writeLog("limited a") }
}

// case: long work before what is urgent | wrong
private func f11() -> (any EventLoop, any EventLoop) {
  // One thread: the loop of the probe is the table's.
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  return (group.next(), group.next())
}

// case: data on the wrong side of the order | none
// There is no order.

// case: old code inside new | none
// There is no order.

// case: isolation claimed that is not there | stopped
private func f14(_ table: NIOLoopBound<Table>) -> Int {
  table.value.sessions.count
}

// case: the end without what was under way | wrong
private func f15(_ pool: NIOThreadPool) throws {
  pool.submit { _ in writeLog("closed a") }
  // What has not begun is cancelled.
  try pool.syncShutdownGracefully()
}
