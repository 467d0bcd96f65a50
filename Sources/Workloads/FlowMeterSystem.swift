// The flow meter on a system of soft interrupts: the networking of a kernel in small.
//
// receive queues → device (vm: only moves frames) → input (softNet: parses, counts in the flow table) → ageing (callouts at
// softClock, guard softNet) → export (softBio: IPFIX) → journal (softBio, old code) ; heartbeat (softSerial); base code raises to softNet for the top talkers. The
// stages are the same functions under every discipline; the plan says how they are let in and how the table is guarded.

import ComparisonReport
import FlowMeter
import HostedMachine
import PacketCapture
import SoftInterrupts

typealias HostedSystem = InterruptSystem<HostedMachine>

final class FlowMeterSystem: @unchecked Sendable {
  // Sendable: constant but for what each stage's law guards: shards (MeterShard), exporter and journal (gate softBio or their
  // locks), queues (one producer, one consumer), probes (their CPU).

  let plan: MeterPlan
  let system: HostedSystem
  let capture: LoadedCapture
  let queues: [ReceiveQueue]
  /// What each CPU's stages reach for each batch, by address; see MeterCPU.
  let perCPU: UnsafeMutablePointer<MeterCPU>
  let shards: [MeterShard]
  /// The shards by address; see ShardRef.
  let shardRefs: UnsafeMutablePointer<ShardRef>
  let probes: [Probe]
  let isOver: Flag
  let scale: TickScale
  let timeouts: FlowTimeouts
  /// Machine nanoseconds for a nanosecond of capture time.
  let pace: Double

  /// Bound: CPU n's is number n modulo their count. One each where a level has so many: what a handler counts of neighbouring CPUs lies on
  /// common lines.
  var device: [Handler<HostedMachine>] = []
  /// Scheduled on a queue's CPU, run by whoever the discipline lets. One for each queue; on more CPUs than a level has handlers several
  /// queues share one, and `isReady` says which of them ask.
  var input: [Handler<HostedMachine>] = []
  let isReady: [Flag]
  var export: Handler<HostedMachine>!
  var journal: Handler<HostedMachine>!
  var heartbeat: Handler<HostedMachine>!
  /// Expired flows, by the CPU whose callout found them.
  let expired: [Ring<(FlowRecord, FlowEndReason, Int64), HostedMachine>]
  let exporter: IPFIXExporter
  let exportLock: LevelLock<Void, HostedMachine>
  let journalLock: LevelLock<Void, HostedMachine>
  /// The journal: what the old code remembers, one entry for each export batch.
  var journalText: [UInt8] = []
  var journalBatches: UInt64 = 0
  let exportedSinceJournal = Counter()
  /// What was exported, if the run keeps it for a digest.
  var kept: ConversationTable?
  /// What went wrong with the export's file; under the export's guard.
  var exportError: OutputError?
  var heartbeatDue: [UInt64]
  let heartbeatPeriod: Double

  init(
    _ plan: MeterPlan, _ capture: LoadedCapture, scale: TickScale, pace: Double, recording: Recording,
    keepsRecords: Bool, idle: IdleMode, processors: [Int]? = nil,
    heartbeatEvery: Double = 10_000,
    timeouts: FlowTimeouts = FlowTimeouts(idle: 1_000_000_000, active: 5_000_000_000)
  ) throws(ComparisonError) {
    self.plan = plan
    self.capture = capture
    self.scale = scale
    self.pace = pace
    self.timeouts = timeouts
    do {
      system = try HostedSystem(
        on: .hosted(cpus: plan.cpus, processors: processors), plan.configuration(idle: idle))
    } catch { throw ComparisonError(description: error.description) }
    let system = self.system
    isOver = Flag()
    let over = isOver
    isReady = (0..<plan.cpus).map { _ in Flag() }
    queues = (0..<plan.cpus).map {
      ReceiveQueue(capture, queue: $0, of: plan.cpus, isOver: over)
    }
    let expected = max(4_096 / plan.shards, 512)
    shards = (0..<plan.shards).map { _ in
      MeterShard(system, timeouts: timeouts, expected: expected)
    }
    shardRefs = .allocate(capacity: shards.count)
    for (index, shard) in shards.enumerated() { (shardRefs + index).initialize(to: ShardRef(shard)) }
    probes = (0..<plan.cpus).map { _ in Probe(recording) }
    perCPU = .allocate(capacity: plan.cpus)
    for cpu in 0..<plan.cpus { (perCPU + cpu).initialize(to: MeterCPU(queues[cpu], probes[cpu])) }
    expired = (0..<plan.cpus).map { _ in Ring(capacity: 4_096) }
    exporter = IPFIXExporter(to: .null())
    exportLock = system.levelLock(at: .softBio, ())
    journalLock = system.levelLock(at: .softBio, rank: 1, ())
    kept = keepsRecords ? ConversationTable() : nil
    heartbeatDue = Array(repeating: .max, count: plan.cpus)
    heartbeatPeriod = scale.ticks(heartbeatEvery)
    journalText.reserveCapacity(1 << 16)
    do {
      try establish()
    } catch {
      system.shutdown()
      throw ComparisonError(description: "\(plan.discipline.rawValue): \(error)")
    }
  }

  deinit {
    shardRefs.deallocate()
    for cpu in 0..<plan.cpus { perCPU[cpu].deallocate() }
    perCPU.deallocate()
  }

  private func establish() throws(EstablishError) {
    // By address: a closure that captured the meter would count a reference that all CPUs share, for each run. The meter
    // outlives the runs: whoever has it shuts the system down.
    let me = Unmanaged.passUnretained(self)
    let isShared = plan.cpus > HostedSystem.handlersPerLevel
    for group in 0..<min(plan.cpus, HostedSystem.handlersPerLevel) {
      device.append(
        try system.establish("device \(group)", at: .vm, as: .mpSafe) { here in
          let cpu = here.cpu!
          me._withUnsafeGuaranteedRef { meter in meter.stage(.device, on: cpu) { meter.runDevice(cpu) } }
        })
      // Who holds gate softNet when this CPU asks for it runs it on leaving: the frames move, not the table.
      input.append(
        try system.establish("input \(group)", at: .softNet, as: plan.input, .anywhere) { here in
          me._withUnsafeGuaranteedRef {
            if isShared { $0.runInputs(here, group) } else { $0.measuredInput(here, queue: group) }
          }
        })
    }
    export = try system.establish("export", at: .softBio, as: plan.export) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.export, on: cpu) { meter.runExport(cpu) } }
    }
    journal = try system.establish("journal", at: .softBio, as: plan.journal) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.journal, on: cpu) { meter.runJournal() } }
    }
    heartbeat = try system.establish("heartbeat", at: .softSerial, as: plan.heartbeat) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.heartbeat, on: cpu) { meter.runHeartbeat(cpu) } }
    }
  }

  @inline(__always) func stage(_ stage: MeterStage, on cpu: Int, _ body: () -> Void) {
    perCPU[cpu].probe._withUnsafeGuaranteedRef { $0.stage(stage, .run, body) }
  }
}
