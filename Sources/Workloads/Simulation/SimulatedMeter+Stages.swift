// The simulated meter's stages; each beside the function of the hosted meter that it stands for.

import FlowMeter
import PacketCapture
import SimulatedMachine
import SoftInterrupts

extension SimulatedMeter {
  private var costs: StageCosts { model.stages }

  // MARK: FlowMeterSystem+Input

  func runDevice(_ cpu: Int) {
    if isOver { return }
    let (moved, more) = queues[cpu].move()
    let back = min(queues[cpu].usedElsewhere, moved)
    queues[cpu].usedElsewhere -= back
    take(Double(moved) * costs.deviceFrame + Double(back) * MovedLines.frame * model.streamedLine, on: cpu)
    if moved > 0 { scheduleInput(cpu) }
    if more { device.schedule(on: cpu) }
    if heartbeatDue[cpu] <= SimulatedMachine.ticks() { heartbeat.schedule() }
  }

  func runInput(_ here: borrowing Here<SimulatedMachine>, _ cpu: Int, _ queue: Int) {
    if isOver { return }
    let ring = queues[queue]
    let shardCount = plan.shards
    var done: UInt = 0
    var isEmpty = false
    while done < FlowMeterSystem.inputBudget {
      let count = ring.ready(FlowMeterSystem.inputBatch)
      isEmpty = count == 0
      if isEmpty { break }
      var masks = [UInt64](repeating: 0, count: shardCount)
      let moved = cpu == queue ? 0 : MovedLines.frame * model.streamedLine
      if cpu != queue { ring.usedElsewhere += Int(count) }
      for offset in 0..<count {
        let hash = frames.capture.hashes[ring.frame(offset).index]
        masks[(Int(hash) &* shardCount) >> 32] |= 1 << UInt64(offset)
        if offset & 7 == 7 || offset == count - 1 {
          take(Double(offset & 7 + 1) * (costs.parseFrame + moved), on: cpu)
          if offset & 7 == 7 { here.checkpoint() }
        }
      }
      for shard in 0..<shardCount where masks[shard] != 0 {
        record(masks[shard], of: ring, in: shards[shard], cpu)
      }
      ring.giveBack(count)
      done &+= count
    }
    if !isEmpty { scheduleInput(queue) }
    if done > 0, load.framesPerSecond == nil { device.schedule(on: queue) }
  }

  private func record(_ mask: UInt64, of ring: SimulatedQueue, in shard: SimulatedShard, _ cpu: Int) {
    if plan.guarding == .locks {
      shard.lock.withLock { _ in count(mask, of: ring, in: shard, cpu) }
    } else {
      count(mask, of: ring, in: shard, cpu)
    }
    if load.framesPerSecond == nil { return }
    let now = SimulatedMachine.ticks()
    each(mask) { offset in
      let due = ring.frame(UInt(offset)).due
      if due >= countFrom { net.record(now &- due) }
    }
  }

  private func each(_ mask: UInt64, _ body: (Int) -> Void) {
    var left = mask
    while left != 0 {
      body(left.trailingZeroBitCount)
      left &= left &- 1
    }
  }

  /// Under the shard's guard.
  private func count(_ mask: UInt64, of ring: SimulatedQueue, in shard: SimulatedShard, _ cpu: Int) {
    var latest = Int64.min
    var owed = 0.0
    each(mask) { offset in
      let frame = ring.frame(UInt(offset))
      owed += costs.countFrame
      if case .flow(let decoded) = frames.outcomes[frame.index] {
        let header = frames.capture.frames[frame.index].header
        let timestamp = header.timestamp &+ frame.lap &* frames.lap
        latest = max(latest, timestamp)
        if places.write(decoded.key, by: cpu) { owed += MovedLines.flow * model.machine.lineTransfer }
        let recorded = shard.table.record(decoded, wireLength: header.wireLength, timestamp: timestamp)
        if case .new(let handle) = recorded { begin(handle, shard, cpu) }
      }
      if offset & 7 == 7 {
        take(owed, on: cpu)
        owed = 0
        system.checkpoint()
      }
    }
    take(owed, on: cpu)
    shard.now = max(shard.now, latest)
  }

  // MARK: FlowMeterSystem+Stages

  private func begin(_ handle: FlowHandle, _ shard: SimulatedShard, _ cpu: Int) {
    guard let timer = shard.idleTimers[cpu].popLast() ?? makeTimer(shard, cpu) else { return }
    timer.handle = handle
    timer.callout!.schedule(afterNanoseconds: UInt64(Double(timeouts.idle) * pace))
  }

