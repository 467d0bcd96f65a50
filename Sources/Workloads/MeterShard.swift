// A flow table with the callouts that age its flows.
//
// Law: under gate softNet, the IPL of one CPU, or the shard's lock, as the plan says; not thread-safe by itself.

import FlowMeter
import HostedMachine
import SoftInterrupts

/// Ages one flow after the other.
final class FlowTimer: @unchecked Sendable {
  // Sendable: touched under its shard's guard only.
  var handle: FlowHandle?
  var callout: Callout<HostedMachine>?
  let cpu: Int
  /// By address, as for frames: CPUs would count its references on a line that the table's input writes.
  let shard: ShardRef
  init(_ shard: MeterShard, cpu: Int) {
    self.shard = ShardRef(shard)
    self.cpu = cpu
  }
}

final class MeterShard: @unchecked Sendable {
  // Sendable: see above.
  let table: FlowTable
  let lock: LevelLock<Void, HostedMachine>
  /// The latest capture time seen.
  var now: Int64 = .min
  /// Timers that age no flow, by CPU.
  var idleTimers: [[FlowTimer]]
  var skipped = SkipCounts()

  init(_ system: InterruptSystem<HostedMachine>, timeouts: FlowTimeouts, expected: Int) {
    table = FlowTable(capacity: expected, timeouts: timeouts, seed: 1)
    lock = system.levelLock(at: .softNet, ())
    idleTimers = Array(repeating: [], count: system.cpuCount)
    for cpu in idleTimers.indices { idleTimers[cpu].reserveCapacity(expected) }
  }
}

/// A shard as the stages that touch it for each frame or flow reach it: its objects without counting references, which would make
/// CPUs share a line that they need not share. The meter keeps the objects.
struct ShardRef {
  let shard: Unmanaged<MeterShard>
  let table: Unmanaged<FlowTable>
  let lock: Unmanaged<LevelLock<Void, HostedMachine>>

  init(_ shard: MeterShard) {
    self.shard = .passUnretained(shard)
    table = .passUnretained(shard.table)
    lock = .passUnretained(shard.lock)
  }
}
