// One CPU's receive queue in a simulation: when the card has frames, and the ring that the device's handler fills.
//
// Law: as `ReceiveQueue` and `ReceiveRing` have it: the device alone moves `taken` and the ring's tail, the input alone its head. The
// two indices are words on lines of their own; what lies in the ring is plain.

import PacketCapture
import SimulatedMachine

final class SimulatedQueue {
  /// A frame in the ring.
  struct Frame {
    /// Its place in the capture, and the lap.
    var index: Int
    var lap: Int64
    /// When it was due, in nanoseconds; 0 in a closed loop.
    var due: UInt64
  }

  private let order: [Int]
  private let capacity: UInt
  private var frames: [Frame]
  private let words: UnsafeMutablePointer<SimulatedWord>
  private var tail: UnsafeMutablePointer<SimulatedWord> { words }
  private var head: UnsafeMutablePointer<SimulatedWord> { words + 16 }
  private var knownHead: UInt = 0
  private var knownTail: UInt = 0
  private var place = 0
  private var lap: Int64 = 0
  private var taken: UInt64 = 0
  /// The interval of an open loop in nanoseconds; nil in a closed loop.
  private var interval: Double?
  private var start: UInt64 = 0
  private var countFrom: UInt64 = 0
  /// Frames that were due and count, and those of them that were lost.
  private(set) var counted: UInt64 = 0
  private(set) var drops: UInt64 = 0
  /// Frames that the input has done.
  private(set) var done: UInt64 = 0
  /// How many of the frames given back were looked at by another CPU than the queue's; the device takes their lines back.
  var usedElsewhere = 0
  let count: Int

  init(
    _ capture: LoadedCapture, queue: Int, of queues: Int, interval: Double?, start: UInt64, countFrom: UInt64
  ) {
    order = capture.queue(queue, of: queues)
    count = order.count
    self.interval = interval
    self.start = start
    self.countFrom = countFrom
    var size = ReceiveQueue.closedCapacity
    if interval != nil {
      size = ReceiveQueue.openCapacity
      while size > max(ReceiveQueue.openCapacity / queues, Int(ReceiveQueue.batch)) { size /= 2 }
    }
    capacity = UInt(size)
    frames = Array(repeating: Frame(index: 0, lap: 0, due: 0), count: size)
    // Eight words are a line; two lines for each side.
    words = UnsafeMutableRawPointer.allocate(
      byteCount: 32 * MemoryLayout<SimulatedWord>.stride, alignment: 128
    )
    .bindMemory(to: SimulatedWord.self, capacity: 32)
    words.initialize(repeating: SimulatedWord(0), count: 32)
  }

  deinit { words.deallocate() }

  /// When the next frame is due, in nanoseconds.
  var nextDue: UInt64 {
    guard count > 0, let interval else { return .max }
    return start &+ UInt64(Double(taken) * interval)
  }

  /// Moves up to a batch of frames: how many, and whether the card has more that can be moved now.
  func move() -> (moved: Int, more: Bool) {
    guard count > 0 else { return (0, false) }
    let tail = SimulatedWord.load(self.tail, .relaxed)
    knownHead = SimulatedWord.load(head, .acquire)
    let room = capacity &- (tail &- knownHead)
    var moved: UInt = 0
    var more = false
    if interval == nil {
      while moved < min(room, ReceiveQueue.batch) { fill(tail, &moved, due: 0) }
      more = room &- moved >= ReceiveQueue.batch
    } else {
      let now = SimulatedMachine.ticks()
      var looked: UInt = 0
      while looked < ReceiveQueue.batch {
        let due = nextDue
        if due > now { break }
        looked += 1
        if due >= countFrom { counted &+= 1 }
        if moved < room {
          fill(tail, &moved, due: due)
        } else {
          if due >= countFrom { drops &+= 1 }
          advance()
        }
      }
      more = looked == ReceiveQueue.batch
    }
    SimulatedWord.store(self.tail, tail &+ moved, .release)
    return (Int(moved), more)
  }

  private func fill(_ tail: UInt, _ moved: inout UInt, due: UInt64) {
    frames[Int((tail &+ moved) % capacity)] = Frame(index: order[place], lap: lap, due: due)
    moved += 1
    advance()
  }

  private func advance() {
    taken &+= 1
    place += 1
    if place == count {
      place = 0
      lap &+= 1
    }
  }

  /// How many frames lie ready, at most `limit`.
  func ready(_ limit: UInt) -> UInt {
    let at = SimulatedWord.load(head, .relaxed)
    if knownTail &- at < limit { knownTail = SimulatedWord.load(tail, .acquire) }
    return min(knownTail &- at, limit)
  }

  /// A ready frame, counted from the oldest. No operation: the head is the input's own.
  func frame(_ offset: UInt) -> Frame { frames[Int((head.value &+ offset) % capacity)] }

  func giveBack(_ count: UInt) {
    done &+= UInt64(count)
    SimulatedWord.store(head, head.value &+ count, .release)
  }
}
