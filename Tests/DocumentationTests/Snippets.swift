// The short examples of the manual of SoftInterrupts and of the README: compiled here as they are printed, in surroundings that the pages leave
// out. What they promise is tested elsewhere; see `SnippetTests`.

import Exploration
import Glibc
import HostedMachine
import SoftInterrupts

private typealias M = HostedMachine
private typealias System = InterruptSystem<M>

/// What the articles call `stack` and `server`.
private final class Stack: @unchecked Sendable {
  var connections: [Int] = []
  var isRunning = true
  func retransmitDue() {}
  func input() {}
  func learn(_ line: String?) {}
  func expire() {}
  func step() {}
}

private let packets = Guarded<Int, SoftNet>(0)
private let sent = Guarded<Int, SoftSerial>(0)

private func overview() throws {
  // snippet: overview
  let system = try InterruptSystem(on: .hosted(cpus: 2))  // import HostedMachine
  let input = try system.establish("input", at: .softNet, as: .ordered) { here in
    // on at most one CPU at a time, at IPL softNet
  }
  input.schedule()
  system.raise(to: .softNet) { _ in
    // no softNet handler runs anywhere now, and none below
  }
  system.shutdown()
  // end
}

private func asks(_ system: System) -> Bool {
  // snippet: asked for its gate
  let holds = system.gates.contains(Level.softNet.gate)
  // end
  return holds
}

private func callouts(_ system: System, _ stack: Stack) throws {
  // snippet: retransmit
  let retransmit = try system.callout("retransmit", at: .softClock, guard: .softNet) { here in
    stack.retransmitDue()
  }
  retransmit.schedule(after: .milliseconds(200))
  // end
}

private func waits(_ system: System, _ stack: Stack) throws {
  var queue: [Int] = []
  // snippet: condition
  let changed = system.condition(guardedBy: .softNet)
  system.raise(to: .softNet) { _ in
    changed.wait { !queue.isEmpty }
    queue.removeFirst()
  }
  // end
  // snippet: leave
  system.submit(on: 1) { here in
    let line = here.leaveCPU { readLine() }
    stack.learn(line)
  }
  // end
}

private func typedCondition(_ system: System, _ queue: Guarded<[Int], SoftNet>) {
  // snippet: typed-condition
  let changed = system.condition(guardedBy: SoftNet.self)
  let first = system.base { base in
    base.raise(to: SoftNet.self, when: changed) { net in
      !net[queue].isEmpty
    } then: { net in
      net[queue].removeFirst()
    }
  }
  // end
  _ = first
}

private func waysIn(_ system: System) {
  // snippet: cumulative-and-exact
  system.raise(to: .softNet) { _ in }  // softClock, softBio and softNet: as on one processor
  system.raise(exactly: .softNet) { _ in }  // softNet alone
  // end
}

private func bothTokens(_ net: inout Held<SoftNet, M>) {
  // snippet: both-tokens
  net.raise(to: SoftSerial.self) { serial, net in serial[sent] += net[packets] }
  // end
}

// snippet: any-token-below
func note<T: OrderToken & ~Copyable & ~Escapable>(_ here: inout T) where T.L: BelowSoftNet {
  here.raise(to: SoftNet.self) { net in net[packets] += 1 }
}
// end

// snippet: signal
/// Written once, before the signal may come.
nonisolated(unsafe) var stop: Handler<HostedMachine>?

func stopOnSignal(_ system: InterruptSystem<HostedMachine>, _ ended: Condition<HostedMachine>) throws {
  stop = try system.establish("stop", at: .softSerial, as: .ordered) { _ in ended.broadcast() }
  signal(SIGTERM) { _ in _ = stop?.schedule() }
}
// end

