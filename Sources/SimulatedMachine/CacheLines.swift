// Where the lines of the core's words are: what decides the cost of an operation.
//
// Law: a line is modified at one process, or copied at some; its transfers are one after the other, so `busyUntil` only grows. Seats
// are lines of their own: their memory is the machine's, and no line of it is shared with the core's words.
//
// The states are those of the usual invalidation protocol (Papamarcos and Patel, "A low-overhead coherence solution for
// multiprocessors with private cache memories", ISCA 1984), without the distances between processors.

import SoftInterrupts

/// How much a line was used.
public struct LineUse {
  /// A word of the line.
  public var word: UnsafeMutablePointer<SimulatedWord>
  /// Transfers, and fetches of copies.
  public var transfers: UInt64
  /// How often it was fetched by a CPU that did not have it, to read.
  public var fetches: UInt64
  /// For how long the line was under way, in nanoseconds; and for how long processes waited for lines under way and their own.
  public var busy: Double
  /// For how long processes waited for it, in nanoseconds.
  public var waited: Double
}
struct CacheLines {
  struct Line {
    /// Who has written it and nobody has read it since; -1 for nobody.
    var owner: Int16 = -1
    /// Who has it.
    var holders: ProcessSet = 0
    var busyUntil: UInt64 = 0
    var transfers: UInt64 = 0
    var fetches: UInt64 = 0
    var busy: UInt64 = 0
    var waited: UInt64 = 0
    var word: UnsafeMutablePointer<SimulatedWord>
  }

  /// By object of the run; -1 while it has none.
  private var lineOf: [Int32] = []
  private var lines: [Line] = []
  private var lineAt: [UInt: Int32] = [:]

  /// Eight words are one line on the hosted machine; here they take twice the room, and the core aligns its blocks to that.
  private static var bytes: UInt { UInt(8 * MemoryLayout<SimulatedWord>.stride) }

  /// The line of an object.
  @inline(__always)
  mutating func line(_ object: UInt32, _ machine: SimulatedMachine, isSeat: Bool) -> Int {
    let object = Int(object)
    if object < lineOf.count, lineOf[object] >= 0 { return Int(lineOf[object]) }
    return find(object, machine, isSeat)
  }

  @inline(never)
  private mutating func find(_ object: Int, _ machine: SimulatedMachine, _ isSeat: Bool) -> Int {
    while lineOf.count <= object { lineOf.append(-1) }
    let word = machine.word(UInt32(object))!
    let key = UInt(bitPattern: word) / Self.bytes
    if !isSeat, let known = lineAt[key] {
      lineOf[object] = known
      return Int(known)
    }
    lines.append(Line(word: word))
    let index = lines.count - 1
    lineOf[object] = Int32(index)
    if !isSeat { lineAt[key] = Int32(index) }
    return index
  }

  /// A process reads a word of a line; when it has the value, if it asks at `time`.
  @inline(__always)
  mutating func read(_ line: Int, by process: Int, at time: UInt64, _ costs: borrowing Costs) -> UInt64 {
    if lines[line].holders.has(process) { return time &+ costs.load }
    return miss(line, process, time, costs) &+ costs.load
  }

  @inline(never)
  private mutating func miss(
    _ line: Int, _ process: Int, _ time: UInt64, _ costs: borrowing Costs
  ) -> UInt64 {
    defer { lines[line].holders.insert(process) }
    // Nobody has had it yet: it lies in a cache that all share, as memory does that was used before the simulation.
    if lines[line].holders == 0 { return time }
    let start = max(time, lines[line].busyUntil)
    if lines[line].owner >= 0 {
      lines[line].owner = -1
      return transfer(line, time, start, costs)
    }
    lines[line].fetches &+= 1
    lines[line].waited &+= start &+ costs.fetch &- time
    return start &+ costs.fetch
  }

  /// A process takes a line for itself, to write; when it has it.
  @inline(__always)
  mutating func own(_ line: Int, by process: Int, at time: UInt64, _ costs: borrowing Costs) -> UInt64 {
    if Int(lines[line].owner) == process { return time }
    return takeOver(line, process, time, costs)
  }

  @inline(never)
  private mutating func takeOver(
    _ line: Int, _ process: Int, _ time: UInt64, _ costs: borrowing Costs
  ) -> UInt64 {
    let others = lines[line].holders & ~ProcessSet.only(process)
    lines[line].owner = Int16(process)
    lines[line].holders = .only(process)
    if others == 0 { return time }
    return transfer(line, time, max(time, lines[line].busyUntil), costs)
  }

  private mutating func transfer(
    _ line: Int, _ time: UInt64, _ start: UInt64, _ costs: borrowing Costs
  ) -> UInt64 {
    let end = start &+ costs.transfer
    lines[line].busyUntil = end
    lines[line].transfers &+= 1
    lines[line].busy &+= costs.transfer
    lines[line].waited &+= end &- time
    return end
  }

  /// The lines' use so far, the longest under way first.
  var use: [LineUse] {
    lines.filter { $0.transfers > 0 || $0.fetches > 0 }.map {
      LineUse(
        word: $0.word, transfers: $0.transfers, fetches: $0.fetches, busy: Double($0.busy) / 1_000,
        waited: Double($0.waited) / 1_000)
    }.sorted { $0.busy > $1.busy }
  }
}
