// The two rules of the bridge: an event loop waits for no gate, and NIO is not called under one. And what happens when everything
// ends at once.

import Dispatch
import HostedMachine
import NIOCore
import NIOEmbedded
import NIOPosix
import SoftInterrupts
import Synchronization
import Testing

@testable import SoftInterruptsNIO

@Suite(.serialized) struct RuleTests {
  /// The gate of the level is held until the event loop, which has delivered more than fits, has done something else.
  @Test func anEventLoopGoesOnWhileTheGateIsHeld() async throws {
    try await withLevel(loops: 1) { system, group, keeper in
      let bytes = Counter()
      let port = keeper.keep(
        try Port(system, "count", at: .softNet, as: .ordered, on: group, capacity: 1) { arrival, _ in
          if case .message(let part) = arrival.event { bytes.add(part.readableBytes) }
        })
      let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
        }
        .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64))
        .bind(host: "127.0.0.1", port: 0).get()
      let client = try await ClientBootstrap(group: group).connect(to: try #require(server.localAddress))
        .get()
      let (isHeld, isSeen) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      async let seen = onThread {
        system.raise(to: .softNet) { _ in
          isHeld.signal()
          // Not forever: that the loop waits is to be a failure.
          return isSeen.wait(timeout: .now() + 300)
        }
      }
      await onThread { isHeld.wait() }
      try await client.writeAndFlush(ByteBuffer(repeating: 1, count: 4_096))
      // It stopped, and it turns.
      #expect(await eventually { port.statistics.stops > 0 })
      let turned = try await group.any().submit { 1 }.get()
      #expect(turned == 1)
      isSeen.signal()
      #expect(await seen == .success)
      #expect(await eventually { bytes.count == 4_096 })
      try await client.close()
      try await server.close()
    }
  }

  /// An event loop that notes under which gates it was asked for something.
  final class WatchingLoop: EventLoop {
    let loop = NIOAsyncTestingEventLoop()
    let gates = Log<GateSet>()
    let system: System
    init(_ system: System) { self.system = system }
    var inEventLoop: Bool { loop.inEventLoop }
    func execute(_ task: @escaping @Sendable () -> Void) {
      gates.note(system.gates)
      loop.execute(task)
    }
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
      loop.scheduleTask(deadline: deadline, task)
    }
    func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
      loop.scheduleTask(in: time, task)
    }
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
      loop.shutdownGracefully(queue: queue, callback)
    }
  }

  @Test func nioIsCalledUnderNoGate() async throws {
    try await withSystem { system in
      let loop = WatchingLoop(system)
      let port = try Numbers(system, "numbers", at: .softNet, as: .ordered, on: loop) { _, _ in }
      let connection = Numbers.Connection(0, port.links[0])
      // From a handler of the level, from base code that has raised through everything below, and from a thread that is no CPU.
      let writer = try system.establish("writer", at: .softNet, as: .ordered) { _ in connection.write(1) }
      writer.schedule(on: 1)
      system.submit(on: 0) { here in here.raise(to: .softNet) { _ in connection.write(2) } }
      await onThread { system.raise(to: .softNet) { _ in connection.write(3) } }
      #expect(
        await eventually {
          await loop.loop.run()
          return port.statistics.unwritten == 3
        })
      let gates = loop.gates.all
      #expect(!gates.isEmpty && gates.allSatisfy(\.isEmpty))
    }
  }

  @Test func aSectionIsAnsweredOnTheEventLoop() async throws {
    struct Wrong: Error {}
    let guarded = Guarded<Int, SoftNet>(1)
    try await withGroup(1) { group in
      let loop = group.next()
      let system = try System(on: .hosted(cpus: 2))
      let answer = try await system.future(on: loop, raisedTo: SoftNet.self) { net in
        net.open(guarded) { value in
          value += 1
          return value
        }
      }.map { ($0, loop.inEventLoop) }.get()
      #expect(answer == (2, true))
      await #expect(throws: Wrong.self) {
        try await system.future(on: loop, raisedTo: SoftNet.self, cpu: 1) { _ in throw Wrong() }.get()
      }
      await onThread { _ = system.shutdown() }
      await #expect(throws: SectionNotRun.self) {
        try await system.future(on: loop, raisedTo: SoftNet.self) { _ in }.get()
      }
    }
  }

  /// Clients come, send, stop reading and go while the port ends at any moment; nothing is lost in silence, nothing comes twice or in
  /// another order.
  @Test(arguments: 0..<6) func endsAtAnyMoment(_ round: Int) async throws {
    let passing = Passing()
    let events = Log<(Int, ProtocolTests.Given)>()
    typealias Bytes = LevelPort<ByteBuffer, ByteBuffer>
    let end = Counter()
    let port = try await withGroup { group in
      var configuration = Configuration()
      configuration.onViolation = .collect
      let system = try System(on: .hosted(cpus: 2), configuration)
      let way: WayIn = [.ordered, .mpSafe, .bigLock][round % 3]
      let port = try Bytes(system, "bytes", at: .softNet, as: way, on: group, capacity: 2, budget: 2) {
        arrival, _ in
        switch arrival.event {
        case .opened: events.note((arrival.connection.number, .opened))
        case .message(let bytes):
          events.note((arrival.connection.number, .message(bytes.readableBytes)))
          end.add()
          arrival.connection.write(bytes, onFailure: .ignored)
          if bytes.readableBytes % 5 == 0 { arrival.connection.close() }
        case .closed: events.note((arrival.connection.number, .closed))
        case .failed, .writable: break
        }
      }
      let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(passing)
            try port.attach(channel)
          }
        }
        .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 100))
        .bind(host: "127.0.0.1", port: 0).get()
      let address = try #require(server.localAddress)
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for client in 0..<6 {
          tasks.addTask {
            for turn in 0..<8 {
              // After the end a connection may be refused, reset or closed: what the client sees is its own affair.
              guard let channel = try? await ClientBootstrap(group: group).connect(to: address).get() else {
                return
              }
              for part in 0..<4 {
                try? await channel.writeAndFlush(ByteBuffer(repeating: 1, count: 200 + client + turn + part))
                  .get()
              }
              try? await channel.close().get()
            }
          }
        }
        tasks.addTask {
          // A moment of its own for each round.
          _ = await eventually { end.count >= round * 25 }
          if round % 2 == 0 {
            await onThread { port.end() }
          } else {
            await onThread { _ = system.shutdown(grace: .zero) }
          }
          await port.waitForEnd()
        }
        try await tasks.waitForAll()
      }
      try await server.close()
      await onThread { _ = system.shutdown() }
      #expect(system.violations.isEmpty, "\(system.violations)")
      return port
    }
    let counts = port.statistics
    #expect(counts.delivered + counts.undelivered == passing.messages.count, "\(counts)")
    #expect(counts.delivered == end.count)
    for (number, mine) in Dictionary(grouping: events.all, by: \.0) {
      let given = mine.map(\.1)
      #expect(given.first == .opened && given.count(where: { $0 == .opened }) == 1, "\(number): \(given)")
      #expect(given.count(where: { $0 == .closed }) <= 1)
      if let closed = given.firstIndex(of: .closed) {
        #expect(closed == given.count - 1, "\(number): \(given)")
      }
    }
  }
}
