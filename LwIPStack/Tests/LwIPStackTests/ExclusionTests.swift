// That the gate excludes: a load for the Thread Sanitizer over an instrumented lwIP (source/races), with the gate and, as a mutant, without.
//
// Law: the same load both times. Without the gate what it does is undefined, so that is run by itself and only when asked for.

import Dispatch
import Glibc
import HostedMachine
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Exclusion")
  struct ExclusionTests {
    @Test("input, timers and an application are in lwIP one at a time")
    func gateOn() throws {
      let stack = try load(StackPlan(.ordered, cpus: 2))
      #expect(stack.counts.failures == 0 && stack.counts.assertions > 0)
      stack.shutdown()
    }

    @Test("mutant: without the gate all at once", .enabled(if: getenv("SOFTINT_GATE_OFF") != nil))
    func gateOff() throws {
      // It may run in a circle in a torn list. Who gives up on the test's launcher leaves this process behind, so it ends itself.
      alarm(20)
      var plan = StackPlan(.ordered, cpus: 2)
      plan.isGateOff = true
      let stack = try load(plan)
      #expect(stack.counts.failures > 0)
      stack.shutdown()
    }

    /// Input on one CPU, lwIP's timers on the other, and a thread that opens and closes what their lists hold. It does nothing else, so that no
    /// socket of the host's, which the sanitizer takes for an order, orders it by chance.
    private func load(_ plan: StackPlan) throws -> NetworkStack {
      var configuration = StackConfiguration()
      configuration.trapsUnguarded = false
      let stack = try NetworkStack(configuration, plan)
      let port = try freePort()
      try stack.attach(
        SlirpDevice(forwarding: [SlirpDevice.Forward(port: port)]), ipv4: SlirpDevice.ipv4)
      let listener = try TCPListener(stack, port: port) { connection in
        connection.onReceive = { connection, bytes in _ = try? connection.write(bytes) }
        connection.onEnd = { $0.close() }
        return true
      }
      let clients = try (0..<8).map { _ in try HostSocket(port) }
      let done = Event()
      DispatchQueue.global().async {
        for _ in 0..<2_000 {
          stack.enter {
            let connection = try? TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 9) { _ in }
            connection?.abort()
          }
        }
        done.signal()
      }
      for client in clients {
        client.send(pattern(2_000))
        #expect(client.receive(2_000) == pattern(2_000))
      }
      #expect(done.wait())
      #expect(eventually { stack.counts.timerRuns.contains { $0.name == "tcp_tmr" && $0.runs > 0 } })
      listener.close()
      return stack
    }
  }
}
