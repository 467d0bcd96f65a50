// Connections as asynchronous sequences: order, back-pressure, cancellation, errors.

import Glibc
import HostedMachine
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Streams")
  struct StreamTests {
    @Test("tasks on both ends exchange more than all buffers hold")
    func exchange() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        let bytes = pattern(1_000_000)
        let server = Task {
          let stream = try #require(await listener.next())
          for try await chunk in stream { try await stream.write(chunk) }
          stream.close()
        }
        let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
        let writing = Task {
          try await client.write(bytes)
          try client.endWriting()
        }
        var got: [UInt8] = []
        for try await chunk in client { got += chunk }
        #expect(got == bytes)
        try await writing.value
        try await server.value
        client.close()
        listener.close()
      }
    }

    @Test("who does not read stops who writes, at the window")
    func backPressure() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
        let server = try #require(await listener.next())
        let bytes = pattern(1_000_000)
        let writing = Task { try await client.write(bytes) }
        // lwIP's own bounds: one send buffer and one receive window (65,535 with scaling 1). Nothing more is anywhere.
        #expect(eventually { server.buffered > 0 && stack.enter { client.connection.room } == 0 })
        #expect(server.buffered <= 2 * 65_535)
        var got = 0
        while got < bytes.count, let chunk = try await server.read() {
          #expect(chunk == Array(bytes[got..<(got + chunk.count)]))
          got += chunk.count
        }
        #expect(got == bytes.count)
        try await writing.value
        client.close()
        server.close()
        listener.close()
      }
    }

    @Test("a cancelled reader is told, and the connection lives on")
    func cancellation() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
        let server = try #require(await listener.next())
        let reading = Task { try await server.read() }
        reading.cancel()
        await #expect(throws: CancellationError.self) { _ = try await reading.value }
        try await client.write([1, 2, 3])
        #expect(try await server.read() == [1, 2, 3])
        server.close()
        #expect(try await client.read() == nil)
        client.close()
        listener.close()
      }
    }

    @Test("a cancel that meets what comes stops nobody")
    func cancelMeetsArrival() async {
      // In a process of its own, for what may go wrong has no end: the alarm is one.
      await #expect(processExitsWith: .exitCode(0)) {
        alarm(20)
        try await withStreams { stack in
          let listener = try TCPStreamListener(stack, port: 7)
          let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
          let server = try #require(await listener.next())
          stack.enter { client.connection.setNoDelay(true) }
          var sent = 0
          var got = 0
          for round in 0..<5_000 {
            let reading = Task { (try? await server.read())?.count ?? 0 }
            // A CPU receives what was sent, and wakes the reader, under the guard; the cancel comes at any time of that.
            await Task.yield()
            try await client.write([1])
            sent += 1
            for _ in 0..<round % 512 { HostedMachine.pause(0) }
            reading.cancel()
            got += await reading.value
          }
          // Nothing was lost with those who were cancelled.
          while got < sent { got += try await server.read()?.count ?? sent }
          #expect(got == sent)
          client.close()
          server.close()
          listener.close()
        }
      }
    }

    @Test("a cancel that comes late is nobody else's")
    func lateCancel() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
        let server = try #require(await listener.next())
        // The number of a wait that is over: the next one that is given out comes after it.
        let past = WaitNumber.next()
        let reading = Task { try await server.read() }
        #expect(eventually { stack.enter { server.isAwaited } })
        stack.enter { server.cancelRead(past) }
        try await client.write([1])
        #expect(try await reading.value == [1])
        client.close()
        server.close()
        listener.close()
      }
    }

    @Test("a reset reaches both who reads and who writes")
    func reset() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
        let server = try #require(await listener.next())
        let reading = Task { try await server.read() }
        let writing = Task { try await server.write(pattern(1_000_000)) }
        client.abort()
        await #expect(throws: NetworkError.reset) { _ = try await reading.value }
        await #expect(throws: NetworkError.reset) { try await writing.value }
        listener.close()
      }
    }

    @Test("connections that nobody takes are refused beyond the queue")
    func queue() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7, backlog: 2)
        var clients: [TCPStream] = []
        for _ in 0..<2 {
          clients.append(try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7))
        }
        // The reset comes after the handshake: whoever is quick is connected for a moment.
        await #expect(throws: NetworkError.reset) {
          let third = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
          _ = try await third.read()
        }
        #expect(listener.refused == 1)
        for _ in 0..<2 {
          let stream = try #require(await listener.next())
          stream.close()
        }
        listener.close()
        #expect(await listener.next() == nil)
        for client in clients { client.close() }
      }
    }

    @Test("a stream that is over is let go, however it ended")
    func letGo() async throws {
      try await withStreams { stack in
        let listener = try TCPStreamListener(stack, port: 7)
        weak var closed: TCPStream?
        weak var reset: TCPStream?
        do {
          let client = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 7)
          let server = try #require(await listener.next())
          (closed, reset) = (client, server)
          server.abort()
          await #expect(throws: NetworkError.reset) { _ = try await client.read() }
          client.close()
        }
        #expect(eventually { closed == nil && reset == nil })
        listener.close()
      }
    }

    @Test("nobody listens: connecting fails with a reset")
    func refused() async throws {
      try await withStreams { stack in
        await #expect(throws: NetworkError.reset) {
          _ = try await TCPStream.connect(stack, to: SlirpDevice.ipv4.address, port: 9)
        }
      }
    }
  }
}

/// A stack for tasks, checked as in `withStack`.
private func withStreams(_ body: (NetworkStack) async throws -> Void) async throws {
  var configuration = StackConfiguration()
  configuration.trapsUnguarded = false
  let stack = try NetworkStack(configuration)
  do {
    try stack.attach(SlirpDevice(forwarding: []), ipv4: SlirpDevice.ipv4)
    try await body(stack)
    let counts = stack.counts
    #expect(counts.assertions > 0 && counts.failures == 0)
  } catch {
    stack.shutdown()
    throw error
  }
  #expect(stack.shutdown().isComplete)
}
