// Time for the simulated machine: each process has a clock, and whose is the earliest goes on.
//
// Law: an operation is done in the order of the times at which it is asked for; its cost is added to its process's clock before it is
// done, so a process's clock never goes back and a value is never read from a later time. Who sleeps or spins acts when it is
// woken, when what it looks at changes, or when its time has come, whichever is first.
//
// This is discrete-event simulation in its plainest form: the set of next events is one number for each process, and the least is
// looked for. The same program, model and seed give the same run.

import SoftInterrupts

/// A pilot that gives the machine time; for ``SimulatedMachine/run(timed:until:)``.
public final class TimedPilot: Pilot {
  /// The model that the operations are charged by.
  public let model: CostModel
  let costs: Costs
  /// By process: its clock, and when it acts next (`.max`: not without another's doing). In picoseconds.
  let clocks: UnsafeMutablePointer<UInt64>
  private let acts: UnsafeMutablePointer<UInt64>
  /// When a process's buffered stores will have left it.
  private let stored: UnsafeMutablePointer<UInt64>
  /// How often in a row it has paused and changed nothing.
  private let paused: UnsafeMutablePointer<UInt32>
  /// The round of its last pause: a lesser one is another loop's.
  private let rounds: UnsafeMutablePointer<Int>
  /// Among processes that act at the same time the lower place goes first: a permutation by the seed, so that no CPU is always first.
  private let places: UnsafeMutablePointer<UInt8>
  // Unchecked: nothing of the pilot's is called from inside of an access to it, and it is asked at every operation.
  @exclusivity(unchecked) private var lines = CacheLines()
  /// Who could go on when it was last asked.
  @exclusivity(unchecked) private var known: ProcessSet = 0
  @exclusivity(unchecked) private var current = -1
  private var hasBegun = false
  /// When the last operation was done: what it wakes is woken then, whatever its process does next.
  @exclusivity(unchecked) private var done: UInt64 = 0
  /// The running process goes on without a look at the others up to here.
  @exclusivity(unchecked) private var limit: UInt64 = 0
  fileprivate(set) var horizon: UInt64 = .max
  /// Operations done.
  @exclusivity(unchecked) public private(set) var operations: UInt64 = 0

  /// This many pauses in a row are single steps; after them one step stands for as many, unless something changes before. What it watches
  /// meanwhile is all that was looked at since: a loop may look at something in some rounds only (`expect` at the gate's word).
  /// Now and then it begins anew, so that what was looked at before the loop is forgotten.
  static var exactPauses: UInt32 { 64 }
  static var watchedPauses: UInt32 { 4_096 }

  /// A pilot that lets time pass as the model says; the seed decides what the model leaves open.
  public init(_ model: CostModel, seed: UInt64 = 1) {
    self.model = model
    costs = Costs(model)
    let count = SimulatedMachine.processLimit
    clocks = .allocate(capacity: count)
    acts = .allocate(capacity: count)
    stored = .allocate(capacity: count)
    paused = .allocate(capacity: count)
    rounds = .allocate(capacity: count)
    places = .allocate(capacity: count)
    clocks.initialize(repeating: 0, count: count)
    acts.initialize(repeating: .max, count: count)
    stored.initialize(repeating: 0, count: count)
    paused.initialize(repeating: 0, count: count)
    rounds.initialize(repeating: 0, count: count)
    var order = (0..<count).map(UInt8.init)
    var random = seed
    for index in order.indices.dropLast() {
      // Knuth's generator for 64 bits; its upper bits are the good ones.
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      order.swapAt(index, index + Int((random >> 33) % UInt64(count - index)))
    }
    for (index, place) in order.enumerated() { (places + index).initialize(to: place) }
  }

  deinit {
    clocks.deallocate()
    acts.deallocate()
    stored.deallocate()
    paused.deallocate()
    rounds.deallocate()
    places.deallocate()
  }

  /// A process's clock, in nanoseconds.
  public func time(of process: Int) -> Double { Double(clocks[process]) / 1_000 }
  /// The use of the lines so far, the busiest first.
  public var lineUse: [LineUse] { lines.use }

  // MARK: Choosing

