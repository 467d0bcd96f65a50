// Memory as C++20 has it, without load buffering: RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017), as an operational machine.
//
// Law: each word has its writes in modification order, and each process a view: for each word the oldest write that it may still
// read. A read takes any write from there on, a write goes anywhere after it (never between a read-modify-write and what it has
// read): both are choices that the pilot is asked for. Views travel with releases, acquires, fences, rings and ends of processes
// (the timestamps and views of Kang, Hur, Lahav, Vafeiadis and Dreyer, POPL 2017, without promises; so no process reads what
// depends on its own later writes, which is the "no load buffering" of RC11).
//
// Sequential consistency is the true one: one view for all its accesses and fences, in the order in which they are done. An SC
// write is noted there for its word, an SC read reads nothing older than what is noted, an SC fence takes over all that is noted
// and notes all that it knows. So store buffering is excluded by SC accesses or SC fences, and not by acquire and release.

import SoftInterrupts

/// What a load may return.
public enum MemoryModel: UInt8, Sendable {
  /// The last write.
  case sequentiallyConsistent
  /// What C++20 permits (but for load buffering): a choice of the pilot's.
  case rc11
}

final class WeakMemory {
  /// A process's knowledge: for each object the place (in `writes` of the object) of a write, by its number. 0 is the first.
  typealias View = [Int32]

  private struct Write {
    var value: UInt
    var view: View
    /// It is a read-modify-write that has read the write before it: nothing comes between the two.
    var isAttached: Bool
    /// Its place in modification order, from 0.
    var place: Int32
  }
  private struct History {
    /// The writes by number, and their numbers in modification order.
    var writes: [Write]
    var order: [Int32]
  }
  private struct Knowledge {
    var current: View = []
    /// What relaxed reads have brought, for an acquire fence; what a release fence gives to relaxed writes.
    var read: View = []
    var released: View = []
    /// What it knew at its last light fence; and what others' heavy fences have brought, which counts from its next one.
    var light: View = []
    var heavy: View = []
  }

  private var histories: [History?] = []
  private var processes: [Knowledge] = []
  private var consistent: View = []
  private var seats: [View] = []

  /// A run begins.
  func begin() {
    histories.removeAll(keepingCapacity: true)
    processes.removeAll(keepingCapacity: true)
    consistent = []
    seats.removeAll(keepingCapacity: true)
  }

  // MARK: Views

  private func place(_ view: View, _ object: Int) -> Int {
    guard object < view.count, let history = histories[object] else { return 0 }
    return Int(history.writes[Int(view[object])].place)
  }

  private func join(_ to: inout View, _ from: View) {
    while to.count < from.count { to.append(0) }
    for object in from.indices where from[object] != to[object] {
      if place(from, object) > place(to, object) { to[object] = from[object] }
    }
  }

  private func know(_ view: inout View, _ object: Int, _ write: Int32) {
    while view.count <= object { view.append(0) }
    let writes = histories[object]!.writes
    if writes[Int(write)].place > writes[Int(view[object])].place { view[object] = write }
  }

  private func history(_ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    while histories.count <= object {
      histories.append(nil)
      seats.append([])
    }
    if histories[object] == nil {
      histories[object] = History(
        writes: [Write(value: at.pointee.bits, view: [], isAttached: false, place: 0)], order: [0])
    }
  }

  private func admit(_ process: Int) {
    while processes.count <= process { processes.append(Knowledge()) }
  }

  private static func isAcquire(_ order: MemoryOrder) -> Bool { order != .relaxed && order != .release }
  private static func isRelease(_ order: MemoryOrder) -> Bool { order != .relaxed && order != .acquire }

  /// The place of the oldest write that an access may see.
  private func oldest(_ process: Int, _ object: Int, _ order: MemoryOrder) -> Int {
    let own = place(processes[process].current, object)
    return order == .sequentiallyConsistent ? max(own, place(consistent, object)) : own
  }

  private func take(_ process: Int, _ object: Int, _ number: Int32, _ order: MemoryOrder) {
    know(&processes[process].current, object, number)
    let view = histories[object]!.writes[Int(number)].view
    if Self.isAcquire(order) {
      join(&processes[process].current, view)
    } else {
      join(&processes[process].read, view)
    }
  }

  // MARK: Accesses

  func load(_ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ order: MemoryOrder) -> UInt {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    history(object, at)
    admit(process)
    let history = histories[object]!
    // Option 0 is the newest.
    let newest = history.order.count - 1
    let place = newest - engine.option(newest - oldest(process, object, order) + 1)
    let number = history.order[place]
    take(process, object, number, order)
    return history.writes[Int(number)].value
  }