  private func makeTimer(_ shard: SimulatedShard, _ cpu: Int) -> SimulatedTimer? {
    let timer = SimulatedTimer(shard, cpu: cpu)
    let me = Unmanaged.passUnretained(self)
    do {
      timer.callout = try system.callout(
        "ageing", at: .softClock, guard: plan.guarding == .gates ? .softNet : nil, as: plan.ageing, cpu: cpu
      ) { here in
        let cpu = here.cpu!
        me._withUnsafeGuaranteedRef { meter in meter.stage(.ageing, on: cpu) { meter.runAgeing(timer, cpu) } }
      }
    } catch {
      precondition(error == .shutDown, "simulated meter: \(error)")
      return nil
    }
    return timer
  }

  func runAgeing(_ timer: SimulatedTimer, _ cpu: Int) {
    if isOver { return }
    switch plan.guarding {
    case .gates: age(timer, cpu)
    case .priority: system.mask(to: .softNet) { _ in age(timer, cpu) }
    case .locks: timer.shard.lock.withLock { _ in age(timer, cpu) }
    }
  }

  private func age(_ timer: SimulatedTimer, _ cpu: Int) {
    guard let handle = timer.handle else { return }
    let shard = timer.shard
    take(costs.ageingRun, on: cpu)
    if expired[cpu].count >= 4_096 {
      export.schedule(on: cpu)
      timer.callout!.schedule(afterNanoseconds: 100_000)
      return
    }
    switch shard.table.expire(handle, now: shard.now) {
    case .stillActive(_, let due):
      let wait = max(Double(due - shard.now) * pace, 1_000)
      timer.callout!.schedule(afterNanoseconds: UInt64(min(wait, 1e15)))
    case .expired(let record, _):
      if places.read(record.key, by: cpu) { take(MovedLines.flow * model.machine.lineTransfer, on: cpu) }
      _ = expired[cpu].push(record)
      timer.handle = nil
      shard.idleTimers[timer.cpu].append(timer)
      export.schedule(on: cpu)
    case .stale:
      timer.handle = nil
      shard.idleTimers[timer.cpu].append(timer)
    }
  }

  func runExport(_ cpu: Int) {
    if plan.guarding == .locks { exportLock.withLock { _ in exportAll(cpu) } } else { exportAll(cpu) }
  }

  private func exportAll(_ cpu: Int) {
    var count = 0
    while expired[cpu].pop() != nil {
      take(costs.exportFlow, on: cpu)
      count += 1
    }
    exported &+= UInt64(count)
    if count > 0 { journal.schedule() }
  }

  func runJournal(_ cpu: Int) {
    if plan.journal == .mpSafe {
      journalLock.withLock { _ in take(costs.journalRun, on: cpu) }
    } else {
      take(costs.journalRun, on: cpu)
    }
  }

  func runHeartbeat(_ cpu: Int) {
    if isOver { return }
    let now = SimulatedMachine.ticks()
    while heartbeatDue[cpu] <= now {
      if heartbeatDue[cpu] >= countFrom { serial.record(now &- heartbeatDue[cpu]) }
      heartbeatDue[cpu] &+= Self.heartbeatPeriod
    }
    take(costs.heartbeatRun, on: cpu)
  }

  // MARK: FlowMeterSystem+Base

  func runBase(_ here: borrowing Here<SimulatedMachine>) {
    let cpu = here.cpu!
    // As many recognition points as printing sixteen lines has.
    let steps = 16 * 6
    while !isOver {
      copyTalkers(here, cpu)
      for _ in 0..<steps {
        take(costs.talkersPrint / Double(steps), on: cpu)
        here.checkpoint()
      }
      if SimulatedMachine.ticks() >= countFrom { baseRounds &+= 1 }
      system.yieldBigLock()
      here.checkpoint()
    }
  }

  private func copyTalkers(_ here: borrowing Here<SimulatedMachine>, _ cpu: Int) {
    for shard in shards {
      var next: Int? = 0
      while let start = next {
        switch plan.guarding {
        case .gates: here.raise(exactly: .softNet) { _ in next = copy(shard, from: start, cpu) }
        case .priority: here.mask(to: .softNet) { _ in next = copy(shard, from: start, cpu) }
        case .locks: shard.lock.withLock { _ in next = copy(shard, from: start, cpu) }
        }
      }
    }
  }

  private func copy(_ shard: SimulatedShard, from start: Int, _ cpu: Int) -> Int? {
    var owed = 0.0
    let next = shard.table.visit(from: start, slots: FlowMeterSystem.slotsPerHold) { record in
      owed += costs.talkersFlow
      if places.read(record.key, by: cpu) { owed += MovedLines.record * model.streamedLine }
    }
    take(owed, on: cpu)
    return next
  }
}
