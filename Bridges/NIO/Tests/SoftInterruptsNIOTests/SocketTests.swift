// Real sockets on loopback, served at a level.

import HostedMachine
import NIOCore
import NIOPosix
import SoftInterrupts
import Testing

@testable import SoftInterruptsNIO

@Suite(.serialized) struct SocketTests {
  /// What a connection has seen, as the level keeps it.
  struct Seen: Sendable {
    var opened = 0
    var bytes = 0
    var closed = 0
    var late = 0
  }
  typealias Table = Guarded<[Int: Seen], SoftNet>

  /// What a body does with an arrival, once it has the token.
  static func serve(
    _ arrival: Port.Arrival, _ table: Table, _ net: borrowing Held<SoftNet, HostedMachine>
  ) {
    let number = arrival.connection.number
    switch arrival.event {
    case .opened: net.open(table) { $0[number, default: Seen()].opened += 1 }
    case .message(let bytes):
      let count = bytes.readableBytes
      net.open(table) { table in
        table[number, default: Seen()].bytes += count
        if table[number, default: Seen()].closed > 0 { table[number, default: Seen()].late += 1 }
      }
      arrival.connection.write(bytes)
    case .closed: net.open(table) { $0[number, default: Seen()].closed += 1 }
    case .writable, .failed: break
    }
  }

  static func port(
    _ way: WayIn, _ system: System, _ table: Table, _ group: any EventLoopGroup, capacity: Int
  ) throws -> Port {
    switch way {
    case .bigLock:
      try Port(system, "echo", at: SoftNet.self, as: .bigLock, on: group, capacity: capacity) {
        arrival, net, _ in serve(arrival, table, net)
      }
    case .mpSafe:
      try Port(system, "echo", at: SoftNet.self, as: .mpSafe, on: group, capacity: capacity) { arrival, at in
        at.raise(to: SoftNet.self) { net in serve(arrival, table, net) }
      }
    default:
      try Port(system, "echo", at: SoftNet.self, as: .ordered, on: group, capacity: capacity, budget: 3) {
        arrival, net in serve(arrival, table, net)
      }
    }
  }

  @Test(arguments: [WayIn.bigLock, .ordered, .mpSafe]) func streamsComeBackWhole(_ way: WayIn) async throws {
    try await withLevel { system, group, keeper in
      let table = Table([:])
      // Small, so that loops get ahead of the level, and stop.
      let port = keeper.keep(try Self.port(way, system, table, group, capacity: 2))
      let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
        }
        .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 512))
        .bind(host: "127.0.0.1", port: 0).get()
      let number = try #require(server.localAddress?.port)
      let clients = 8
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for client in 0..<clients {
          tasks.addTask {
            let sent = ByteBuffer(bytes: (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ client) })
            let back = try await exchange(number, sent, expecting: sent.readableBytes, group)
            #expect(back == sent)
          }
        }
        try await tasks.waitForAll()
      }
      #expect(
        await eventually {
          system.raise(to: SoftNet.self) { net in
            net.open(table) { table in table.values.reduce(0) { $0 + $1.closed } }
          } == clients
        })
      let seen = system.raise(to: SoftNet.self) { net in net[table] }
      #expect(seen.count == clients)
      #expect(
        seen.values.allSatisfy { $0.opened == 1 && $0.closed == 1 && $0.bytes == 50_000 && $0.late == 0 })
      let counts = port.statistics
      #expect(counts.undelivered == 0 && counts.unwritten == 0)
      #expect(counts.written == counts.delivered)
      try await server.close()
    }
  }

  @Test func datagramsAreAnswered() async throws {
    try await withLevel { system, group, keeper in
      typealias Datagram = AddressedEnvelope<ByteBuffer>
      let port = try LevelPort<Datagram, Datagram>(system, "answer", at: .softNet, as: .ordered, on: group) {
        arrival, _ in
        if case .message(let datagram) = arrival.event { arrival.connection.write(datagram) }
      }
      _ = keeper.keep(port)
      let server = try await DatagramBootstrap(group: group)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      let address = try #require(server.localAddress)
      let client = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<Datagram, Datagram>(wrappingChannelSynchronously: channel)
        }
      }
      try await client.executeThenClose { inbound, outbound in
        var answers = inbound.makeAsyncIterator()
        // One at a time: a datagram may be lost where buffers are full, and nothing here fills them.
        for number in 0..<100 {
          try await outbound.write(Datagram(remoteAddress: address, data: ByteBuffer(integer: number)))
          let answer = try await answers.next()
          #expect(answer?.data == ByteBuffer(integer: number))
        }
      }
      #expect(port.statistics.delivered == 100)
      try await server.close()
    }
  }

  @Test func aCloseComesAfterWhatWasWrittenBefore() async throws {
    try await withLevel { system, group, keeper in
      let size = 4_000_000
      let port = try Port(system, "source", at: .softNet, as: .ordered, on: group) { arrival, _ in
        guard case .message = arrival.event else { return }
        // More than any socket's buffer.
        for _ in 0..<4 { arrival.connection.write(ByteBuffer(repeating: 7, count: size / 4)) }
        arrival.connection.close()
      }
      _ = keeper.keep(port)
      let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      let got = try await exchange(
        try #require(server.localAddress?.port), ByteBuffer(integer: UInt8(1)), expecting: .max, group)
      #expect(got.readableBytes == size)
      try await server.close()
    }
  }

  /// Who does not read is told of at the level, and so is that it reads again.
  @Test func writabilityIsTold() async throws {
    try await withLevel { system, group, keeper in
      let told = Log<Bool>()
      let port = try Port(system, "flood", at: .softNet, as: .ordered, on: group) { arrival, _ in
        switch arrival.event {
        case .opened: arrival.connection.write(ByteBuffer(repeating: 1, count: 8_000_000))
        case .writable(let isWritable): told.note(isWritable)
        default: break
        }
      }
      _ = keeper.keep(port)
      let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      let client = try await ClientBootstrap(group: group).channelOption(.autoRead, value: false)
        .connect(to: try #require(server.localAddress)).get()
      #expect(await eventually { told.all == [false] })
      try await client.setOption(.autoRead, value: true).get()
      #expect(await eventually { told.all == [false, true] })
      try await client.close()
      try await server.close()
    }
  }
}
