// From the card to the flow table: the device's handler, which moves frames, and the input, which parses and counts them.
//
// Law: the input takes a batch, parses all of it, then counts it shard by shard, each under its guard: with one table that is
// one shard. The consumer's side of a ring is under gate softNet, or on the queue's own CPU where the input is MP-safe: it is
// scheduled there only, and nobody runs MP-safe work for others.

import FlowMeter
import HostedMachine
import PacketCapture
import SoftInterrupts

/// What the stages of a CPU, or those of a queue, reach for each batch: by address, without counting references, which would make
/// CPUs share lines that they need not share. The meter keeps the objects.
struct MeterCPU {
  let queue: Unmanaged<ReceiveQueue>
  let probe: Unmanaged<Probe>
  /// The queue's ring.
  var ring: ReceiveRing
  /// Whether the card waits for room in the ring, so that it is to be told of it.
  var tellsCard = false
  /// What the CPU has parsed of a batch; at softNet on this CPU.
  let parsed: UnsafeMutablePointer<DecodeOutcome>

  init(_ queue: ReceiveQueue, _ probe: Probe) {
    self.queue = .passUnretained(queue)
    self.probe = .passUnretained(probe)
    ring = queue.ring
    parsed = .allocate(capacity: Int(FlowMeterSystem.inputBatch))
    parsed.initialize(repeating: .skipped(.notIP), count: Int(FlowMeterSystem.inputBatch))
  }

  func deallocate() { parsed.deallocate() }
}

extension FlowMeterSystem {
  /// vm: moves frames from the card into the receive ring, and asks for the input.
  func runDevice(_ cpu: Int) {
    let (moved, more) = perCPU[cpu].queue._withUnsafeGuaranteedRef { $0.move() }
    if moved > 0 { scheduleInput(cpu) }
    if more { scheduleDevice(cpu) }
    if heartbeatDue[cpu] <= HostedMachine.ticks() { heartbeat.schedule() }
  }

  @inline(__always) func scheduleDevice(_ cpu: Int) { device[cpu % device.count].schedule(on: cpu) }
  @inline(__always) private func scheduleInput(_ queue: Int) {
    // Set, then schedule: who runs after the schedule finds it. Where each queue has a handler of its own nobody asks.
    if plan.cpus > input.count { isReady[queue].set() }
    input[queue % input.count].schedule(on: queue)
  }

  /// Runs the queues of one handler that have asked for it: MP-safe input is at home, other input takes all that is there, under its gate.
  func runInputs(_ here: borrowing Here<HostedMachine>, _ group: Int) {
    for queue in stride(from: group, to: plan.cpus, by: input.count)
    where (plan.input != .mpSafe || queue == here.cpu!) && isReady[queue].take() {
      measuredInput(here, queue: queue)
    }
  }

  func measuredInput(_ here: borrowing Here<HostedMachine>, queue: Int) {
    let cpu = here.cpu!
    let probe = probes[cpu]
    switch probe.recording {
    case .nothing, .latency: runInput(here, cpu, queue)
    case .stages: probe.addStage(.input, probe.own { runInput(here, cpu, queue) })
    case .timeline:
      let start = HostedMachine.ticks()
      runInput(here, cpu, queue)
      if probe.spans.count < 20_000 { probe.spans.append((.input, .run, start, HostedMachine.ticks())) }
    }
  }

  /// How many frames one run of the input takes at most.
  static let inputBudget: UInt = 256
  /// How many of them it parses before it counts them: as many as a word has bits.
  static let inputBatch: UInt = 64

