// Step 2: everything `.bigLock`. The mutex has become the big lock, and event loops wait for it no more: they deliver.
//
// Law: the world is opened with the token of the big lock, which handlers and timeouts that are not migrated yet run under.

import DNSForwarding
import HostedMachine
import NIOCore
import SoftInterrupts
import SoftInterruptsNIO

final class AllUnderTheBigLock: Serving, @unchecked Sendable {
  // Sendable: what is not constant is set in `init`, before a socket is there.
  private let system: System
  private let world: Guarded<LevelWorld, None>
  private let upstream: SocketAddress
  private var port: Port?
  private var timeouts: Callout<HostedMachine>?
  private var expiries: Callout<HostedMachine>?

  init(_ options: Options, _ group: any EventLoopGroup, _ system: System) throws {
    self.system = system
    world = Guarded(LevelWorld(options))
    upstream = options.upstream.address
    timeouts = try system.callout("timeouts", at: .softClock, as: .bigLock) { [unowned self] here in
      here.assume(None.self) { none in touch(none) { $0.timeOut(now: HostedMachine.now()) } }
    }
    expiries = try system.callout("expiries", at: .softClock, as: .bigLock) { [unowned self] here in
      here.assume(None.self) { none in
        touch(none) { world in
          world.expire(now: HostedMachine.now())
          return []
        }
      }
    }
    port = try Port(system, "dns", at: SoftNet.self, as: .bigLock, on: group) {
      [unowned self] arrival, _, none in
      touch(none) { $0.take(arrival, now: HostedMachine.now()) }
    }
  }

  /// Touches the world, sends what it says, sets the alarms.
  private func touch(
    _ none: borrowing Held<None, HostedMachine>, _ body: @Sendable (inout LevelWorld) -> [LevelWorld.Out]
  ) {
    none.open(world) { world in
      for out in body(&world) { send(out, upstream) }
      let (timeout, expiry) = world.alarms()
      if let timeout { timeouts?.schedule(at: timeout) }
      if let expiry { expiries?.schedule(at: expiry) }
    }
  }

  func attach(_ channel: any Channel, asksUpstream: Bool) throws { try port?.attach(channel) }

  func stop() async -> ForwarderCounts {
    await onThread { [self] in
      timeouts?.halt()
      expiries?.halt()
      system.shutdown()
    }
    await port?.waitForEnd()
    return await onThread { [self] in
      system.bigLock { here in here.assume(None.self) { none in none.open(world) { $0.forwarder.counts } } }
    }
  }
}
