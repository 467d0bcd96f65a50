// Step 1: one mutex around everything, as one begins. No levels yet.
//
// Law: the world is touched under the mutex only, by whichever event loop's thread. While one parses, looks up, encodes or sends, all
// others wait, and with them their event loops.

import DNSForwarding
import NIOCore
import Synchronization

final class OneMutex: Serving {
  struct Client: Sendable {
    let channel: any Channel
    let address: SocketAddress
  }
  struct Socket: Hashable, Sendable {
    let channel: any Channel
    static func == (a: Socket, b: Socket) -> Bool { a.channel === b.channel }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(channel)) }
  }
  private let world: Mutex<World<Client, Socket>>
  private let upstream: SocketAddress
  private let clock: any EventLoop

  init(_ options: Options, _ group: any EventLoopGroup) {
    world = Mutex(World(options))
    upstream = options.upstream.address
    clock = group.next()
  }

  func attach(_ channel: any Channel, asksUpstream: Bool) throws {
    if asksUpstream { world.withLock { $0.forwarder.add(Socket(channel: channel)) } }
    try channel.pipeline.syncOperations.addHandler(Reader(self, asksUpstream: asksUpstream))
  }

  func stop() async -> ForwarderCounts { world.withLock { $0.forwarder.counts } }

  private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

  fileprivate func received(_ datagram: Datagram, on channel: any Channel, asksUpstream: Bool) {
    let bytes = Array(datagram.data.readableBytesView)
    world.withLock { world in
      if asksUpstream {
        for out in world.answer(bytes, from: Socket(channel: channel), now: Self.now) { send(out) }
      } else {
        let client = Client(channel: channel, address: datagram.remoteAddress)
        if let out = world.query(bytes, from: client, now: Self.now) { send(out) }
      }
      setAlarms(&world)
    }
  }

  private func send(_ out: World<Client, Socket>.Out) {
    switch out {
    case .reply(let client, let bytes):
      client.channel.writeAndFlush(
        Datagram(remoteAddress: client.address, data: ByteBuffer(bytes: bytes)), promise: nil)
    case .ask(let socket, let bytes):
      socket.channel.writeAndFlush(
        Datagram(remoteAddress: upstream, data: ByteBuffer(bytes: bytes)), promise: nil)
    }
  }

  private func setAlarms(_ world: inout World<Client, Socket>) {
    let (timeout, expiry) = world.alarms()
    if let timeout {
      clock.scheduleTask(deadline: .uptimeNanoseconds(timeout)) {
        self.world.withLock { world in
          for out in world.timeOut(now: Self.now) { self.send(out) }
          self.setAlarms(&world)
        }
      }
    }
    if let expiry {
      clock.scheduleTask(deadline: .uptimeNanoseconds(expiry)) {
        self.world.withLock { world in
          world.expire(now: Self.now)
          self.setAlarms(&world)
        }
      }
    }
  }
}

private final class Reader: ChannelInboundHandler {
  typealias InboundIn = Datagram
  private let step: OneMutex
  private let asksUpstream: Bool
  init(_ step: OneMutex, asksUpstream: Bool) {
    self.step = step
    self.asksUpstream = asksUpstream
  }
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    step.received(unwrapInboundIn(data), on: context.channel, asksUpstream: asksUpstream)
  }
}
