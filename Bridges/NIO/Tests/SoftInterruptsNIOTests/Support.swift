// What the bridge's tests share.
//
// Nothing here sleeps to let something happen: a test waits for events, or asks again and again within patience.

import Glibc
import HostedMachine
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOPosix
import SoftInterrupts
import Synchronization
import Testing

@testable import SoftInterruptsNIO

typealias System = InterruptSystem<HostedMachine>
typealias Port = LevelPort<ByteBuffer, ByteBuffer>
typealias Numbers = LevelPort<Int, Int>

/// Runs `body` with a system of its own; shuts it down afterwards and checks that the order was kept.
func withSystem<R: Sendable>(cpus: Int = 2, _ body: (System) async throws -> R) async throws -> R {
  var configuration = Configuration()
  configuration.onViolation = .collect
  let system = try System(on: .hosted(cpus: cpus), configuration)
  let result: R
  do { result = try await body(system) } catch {
    await onThread { _ = system.shutdown() }
    throw error
  }
  let report = await onThread { system.shutdown() }
  #expect(report.pending.isEmpty && report.jobs == 0, "\(report)")
  #expect(system.violations.isEmpty, "\(system.violations)")
  return result
}

/// Runs `body` with event loops of real threads.
func withGroup<R: Sendable>(
  _ loops: Int = 2, _ body: (MultiThreadedEventLoopGroup) async throws -> R
) async throws -> R {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
  let result: R
  do { result = try await body(group) } catch {
    try await group.shutdownGracefully()
    throw error
  }
  try await group.shutdownGracefully()
  return result
}

/// What ends with the system, to be waited for before the event loops end.
final class Keeper: Sendable {
  private let ends = Log<@Sendable () async -> Void>()
  func keep<In, Out>(_ port: LevelPort<In, Out>) -> LevelPort<In, Out> {
    ends.note { await port.waitForEnd() }
    return port
  }
  func wait() async { for end in ends.all { await end() } }
}

/// Both, in the order in which they have to end.
func withLevel<R: Sendable>(
  loops: Int = 2, _ body: (System, MultiThreadedEventLoopGroup, Keeper) async throws -> R
) async throws -> R {
  try await withGroup(loops) { group in
    let keeper = Keeper()
    let result = try await withSystem { try await body($0, group, keeper) }
    await keeper.wait()
    return result
  }
}

/// A channel of a testing loop with a port's handler, active.
func testingChannel(
  _ port: Numbers, _ loop: NIOAsyncTestingEventLoop, before handlers: [any ChannelHandler & Sendable] = []
) async throws -> (channel: NIOAsyncTestingChannel, connection: Numbers.Connection) {
  let channel = NIOAsyncTestingChannel(loop: loop)
  let connection = try await loop.executeInContext {
    try channel.pipeline.syncOperations.addHandlers(handlers)
    return try port.attach(channel)
  }
  try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
  return (channel, connection)
}

/// Runs `body` on a thread of its own, which may wait as it likes.
func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    NIOThreadPool.singleton.submit { _ in continuation.resume(returning: body()) }
  }
}

/// Asks again and again, giving the pool's thread away in between; false if it never becomes true. What others test at the same time
/// may keep the machine for minutes, so patience is long: it turns a hang into a failure, and measures nothing.
func eventually(_ condition: @Sendable () async throws -> Bool) async rethrows -> Bool {
  let end = HostedMachine.now() + 300_000_000_000
  while try await !condition() {
    if HostedMachine.now() > end { return false }
    await Task.yield()
  }
  return true
}

/// What happened, in the order in which it did. Under a lock of the operating system's, which Thread Sanitizer knows; it does not see
/// what `Mutex` orders (Swift 6.3.1, Linux).
final class Log<Entry: Sendable>: Sendable {
  private let entries = NIOLockedValueBox<[Entry]>([])
  func note(_ entry: Entry) { entries.withLockedValue { $0.append(entry) } }
  var all: [Entry] { entries.withLockedValue { $0 } }
}

/// A count that any thread may change.
final class Counter: Sendable {
  private let storage = Atomic<Int>(0)
  @discardableResult func add(_ step: Int = 1) -> Int { storage.add(step, ordering: .relaxed).newValue }
  var count: Int { storage.load(ordering: .relaxed) }
}

/// Counts what passes through a pipeline before the port's handler.
final class Passing: ChannelDuplexHandler, Sendable {
  typealias InboundIn = Any
  typealias OutboundIn = Any
  let reads = Counter()
  let messages = Counter()
  let errors = Log<LevelPortError>()
  func read(context: ChannelHandlerContext) {
    reads.add()
    context.read()
  }
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    messages.add()
    context.fireChannelRead(data)
  }
}

/// Notes what comes behind the port's handler: errors.
final class Behind: ChannelInboundHandler, Sendable {
  typealias InboundIn = Any
  let errors = Log<LevelPortError>()
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? LevelPortError { errors.note(error) }
  }
}

/// One client of a server on loopback that sends `bytes`, and reads until it has `expected` of them or the server closes.
func exchange(_ port: Int, _ bytes: ByteBuffer, expecting expected: Int, _ group: any EventLoopGroup)
  async throws
  -> ByteBuffer
{
  let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) { channel in
    channel.eventLoop.makeCompletedFuture {
      try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
    }
  }
  return try await channel.executeThenClose { inbound, outbound in
    async let sent: Void = outbound.write(bytes)
    var answer = ByteBuffer()
    for try await part in inbound {
      answer.writeImmutableBuffer(part)
      if answer.readableBytes >= expected { break }
    }
    try await sent
    return answer
  }
}
