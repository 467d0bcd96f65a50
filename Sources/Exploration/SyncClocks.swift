// Data races: which accesses the program's own synchronisation orders.
//
// Law: happens-before as in C++20: program order, and a release that an acquire has read from (release sequences, fences, rings
// and ends of processes included). Vector clocks for processes and words, an epoch for the last write of each datum and a clock
// of its reads (Flanagan and Freund, "FastTrack", PLDI 2009). A handler runs on its CPU's process: what interrupts is ordered
// with what it interrupts. Under weak memory the clocks are the memory's own, which knows which write a read has read.

import SimulatedMachine
import SoftInterrupts

final class SyncClocks {
  /// What races, once something does.
  @exclusivity(unchecked) private(set) var race: String?
  @exclusivity(unchecked) private var stride = 0
  private static var most: Int { SimulatedMachine.processLimit * SimulatedMachine.processLimit }
  private let processes = UnsafeMutablePointer<UInt32>.allocate(capacity: most)
  /// What later relaxed stores release (a release fence), and what earlier relaxed loads have read (for an acquire fence).
  private let released = UnsafeMutablePointer<UInt32>.allocate(capacity: most)
  private let seen = UnsafeMutablePointer<UInt32>.allocate(capacity: most)
  /// For each object: what its last value releases; for data the clock of the reads since the last write. Then who wrote data last,
  /// and when (0 is never).
  @exclusivity(unchecked) private var objects: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var capacity = 0
  @exclusivity(unchecked) private var count = 0
  private weak var world: World?
  @exclusivity(unchecked) private var isWeak = false
  /// The core's plain memory, by address: a row each, as of declared data.
  @exclusivity(unchecked) private var plain: [UInt: Int] = [:]
  @exclusivity(unchecked) private var plainRows: [UInt32] = []
  /// What was announced by a bit: by whom and when; and what is announced by a process's next operation.
  @exclusivity(unchecked) private var published: [UInt: [(process: Int, time: UInt32)]] = [:]
  @exclusivity(unchecked) private var announced: [(at: UInt, process: Int, time: UInt32)] = []
  /// A row of an object is its clock, its last writer and the time of that.
  @inline(__always) private var size: Int { stride + 2 }

  init() { objects = .allocate(capacity: 1) }

  deinit {
    processes.deallocate()
    released.deallocate()
    seen.deallocate()
    objects.deallocate()
  }

  /// A run begins, of so many processes.
  func begin(_ world: World, processes count: Int) {
    self.world = world
    isWeak = world.machine.memory == .rc11
    race = nil
    stride = count
    self.count = 0
    for clocks in [processes, released, seen] { clocks.initialize(repeating: 0, count: count * count) }
    for process in 0..<count { processes[process * count + process] = 1 }
    if !published.isEmpty { published.removeAll(keepingCapacity: true) }
    if !announced.isEmpty { announced.removeAll(keepingCapacity: true) }
    if !plain.isEmpty {
      plain.removeAll(keepingCapacity: true)
      plainRows.removeAll(keepingCapacity: true)
    }
  }