private func migration(_ system: System, _ stack: Stack, _ server: Stack) throws {
  // snippet: under-the-big-lock
  let input = try system.establish("input", at: .softNet, as: .bigLock) { _ in stack.input() }
  let expire = try system.callout("expire", at: .softClock, as: .bigLock) { _ in stack.expire() }
  system.submit(on: 0, as: .bigLock) { here in
    while server.isRunning {
      server.step()
      system.yieldBigLock()  // the one place where others may come in
      here.checkpoint()
    }
  }
  // end
  _ = expire
  // snippet: raise-where-touched
  let open = system.raise(to: .softNet) { _ in stack.connections.count }
  // end
  _ = open
  // snippet: one-ordered
  system.setWay(.ordered, of: input)  // on a live handler, between runs
  // end
  // snippet: collect
  var configuration = Configuration()
  configuration.onViolation = .collect
  // end
  _ = configuration
}

/// A packet, and what counts it.
private struct Packet { var hash = 0 }
private struct Table { mutating func record(_ packet: Packet) {} }
private func next() -> Packet { Packet() }

private func shards(_ system: System) throws {
  // snippet: shards
  let shards = (0..<16).map { _ in system.levelLock(at: .softNet, Table()) }
  let input = try system.establish("input", at: .softNet, as: .mpSafe) { _ in
    let packet = next()
    shards[packet.hash & 15].withLock { $0.record(packet) }
  }
  // end
  _ = input
}

private func drain(_ queue: inout [Int]) {}
private func age(_ queue: inout [Int]) {}

private func kernel(_ system: System, _ packet: Int) throws {
  var queue: [Int] = []
  // snippet: kernel
  // s = splsoftnet(); … splx(s);
  system.raise(to: .softNet) { _ in queue.append(packet) }
  // softint_establish(SOFTINT_NET, …), without SOFTINT_MPSAFE; softint_schedule(sih)
  let input = try system.establish("input", at: .softNet, as: .bigLock) { _ in drain(&queue) }
  input.schedule()
  // callout_init, callout_schedule(&ch, hz / 5); the handler did splsoftnet() first
  let slow = try system.callout("slow", at: .softClock, guard: .softNet) { _ in age(&queue) }
  slow.schedule(after: .milliseconds(200))
  // end
}

private func everyInterleaving() throws {
  // snippet: explore
  try explore(cpus: 2) { world in
    let packets = world.shared("packets", guard: .softNet, 0)
    for cpu in 0..<2 {
      world.base(on: cpu) { here in here.raise(exactly: .softNet) { _ in packets.value += 1 } }
    }
    world.finally { world.expect(packets.value == 2) }
  }
  // end
}

private func echo(_ byte: UInt8) {}

// snippet: firmware
/// What an interrupt handler of the port does: marks, and leaves the work to its level.
func received<M: Machine>(_ byte: UInt8, _ bytes: Ring<UInt8, M>, _ input: Handler<M>) {
  _ = bytes.push(byte)
  input.schedule()
}

/// What the program sets up, on whatever machine.
func setUp<M: Machine>(
  _ system: InterruptSystem<M>, _ bytes: Ring<UInt8, M>
) throws(EstablishError) -> Handler<M> {
  try system.establish("uart", at: .softSerial, as: .ordered) { _ in
    while let byte = bytes.pop() { echo(byte) }
  }
}
// end

private func server(_ system: System) throws {
  // snippet: server
  let table = Guarded<[String: Int], SoftNet>([:])

  // An event: at softNet, one at a time in the whole process.
  let learned = try system.establish("learned", at: SoftNet.self, as: .ordered) { net in
    net.open(table) { $0["b"] = 53 }
  }
  // A plain function on any thread: no await, and no lock to choose.
  let port = system.raise(to: SoftNet.self) { net in net.open(table) { $0["a"] } }
  // A timeout that touches the table: taking it back is exact for who is at softNet.
  let expiry = try system.callout("expiry", at: SoftClock.self, guard: SoftNet.self) { net in
    net.open(table) { $0 = [:] }
  }
  // end
  _ = (learned, port, expiry)
}
