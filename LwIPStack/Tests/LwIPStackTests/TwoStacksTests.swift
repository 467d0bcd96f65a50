// Two stacks in a process: each has a lwIP and a guard of its own.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Two stacks", .enabled(if: canLoadAnother))
  struct TwoStacksTests {
    /// Serves on both ports at once; each stack's own lwIP asserts, and what is open in one is not in the other.
    private func serve(_ first: NetworkStack, _ second: NetworkStack) throws {
      let ports = try [freePort(), freePort()]
      let stacks = [first, second]
      var listeners: [TCPListener] = []
      for (stack, port) in zip(stacks, ports) {
        try stack.attach(SlirpDevice(forwarding: [.init(port: port)]), ipv4: SlirpDevice.ipv4)
        listeners.append(try echo(stack, port))
      }
      let bytes = pattern(20_000)
      let clients = try ports.map { try HostSocket($0) }
      for client in clients { client.send(bytes) }
      for client in clients { #expect(client.receive(bytes.count) == bytes) }
      for stack in stacks { #expect(stack.counts.connections == 1) }
      clients[0].endSending()
      #expect(clients[0].receive(1).isEmpty)
      clients[1].send("still there")
      #expect(clients[1].receive(11) == Array("still there".utf8))
      for stack in stacks {
        let counts = stack.counts
        #expect(counts.assertions > 0 && counts.protections > 0)
        #expect(counts.failures == 0)
        #expect(eventually { stack.counts.timerRuns.first { $0.name == "tcp_tmr" }!.runs > 0 })
      }
      for listener in listeners { listener.close() }
    }

    @Test("on one system: a gate each", arguments: [StackDiscipline.ordered, .bigLock, .mpSafe, .oneCPU])
    func oneSystem(_ discipline: StackDiscipline) throws {
      var configuration = StackConfiguration()
      configuration.discipline = discipline
      let first = try NetworkStack(configuration)
      configuration.level = .softSerial
      let second = try NetworkStack(configuration, beside: first)
      defer { second.shutdown() }
      try serve(first, second)
      // Under one guard the other's is not held: its lwIP would say so.
      first.enter { #expect(first.isGuarded && !second.isGuarded) }
      second.enter { #expect(second.isGuarded && !first.isGuarded) }
    }

    @Test("on a system each")
    func twoSystems() throws {
      let first = try NetworkStack()
      let second = try NetworkStack()
      defer {
        second.shutdown()
        first.shutdown()
      }
      try serve(first, second)
    }

    @Test("mutant: under the other stack's guard lwIP's assertions fail, in the lwIP that was called")
    func wrongGuard() throws {
      var configuration = StackConfiguration()
      configuration.trapsUnguarded = false
      let first = try NetworkStack(configuration)
      configuration.level = .softSerial
      let second = try NetworkStack(configuration, beside: first)
      defer { first.shutdown() }
      let before = (first.counts.failures, second.counts.failures)
      var error: Int32 = 0
      // Nobody connects, so its owner is never asked for.
      let owner = Unmanaged.passUnretained(second).toOpaque()
      let listener = first.enter { second.lwip.pointee.tcp_listen(nil, 7, 1, owner, &error) }
      #expect(first.counts.failures == before.0)
      #expect(second.counts.failures > before.1)
      let now = second.counts.failures
      second.enter { second.lwip.pointee.tcp_close_listener(listener!) }
      #expect(second.counts.failures == now)
    }

    @Test("a stack's lwIP is used again by the next one")
    func again() throws {
      for _ in 0..<3 {
        let first = try NetworkStack()
        let second = try NetworkStack()
        second.shutdown()
        first.shutdown()
      }
    }

    @Test("what cannot be is refused")
    func refused() throws {
      let first = try NetworkStack()
      defer { first.shutdown() }
      #expect(throws: DeviceFailure.self) { _ = try NetworkStack(StackConfiguration(), beside: first) }
      var configuration = StackConfiguration()
      configuration.level = .softClock
      #expect(throws: DeviceFailure.self) { _ = try NetworkStack(configuration) }
      configuration.level = .softNet
      configuration.coreLock = .lock
      // lwIP's symbols are ours in this program.
      #expect(throws: DeviceFailure.self) { _ = try NetworkStack(configuration) }
    }
  }
}
