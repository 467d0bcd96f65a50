// The flow meter on simulated CPUs: the stages of `FlowMeterSystem`, let in as the same plan says, taking the time that was measured.
//
// Law: what a stage *does* is done (frames are counted in real flow tables, callouts age them), so how often each stage runs is
// not assumed; what it *takes* comes from the model. Everything of the core is the core's own source on the simulated machine. The
// structure follows the hosted meter line by line; `FlowMeterSystem+….swift` says why each thing is as it is.

import ComparisonReport
import FlowMeter
import SimulatedMachine
import SoftInterrupts

typealias SimulatedSystem = InterruptSystem<SimulatedMachine>

/// Ages one flow after the other.
final class SimulatedTimer: @unchecked Sendable {
  // Sendable: one thread runs the simulation.
  var handle: FlowHandle?
  var callout: Callout<SimulatedMachine>?
  let cpu: Int
  unowned let shard: SimulatedShard
  init(_ shard: SimulatedShard, cpu: Int) {
    self.shard = shard
    self.cpu = cpu
  }
}

final class SimulatedShard {
  let table: FlowTable
  let lock: LevelLock<Void, SimulatedMachine>
  var now: Int64 = .min
  var idleTimers: [[SimulatedTimer]]

  init(_ system: SimulatedSystem, expected: Int, timeouts: FlowTimeouts) {
    table = FlowTable(capacity: expected, timeouts: timeouts, seed: 1)
    lock = system.levelLock(at: .softNet, ())
    idleTimers = Array(repeating: [], count: system.cpuCount)
  }
}

/// What a simulated run is like.
struct SimulatedLoad {
  /// Frames for each second of simulated time; nil: the card always has frames.
  var framesPerSecond: Double?
  /// The simulated time in nanoseconds; the first fifth is not counted.
  var nanoseconds: UInt64
  var seed: UInt64
}

final class SimulatedMeter: @unchecked Sendable {
  // Sendable: one thread runs the simulation.

  let plan: MeterPlan
  let model: MeterModel
  let load: SimulatedLoad
  let frames: DecodedCapture
  let machine: SimulatedMachine
  let system: SimulatedSystem
  let pilot: TimedPilot
  let queues: [SimulatedQueue]
  let shards: [SimulatedShard]
  let timeouts = FlowTimeouts(idle: 1_000_000_000, active: 5_000_000_000)
  let pace: Double
  var device: Handler<SimulatedMachine>!
  /// One for each queue; on more CPUs than a level has handlers, several queues share one, and `isReady` says which of them ask.
  static let inputHandlers = 28
  var isReady: [Bool]
  var input: [Handler<SimulatedMachine>] = []
  var export: Handler<SimulatedMachine>!
  var journal: Handler<SimulatedMachine>!
  var heartbeat: Handler<SimulatedMachine>!
  let expired: [Ring<FlowRecord, SimulatedMachine>]
  let exportLock: LevelLock<Void, SimulatedMachine>
  let journalLock: LevelLock<Void, SimulatedMachine>
  var heartbeatDue: [UInt64]
  static let heartbeatPeriod: UInt64 = 10_000
  var places = FlowPlaces()
  var isOver = false
  var net = LatencyHistogram()
  var serial = LatencyHistogram()
  var baseRounds: UInt64 = 0
  var exported: UInt64 = 0
  let countFrom: UInt64
  /// What the core itself took inside of stages, their number, and where each CPU is in one.
  var insideCore = [UInt64](repeating: 0, count: MeterStage.allCases.count)
  var stageRuns = [UInt64](repeating: 0, count: MeterStage.allCases.count)
  var stolen: [Double]
  var worked: [Double]
  private var random: SplitMix

  init(
    _ plan: MeterPlan, _ frames: DecodedCapture, _ model: MeterModel, pace: Double, _ load: SimulatedLoad
  ) throws(ComparisonError) {
    self.plan = plan
    self.model = model
    self.load = load
    self.frames = frames
    self.pace = pace
    machine = SimulatedMachine(cpus: plan.cpus)
    pilot = TimedPilot(model.machine, seed: load.seed)
    random = SplitMix(state: load.seed)
    var configuration = plan.configuration(idle: .poll)
    configuration.timing = true
    do { system = try SimulatedSystem(on: machine, configuration) } catch {
      throw ComparisonError(description: error.description)
    }
    let system = self.system
    countFrom = load.nanoseconds / 5
    let count = Double(max(frames.capture.frameCount, 1))
    let countFrom = self.countFrom
    queues = (0..<plan.cpus).map { queue in
      let share = Double(frames.capture.queue(queue, of: plan.cpus).count) / count
      let interval = load.framesPerSecond.map { share > 0 ? 1e9 / ($0 * share) : .infinity }
      return SimulatedQueue(
        frames.capture, queue: queue, of: plan.cpus, interval: interval, start: 2_000, countFrom: countFrom)
    }
    let timeouts = self.timeouts
    shards = (0..<plan.shards).map { _ in
      SimulatedShard(system, expected: max(4_096 / plan.shards, 512), timeouts: timeouts)
    }
    expired = (0..<plan.cpus).map { _ in Ring(capacity: 4_096) }
    exportLock = system.levelLock(at: .softBio, ())
    journalLock = system.levelLock(at: .softBio, rank: 1, ())
    heartbeatDue = (0..<plan.cpus).map {
      load.framesPerSecond == nil ? .max : 2_000 + Self.heartbeatPeriod * UInt64($0 + 1) / UInt64(plan.cpus)
    }
    isReady = Array(repeating: false, count: plan.cpus)
    stolen = Array(repeating: 0, count: plan.cpus)
    worked = Array(repeating: 0, count: plan.cpus)
    do { try establish() } catch {
      throw ComparisonError(description: "\(plan.discipline.rawValue): \(error)")
    }
  }

