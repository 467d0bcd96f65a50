// Memory as C++20 has it, without load buffering: RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017), as an operational machine.
//
// Law: each word has its writes in modification order, and each process a view: for each word the oldest write that it may still
// read. A read takes any write from there on, a write goes anywhere after it (never between a read-modify-write and what it has
// read): both are choices that the pilot is asked for. Views travel with releases, acquires, fences, rings and ends of processes
// (the timestamps and views of Kang, Hur, Lahav, Vafeiadis and Dreyer, POPL 2017, without promises; so no process reads what
// depends on its own later writes, which is the "no load buffering" of RC11).
//
// Sequential consistency is the true one: one view for all its accesses and fences, in the order in which they are done. An SC
// write, and what an SC read has read, is noted there for its word; an SC access sees and writes nothing older than what is noted;
// an SC fence takes over all that is noted and notes all that it knows. These are the four rules of C++20 ([atomics.order] 4) for
// "coherence-ordered before". (RC11 as published is weaker in one thing: two SC reads that read from a write that is not SC.)
//
// A view has a clock as well: how far of each other process is before, in the sense of happens-before. It travels with the
// view, but not by the order of SC accesses and fences, which orders no plain memory.

import SoftInterrupts

/// What a load may return.
public enum MemoryModel: UInt8, Sendable {
  /// The last write.
  case sequentiallyConsistent
  /// What C++20 permits (but for load buffering): a choice of the pilot's.
  case rc11
}

final class WeakMemory {
  private struct Write {
    var value: UInt
    /// The row of what it releases.
    var view: Int
    /// It is a read-modify-write that has read the write before it: nothing comes between the two.
    var isAttached: Bool
    /// Its place in modification order, from 0.
    var place: UInt32
  }
  /// The writes of a word by number, and their numbers in modification order.
  private struct History {
    var writes: ContiguousArray<Write> = []
    var order: ContiguousArray<UInt32> = []
    /// The row of what rings of a seat have brought; -1 for none.
    var seat = -1
  }
  /// The rows of a process. Current: what it knows. Read: what relaxed reads have brought, for an acquire fence. Released: what a
  /// release fence gives to relaxed writes. Light: what it knew at its last light fence. Heavy: what others' heavy fences have
  /// brought, which counts from its next light one.
  private enum Row: Int { case current, read, released, light, heavy }

  // A row is a clock (an entry for each process), then for each object the number of a write; 0 is the first.
  private var rows: UnsafeMutablePointer<UInt32>
  private var rowCount = 0
  private var rowCapacity = 0
  private var clocks = 0
  private var places = 0
  private var stride: Int { clocks + places }
  /// Objects of which anything is known in this run: one more than the highest.
  private var objects = 0
  private var histories: UnsafeMutablePointer<History>
  private var historyCapacity = 0
  /// The first row of each process; -1 for none yet.
  private let firstRows: UnsafeMutablePointer<Int>
  /// What all SC accesses and fences so far have noted, and a row that knows nothing.
  private var consistent = 0
  private var empty = 0
  private var scratch: ContiguousArray<Int> = []

  init() {
    rows = .allocate(capacity: 1)
    histories = .allocate(capacity: 1)
    firstRows = .allocate(capacity: SimulatedMachine.processLimit)
  }

  deinit {
    rows.deallocate()
    histories.deinitialize(count: historyCapacity)
    histories.deallocate()
    firstRows.deallocate()
  }

  /// A run begins, of so many processes; more may come.
  func begin(processes: Int) {
    for object in 0..<objects {
      histories[object].writes.removeAll(keepingCapacity: true)
      histories[object].order.removeAll(keepingCapacity: true)
      histories[object].seat = -1
    }
    objects = 0
    rowCount = 0
    firstRows.initialize(repeating: -1, count: SimulatedMachine.processLimit)
    if processes + 8 > clocks { lay(clocks: processes + 8, places: max(places, 128)) }
    consistent = newRow()
    empty = newRow()
  }

  // MARK: Rows

