// The callback form with tokens: what an application keeps at the stack's level is opened without a lock, under every discipline that has gates.

import SoftInterrupts
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Tokens")
  struct TypedTests {
    @Test(
      "a session's count is opened by the token of its callbacks",
      arguments: [StackDiscipline.oneCPU, .bigLock, .ordered, .mixed])
    func counts(_ discipline: StackDiscipline) throws {
      let port = try freePort()
      let received = Guarded<[UInt16: Int], SoftNet>([:])
      let ended = Guarded<Int, SoftNet>(0)
      try withStack(discipline, forwarding: port) { stack in
        let listener = try TCPListener(stack, at: SoftNet.self, port: port) { net, connection in
          guard let from = connection.peer?.port else { return false }
          net.open(received) { $0[from] = 0 }
          let callbacks = connection.on(SoftNet.self)
          callbacks.receive { net, connection, bytes in
            net.open(received) { $0[from]! += bytes.count }
            _ = try? connection.write(bytes)
          }
          callbacks.end { net, connection in
            net.open(ended) { $0 += 1 }
            connection.close()
          }
          return true
        }
        let endpoint = try UDPEndpoint(stack, at: SoftNet.self, port: port) {
          net, endpoint, bytes, address, port in
          net.open(ended) { $0 += 10 }
          try? endpoint.send(bytes, to: address, port: port)
        }
        for size in [1, 1_000, 20_000] {
          let client = try HostSocket(port)
          client.send(pattern(size))
          #expect(client.receive(size) == pattern(size))
          client.endSending()
          #expect(client.receive(1) == [])
        }
        let asker = try HostSocket(port, isUDP: true)
        asker.send(pattern(3))
        #expect(asker.datagram() == pattern(3))
        let (counted, ends) = stack.enter(at: SoftNet.self) { net in
          (net.open(received) { $0.values.sorted() }, net.open(ended) { $0 })
        }
        #expect(counted == [1, 1_000, 20_000])
        #expect(ends == 13)
        listener.close()
        endpoint.close()
      }
    }

    @Test("a client's callbacks are given it as well")
    func client() throws {
      let steps = Guarded<[String], SoftNet>([])
      try withStack { stack in
        let done = Event()
        _ = try stack.enter { () throws(NetworkError) in
          try TCPConnection.connect(stack, to: SlirpDevice.ipv4.address, port: 9) { connection in
            connection.on(SoftNet.self).failure { net, _, error in
              net.open(steps) { $0.append("\(error)") }
              done.signal()
            }
          }
        }
        #expect(done.wait())
        #expect(stack.enter(at: SoftNet.self) { net in net.open(steps) { $0 } } == ["\(NetworkError.reset)"])
      }
    }

    @Test("there is no token where the guard is no gate, nor of another level")
    func refused() throws {
      for (discipline, isThere) in [(StackDiscipline.ordered, true), (.mpSafe, false), (.threads, false)] {
        try withStack(discipline) { stack in
          #expect(stack.isGuarded(by: .softNet) == isThere)
          #expect(!stack.isGuarded(by: .softSerial))
        }
      }
    }
  }
}
