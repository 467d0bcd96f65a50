// The stages above and below the flow table: ageing, export, journal, heartbeat.
//
// Law: each is the same function under every discipline; only what it is let in by, and what guards the table, differ.

import FlowMeter
import HostedMachine
import SoftInterrupts

extension FlowMeterSystem {
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
      ) { [me = Unmanaged.passUnretained(self), timer] here in
        let cpu = here.cpu!
        me._withUnsafeGuaranteedRef { meter in meter.stage(.ageing, on: cpu) { meter.runAgeing(timer, cpu) } }
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
    case .locks:
      let me = Unmanaged.passUnretained(self)
      timer.shard.lock._withUnsafeGuaranteedRef { lock in
        lock.withLock { _ in me._withUnsafeGuaranteedRef { $0.age(timer, cpu) } }
      }
    }
  }

  private func age(_ timer: FlowTimer, _ cpu: Int) {
    guard let handle = timer.handle else { return }
    let ref = timer.shard
    // The export's ring is full: the flow stays a little longer, nothing is lost.
    if expired[cpu].count >= 4_096 {
      export.schedule(on: cpu)
      timer.callout!.schedule(afterNanoseconds: 100_000)
      return
    }
    let now = ref.shard._withUnsafeGuaranteedRef { $0.now }
    switch ref.table._withUnsafeGuaranteedRef({ $0.expire(handle, now: now) }) {
    case .stillActive(_, let due):
      let wait = max(Double(due - now) * pace, 1_000)
      timer.callout!.schedule(afterNanoseconds: UInt64(min(wait, 1e15)))
    case .expired(let record, let reason):
      _ = expired[cpu].push((record, reason, now))
      rest(timer)
      export.schedule(on: cpu)
    case .stale: rest(timer)
    }
  }

  private func rest(_ timer: FlowTimer) {
    timer.handle = nil
    timer.shard.shard._withUnsafeGuaranteedRef { $0.idleTimers[timer.cpu].append(timer) }
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
      if probe.recording == .latency, heartbeatDue[cpu] >= probe.countFrom {
        probe.serial.record(scale.nanoseconds(now &- heartbeatDue[cpu]))
      }
      probe.beats &+= 1
      heartbeatDue[cpu] &+= UInt64(heartbeatPeriod)
    }
  }
}
