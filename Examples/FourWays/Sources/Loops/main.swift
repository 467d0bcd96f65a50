// The limiter on SwiftNIO: the table on one event loop with its timers, the probe on another, the log on a thread of a pool.
import Limiter
import NIOCore
import NIOPosix
import Synchronization

/// What a probe reads from another loop.
let live = Atomic<Int>(0)
let probed = Atomic<Int>(0)

extension AddressedEnvelope<ByteBuffer> {
  var text: String { String(buffer: data) }
  func reply(_ text: String) -> AddressedEnvelope<ByteBuffer> {
    AddressedEnvelope(remoteAddress: remoteAddress, data: ByteBuffer(string: text))
  }
}

/// Everything in it is its event loop's.
final class Table: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>
  private let writer: Writer
  private let loop: any EventLoop
  private var sessions = Sessions()
  private var timers: [String: Scheduled<Void>] = [:]

  init(_ writer: Writer, on loop: any EventLoop) {
    self.writer = writer
    self.loop = loop
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    let reply = answer(Request(envelope.text))
    context.writeAndFlush(wrapOutboundOut(envelope.reply(reply)), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    for timer in timers.values { timer.cancel() }
    timers = [:]
    for line in sessions.close() { publish(line) }
    context.fireChannelInactive()
  }

  private func answer(_ request: Request) -> String {
    switch request {
    case .hit(let name, let ttl):
      let (reply, line) = sessions.hit(name)
      arm(name, .milliseconds(Int64(ttl)))
      publish(line)
      return reply
    case .drop(let name):
      guard let line = sessions.drop(name) else { return "unknown" }
      // On the timer's own loop: it is not running, and will not.
      timers.removeValue(forKey: name)?.cancel()
      publish(line)
      return "dropped"
    case .busy:
      let before = probed.load(ordering: .relaxed)
      // The probe has a loop of its own, so a thread.
      while probed.load(ordering: .relaxed) == before {}
      return "done"
    case .unknown: return "what?"
    }
  }

  private func arm(_ name: String, _ delay: TimeAmount) {
    timers[name]?.cancel()
    timers[name] = loop.assumeIsolated().scheduleTask(in: delay) { [self] in
      timers[name] = nil
      publish(sessions.expire(name))
    }
  }

  private func publish(_ line: String?) {
    live.store(sessions.count, ordering: .relaxed)
    if let line { writer.write(line) }
  }
}

final class Probe: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    probed.wrappingAdd(1, ordering: .relaxed)
    let reply = unwrapInboundIn(data).reply("alive \(live.load(ordering: .relaxed))")
    context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
  }
}

/// One thread, so that the lines keep their order.
struct Writer: Sendable {
  let pool = NIOThreadPool(numberOfThreads: 1)
  func write(_ line: String) { pool.submit { _ in writeLog(line) } }
}

let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
let (tableLoop, probeLoop) = (group.next(), group.next())
let writer = Writer()
writer.pool.start()

let table = try DatagramBootstrap(group: tableLoop)
  .channelInitializer { channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(Table(writer, on: channel.eventLoop))
    }
  }
  .bind(host: "127.0.0.1", port: 0).wait()
let probe = try DatagramBootstrap(group: probeLoop)
  .channelInitializer { channel in
    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Probe()) }
  }
  .bind(host: "127.0.0.1", port: 0).wait()
writeLog("ports \(table.localAddress!.port!) \(probe.localAddress!.port!)")

waitForEnd()
try probe.close().wait()
try table.close().wait()
// What was submitted is run before this: the pool has one thread, first in, first out.
try writer.pool.runIfActive(eventLoop: tableLoop) {}.wait()
try writer.pool.syncShutdownGracefully()
try group.syncShutdownGracefully()
writeLog("bye")
