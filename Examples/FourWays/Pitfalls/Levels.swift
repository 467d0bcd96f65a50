// What goes wrong on levels. See run.
import HostedMachine
import Limiter
import SoftInterrupts

private typealias M = HostedMachine
private let sessions = Guarded<Sessions, SoftNet>(Sessions())
private let lines = Guarded<[String], SoftBio>([])
private let received = Ring<Datagram, M>(capacity: 16)

// case: the table touched from elsewhere | refused
private func f1(_ system: InterruptSystem<M>) -> Int {
  system.base { base in base[sessions].count }  // error: no gate is held here
}

// case: the table in plain variables | wrong
private func f2(_ system: InterruptSystem<M>) throws {
  var table = Sessions()
  // An untyped handler, and a line that should be inside a raise.
  _ = try system.establish("table", at: .softNet, as: .ordered) { _ in _ = table.hit("a") }
  _ = table.hit("a")
}

// case: a timeout taken back too late | wrong
private func f3(_ base: inout At<None, M>, _ timer: CalloutAt<SoftNet, M>) {
  // Without the guard: the answer may be `mayBeRunning`, and nobody looks.
  timer.cancel()
  base.raise(to: SoftNet.self) { net in _ = net[sessions].hit("a") }
}

// case: a slow call among the events | wrong
private func f4(_ net: inout Held<SoftNet, M>) {
  writeLog("limited a")
}

// case: two that wait for each other | refused
private func f5(_ serial: inout Held<SoftSerial, M>) {
  serial.raise(to: SoftNet.self) { net in _ = net[sessions].count }  // error: gates are taken upward only
}

// case: an await in the middle | refused
private func f6(_ base: inout At<None, M>) async {
  await base.raise(to: SoftNet.self) { net in await Task.yield() }  // error: no gate is held across an await
}

// case: looked in one section, done in the next | wrong
private func f7(_ base: inout At<None, M>) {
  let isEmpty = base.raise(to: SoftNet.self) { net in net[sessions].count == 0 }
  if isEmpty { base.raise(to: SoftNet.self) { net in _ = net[sessions].hit("first") } }
}

// case: lines in another order | none
// One outbox under one gate.

// case: a queue with two producers | wrong
private func f8(_ system: InterruptSystem<M>, _ a: Socket, _ b: Socket, _ table: HandlerAt<SoftNet, M>) throws
{
  // A ring has one producer, and these are two CPUs.
  for (cpu, socket) in [a, b].enumerated() {
    _ = try system.attach(socket.descriptor, on: cpu) { _ in
      while let datagram = socket.receive() { _ = received.push(datagram) }
      table.schedule()
    }
  }
}

// case: one event taken for one run | wrong
private func f9(_ system: InterruptSystem<M>) throws {
  // Schedules coalesce: two datagrams, one run, and one datagram stays.
  _ = try system.establish("table", at: SoftNet.self, as: .ordered) { net in
    if let datagram = received.pop() { _ = net[sessions].hit(datagram.text) }
  }
}

// case: a queue without a bound | wrong
private func f10(_ net: inout Held<SoftNet, M>, _ outbox: Guarded<[String], SoftSerial>) {
  net.raise(to: SoftSerial.self) { serial in serial[outbox].append("limited a") }
}

// case: long work before what is urgent | wrong
private func f11(_ net: inout Held<SoftNet, M>) {
  // No raise and no checkpoint in it: on this CPU the probe waits.
  for index in 0..<1_000_000 { _ = net[sessions].hit("\(index)") }
}

// case: data on the wrong side of the order | refused
private func f12(_ net: inout Held<SoftNet, M>) {
  net.raise(to: SoftBio.self) { bio in bio[lines].append("limited a") }  // error: gates are taken upward only
}

// case: old code inside new | stopped
private func f13(_ system: InterruptSystem<M>, _ base: inout At<None, M>) {
  // The exact raise has skipped the gates that the cumulative one wants.
  base.raise(to: SoftNet.self) { net in system.raise(to: .softSerial) { _ in } }
}

// case: isolation claimed that is not there | stopped
private func f14(_ system: InterruptSystem<M>) -> Int {
  system.assume(SoftNet.self) { net in net[sessions].count }
}

// case: the end without what was under way | wrong
private func f15() throws {
  let system = try InterruptSystem(on: .hosted(cpus: 2))
  try system.establish("table", at: SoftNet.self, as: .ordered) { _ in }.schedule()
  // No shutdown(), whose report says what was left.
}
