// Base code of the meter: the top talkers, copied under the guard, sorted and printed outside of it.

import FlowMeter
import HostedMachine
import SoftInterrupts

extension FlowMeterSystem {
  /// Prints the top talkers over and over, into nothing, until the measurement is over; counts.
  func runBase(_ here: borrowing Here<HostedMachine>) {
    let cpu = here.cpu!
    let probe = probes[cpu]
    var talkers = TopTalkers(capacity: 16)
    var page: [UInt8] = []
    while !isOver.isSet {
      copyTalkers(&talkers, here, probe)
      page.removeAll(keepingCapacity: true)
      let lines = talkers.sorted()
      for line in lines {
        page.append(
          contentsOf:
            "\(line.key.a.address):\(line.key.a.port) \(line.key.b.address):\(line.key.b.port) \(line.packets) \(line.bytes)\n"
            .utf8)
        here.checkpoint()
      }
      probe.talkerRounds &+= 1
      // Under the big lock: its one yield point. Elsewhere it does nothing.
      system.yieldBigLock()
      here.checkpoint()
    }
  }

  /// The bounded copy, under the guard; how long that was held is written down.
  private func copyTalkers(
    _ talkers: inout TopTalkers, _ here: borrowing Here<HostedMachine>, _ probe: Probe
  ) {
    talkers.removeAll()
    switch plan.guarding {
    case .gates: here.raise(to: .softNet) { _ in hold(probe) { copy(shards[0], &talkers) } }
    case .priority: here.mask(to: .softNet) { _ in hold(probe) { copy(shards[0], &talkers) } }
    case .locks:
      // One shard at a time: no lock is held for longer than its part.
      for shard in shards {
        shard.lock.withLock { _ in hold(probe) { copy(shard, &talkers) } }
      }
    }
  }

  private func copy(_ shard: MeterShard, _ talkers: inout TopTalkers) {
    shard.table.visit { talkers.offer($0) }
  }

  private func hold(_ probe: Probe, _ body: () -> Void) {
    let start = HostedMachine.ticks()
    body()
    let end = HostedMachine.ticks()
    switch probe.recording {
    case .latency: probe.hold.record(scale.nanoseconds(end &- start))
    case .timeline: if probe.spans.count < 20_000 { probe.spans.append((.input, .raise, start, end)) }
    case .nothing, .stages: break
    }
  }
}
