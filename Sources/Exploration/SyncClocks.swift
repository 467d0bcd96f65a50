// Data races: which accesses the program's own synchronisation orders.
//
// Law: happens-before as in C++20: program order, and a release that an acquire has read from (release sequences, fences, rings
// and ends of processes included). Vector clocks for processes and words, an epoch for the last write of each datum and a clock
// of its reads (Flanagan and Freund, "FastTrack", PLDI 2009). A handler runs on its CPU's process: what interrupts is ordered
// with what it interrupts.

import SimulatedMachine
import SoftInterrupts

final class SyncClocks {
  /// What races, once something does.
  private(set) var race: String?
  private let stride: Int
  private var processes: [UInt32]
  /// What later relaxed stores release (a release fence), and what earlier relaxed loads have read (for an acquire fence).
  private var released: [UInt32]
  private var seen: [UInt32]
  /// For each object: what its last value releases; for data the clock of the reads since the last write.
  private var objects: [UInt32] = []
  /// For data: who wrote last, and when; 0 is never.
  private var writers: [(process: Int32, time: UInt32)] = []
  private unowned let world: World

  init(_ world: World, processes count: Int) {
    self.world = world
    stride = count
    processes = Array(repeating: 0, count: count * count)
    released = processes
    seen = processes
    for process in 0..<count { processes[process * count + process] = 1 }
  }

  func happened(_ machine: SimulatedMachine, _ event: Event) {
    let process = Expected.running(machine, event)
    guard process < stride else { return }
    let object = Int(event.object)
    while writers.count <= object {
      writers.append((0, 0))
      objects.append(contentsOf: repeatElement(0, count: stride))
    }
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
      if maker >= 0 && maker < stride { join(&processes, process, processes, maker) }
    case .lightFence, .localFence, .pause, .point, .interrupt: break
    }
  }

  private func join(_ to: inout [UInt32], _ at: Int, _ from: [UInt32], _ row: Int) {
    for entry in 0..<stride {
      to[at * stride + entry] = max(to[at * stride + entry], from[row * stride + entry])
    }
  }

  private func acquire(_ process: Int, _ object: Int, _ order: MemoryOrder) {
    switch order {
    case .acquire, .acquireRelease, .sequentiallyConsistent: join(&processes, process, objects, object)
    case .relaxed, .release: join(&seen, process, objects, object)
    }
  }

  private func release(_ process: Int, _ object: Int, _ order: MemoryOrder, isExchange: Bool) {
    // A store ends the release sequence before it; a read-modify-write goes on with it.
    if !isExchange { for entry in 0..<stride { objects[object * stride + entry] = 0 } }
    switch order {
    case .release, .acquireRelease, .sequentiallyConsistent:
      join(&objects, object, processes, process)
      processes[process * stride + process] += 1
    case .relaxed, .acquire: join(&objects, object, released, process)
    }
  }

  private func fence(_ process: Int) {
    join(&processes, process, seen, process)
    join(&released, process, processes, process)
    processes[process * stride + process] += 1
  }

  private func data(_ machine: SimulatedMachine, _ event: Event, _ process: Int, _ object: Int) {
    let writer = writers[object]
    if writer.time > processes[process * stride + Int(writer.process)] {
      report(machine, event, process, Int(writer.process), "wrote")
    }
    if event.kind == .write {
      for other in 0..<stride where objects[object * stride + other] > processes[process * stride + other] {
        report(machine, event, process, other, "read")
      }
      for entry in 0..<stride { objects[object * stride + entry] = 0 }
      writers[object] = (Int32(process), processes[process * stride + process])
    } else {
      objects[object * stride + process] = processes[process * stride + process]
    }
  }

  private func report(
    _ machine: SimulatedMachine, _ event: Event, _ process: Int, _ other: Int, _ what: String
  ) {
    guard race == nil else { return }
    let name = world.name(of: machine.word(event.object)) ?? "declared data"
    race =
      "\(machine.name(process)) \(event.kind == .write ? "writes" : "reads") \(name), which \(machine.name(other)) \(what); "
      + "nothing orders the two"
  }
}
