// Step 3: `.ordered` at softNet. Three words have changed against step 2: the way in, the callouts' guard, and whose token opens the
// world. The big lock is not used any more: whatever else the program does under it, or at other levels, runs beside this.
//
// Law: the world is guarded by softNet. Timeouts run at softClock and have softNet as their guard, so that cancelling is exact.

import DNSForwarding
import HostedMachine
import NIOCore
import SoftInterrupts
import SoftInterruptsNIO

final class OrderedAtSoftNet: Serving, @unchecked Sendable {
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
      touch(net) { $0.timeOut(now: HostedMachine.now()) }
    }
    expiries = try system.callout("expiries", at: SoftClock.self, guard: SoftNet.self) { [unowned self] net in
      touch(net) { world in
        world.expire(now: HostedMachine.now())
        return []
      }
    }
    port = try Port(system, "dns", at: SoftNet.self, as: .ordered, on: group) { [unowned self] arrival, net in
      touch(net) { $0.take(arrival, now: HostedMachine.now()) }
    }
  }

  /// Touches the world, sends what it says, sets the alarms.
  private func touch(
    _ net: borrowing Held<SoftNet, HostedMachine>, _ body: @Sendable (inout LevelWorld) -> [LevelWorld.Out]
  ) {
    net.open(world) { world in
      for out in body(&world) { send(out, upstream) }
      let (timeout, expiry) = world.alarms()
      if let timeout { timeouts?.schedule(at: timeout) }
      if let expiry { expiries?.schedule(at: expiry) }
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
