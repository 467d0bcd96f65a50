// Base code of the meter: the top talkers, copied in parts under the guard, sorted and printed outside of it.

import FlowMeter
import HostedMachine
import PacketCapture
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
      if probe.recording == .stages {
        probe.addPrint(probe.own { for line in talkers.sorted() { print(line, to: &page, here) } })
      } else {
        for line in talkers.sorted() { print(line, to: &page, here) }
      }
      if HostedMachine.ticks() >= probe.countFrom { probe.talkerRounds &+= 1 }
      // Under the big lock: its one yield point. Elsewhere it does nothing.
      system.yieldBigLock()
      here.checkpoint()
    }
  }

  /// Field by field, with a recognition point after each: what is above waits for none of them longer than for a field.
  private func print(_ line: FlowRecord, to page: inout [UInt8], _ here: borrowing Here<HostedMachine>) {
    print(line.key.a, to: &page, here)
    print(line.key.b, to: &page, here)
    page.append(contentsOf: "\(line.packets) ".utf8)
    here.checkpoint()
    page.append(contentsOf: "\(line.bytes)\n".utf8)
    here.checkpoint()
  }

  private func print(_ end: Endpoint, to page: inout [UInt8], _ here: borrowing Here<HostedMachine>) {
    page.append(contentsOf: "\(end.address):".utf8)
    here.checkpoint()
    page.append(contentsOf: "\(end.port) ".utf8)
    here.checkpoint()
  }

  /// How many slots of the table one hold of the guard looks at.
  static let slotsPerHold = 256

  /// The copy, in bounded parts, each under the guard; how long that was held is written down.
  private func copyTalkers(
    _ talkers: inout TopTalkers, _ here: borrowing Here<HostedMachine>, _ probe: Probe
  ) {
    talkers.removeAll()
    for shard in shards {
      var next: Int? = 0
      while let start = next {
        switch plan.guarding {
        case .gates: here.raise(exactly: .softNet) { _ in next = copy(shard, from: start, &talkers, probe) }
        case .priority: here.mask(to: .softNet) { _ in next = copy(shard, from: start, &talkers, probe) }
        case .locks: shard.lock.withLock { _ in next = copy(shard, from: start, &talkers, probe) }
        }
      }
    }
  }

  private func copy(
    _ shard: MeterShard, from start: Int, _ talkers: inout TopTalkers, _ probe: Probe
  ) -> Int? {
    var next: Int?
    if probe.recording == .stages {
      probe.addStage(
        .talkers,
        probe.own {
          next = shard.table.visit(from: start, slots: Self.slotsPerHold) {
            talkers.offer($0)
            probe.talkerRecords &+= 1
          }
        })
      return next
    }
    hold(probe) { next = shard.table.visit(from: start, slots: Self.slotsPerHold) { talkers.offer($0) } }
    return next
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