  /// softNet: parses frames and counts them in the flow table.
  func runInput(_ here: borrowing Here<HostedMachine>, _ cpu: Int, _ queue: Int) {
    let ring = perCPU[queue].ring
    let parsed = perCPU[cpu].parsed
    let shardCount = plan.shards
    var done: UInt = 0
    var isEmpty = false
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: shardCount) { masks in
      while done < Self.inputBudget {
        let count = ring.ready(Self.inputBatch)
        isEmpty = count == 0
        if isEmpty { break }
        for shard in 0..<shardCount { masks.initializeElement(at: shard, to: 0) }
        parse(ring, count, into: parsed, masks, here)
        for shard in 0..<shardCount where masks[shard] != 0 {
          record(masks[shard], of: ring, parsed, in: shardRefs[shard], cpu, here)
        }
        ring.giveBack(count)
        done &+= count
      }
    }
    if !isEmpty { scheduleInput(queue) }
    if done > 0, perCPU[queue].tellsCard { scheduleDevice(queue) }
  }

  /// Parses a batch; the bits of `masks[s]` are the frames of shard s.
  @inline(__always)
  private func parse(
    _ ring: ReceiveRing, _ count: UInt, into parsed: UnsafeMutablePointer<DecodeOutcome>,
    _ masks: UnsafeMutableBufferPointer<UInt64>, _ here: borrowing Here<HostedMachine>
  ) {
    for offset in 0..<count {
      let (descriptor, bytes) = ring.frame(offset)
      let header = descriptor.pointee.header
      FrameDecoder.decode(
        UnsafeRawBufferPointer(start: bytes, count: Int(header.capturedLength)), header: header,
        into: parsed + Int(offset))
      // By the same end of the hash as the receive queues: with steering, a shard is one CPU's.
      masks[(Int(descriptor.pointee.hash) &* masks.count) >> 32] |= 1 << UInt64(offset)
      if offset & 7 == 7 { here.checkpoint() }
    }
  }

  /// Counts some frames of a batch in a shard, under its guard, and notes when they were done.
  @inline(__always)
  private func record(
    _ mask: UInt64, of ring: ReceiveRing, _ parsed: UnsafeMutablePointer<DecodeOutcome>, in shard: ShardRef,
    _ cpu: Int, _ here: borrowing Here<HostedMachine>
  ) {
    if plan.guarding == .locks {
      // By address, as everywhere on this path.
      let me = Unmanaged.passUnretained(self)
      shard.lock._withUnsafeGuaranteedRef { lock in
        lock.withLock { _ in
          me._withUnsafeGuaranteedRef { $0.count(mask, of: ring, parsed, in: shard, cpu) }
        }
      }
    } else {
      count(mask, of: ring, parsed, in: shard, cpu)
    }
    perCPU[cpu].probe._withUnsafeGuaranteedRef { probe in
      guard probe.recording == .latency else { return }
      let (now, countFrom) = (HostedMachine.ticks(), probe.countFrom)
      each(mask) { offset in
        let due = ring.frame(UInt(offset)).descriptor.pointee.due
        if due >= countFrom { probe.net.pointee.record(scale.nanoseconds(now &- due)) }
      }
    }
  }

  @inline(__always) private func each(_ mask: UInt64, _ body: (Int) -> Void) {
    var left = mask
    while left != 0 {
      body(left.trailingZeroBitCount)
      left &= left &- 1
    }
  }

  /// Under the shard's guard.
  @inline(__always)
  private func count(
    _ mask: UInt64, of ring: ReceiveRing, _ parsed: UnsafeMutablePointer<DecodeOutcome>, in shard: ShardRef,
    _ cpu: Int
  ) {
    var latest = Int64.min
    each(mask) { offset in
      switch parsed[offset] {
      case .skipped(let reason): shard.shard._withUnsafeGuaranteedRef { $0.skipped.count(reason) }
      case .flow(let frame):
        let header = ring.frame(UInt(offset)).descriptor.pointee.header
        latest = max(latest, header.timestamp)
        let recorded = shard.table._withUnsafeGuaranteedRef {
          $0.record(frame, wireLength: header.wireLength, timestamp: header.timestamp)
        }
        if case .new(let handle) = recorded { begin(handle, shard.shard.takeUnretainedValue(), cpu) }
      }
      // A recognition point once in a while: what is above does not wait for the batch.
      if offset & 7 == 7 { system.checkpoint() }
    }
    shard.shard._withUnsafeGuaranteedRef { $0.now = max($0.now, latest) }
  }
}
