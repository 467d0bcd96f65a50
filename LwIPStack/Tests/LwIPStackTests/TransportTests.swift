// TCP and UDP as their users see them, against the host's own sockets and against the stack itself.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("TCP and UDP")
  struct TransportTests {
    @Test("a client and a server of the same stack exchange data over its own address")
    func loopback() throws {
      try withStack { stack in
        let listener = try echo(stack, 7)
        let bytes = pattern(300_000)
        let done = Event()
        // Under the guard.
        nonisolated(unsafe) var got: [UInt8] = []
        nonisolated(unsafe) var sent = 0
        func push(_ connection: TCPConnection) { sent += (try? connection.write(bytes, from: sent)) ?? 0 }
        let client = try stack.enter { () throws(NetworkError) in
          try TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 7) { connection in
            connection.onConnect = { push($0) }
            connection.onSent = { connection, _ in push(connection) }
            connection.onReceive = { connection, piece in
              got.append(contentsOf: piece)
              if got.count == bytes.count {
                connection.close()
                done.signal()
              }
            }
          }
        }
        #expect(done.wait())
        stack.enter {
          #expect(got == bytes)
          #expect(!client.isOpen)
        }
        listener.close()
        // Our end waits for old segments; the other has gone.
        #expect(
          eventually {
            stack.counts.connections <= 1 && stack.counts.segments == 0 && stack.counts.buffers == 0
          })
      }
    }

    @Test("over IPv6")
    func ipv6() throws {
      let port = try freePort()
      try withStack(forwarding: port) { stack in
        let listener = try echo(stack, port)
        let client = try HostSocket(port, isIPv6: true)
        client.send("six")
        #expect(client.receive(3) == Array("six".utf8))
        listener.close()
      }
    }

    @Test("datagrams are answered, in one piece", arguments: [1, 500, 1_400])
    func udp(_ size: Int) throws {
      let port = try freePort()
      try withStack(forwarding: port) { stack in
        let endpoint = try UDPEndpoint(stack, port: port) { endpoint, bytes, address, port in
          try? endpoint.send(bytes, to: address, port: port)
        }
        #expect(endpoint.port == port)
        let client = try HostSocket(port, isUDP: true)
        client.send(pattern(size))
        #expect(client.datagram() == pattern(size))
        endpoint.close()
        #expect(stack.counts.endpoints == 0)
      }
    }

    @Test("a port where nobody listens resets, and says so")
    func refused() throws {
      try withStack { stack in
        let failed = Event()
        nonisolated(unsafe) var error: NetworkError?
        _ = try stack.enter { () throws(NetworkError) in
          try TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 9) { connection in
            connection.onFailure = { _, why in
              error = why
              failed.signal()
            }
          }
        }
        #expect(failed.wait())
        stack.enter { #expect(error == .reset) }
      }
    }

    @Test(
      "what is closed in the accept callback ends in order; what is refused there is reset",
      arguments: [false, true], [false, true])
    func closedAtOnce(_ writes: Bool, _ refuses: Bool) throws {
      try withStack { stack in
        let listener = try TCPListener(stack, port: 7) { connection in
          if writes { _ = try? connection.write(Array("bye".utf8)) }
          if !refuses { connection.close() }
          return !refuses
        }
        let over = Event()
        nonisolated(unsafe) var heard: [UInt8] = []
        nonisolated(unsafe) var error: NetworkError?
        _ = try stack.enter { () throws(NetworkError) in
          try TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 7) { connection in
            connection.onReceive = { heard += Array($1) }
            connection.onEnd = {
              $0.close()
              over.signal()
            }
            connection.onFailure = { _, why in
              error = why
              over.signal()
            }
          }
        }
        #expect(over.wait())
        stack.enter {
          #expect(error == (refuses ? .reset : nil))
          if !refuses { #expect(heard == (writes ? Array("bye".utf8) : [])) }
        }
        listener.close()
        // Both ends: what has ended is in TIME_WAIT at most, and asks for nothing.
        #expect(stack.counts.segments == 0 && stack.counts.buffers == 0)
      }
    }

    @Test("a second listener on a port is refused, typed")
    func inUse() throws {
      try withStack { stack in
        let first = try TCPListener(stack, port: 7) { _ in true }
        #expect(throws: NetworkError.addressInUse) { _ = try TCPListener(stack, port: 7) { _ in true } }
        first.close()
        let again = try TCPListener(stack, port: 7) { _ in true }
        again.close()
        #expect(stack.counts.listeners == 0)
      }
    }

    @Test("a connection reset by the host ends with that error, and leaves nothing")
    func resetByPeer() throws {
      try withStack { stack in
        let accepted = Event()
        let failed = Event()
        nonisolated(unsafe) var error: NetworkError?
        let listener = try TCPListener(stack, port: 7) { connection in
          connection.onFailure = { _, why in
            error = why
            failed.signal()
          }
          accepted.signal()
          return true
        }
        let client = try stack.enter { () throws(NetworkError) in
          try TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 7) { _ in }
        }
        #expect(accepted.wait())
        stack.enter { client.abort() }
        #expect(failed.wait())
        stack.enter { #expect(error == .reset) }
        #expect(eventually { stack.counts.connections == 0 && stack.counts.buffers == 0 })
        listener.close()
      }
    }

    @Test("at the limit of connections no more are made, and those that are there go on")
    func limit() throws {
      let port = try freePort()
      try withStack(forwarding: port, mostConnections: 3) { stack in
        let listener = try echo(stack, port)
        let first = try (0..<3).map { _ in try HostSocket(port) }
        for client in first {
          client.send("a")
          #expect(client.receive(1) == [97])
        }
        // The host's own stack accepts it; ours has no room, so nothing comes back.
        let fourth = try HostSocket(port)
        fourth.send("b")
        #expect(eventually { stack.counts.refused > 0 })
        #expect(stack.counts.connections <= 3)
        for client in first {
          client.send("c")
          #expect(client.receive(1) == [99])
        }
        listener.close()
      }
    }

    @Test("many short connections leave nothing behind but TIME_WAIT")
    func noLeak() throws {
      let port = try freePort()
      try withStack(forwarding: port) { stack in
        let listener = try echo(stack, port)
        for _ in 0..<200 {
          let client = try HostSocket(port)
          client.send("x")
          #expect(client.receive(1) == [120])
          client.endSending()
          #expect(client.receive(1).isEmpty)
        }
        // The client closes first, so lwIP's end is over with the last acknowledgement.
        #expect(eventually { stack.counts.connections == 0 })
        let counts = stack.counts
        #expect(counts.segments == 0 && counts.buffers == 0)
        listener.close()
      }
    }

    @Test("sys_timeout runs under the guard; sys_untimeout under the guard is exact")
    func timeouts() throws {
      try withStack { stack in
        final class Record {
          let event = Event()
          let stack: NetworkStack
          var runs = 0
          init(_ stack: NetworkStack) { self.stack = stack }
        }
        let record = Record(stack)
        let argument = Unmanaged.passUnretained(record).toOpaque()
        let body: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
          let record = Unmanaged<Record>.fromOpaque(argument!).takeUnretainedValue()
          #expect(record.stack.isGuarded)
          record.runs += 1
          record.event.signal()
        }
        stack.enter { stack.setTimeout(1, body, argument) }
        #expect(record.event.wait())
        // Due at once and taken back in the same hold: it never runs, also if its callout has been popped already.
        for _ in 0..<100 {
          stack.enter {
            stack.setTimeout(0, body, argument)
            stack.clearTimeout(body, argument)
          }
        }
        stack.enter { stack.setTimeout(1, body, argument) }
        #expect(record.event.wait())
        stack.enter { #expect(record.runs == 2) }
      }
    }

    @Test("after the shutdown everything says that the stack has stopped")
    func stopped() throws {
      var kept: NetworkStack?
      try withStack { kept = $0 }
      let stack = try #require(kept)
      #expect(throws: NetworkError.stopped) { _ = try TCPListener(stack, port: 7) { _ in true } }
      #expect(throws: NetworkError.stopped) { _ = try UDPEndpoint(stack, port: 7) { _, _, _, _ in } }
    }
  }
}