  private func lay(clocks wantedClocks: Int, places wantedPlaces: Int) {
    let wanted = wantedClocks + wantedPlaces
    let capacity = max(256, rowCapacity)
    let laid = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * wanted)
    laid.initialize(repeating: 0, count: rowCount * wanted)
    for row in 0..<rowCount {
      let (from, to) = (rows + row * stride, laid + row * wanted)
      to.update(from: from, count: clocks)
      (to + wantedClocks).update(from: from + clocks, count: places)
    }
    rows.deallocate()
    rows = laid
    rowCapacity = capacity
    (clocks, places) = (wantedClocks, wantedPlaces)
  }

  private func newRow() -> Int {
    if rowCount == rowCapacity {
      let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: rowCapacity * 2 * stride)
      grown.initialize(from: rows, count: rowCount * stride)
      rows.deallocate()
      rows = grown
      rowCapacity *= 2
    }
    (rows + rowCount * stride).initialize(repeating: 0, count: stride)
    rowCount += 1
    return rowCount - 1
  }

  @inline(__always) private func row(_ process: Int, _ row: Row) -> Int {
    firstRows[process] + row.rawValue
  }
  @inline(__always) private func clock(_ row: Int) -> UnsafeMutablePointer<UInt32> { rows + row * stride }
  @inline(__always) private func view(_ row: Int) -> UnsafeMutablePointer<UInt32> {
    rows + (row * stride + clocks)
  }

  /// The place of what a row knows of an object.
  @inline(__always) private func place(_ row: Int, _ object: Int) -> Int {
    Int(histories[object].writes[Int(view(row)[object])].place)
  }

  private func joinPlaces(_ to: Int, _ from: Int) {
    let (mine, other) = (view(to), view(from))
    for object in 0..<objects where mine[object] != other[object] {
      // A number that is not 0 is of a write, so there is a history.
      let writes = histories + object
      if writes.pointee.writes[Int(other[object])].place > writes.pointee.writes[Int(mine[object])].place {
        mine[object] = other[object]
      }
    }
  }
  private func joinClock(_ to: Int, _ from: Int) {
    let (mine, other) = (clock(to), clock(from))
    for process in 0..<clocks where other[process] > mine[process] { mine[process] = other[process] }
  }
  private func join(_ to: Int, _ from: Int) {
    joinPlaces(to, from)
    joinClock(to, from)
  }
  private func copy(_ to: Int, _ from: Int) { clock(to).update(from: clock(from), count: stride) }

  @inline(__always) private func know(_ row: Int, _ object: Int, _ write: UInt32) {
    let known = view(row) + object
    let writes = histories + object
    if writes.pointee.writes[Int(write)].place > writes.pointee.writes[Int(known.pointee)].place {
      known.pointee = write
    }
  }

  private func admit(_ process: Int) {
    if firstRows[process] >= 0 { return }
    if process >= clocks { lay(clocks: process + 8, places: places) }
    firstRows[process] = rowCount
    for _ in 0..<5 { _ = newRow() }
    clock(row(process, .current))[process] = 1
  }

  private func admit(_ process: Int, _ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    admit(process)
    if object >= objects {
      if object >= places { lay(clocks: clocks, places: max(object + 1, places * 2)) }
      if object >= historyCapacity {
        let capacity = max(object + 1, historyCapacity * 2, 128)
        let grown = UnsafeMutablePointer<History>.allocate(capacity: capacity)
        grown.moveInitialize(from: histories, count: historyCapacity)
        (grown + historyCapacity).initialize(repeating: History(), count: capacity - historyCapacity)
        histories.deallocate()
        histories = grown
        historyCapacity = capacity
      }
      objects = object + 1
    }
    if histories[object].order.isEmpty {
      // What it held before the run, which is before everything.
      histories[object].writes.append(
        Write(value: at.pointee.bits, view: empty, isAttached: false, place: 0))
      histories[object].order.append(0)
    }
  }

  /// What a process does from here on is after what it has released.
  @inline(__always) private func tick(_ process: Int) { clock(row(process, .current))[process] += 1 }

  private static func isAcquire(_ order: MemoryOrder) -> Bool { order != .relaxed && order != .release }
  private static func isRelease(_ order: MemoryOrder) -> Bool { order != .relaxed && order != .acquire }

  /// The place of the oldest write that an access may see.
  private func oldest(_ process: Int, _ object: Int, _ order: MemoryOrder) -> Int {
    let own = place(row(process, .current), object)
    return order == .sequentiallyConsistent ? max(own, place(consistent, object)) : own
  }

  private func take(_ process: Int, _ object: Int, _ number: UInt32, _ order: MemoryOrder) {
    let current = row(process, .current)
    know(current, object, number)
    let view = histories[object].writes[Int(number)].view
    join(Self.isAcquire(order) ? current : row(process, .read), view)
    if order == .sequentiallyConsistent { know(consistent, object, number) }
  }

  // MARK: Accesses

  func load(_ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ order: MemoryOrder) -> UInt {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    admit(process, object, at)
    // Option 0 is the newest.
    let newest = histories[object].order.count - 1
    let place = newest - engine.option(newest - oldest(process, object, order) + 1)
    let number = histories[object].order[place]
    take(process, object, number, order)
    return histories[object].writes[Int(number)].value
  }

  func store(
    _ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ value: UInt, _ order: MemoryOrder
  ) {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    admit(process, object, at)
    let count = histories[object].order.count
    let least = oldest(process, object, order) + 1
    // At the end, or before a write that has nothing attached to what is before it.
    scratch.removeAll(keepingCapacity: true)
    scratch.append(count)
    var place = count - 1
    while place >= least {
      if !histories[object].writes[Int(histories[object].order[place])].isAttached { scratch.append(place) }
      place -= 1
    }
    insert(process, object, value, order, at: scratch[engine.option(scratch.count)], after: nil)
    at.pointee.bits = newest(object)
  }

  /// A read-modify-write: reads a write that no other one has read, and comes right after it. `expected` is a compare-exchange's:
  /// where it reads something else, it is a load. The value read.
  func modify(
    _ engine: EngineRef, _ at: UnsafeMutablePointer<SimulatedWord>, _ order: MemoryOrder, expected: UInt?,
    _ change: (UInt) -> UInt
  ) -> UInt {
    let (process, object) = (engine.p.pointee.running, Int(at.pointee.object))
    admit(process, object, at)
    let count = histories[object].order.count
    let least = oldest(process, object, order)
    scratch.removeAll(keepingCapacity: true)
    var isTaken = false
    var place = count - 1
    while place >= least {
      let write = histories[object].writes[Int(histories[object].order[place])]
      if !isTaken || (expected != nil && write.value != expected) { scratch.append(place) }
      isTaken = write.isAttached
      place -= 1
    }
    place = scratch[engine.option(scratch.count)]
    let number = histories[object].order[place]
    let old = histories[object].writes[Int(number)].value
    take(process, object, number, order)
    if let expected, old != expected { return old }
    insert(process, object, change(old), order, at: place + 1, after: number)
    at.pointee.bits = newest(object)
    return old
  }

  private func newest(_ object: Int) -> UInt {
    histories[object].writes[Int(histories[object].order[histories[object].order.count - 1])].value
  }

  private func insert(
    _ process: Int, _ object: Int, _ value: UInt, _ order: MemoryOrder, at place: Int, after read: UInt32?
  ) {
    let released = newRow()
    let history = histories + object
    let number = UInt32(history.pointee.writes.count)
    history.pointee.order.insert(number, at: place)
    history.pointee.writes.append(
      Write(value: value, view: released, isAttached: read != nil, place: UInt32(place)))
    for later in place..<history.pointee.order.count {
      history.pointee.writes[Int(history.pointee.order[later])].place = UInt32(later)
    }
    know(row(process, .current), object, number)
    let isRelease = Self.isRelease(order)
    copy(released, row(process, isRelease ? .current : .released))
    know(released, object, number)
    // The release sequence goes on through a read-modify-write, and only through one (C++20).
    if let read { join(released, history.pointee.writes[Int(read)].view) }
    if order == .sequentiallyConsistent { know(consistent, object, number) }
    if isRelease { tick(process) }
  }

  // MARK: Fences, rings, lives

  /// An SC fence of a process.
  func fence(_ process: Int) {
    admit(process)
    let current = row(process, .current)
    join(current, row(process, .read))
    joinPlaces(current, consistent)
    joinPlaces(consistent, current)
    copy(row(process, .released), current)
    tick(process)
  }

  /// A light fence: what came before it is before every later heavy fence of another, and what comes after it is after every
  /// earlier one.
  func lightFence(_ process: Int) {
    admit(process)
    let (current, light, heavy) = (row(process, .current), row(process, .light), row(process, .heavy))
    copy(light, current)
    join(light, row(process, .read))
    join(current, heavy)
    join(row(process, .released), heavy)
    tick(process)
  }

  /// Another's heavy fence passes a process: an SC fence of its own, between its last light fence and its next. Only these order
  /// anything with it: the compiler may move an access that no light fence holds, so a heavy fence without its partner is none.
  func passed(_ process: Int) {
    admit(process)
    let (light, heavy) = (row(process, .light), row(process, .heavy))
    joinPlaces(consistent, light)
    joinPlaces(heavy, consistent)
    // Of happens-before it brings what the process itself has read.
    joinClock(heavy, light)
  }

  func ring(_ process: Int, _ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    admit(process, object, at)
    if histories[object].seat < 0 { histories[object].seat = newRow() }
    join(histories[object].seat, row(process, .current))
    tick(process)
  }
  func wake(_ process: Int, _ object: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    admit(process, object, at)
    if histories[object].seat >= 0 { join(row(process, .current), histories[object].seat) }
  }
  /// A process was made by another: all that its maker knows comes before it. (Not what a fence of its maker's gives or would
  /// take: that is its maker's.)
  func inherit(_ process: Int, from maker: Int) {
    admit(maker)
    admit(process)
    join(row(process, .current), row(maker, .current))
    tick(maker)
  }
  /// A spin wait goes on: the writes that it was woken for have arrived, so that waiting ends. (Who is to see a write in between is
  /// woken by that write.)
  func catchUp(_ process: Int, _ at: UnsafeMutablePointer<SimulatedWord>) {
    let object = Int(at.pointee.object)
    guard object < objects, let newest = histories[object].order.last else { return }
    admit(process)
    know(row(process, .current), object, newest)
  }

  /// How far of each process is before what a process does now.
  func clock(of process: Int) -> UnsafePointer<UInt32> {
    admit(process)
    return UnsafePointer(clock(row(process, .current)))
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
