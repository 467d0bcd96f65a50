// Step 4: parsing and encoding MP-safe. What needs nothing of the world is done by each CPU for its own event loops, side by side; the
// gate is entered for the look into the cache only.
//
// Law: as in step 3 the world is guarded by softNet; a query and an answer are values, which nobody else has.

import DNSForwarding
import HostedMachine
import NIOCore
import SoftInterrupts
import SoftInterruptsNIO

final class ParsingMPSafe: Serving, @unchecked Sendable {
  // Sendable: what is not constant is set in `init`, before a socket is there.
  private let system: System
  private let world: Guarded<LevelWorld, SoftNet>
  private let upstream: SocketAddress
  private var port: Port?
  private var timeouts: CalloutAt<SoftNet, HostedMachine>?
  private var expiries: CalloutAt<SoftNet, HostedMachine>?

  init(_ options: Options, _ group: any EventLoopGroup, _ system: System) throws {
    self.system = system
    world = Guarded(LevelWorld(options))
    upstream = options.upstream.address
    timeouts = try system.callout("timeouts", at: SoftClock.self, guard: SoftNet.self) { [unowned self] net in
      for out in touch(net, { $0.timeOut(now: HostedMachine.now()) }) { send(out, upstream) }
    }
    expiries = try system.callout("expiries", at: SoftClock.self, guard: SoftNet.self) { [unowned self] net in
      touch(net) { $0.expire(now: HostedMachine.now()) }
    }
    port = try Port(system, "dns", at: SoftNet.self, as: .mpSafe, on: group) { [unowned self] arrival, at in
      take(arrival, &at)
    }
  }

  private func take(_ arrival: Port.Arrival, _ at: inout At<SoftNet, HostedMachine>) {
    let connection = arrival.connection
    let asksUpstream = connection.remoteAddress != nil
    switch arrival.event {
    case .opened:
      if asksUpstream { at.raise(to: SoftNet.self) { net in touch(net) { $0.forwarder.add(connection) } } }
    case .message(let datagram) where asksUpstream:
      guard let answer = Answer(Array(datagram.data.readableBytesView)) else { return }
      let waiters = at.raise(to: SoftNet.self) { net in
        touch(net) { $0.forwarder.settle(answer, from: connection, now: HostedMachine.now()) }
      }
      for waiter in waiters { send(.reply(waiter.client, answer.reply(to: waiter.query)), upstream) }
    case .message(let datagram):
      let client = Client(connection: connection, address: datagram.remoteAddress)
      switch Query.read(Array(datagram.data.readableBytesView)) {
      case .dropped: break
      case .refused(let reply): send(.reply(client, reply), upstream)
      case .query(let query):
        let outcome = at.raise(to: SoftNet.self) { net in
          touch(net) { $0.forwarder.ask(query, for: client, now: HostedMachine.now()) }
        }
        if let out = LevelWorld.sending(outcome, query, client) { send(out, upstream) }
      }
    case .failed, .writable, .closed: break
    }
  }

  /// Touches the world, sets the alarms.
  private func touch<R: Sendable>(
    _ net: borrowing Held<SoftNet, HostedMachine>, _ body: @Sendable (inout LevelWorld) -> R
  ) -> R {
    net.open(world) { world in
      let result = body(&world)
      let (timeout, expiry) = world.alarms()
      if let timeout { timeouts?.schedule(at: timeout) }
      if let expiry { expiries?.schedule(at: expiry) }
      return result
    }
  }

  func attach(_ channel: any Channel, asksUpstream: Bool) throws { try port?.attach(channel) }

  func stop() async -> ForwarderCounts {
    await onThread { [self] in
      timeouts?.untyped.halt()
      expiries?.untyped.halt()
      system.shutdown()
    }
    await port?.waitForEnd()
    return await onThread { [self] in
      system.raise(to: SoftNet.self) { net in net.open(world) { $0.forwarder.counts } }
    }
  }
}