  override public func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    if enabled == known && current >= 0 && clocks[current] <= limit {
      charge(machine, current)
      return current
    }
    return choose(machine, enabled)
  }

  @inline(never) private func choose(_ machine: SimulatedMachine, _ enabled: ProcessSet) -> Int {
    let engine = machine.engine
    if current >= 0 { acts[current] = clocks[current] }
    var blocked = known & ~enabled
    while blocked != 0 {
      let index = blocked.first
      blocked.remove(index)
      acts[index] = nextAct(engine, index)
    }
    var woken = enabled & ~known
    while woken != 0 {
      let index = woken.first
      woken.remove(index)
      wake(engine, index, at: done)
    }
    known = enabled
    guard let index = earliest(machine.processCount), acts[index] <= horizon else {
      engine.p.pointee.stop = .horizon
      return -1
    }
    if !enabled.has(index) { ripen(engine, index) }
    current = index
    engine.p.pointee.now = clocks[index] / 1_000
    charge(machine, index)
    return index
  }

  /// The process that acts next, and into `limit` when the next of the others does.
  private func earliest(_ count: Int) -> Int? {
    var best = -1
    var (first, second) = (UInt64.max, UInt64.max)
    for index in 0..<count {
      let time = acts[index]
      if time < first || (time == first && time != .max && places[index] < places[best]) {
        second = first
        first = time
        best = index
      } else if time < second {
        second = time
      }
    }
    if best < 0 { return nil }
    // At the same time the place decides, so the running one does not go on.
    limit = min(second == 0 ? 0 : second &- 1, horizon)
    return best
  }

  /// When a process that has stopped acts by itself.
  private func nextAct(_ engine: EngineRef, _ index: Int) -> UInt64 {
    let process = engine.process(index)
    switch process.pointee.state {
    case .spinning: return process.pointee.deadline
    case .parked:
      let (time, isLate) = process.pointee.deadline.multipliedReportingOverflow(by: 1_000)
      return isLate ? .max : max(time, clocks[index])
    case .ready: return clocks[index]
    case .joining, .held, .ended: return .max
    }
  }

  /// A process can go on by what another has done at `time`.
  private func wake(_ engine: EngineRef, _ index: Int, at time: UInt64) {
    if time > clocks[index] {
      // Who spins looks again when the pause is over that it is in.
      let isSpinning = engine.process(index).pointee.pending.kind == .pause
      let late = time &- clocks[index]
      clocks[index] = isSpinning ? time &+ (costs.pause &- late % costs.pause) % costs.pause : time
      // It may count its rounds from here.
      if isSpinning { paused[index] = 0 }
    }
    if engine.process(index).pointee.pending.kind == .park { clocks[index] &+= costs.wake }
    acts[index] = clocks[index]
  }

  /// The time has come for which a process sleeps or spins.
  private func ripen(_ engine: EngineRef, _ index: Int) {
    clocks[index] = max(clocks[index], acts[index])
    let process = engine.process(index)
    if process.pointee.state == .parked {
      process.pointee.parkedOn?.pointee.sleeper = -1
      clocks[index] &+= costs.wake
    }
    acts[index] = clocks[index]
    engine.wake(index)
    known.insert(index)
  }

  /// Nobody can go on: lets the first go whose time comes. False if there is none.
  func idle(_ machine: SimulatedMachine) -> Bool {
    let engine = machine.engine
    var blocked = known
    while blocked != 0 {
      let index = blocked.first
      blocked.remove(index)
      acts[index] = nextAct(engine, index)
    }
    known = 0
    current = -1
    guard let index = earliest(machine.processCount) else {
      engine.p.pointee.stop = .stuck
      return false
    }
    guard acts[index] <= horizon else {
      engine.p.pointee.stop = .horizon
      return false
    }
    ripen(engine, index)
    return true
  }

  // MARK: Charging

  /// Adds the cost of what a process is about to do to its clock.
  @inline(__always) private func charge(_ machine: SimulatedMachine, _ process: Int) {
    operations &+= 1
    let pending = machine.engine.process(process).pointee.pending
    let time = clocks[process]
    switch pending.kind {
    case .load:
      let line = lines.line(pending.object, machine, isSeat: false)
      clocks[process] = lines.read(line, by: process, at: time, costs) &+ costs.step
    case .store where pending.order != .sequentiallyConsistent:
      let line = lines.line(pending.object, machine, isSeat: false)
      let end = lines.own(line, by: process, at: time, costs)
      if end > stored[process] { stored[process] = end }
      clocks[process] = time &+ costs.store &+ costs.step
    case .store, .exchange, .fetchAdd, .fetchOr, .fetchAnd, .compareExchange:
      modify(lines.line(pending.object, machine, isSeat: false), process)
    case .unpark:
      modify(lines.line(pending.object, machine, isSeat: true), process)
      let seat = UnsafeMutableRawPointer(machine.word(pending.object)!)
        .assumingMemoryBound(to: SeatMemory.self)
      if seat.pointee.sleeper >= 0 { clocks[process] &+= costs.ring }
    case .park: modify(lines.line(pending.object, machine, isSeat: true), process)
    case .heavyFence: clocks[process] = max(time, stored[process]) &+ costs.heavyFence
    case .start, .lightFence, .localFence, .pause, .join, .read, .write, .point, .interrupt, .end: break
    }
    done = clocks[process]
  }

  private func modify(_ line: Int, _ process: Int) {
    // The store buffer is empty before a locked instruction.
    let start = max(clocks[process], stored[process])
    clocks[process] = lines.own(line, by: process, at: start, costs) &+ costs.modify &+ costs.step
  }

  /// A process is about to pause: it does so for one pause, and for as many as it likes once it has long seen no change.
  /// Whether what it has looked at is watched on.
  func pauses(_ engine: EngineRef, _ index: Int, _ round: Int) -> Bool {
    let process = engine.process(index)
    let isAnother = round < rounds[index]
    rounds[index] = round
    let beginsAnew = process.pointee.hasChanged || isAnother || paused[index] >= Self.watchedPauses
    paused[index] = beginsAnew ? 0 : paused[index] &+ 1
    clocks[index] &+= costs.pause
    let isLong = paused[index] > Self.exactPauses
    var until = clocks[index] &+ (isLong ? costs.pause &* UInt64(Self.exactPauses - 1) : 0)
    if isLong, index < engine.p.pointee.machine.cpuCount {
      let (due, isLate) = engine.p.pointee.machine.nextDue(cpu: index).multipliedReportingOverflow(by: 1_000)
      if !isLate { until = min(until, max(due, clocks[index])) }
    }
    process.pointee.deadline = until
    return paused[index] != 0
  }

  /// A run begins: everybody's clock is at `start`, in nanoseconds.
  func begin(_ machine: SimulatedMachine, start: UInt64) {
    for index in 0..<SimulatedMachine.processLimit {
      // Whoever is made later begins when it is made.
      if !hasBegun { clocks[index] = start &* 1_000 }
      acts[index] = .max
    }
    known = 0
    current = -1
    if !hasBegun { done = start &* 1_000 }
    hasBegun = true
    // Who spins already looks now, who sleeps goes on sleeping.
    for index in 0..<machine.processCount {
      let process = machine.engine.process(index)
      if process.pointee.state == .spinning { process.pointee.deadline = clocks[index] }
      if process.pointee.state != .ready { acts[index] = nextAct(machine.engine, index) }
    }
  }

  /// The latest clock, in nanoseconds.
  func latest(_ count: Int) -> UInt64 {
    var latest: UInt64 = 0
    for index in 0..<count { latest = max(latest, clocks[index] / 1_000) }
    return latest
  }
}

