// The events of one run and the order that does not commute: happens-before over objects, by vector clocks.
//
// Law: row k of `clocks` says, for each process, the number of its latest event (counted from 1) that comes before event k or is
// it. Two events that neither row knows can be exchanged without changing any state.

import SimulatedMachine

struct Trace {
  /// Columns of a row: at least the processes of the run.
  private(set) var stride = 0
  private(set) var processes: UnsafeMutablePointer<UInt8>
  /// A CPU's IPL and summary when it did the event (``TreePilot/admission``); 255 where they play no part.
  private(set) var ipls: UnsafeMutablePointer<UInt32>
  private(set) var clocks: UnsafeMutablePointer<UInt32>
  private var capacity = 0
  private var clockCapacity = 0
  /// The clock of each process.
  let now: UnsafeMutablePointer<UInt32>
  /// For each object the last write (its number; 0 for none) and a row of reads since.
  private(set) var writes: UnsafeMutablePointer<UInt32>
  private(set) var reads: UnsafeMutablePointer<UInt32>
  private var objectCapacity = 0
  private var readCapacity = 0
  private var objects = 0
  /// How many events there are.
  private(set) var count = 0

  init() {
    processes = .allocate(capacity: 1)
    ipls = .allocate(capacity: 1)
    clocks = .allocate(capacity: 1)
    writes = .allocate(capacity: 1)
    reads = .allocate(capacity: 1)
    now = .allocate(capacity: SimulatedMachine.processLimit * SimulatedMachine.processLimit)
  }

  func deallocate() {
    processes.deallocate()
    ipls.deallocate()
    clocks.deallocate()
    writes.deallocate()
    reads.deallocate()
    now.deallocate()
  }

  mutating func begin(processes count: Int) {
    // A few more for processes that are made on the way.
    stride = min(count + 4, SimulatedMachine.processLimit)
    now.initialize(repeating: 0, count: stride * stride)
    objects = 0
    self.count = 0
    reserve(events: 64)
  }

  /// Makes room for more processes: they are made while the run is under way.
  @inline(never) mutating func widen(processes count: Int) {
    let wide = min(max(count, stride * 2), SimulatedMachine.processLimit)
    if wide <= stride { return }
    /// Rows of the old length, in memory for rows of the new one.
    func widened(_ from: UnsafeMutablePointer<UInt32>, _ rows: Int, _ capacity: Int) -> UnsafeMutablePointer<
      UInt32
    > {
      let to = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
      to.initialize(repeating: 0, count: rows * wide)
      for row in 0..<rows { (to + row * wide).update(from: from + row * stride, count: stride) }
      return to
    }
    clockCapacity = max(clockCapacity, self.count * wide)
    let clocks = widened(self.clocks, self.count, clockCapacity)
    readCapacity = max(readCapacity, objects * wide)
    let reads = widened(self.reads, objects, readCapacity)
    let now = widened(self.now, stride, stride * wide)
    self.now.initialize(repeating: 0, count: wide * wide)
    self.now.update(from: now, count: stride * wide)
    now.deallocate()
    self.clocks.deallocate()
    self.reads.deallocate()
    (self.clocks, self.reads, stride) = (clocks, reads, wide)
  }

  private static func grow<T>(_ memory: inout UnsafeMutablePointer<T>, _ used: Int, _ capacity: Int) {
    let grown = UnsafeMutablePointer<T>.allocate(capacity: capacity)
    grown.moveInitialize(from: memory, count: used)
    memory.deallocate()
    memory = grown
  }

  private mutating func reserve(events: Int) {
    if events > capacity {
      let wanted = max(events, capacity * 2)
      Self.grow(&processes, count, wanted)
      Self.grow(&ipls, count, wanted)
      capacity = wanted
    }
    if events * stride > clockCapacity {
      let wanted = max(events * stride, clockCapacity * 2)
      Self.grow(&clocks, count * stride, wanted)
      clockCapacity = wanted
    }
  }

  /// Makes room for an object's rows; new ones are empty.
  @inline(__always) mutating func touch(_ object: Int) {
    if object >= objects { touchNew(object) }
  }

  @inline(never) private mutating func touchNew(_ object: Int) {
    if object >= objectCapacity {
      let wanted = max(object + 1, 256, objectCapacity * 2)
      Self.grow(&writes, objects, wanted)
      objectCapacity = wanted
    }
    if (object + 1) * stride > readCapacity {
      let wanted = max((object + 1) * stride, 1_024, readCapacity * 2)
      Self.grow(&reads, objects * stride, wanted)
      readCapacity = wanted
    }
    (writes + objects).initialize(repeating: 0, count: object + 1 - objects)
    (reads + objects * stride).initialize(repeating: 0, count: (object + 1 - objects) * stride)
    objects = object + 1
  }

  /// The clock of a process.
  @inline(__always) func clock(_ process: Int) -> UnsafeMutablePointer<UInt32> { now + process * stride }
  /// The clock of an event.
  @inline(__always) func row(_ event: Int) -> UnsafeMutablePointer<UInt32> { clocks + event * stride }
  @inline(__always) func readers(_ object: Int) -> UnsafeMutablePointer<UInt32> { reads + object * stride }

  @inline(__always) func join(_ to: UnsafeMutablePointer<UInt32>, _ from: UnsafeMutablePointer<UInt32>) {
    for entry in 0..<stride where from[entry] > to[entry] { to[entry] = from[entry] }
  }

  /// Whether event `a` comes before event `b` in every schedule of this class (or is it).
  @inline(__always) func isBefore(_ a: Int, _ b: Int) -> Bool {
    row(b)[Int(processes[a])] >= UInt32(truncatingIfNeeded: a + 1)
  }

  /// Adds an event of a process, with the joins of `others` (numbers of events, 0 for none); `also` is a process that goes on
  /// from here as well (the CPU of an interrupt).
  @inline(__always)
  mutating func append(_ process: Int, ipl: UInt32, also: Int = -1) -> Int {
    let index = count
    if index == capacity || (index + 1) * stride > clockCapacity { reserve(events: index + 1) }
    processes[index] = UInt8(truncatingIfNeeded: process)
    ipls[index] = ipl
    count = index + 1
    let clock = clock(process)
    if also >= 0 { join(clock, self.clock(also)) }
    return index
  }

  /// Ends an event whose joins are in its process's clock.
  @inline(__always) func seal(_ index: Int, _ process: Int, also: Int = -1) {
    let clock = clock(process)
    clock[process] = UInt32(truncatingIfNeeded: index + 1)
    row(index).update(from: clock, count: stride)
    if also >= 0 { join(self.clock(also), clock) }
  }

  /// Everything comes before what these processes do next.
  func barrier(_ woken: ProcessSet) {
    var left = woken
    while left != 0 {
      let process = left.first
      left.remove(process)
      if process >= stride { continue }
      for other in 0..<stride { join(clock(process), clock(other)) }
    }
  }
}
