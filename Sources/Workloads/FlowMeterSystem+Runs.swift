// The three ways to run the meter: one lossless pass, capacity (a closed loop), and a load (an open loop).

import ComparisonReport
import FlowMeter
import Glibc
import HostedMachine
import PacketCapture
import SoftInterrupts

/// The table that a pass made.
struct PassResult {
  var table: ConversationTable
  var skipped: SkipCounts
  var seconds: Double
}

extension FlowMeterSystem {
  /// Frames through, on all CPUs.
  var framesDone: UInt64 { queues.reduce(0) { $0 &+ $1.done } }

  /// Frames that were due in an open loop and count, and how many of them were lost. Once the system has stopped.
  var dueAndDropped: (due: UInt64, drops: UInt64) {
    queues.reduce((0, 0)) { ($0.0 &+ $1.due, $0.1 &+ $1.drops) }
  }

  /// Sleeps on the measuring thread, in steps, unless it is interrupted.
  func measure(nanoseconds: UInt64, _ isInterrupted: () -> Bool) {
    let end = HostedMachine.now() &+ nanoseconds
    while !isInterrupted() {
      let now = HostedMachine.now()
      if now >= end { return }
      var time = timespec(tv_sec: 0, tv_nsec: Int(min(end - now, 20_000_000)))
      nanosleep(&time, nil)
    }
  }

  /// Keeps the measuring thread above level threads: else it would look only when they are made to pause.
  func watch(_ on: Bool) {
    if plan.execution == .threads { HostedMachine.setRealtimePriority(on ? 20 : 0) }
  }

  func start(_ arrival: (Int) -> Arrival) {
    watch(true)
    for cpu in queues.indices {
      begin(arrival(cpu), on: cpu)
      scheduleDevice(cpu)
    }
  }

  private func begin(_ arrival: Arrival, on cpu: Int) {
    queues[cpu].begin(arrival)
    perCPU[cpu].ring = queues[cpu].ring
    if case .closed = arrival { perCPU[cpu].tellsCard = true }
  }

  /// One pass over the capture, each frame exactly once: everything, exported and resident, merged.
  func pass(_ isInterrupted: () -> Bool) throws(ComparisonError) -> PassResult {
    let start = HostedMachine.now()
    self.start { _ in .closed(passes: 1) }
    while framesDone < UInt64(capture.frameCount), !isInterrupted() { usleep(200) }
    let seconds = Double(HostedMachine.now() &- start) / 1e9
    let interrupted = framesDone < UInt64(capture.frameCount)
    let report = stop()
    if interrupted { throw ComparisonError(description: "interrupted") }
    guard report.isComplete else {
      throw ComparisonError(description: "\(plan.discipline.rawValue): the shutdown lost \(report.pending)")
    }
    if let exportError { throw ComparisonError(description: exportError.description) }
    var table = kept ?? ConversationTable()
    var skipped = SkipCounts()
    for ring in expired { while let (record, _, _) = ring.pop() { table.merge(record) } }
    for shard in shards {
      table.merge(resident: shard.table)
      skipped.add(shard.skipped)
    }
    return PassResult(table: table, skipped: skipped, seconds: seconds)
  }

  /// As fast as it goes for a time: frames per second, after a warm-up of a fifth.
  func capacity(nanoseconds: UInt64, _ isInterrupted: () -> Bool) -> Double {
    start { _ in .closed(passes: .max) }
    measure(nanoseconds: nanoseconds / 5, isInterrupted)
    let (from, begin) = (framesDone, HostedMachine.now())
    measure(nanoseconds: nanoseconds - nanoseconds / 5, isInterrupted)
    let (to, end) = (framesDone, HostedMachine.now())
    stop()
    return Double(to &- from) / (Double(max(end &- begin, 1)) / 1e9)
  }

  /// Frames at a rate, whatever becomes of them, with base code beside: base rounds per second; the probes have the rest.
  ///
  /// What is due in the first fifth is not counted: the table fills, and each flow's first callout is made.
  func load(framesPerSecond: Double, nanoseconds: UInt64, _ isInterrupted: () -> Bool) -> Double {
    watch(true)
    let first = HostedMachine.now() &+ 2_000_000
    let beginTicks = HostedMachine.ticks() &+ UInt64(scale.ticks(2_000_000))
    let countFrom = beginTicks &+ UInt64(scale.ticks(Double(nanoseconds / 5)))
    let scale = scale
    for (cpu, queue) in queues.enumerated() {
      let share = Double(queue.count) / Double(max(capture.frameCount, 1))
      let interval = share > 0 ? scale.ticks(1e9 / (framesPerSecond * share)) : .infinity
      heartbeatDue[cpu] = beginTicks &+ UInt64(heartbeatPeriod * Double(cpu + 1) / Double(plan.cpus))
      if share > 0 { begin(.open(start: beginTicks, interval: interval, countFrom: countFrom), on: cpu) }
      probes[cpu].countFrom = countFrom
      let handler = device[cpu % device.count]
      system.setPolledSource(
        PolledSource { [unowned self] _ in
          let now = HostedMachine.ticks()
          if (heartbeatDue[cpu] <= now || queue.nextDue <= now) && !isOver.isSet { handler.schedule(on: cpu) }
        } nextDue: { [unowned self] in
          if isOver.isSet { return .max }
          let due = min(queue.nextDue, heartbeatDue[cpu])
          return due == .max || due <= beginTicks ? first : first &+ scale.nanoseconds(due &- beginTicks)
        }, on: cpu)
      system.submit(on: cpu, as: plan.base) { [unowned self] here in runBase(here) }
    }
    measure(nanoseconds: nanoseconds &+ 2_000_000, isInterrupted)
    stop()
    let rounds = probes.reduce(0) { $0 + $1.talkerRounds }
    return Double(rounds) / (Double(nanoseconds - nanoseconds / 5) / 1e9)
  }

  /// Ends the measurement and the system.
  @discardableResult func stop() -> ShutdownReport {
    isOver.set()
    defer { watch(false) }
    let report = system.shutdown()
    exportFlush()
    return report
  }

  private func exportFlush() {
    if exportError != nil { return }
    do { try exporter.flush() } catch { exportError = error }
  }
}