extension SimulatedMachine {
  /// Runs the processes in simulated time until none has anything to do, or `horizon` (in nanoseconds of ``now()``) has come.
  ///
  /// - Returns: ``RunEnd/quiet`` or ``RunEnd/horizon``; ``RunEnd/fatal(_:)`` as elsewhere. A run that ended at the horizon can be gone on with.
  public func run(timed pilot: TimedPilot, until horizon: UInt64 = .max) -> RunEnd {
    precondition(recognition == .points && memory == .sequentiallyConsistent, "time is for points and SC")
    pilot.begin(self, start: engine.p.pointee.now)
    pilot.horizon = horizon > .max / 1_000 ? .max - 1 : horizon * 1_000
    engine.p.pointee.timed = Unmanaged.passUnretained(pilot)
    defer {
      engine.p.pointee.timed = nil
      // No process's clock goes back when time stands still again.
      engine.p.pointee.now = max(pilot.latest(processCount), horizon == .max ? 0 : horizon)
    }
    return run(pilot, steps: .max)
  }

  /// Work that is no operation on a word: the calling process's clock goes on by so many nanoseconds. Without a timed run, nothing.
  public static func work(_ nanoseconds: Double) {
    guard let engine = EngineRef.inProcess, let timed = engine.p.pointee.timed else { return }
    timed._withUnsafeGuaranteedRef {
      $0.clocks[engine.p.pointee.running] &+= Costs.picoseconds(nanoseconds)
    }
  }

  /// Gives a CPU a device to look at, as `HostedMachine` does with a polled source.
  ///
  /// - Parameters:
  ///   - cpu: whose device it is.
  ///   - look: called on the CPU at recognition points, not more often than `Configuration/pollInterval`; it schedules handlers.
  ///   - nextDue: when the device has something next, in nanoseconds; `UInt64.max` for never.
  public func setPolledSource(on cpu: Int, look: @escaping () -> Void, nextDue: @escaping () -> UInt64) {
    while sources.count < cpuCount { sources.append(nil) }
    sources[cpu] = (look, nextDue)
  }

  func nextDue(cpu: Int) -> UInt64 { cpu < sources.count ? sources[cpu]?.nextDue() ?? .max : .max }
}

extension EngineRef {
  /// The running process's clock where there is time, in nanoseconds; reading it costs what it does.
  @inline(never) func readClock(_ timed: Unmanaged<TimedPilot>, isTicks: Bool) -> UInt64 {
    timed._withUnsafeGuaranteedRef { pilot in
      guard p.pointee.running >= 0 else { return p.pointee.now }
      pilot.clocks[p.pointee.running] &+= isTicks ? pilot.costs.ticks : pilot.costs.clock
      return pilot.clocks[p.pointee.running] / 1_000
    }
  }
}