  private func grow(_ object: Int) {
    if (object + 1) * size > capacity {
      let wanted = max(2_048, (object + 1) * size * 2)
      let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: wanted)
      grown.initialize(from: objects, count: count * size)
      objects.deallocate()
      objects = grown
      capacity = wanted
    }
    (objects + count * size).initialize(repeating: 0, count: (object + 1 - count) * size)
    count = object + 1
  }

  func happened(_ machine: SimulatedMachine, _ event: Event) {
    let process = Expected.running(machine, event)
    guard process < stride else { return }
    if !announced.isEmpty && event.kind == .fetchOr { announce(machine, event, process) }
    if isWeak && event.kind != .read && event.kind != .write { return }
    let object = Int(event.object)
    if object >= count { grow(object) }
    switch event.kind {
    case .read, .write: data(machine, event, process, object)
    case .load: acquire(process, object, event.order)
    case .store: release(process, object, event.order, isExchange: false)
    case .exchange, .fetchAdd, .fetchOr, .fetchAnd:
      acquire(process, object, event.order)
      release(process, object, event.order, isExchange: true)
    case .compareExchange:
      acquire(process, object, event.order)
      // One that failed has written nothing; one that wrote what was there cannot be told from it, and releases nothing here.
      if event.access == .write { release(process, object, event.order, isExchange: true) }
    case .heavyFence: for other in 0..<stride { fence(other) }
    case .park, .join: acquire(process, object, .acquire)
    case .unpark, .end: release(process, object, .release, isExchange: true)
    case .start:
      let maker = machine.maker(process)
      if maker >= 0 && maker < stride { join(clock(process), clock(maker)) }
    case .lightFence, .localFence, .pause, .point, .interrupt: break
    }
  }

  @inline(__always) private func clock(_ process: Int) -> UnsafeMutablePointer<UInt32> {
    processes + process * stride
  }
  /// What happens before what a process does now.
  @inline(__always) private func known(_ machine: SimulatedMachine, _ process: Int) -> UnsafePointer<UInt32> {
    (isWeak ? machine.happensBefore(process) : nil) ?? UnsafePointer(clock(process))
  }
  @inline(__always) private func row(_ object: Int) -> UnsafeMutablePointer<UInt32> {
    objects + object * size
  }

  @inline(__always)
  private func join(_ to: UnsafeMutablePointer<UInt32>, _ from: UnsafeMutablePointer<UInt32>) {
    for entry in 0..<stride where from[entry] > to[entry] { to[entry] = from[entry] }
  }

  @inline(__always)
  private func acquire(_ process: Int, _ object: Int, _ order: MemoryOrder) {
    switch order {
    case .acquire, .acquireRelease, .sequentiallyConsistent: join(clock(process), row(object))
    case .relaxed, .release: join(seen + process * stride, row(object))
    }
  }

  @inline(__always)
  private func release(_ process: Int, _ object: Int, _ order: MemoryOrder, isExchange: Bool) {
    // A store ends the release sequence before it; a read-modify-write goes on with it.
    if !isExchange { row(object).update(repeating: 0, count: stride) }
    switch order {
    case .release, .acquireRelease, .sequentiallyConsistent:
      join(row(object), clock(process))
      clock(process)[process] += 1
    case .relaxed, .acquire: join(row(object), released + process * stride)
    }
  }

  private func fence(_ process: Int) {
    join(clock(process), seen + process * stride)
    join(released + process * stride, clock(process))
    clock(process)[process] += 1
  }

  private func data(_ machine: SimulatedMachine, _ event: Event, _ process: Int, _ object: Int) {
    let row = row(object)
    let clock = known(machine, process)
    let (writer, time) = (Int(row[stride]), row[stride + 1])
    if time > clock[writer] { report(machine, event, process, writer, "wrote") }
    if event.kind == .write {
      for other in 0..<stride where row[other] > clock[other] {
        report(machine, event, process, other, "read")
      }
      row.update(repeating: 0, count: stride)
      row[stride] = UInt32(truncatingIfNeeded: process)
      row[stride + 1] = clock[process]
    } else {
      row[process] = clock[process]
    }
  }

  /// The operation by which a process announces has been done.
  private func announce(_ machine: SimulatedMachine, _ event: Event, _ process: Int) {
    let word = UInt(bitPattern: machine.word(event.object))
    announced.removeAll { entry in
      // A bit's address is within its word.
      guard entry.process == process, entry.at &- word < UInt(MemoryLayout<SimulatedWord>.size) else {
        return false
      }
      published[entry.at, default: []].append((process, entry.time))
      return true
    }
  }

  /// An access to the core's own plain memory.
  func accessed(_ process: Int, _ at: UInt, _ access: PlainAccess) {
    guard process < stride, let machine = world?.machine else { return }
    if access == .publishes {
      announced.append((at, process, known(machine, process)[process]))
      return
    }
    if access == .looks {
      let clock = known(machine, process)
      for (other, time) in published.removeValue(forKey: at) ?? [] where time > clock[other] {
        guard race == nil else { break }
        race =
          "\(machine.name(process)) has cleared a bit by which \(machine.name(other)) announced something, and looks; "
          + "nothing orders that after what was announced"
      }
      return
    }
    let first = plain[at] ?? plainRows.count
    if first == plainRows.count {
      plain[at] = first
      plainRows.append(contentsOf: repeatElement(0, count: size))
    }
    let clock = known(machine, process)
    plainRows.withUnsafeMutableBufferPointer { rows in
      let row = rows.baseAddress! + first
      let (writer, time) = (Int(row[stride]), row[stride + 1])
      if access != .fresh, time > clock[writer] { reportPlain(process, writer, access) }
      if access != .read {
        for other in 0..<stride where access != .fresh && row[other] > clock[other] {
          reportPlain(process, other, access)
        }
        row.update(repeating: 0, count: stride)
        row[stride] = UInt32(truncatingIfNeeded: process)
        row[stride + 1] = clock[process]
      } else {
        row[process] = clock[process]
      }
    }
  }

  private func reportPlain(_ process: Int, _ other: Int, _ access: PlainAccess) {
    guard race == nil, let machine = world?.machine else { return }
    race =
      "\(machine.name(process)) \(access == .read ? "reads" : "writes") memory of the core's that \(machine.name(other)) "
      + "accessed; nothing orders the two"
  }

  private func report(
    _ machine: SimulatedMachine, _ event: Event, _ process: Int, _ other: Int, _ what: String
  ) {
    guard race == nil else { return }
    let name = world?.name(of: machine.word(event.object)) ?? "declared data"
    race =
      "\(machine.name(process)) \(event.kind == .write ? "writes" : "reads") \(name), which \(machine.name(other)) \(what); "
      + "nothing orders the two"
  }
}
