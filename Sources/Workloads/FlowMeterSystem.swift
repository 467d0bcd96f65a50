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
  let shards: [MeterShard]
  /// The shards by address; see ShardRef.
  let shardRefs: UnsafeMutablePointer<ShardRef>
  let probes: [Probe]
  let isOver: Flag
  let scale: TickScale
  let timeouts: FlowTimeouts
  /// Machine nanoseconds for a nanosecond of capture time.
  let pace: Double

  var device: [Handler<HostedMachine>] = []
  var input: Handler<HostedMachine>!
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
  var heartbeatDue: [UInt64]
  let heartbeatPeriod: Double

  init(
    _ plan: MeterPlan, _ capture: LoadedCapture, scale: TickScale, pace: Double, recording: Recording,
    keepsRecords: Bool, idle: IdleMode, processors: [Int]? = nil, sink: OutputSink = .null(),
    heartbeatEvery: Double = 100_000,
    timeouts: FlowTimeouts = FlowTimeouts(idle: 1_000_000_000, active: 5_000_000_000)
  ) throws(ComparisonError) {
    self.plan = plan
    self.capture = capture
    self.scale = scale
    self.pace = pace
    self.timeouts = timeouts
    var configuration = Configuration()
    configuration.execution = plan.execution
    configuration.onViolation = .collect
    configuration.pollInterval = 1_000
    configuration.dispatchBudget = 16
    // Polling is for latency: nothing sleeps. Parking is for power: an idle CPU sleeps at once.
    if idle == .poll {
      configuration.idleRounds = .max
      configuration.spinRounds = 100_000
    } else {
      configuration.idleRounds = 0
    }
    do {
      system = try HostedSystem(on: .hosted(cpus: plan.cpus, processors: processors), configuration)
    } catch { throw ComparisonError(description: error.description) }
    let system = self.system
    isOver = Flag()
    let over = isOver
    queues = (0..<plan.cpus).map {
      ReceiveQueue(capture, order: capture.queue($0, of: plan.cpus), isOver: over)
    }
    let expected = max(4_096 / plan.shards, 512)
    shards = (0..<plan.shards).map { _ in
      MeterShard(system, timeouts: timeouts, expected: expected)
    }
    shardRefs = .allocate(capacity: shards.count)
    for (index, shard) in shards.enumerated() { (shardRefs + index).initialize(to: ShardRef(shard)) }
    probes = (0..<plan.cpus).map { _ in Probe(recording) }
    expired = (0..<plan.cpus).map { _ in Ring(capacity: 4_096) }
    exporter = IPFIXExporter(to: sink)
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

  deinit { shardRefs.deallocate() }

  private func establish() throws(EstablishError) {
    for cpu in 0..<plan.cpus {
      device.append(
        try system.establish("device \(cpu)", at: .vm, as: .mpSafe) { [unowned self] here in
          probes[cpu].stage(.device) { runDevice(cpu) }
        })
    }
    input = try system.establish("input", at: .softNet, as: plan.input) { [unowned self] here in
      let cpu = here.cpu!
      let probe = probes[cpu]
      switch probe.recording {
      case .nothing, .latency: runInput(here, cpu)
      case .stages, .timeline: measuredInput(here, cpu)
      }
    }
    export = try system.establish("export", at: .softBio, as: plan.export) { [unowned self] here in
      let cpu = here.cpu!
      probes[cpu].stage(.export) { runExport(cpu) }
    }
    journal = try system.establish("journal", at: .softBio, as: plan.journal) { [unowned self] here in
      let cpu = here.cpu!
      probes[cpu].stage(.journal) { runJournal() }
    }
    heartbeat = try system.establish("heartbeat", at: .softSerial, as: plan.heartbeat) {
      [unowned self] here in
      let cpu = here.cpu!
      probes[cpu].stage(.heartbeat) { runHeartbeat(cpu) }
    }
  }

  private func measuredInput(_ here: borrowing Here<HostedMachine>, _ cpu: Int) {
    let probe = probes[cpu]
    let before = probe.stolen
    let start = HostedMachine.ticks()
    runInput(here, cpu)
    let end = HostedMachine.ticks()
    if probe.recording == .timeline {
      if probe.spans.count < 20_000 { probe.spans.append((.input, .run, start, end)) }
    } else {
      let all = end &- start
      probe.stageTicks[MeterStage.input.rawValue] &+= all &- (probe.stolen &- before)
      probe.stolen = before &+ all
    }
  }

  // MARK: Stages

  /// vm: moves frames from the card into the receive ring, and asks for the input.
  func runDevice(_ cpu: Int) {
    let queue = queues[cpu]
    let (moved, _) = queue.move()
    if moved > 0 { input.schedule(on: cpu) }
    if heartbeatDue[cpu] <= HostedMachine.ticks() { heartbeat.schedule() }
  }

  /// How many frames one run of the input takes.
  static let inputBatch = 64

  /// softNet: parses frames and counts them in the flow table.
  func runInput(_ here: borrowing Here<HostedMachine>, _ cpu: Int) {
    let queue = queues[cpu]
    let ring = queue.ring
    let probe = probes[cpu]
    let isLocked = plan.guarding == .locks
    // By address: a closure that captured the meter would count a reference that all CPUs share, for each frame.
    let me = Unmanaged.passUnretained(self)
    let keepsLatency = probe.recording == .latency
    var count: UInt64 = 0
    while count < UInt64(Self.inputBatch), let frame = ring.pop() {
      count &+= 1
      let bytes = UnsafeRawBufferPointer(start: frame.buffer, count: Int(frame.header.capturedLength))
      let outcome = FrameDecoder.decode(bytes, header: frame.header)
      let shard = shardRefs[shardIndex(outcome)]
      if isLocked {
        shard.lock._withUnsafeGuaranteedRef { lock in
          lock.withLock { _ in
            me._withUnsafeGuaranteedRef { $0.record(outcome, frame.header, shard, cpu) }
          }
        }
      } else {
        record(outcome, frame.header, shard, cpu)
      }
      if frame.due != 0 && keepsLatency {
        probe.net.record(scale.nanoseconds(HostedMachine.ticks() &- frame.due))
      }
      // A recognition point after each frame: the heartbeat does not wait for the batch.
      here.checkpoint()
    }
    queue.done.add(count)
    if count == UInt64(Self.inputBatch) && queue.ring.count > 0 { input.schedule() }
    if case .closed = queue.arrival, queue.isReady(0) { device[cpu].schedule() }
  }

  @inline(__always) func shardIndex(_ outcome: DecodeOutcome) -> Int {
    guard plan.guarding == .locks, case .flow(let frame) = outcome else { return 0 }
    // By the same end of the hash as the receive queues: with steering, a shard is one CPU's.
    return (Int(frame.key.symmetricHash) &* plan.shards) >> 32
  }

  /// Under the shard's guard.
  @inline(__always)
  func record(_ outcome: DecodeOutcome, _ header: FrameHeader, _ shard: ShardRef, _ cpu: Int) {
    switch outcome {
    case .skipped(let reason): shard.shard._withUnsafeGuaranteedRef { $0.skipped.count(reason) }
    case .flow(let frame):
      shard.shard._withUnsafeGuaranteedRef { $0.now = max($0.now, header.timestamp) }
      let recorded = shard.table._withUnsafeGuaranteedRef {
        $0.record(frame, wireLength: header.wireLength, timestamp: header.timestamp)
      }
      if case .new(let handle) = recorded { begin(handle, shard.shard.takeUnretainedValue(), cpu) }
    }
  }

  /// Arms a callout for a new flow.
  func begin(_ handle: FlowHandle, _ shard: MeterShard, _ cpu: Int) {
    // No timer: the system is being shut down, and the flow stays in the table.
    guard let timer = shard.idleTimers[cpu].popLast() ?? makeTimer(shard, cpu) else { return }
    timer.handle = handle
    timer.callout!.schedule(afterNanoseconds: UInt64(Double(timeouts.idle) * pace))
  }

  private func makeTimer(_ shard: MeterShard, _ cpu: Int) -> FlowTimer? {
    let timer = FlowTimer(shard, cpu: cpu)
    do {
      timer.callout = try system.callout(
        "ageing", at: .softClock, guard: plan.guarding == .gates ? .softNet : nil, as: plan.ageing, cpu: cpu
      ) { [unowned self, timer] here in
        probes[cpu].stage(.ageing) { runAgeing(timer, here.cpu!) }
      }
    } catch {
      precondition(error == .shutDown, "flow meter: \(error)")
      return nil
    }
    return timer
  }

  /// softClock, guard softNet: lets a flow go whose time is over.
  func runAgeing(_ timer: FlowTimer, _ cpu: Int) {
    switch plan.guarding {
    case .gates: age(timer, cpu)
    case .priority: system.mask(to: .softNet) { _ in age(timer, cpu) }
    case .locks: timer.shard.lock.withLock { _ in age(timer, cpu) }
    }
  }

  private func age(_ timer: FlowTimer, _ cpu: Int) {
    guard let handle = timer.handle else { return }
    let shard = timer.shard
    // The export's ring is full: the flow stays a little longer, nothing is lost.
    if expired[cpu].count >= 4_096 {
      export.schedule(on: cpu)
      timer.callout!.schedule(afterNanoseconds: 100_000)
      return
    }
    switch shard.table.expire(handle, now: shard.now) {
    case .stillActive(_, let due):
      let wait = max(Double(due - shard.now) * pace, 1_000)
      timer.callout!.schedule(afterNanoseconds: UInt64(min(wait, 1e15)))
    case .expired(let record, let reason):
      _ = expired[cpu].push((record, reason, shard.now))
      timer.handle = nil
      shard.idleTimers[timer.cpu].append(timer)
      export.schedule(on: cpu)
    case .stale:
      timer.handle = nil
      shard.idleTimers[timer.cpu].append(timer)
    }
  }

  /// softBio: writes expired flows as IPFIX.
  func runExport(_ cpu: Int) {
    if plan.guarding == .locks { exportLock.withLock { _ in exportAll(cpu) } } else { exportAll(cpu) }
  }

  private func exportAll(_ cpu: Int) {
    var count: UInt64 = 0
    while let (record, reason, now) = expired[cpu].pop() {
      do { try exporter.export(record, reason: reason, now: now) } catch { exportError = error }
      kept?.merge(record)
      count &+= 1
    }
    if count > 0 {
      exportedSinceJournal.add(count)
      journal.schedule()
    }
  }
  /// What went wrong with the export's file; under the export's guard.
  var exportError: OutputError?

  /// softBio, never migrated: notes how much was exported, in a text of its own.
  func runJournal() {
    if plan.journal == .mpSafe { journalLock.withLock { _ in writeJournal() } } else { writeJournal() }
  }

  private func writeJournal() {
    journalBatches &+= 1
    if journalText.count > 1 << 15 { journalText.removeAll(keepingCapacity: true) }
    journalText.append(
      contentsOf: "batch \(journalBatches): \(exportedSinceJournal.value) flows exported\n".utf8)
  }

  /// softSerial: notes how late the beat is.
  func runHeartbeat(_ cpu: Int) {
    let now = HostedMachine.ticks()
    let probe = probes[cpu]
    while heartbeatDue[cpu] <= now {
      if probe.recording == .latency { probe.serial.record(scale.nanoseconds(now &- heartbeatDue[cpu])) }
      probe.beats &+= 1
      heartbeatDue[cpu] &+= UInt64(heartbeatPeriod)
    }
  }
}