  private func establish() throws(EstablishError) {
    let me = Unmanaged.passUnretained(self)
    // Bound: it runs on the CPU that it is scheduled on, so one is enough for all.
    device = try system.establish("device", at: .vm, as: .mpSafe) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.device, on: cpu) { meter.runDevice(cpu) } }
    }
    for group in 0..<min(plan.cpus, Self.inputHandlers) {
      input.append(
        try system.establish("input \(group)", at: .softNet, as: plan.input, .anywhere) { here in
          me._withUnsafeGuaranteedRef { $0.runInputs(here, group) }
        })
    }
    export = try system.establish("export", at: .softBio, as: plan.export) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.export, on: cpu) { meter.runExport(cpu) } }
    }
    journal = try system.establish("journal", at: .softBio, as: plan.journal) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.journal, on: cpu) { meter.runJournal(cpu) } }
    }
    heartbeat = try system.establish("heartbeat", at: .softSerial, as: plan.heartbeat) { here in
      let cpu = here.cpu!
      me._withUnsafeGuaranteedRef { meter in meter.stage(.heartbeat, on: cpu) { meter.runHeartbeat(cpu) } }
    }
  }

  // MARK: Time

  /// Takes time on a CPU. The figure is a mean: what is done takes a tenth more or less, by the seed, so that CPUs do not fall into step.
  func take(_ nanoseconds: Double, on cpu: Int) {
    if nanoseconds <= 0 { return }
    let part = Double(random.next() >> 40) / Double(1 << 24)
    let time = nanoseconds * (0.9 + 0.2 * part)
    worked[cpu] += time
    SimulatedMachine.work(time)
  }

  /// Runs a stage, and notes what of its time was the core's: neither its own work nor that of what ran on top of it.
  func stage(_ stage: MeterStage, on cpu: Int, _ body: () -> Void) {
    let (before, workedBefore) = (stolen[cpu], worked[cpu])
    let start = pilot.time(of: cpu)
    worked[cpu] = 0
    body()
    let all = pilot.time(of: cpu) - start
    insideCore[stage.rawValue] &+= UInt64(max(all - (stolen[cpu] - before) - worked[cpu], 0) * 1_000)
    stageRuns[stage.rawValue] &+= 1
    worked[cpu] = workedBefore
    stolen[cpu] = before + all
  }

  func scheduleInput(_ queue: Int) {
    isReady[queue] = true
    input[queue % input.count].schedule(on: queue)
  }

  /// Runs the queues of one handler that have asked for it: MP-safe input is at home, other input takes all that is there.
  func runInputs(_ here: borrowing Here<SimulatedMachine>, _ group: Int) {
    let cpu = here.cpu!
    for queue in stride(from: group, to: plan.cpus, by: input.count)
    where isReady[queue] && (plan.input != .mpSafe || queue == cpu) {
      isReady[queue] = false
      stage(.input, on: cpu) { runInput(here, cpu, queue) }
    }
  }

  // MARK: Runs

  var framesDone: UInt64 { queues.reduce(0) { $0 &+ $1.done } }

  /// Frames that were due and count, and how many of them were lost.
  var dueAndDropped: (due: UInt64, drops: UInt64) {
    queues.reduce((0, 0)) { ($0.0 &+ $1.counted, $0.1 &+ $1.drops) }
  }

  /// Runs the load; frames per second after the first fifth.
  func run() throws(ComparisonError) -> Double {
    for cpu in 0..<plan.cpus {
      if load.framesPerSecond == nil {
        device.schedule(on: cpu)
      } else {
        machine.setPolledSource(on: cpu) { [unowned self] in
          let now = SimulatedMachine.ticks()
          if !isOver && min(heartbeatDue[cpu], queues[cpu].nextDue) <= now { device.schedule(on: cpu) }
        } nextDue: { [unowned self] in
          isOver ? .max : min(heartbeatDue[cpu], queues[cpu].nextDue)
        }
        system.submit(on: cpu, as: plan.base) { [unowned self] here in runBase(here) }
      }
    }
    try drive(until: countFrom)
    let from = framesDone
    try drive(until: load.nanoseconds)
    let rate = Double(framesDone &- from) / Double(load.nanoseconds &- countFrom) * 1e9
    return rate
  }

  private func drive(until horizon: UInt64) throws(ComparisonError) {
    let end = machine.run(timed: pilot, until: horizon)
    guard end == .horizon else {
      throw ComparisonError(description: "\(plan.discipline.rawValue): the simulation ended early (\(end))")
    }
  }

  private var isAnybodyWaiting: Bool {
    (0..<plan.cpus).contains { cpu in
      machine.current(cpu).flatMap { SimulatedSystem.view(of: $0) }.map { !$0.waits.isEmpty } ?? false
    }
  }

  /// Ends the system. First in simulated time, so that what is under way ends by turns as on a machine: without time whoever runs goes
  /// on as long as it can, and one that waits for another may do so for ever. Then what is left, of no interest, is let go.
  func stop() {
    isOver = true
    var end = load.nanoseconds
    repeat {
      end += 500_000
      _ = machine.run(timed: pilot, until: end)
    } while isAnybodyWaiting && end < load.nanoseconds + 20_000_000
    system.shutdown(grace: .milliseconds(1))
  }
}