  func store(
    _ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ value: UInt, _ order: MemoryOrder
  ) {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    history(object, at)
    admit(process)
    let history = histories[object]!
    let least = oldest(process, object, order) + 1
    // At the end, or before a write that has nothing attached to what is before it.
    var places: [Int] = [history.order.count]
    for place in stride(from: history.order.count - 1, through: least, by: -1)
    where !history.writes[Int(history.order[place])].isAttached {
      places.append(place)
    }
    let place = places[engine.option(places.count)]
    insert(process, object, value, order, at: place, after: nil)
    at.pointee.bits = newest(object)
  }

  /// A read-modify-write: reads a write that no other one has read, and comes right after it. `expected` is a compare-exchange's:
  /// where it reads something else, it is a load. The value read.
  func modify(
    _ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ order: MemoryOrder, expected: UInt?,
    _ change: (UInt) -> UInt
  ) -> UInt {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    history(object, at)
    admit(process)
    let history = histories[object]!
    let count = history.order.count
    var places: [Int] = []
    for place in stride(from: count - 1, through: oldest(process, object, order), by: -1) {
      let write = history.writes[Int(history.order[place])]
      let isTaken = place + 1 < count && history.writes[Int(history.order[place + 1])].isAttached
      if !isTaken || (expected != nil && write.value != expected) { places.append(place) }
    }
    let place = places[engine.option(places.count)]
    let number = history.order[place]
    let old = history.writes[Int(number)].value
    take(process, object, number, order)
    if let expected, old != expected { return old }
    insert(process, object, change(old), order, at: place + 1, after: number)
    at.pointee.bits = newest(object)
    return old
  }

  private func newest(_ object: Int) -> UInt {
    let history = histories[object]!
    return history.writes[Int(history.order.last!)].value
  }

  private func insert(
    _ process: Int, _ object: Int, _ value: UInt, _ order: MemoryOrder, at place: Int, after read: Int32?
  ) {
    let number = Int32(histories[object]!.writes.count)
    histories[object]!.order.insert(number, at: place)
    histories[object]!.writes.append(
      Write(value: value, view: [], isAttached: read != nil, place: Int32(place)))
    for later in place..<histories[object]!.order.count {
      histories[object]!.writes[Int(histories[object]!.order[later])].place = Int32(later)
    }
    know(&processes[process].current, object, number)
    var view = Self.isRelease(order) ? processes[process].current : processes[process].released
    know(&view, object, number)
    // The release sequence goes on through a read-modify-write.
    if let read { join(&view, histories[object]!.writes[Int(read)].view) }
    histories[object]!.writes[Int(number)].view = view
    if order == .sequentiallyConsistent { know(&consistent, object, number) }
  }

  // MARK: Fences, rings, lives

  /// An SC fence of a process.
  func fence(_ process: Int) {
    admit(process)
    join(&processes[process].current, processes[process].read)
    join(&processes[process].current, consistent)
    consistent = processes[process].current
    processes[process].released = consistent
  }

  /// A light fence: what came before it is before every later heavy fence of another, and what comes after it is after every
  /// earlier one.
  func lightFence(_ process: Int) {
    admit(process)
    processes[process].light = processes[process].current
    join(&processes[process].current, processes[process].heavy)
  }

  /// Another's heavy fence passes a process. Only the light fences around that point order anything with it: the compiler may move
  /// an access that no light fence holds, so a heavy fence without its partner is none.
  func passed(_ process: Int) {
    admit(process)
    join(&consistent, processes[process].light)
    join(&processes[process].heavy, consistent)
  }

  func ring(_ process: Int, _ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    history(object, at)
    admit(process)
    join(&seats[object], processes[process].current)
  }
  func wake(_ process: Int, _ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    history(object, at)
    admit(process)
    join(&processes[process].current, seats[object])
  }
  /// A process was made by another.
  func inherit(_ process: Int, from maker: Int) {
    admit(max(process, maker))
    processes[process] = processes[maker]
  }
  /// A spin wait goes on: the writes that it was woken for have arrived, so that waiting ends. (Who is to see a write in between is
  /// woken by that write.)
  func catchUp(_ process: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    let object = Int(at.pointee.object)
    guard object < histories.count, let history = histories[object] else { return }
    admit(process)
    know(&processes[process].current, object, history.order.last!)
  }
}

extension EngineRef {
  /// One of `count` options, where there are several: the pilot's choice.
  func option(_ count: Int) -> Int {
    if count <= 1 || !p.pointee.isPiloted { return 0 }
    return p.pointee.pilot._withUnsafeGuaranteedRef { $0.option(p.pointee.machine, count) }
  }

  /// The memory, where it is weak and a run is under way.
  @inline(__always) var weak: WeakMemory? {
    p.pointee.isWeak && p.pointee.isPiloted ? p.pointee.machine.weakMemory : nil
  }
}
