// Who may call lwIP: its own assertions, which ask our gates, and the mutant that shows that they would notice.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Its guard")
  struct GuardTests {
    @Test(
      "under every discipline real clients are served, and lwIP's assertions hold",
      arguments: StackDiscipline.allCases.filter { $0 != .threads })
    func disciplines(_ discipline: StackDiscipline) throws { try serve(discipline) }

    /// By itself: its level threads have real-time priorities where the system permits, so they keep everybody else waiting.
    @Test("by threads as well")
    func threads() throws { try serve(.threads) }

    private func serve(_ discipline: StackDiscipline) throws {
      let port = try freePort()
      try withStack(discipline, forwarding: port) { stack in
        let listener = try echo(stack, port)
        let bytes = pattern(200_000)
        let clients = try (0..<4).map { _ in try HostSocket(port) }
        for client in clients { client.send(Array(bytes.prefix(20_000))) }
        for client in clients { #expect(client.receive(20_000) == Array(bytes.prefix(20_000))) }
        // More than all buffers on the way hold: sender and receiver stop each other.
        let client = clients[0]
        for part in stride(from: 0, to: bytes.count, by: 50_000) {
          client.send(Array(bytes[part..<(part + 50_000)]))
          #expect(client.receive(50_000) == Array(bytes[part..<(part + 50_000)]))
        }
        for client in clients {
          client.endSending()
          #expect(client.receive(1).isEmpty)
        }
        // The timers ran as callouts, while connections were there.
        #expect(eventually { stack.counts.timerRuns.first { $0.name == "tcp_tmr" }!.runs > 0 })
        listener.close()
        let isRefuted = !stack.system.violations.isEmpty
        #expect(isRefuted == (discipline == .disjoint))
      }
    }

    @Test("disjoint is refuted on the running stack: the violation names tcp_tmr and both levels")
    func disjoint() throws {
      let port = try freePort()
      try withStack(.disjoint, forwarding: port) { stack in
        let listener = try echo(stack, port)
        let client = try HostSocket(port)
        client.send("hello")
        #expect(client.receive(5) == Array("hello".utf8))
        #expect(eventually { stack.system.violations.contains { $0.context.contains("\"tcp_tmr\"") } })
        let violation = try #require(
          stack.system.violations.first { $0.context.contains("\"tcp_tmr\"") })
        #expect(violation.rule == .disjointRaises)
        #expect(violation.from == .softClock && violation.to == .softNet)
        #expect(violation.description.contains("at softClock asked for softNet"))
        // It goes on as ordered.
        client.send("again")
        #expect(client.receive(5) == Array("again".utf8))
        listener.close()
      }
    }

    @Test("a disjoint callout of that kind is refused when it is made")
    func disjointCallout() throws {
      try withStack { stack in
        #expect(throws: CalloutError.disjointGuard("tcp_tmr", at: .softClock, guard: .softNet)) {
          _ = try stack.system.callout("tcp_tmr", at: .softClock, guard: .softNet, as: .disjoint) { _ in }
        }
      }
    }

    @Test("mutant: with the gate switched off lwIP's assertions fail")
    func gateOff() throws {
      var plan = StackPlan(.ordered, cpus: 1)
      plan.isGateOff = true
      var configuration = StackConfiguration()
      configuration.trapsUnguarded = false
      let stack = try NetworkStack(configuration, plan)
      let listener = try TCPListener(stack, port: 7) { _ in true }
      #expect(stack.counts.failures > 0)
      listener.close()
      stack.shutdown()
    }

    @Test("who is outside is not guarded, who is inside is, and not who interrupts him")
    func contexts() throws {
      try withStack { stack in
        #expect(!stack.isGuarded)
        stack.enter { #expect(stack.isGuarded) }
        stack.system.raise(exactly: .softBio) { _ in #expect(!stack.isGuarded) }
        let seen = Event()
        let above = try stack.system.establish("above", at: .softSerial, as: .ordered) { _ in
          #expect(!stack.isGuarded)
          seen.signal()
        }
        let done = Event()
        stack.system.submit(on: 0) { _ in
          stack.enter {
            above.schedule()
            stack.system.checkpoint()
            #expect(stack.isGuarded)
          }
          done.signal()
        }
        #expect(done.wait() && seen.wait())
      }
    }
  }
}

/// A server that gives back what comes; nothing is taken that was not given back.
func echo(_ stack: NetworkStack, _ port: UInt16) throws -> TCPListener {
  try TCPListener(stack, port: port) { connection in
    // Under the guard.
    nonisolated(unsafe) var waiting: [UInt8] = []
    nonisolated(unsafe) var hasEnded = false
    connection.takesAtOnce = false
    func pump(_ connection: TCPConnection) {
      let written = (try? connection.write(waiting)) ?? 0
      waiting.removeFirst(written)
      connection.take(written)
      if waiting.isEmpty && hasEnded { connection.close() }
    }
    connection.onReceive = { connection, bytes in
      waiting.append(contentsOf: bytes)
      pump(connection)
    }
    connection.onSent = { connection, _ in pump(connection) }
    connection.onEnd = { connection in
      hasEnded = true
      pump(connection)
    }
    return true
  }
}
