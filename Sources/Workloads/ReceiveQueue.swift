// One CPU's receive queue: what the card has for it, and the ring into which the device's handler moves it.
//
// Law: the device's handler of the CPU alone calls `move`, and alone touches `device`. What the queue itself holds does not change
// while the system runs.

import HostedMachine
import PacketCapture

/// When the card has frames.
enum Arrival {
  /// Always, until `passes` passes are through or `stop` is set.
  case closed(passes: Int)
  /// Frame number n of the queue (over all passes) is due at start + n × interval, in ticks; those due before `countFrom` do
  /// not count.
  case open(start: UInt64, interval: Double, countFrom: UInt64)
}

final class ReceiveQueue: @unchecked Sendable {
  // Sendable: see above.

  /// How many frames a device's handler moves in one run.
  static let batch: UInt = 64
  /// Places of a ring while the card always has frames: as many as keep device and input both busy, and no more, for they
  /// live in the cache.
  static let closedCapacity = 512
  /// Places of all rings together while frames come when they are due. Whoever keeps the input away for longer than they
  /// last loses frames.
  static let openCapacity = 8_192

  /// The device's own: where it is in the capture.
  struct Device {
    var next = 0
    var pass: Int64 = 0
    /// Frames taken from the card, moved or dropped.
    var taken: UInt64 = 0
    /// Those of them that count, and how many of these were dropped.
    var counted: UInt64 = 0
    var drops: UInt64 = 0
  }

  /// Keeps the frames' memory.
  let capture: LoadedCapture
  // The frames of this queue in capture order, and their hashes. By address: going through the objects would count references
  // on lines that all CPUs share, for each frame.
  private let places: UnsafeMutablePointer<LoadedFrame>
  private let hashes: UnsafeMutablePointer<UInt32>
  private let bytes: UnsafeRawPointer
  private let lap: Int64
  private let device: UnsafeMutablePointer<Device>
  /// How many frames one lap has.
  let count: Int
  let queues: Int
  private(set) var arrival = Arrival.closed(passes: 0)
  private(set) var ring: ReceiveRing
  /// Set when the measurement is over.
  let isOver: Flag

  init(_ capture: LoadedCapture, queue: Int, of queues: Int, isOver: Flag) {
    self.capture = capture
    self.isOver = isOver
    self.queues = queues
    let order = capture.queue(queue, of: queues)
    count = order.count
    places = .allocate(capacity: max(count, 1))
    hashes = .allocate(capacity: max(count, 1))
    for (index, frame) in order.enumerated() {
      (places + index).initialize(to: capture.frames[frame])
      (hashes + index).initialize(to: capture.hashes[frame])
    }
    bytes = UnsafeRawPointer(capture.bytes.baseAddress!)
    lap = capture.duration &+ 1_000_000
    // Two lines to itself: nobody else's fields lie beside it.
    device = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
      .bindMemory(to: Device.self, capacity: 1)
    device.initialize(to: Device())
    ring = ReceiveRing(capacity: Self.closedCapacity, longest: capture.longest)
  }

  deinit {
    ring.deallocate()
    device.deallocate()
    hashes.deallocate()
    places.deallocate()
  }

  /// Says when the card has frames. Before the CPU is asked to look at it.
  func begin(_ arrival: Arrival) {
    self.arrival = arrival
    if case .open = arrival {
      ring.deallocate()
      var capacity = Self.openCapacity
      while capacity > max(Self.openCapacity / queues, Int(Self.batch)) { capacity /= 2 }
      ring = ReceiveRing(capacity: capacity, longest: capture.longest)
    }
  }

  /// Frames that the input has done. Any thread.
  var done: UInt64 { ring.done }
  /// Frames that were due and count, and how many of them were lost. Once the CPU stands still.
  var due: UInt64 { device.pointee.counted }
  var drops: UInt64 { device.pointee.drops }

  /// When the next frame is due, in ticks. The queue's own CPU.
  var nextDue: UInt64 {
    guard count > 0, case .open(let start, let interval, _) = arrival else { return .max }
    return Self.due(device.pointee.taken, start, interval)
  }

  @inline(__always) private static func due(_ n: UInt64, _ start: UInt64, _ interval: Double) -> UInt64 {
    start &+ UInt64(Double(n) * interval)
  }

  /// Moves up to a batch of frames: how many, and whether the card has more that can be moved now.
  func move() -> (moved: Int, more: Bool) {
    guard count > 0, !isOver.isSet else { return (0, false) }
    let room = ring.room()
    var moved: UInt = 0
    switch arrival {
    case .closed(let passes):
      while moved < min(room, Self.batch), device.pointee.pass < passes {
        fill(moved, room, due: 0)
        moved += 1
      }
      ring.publish(moved)
      return (Int(moved), room &- moved >= Self.batch && device.pointee.pass < passes)
    case .open(let start, let interval, let countFrom):
      let now = HostedMachine.ticks()
      var taken: UInt = 0
      while taken < Self.batch {
        let due = Self.due(device.pointee.taken, start, interval)
        if due > now { break }
        taken += 1
        let counts: UInt64 = due >= countFrom ? 1 : 0
        device.pointee.counted &+= counts
        if moved < room {
          fill(moved, room, due: due)
          moved += 1
        } else {
          // The card's frame is lost.
          device.pointee.drops &+= counts
          advance()
        }
      }
      ring.publish(moved)
      return (Int(moved), taken == Self.batch)
    }
  }

  @inline(__always) private func fill(_ offset: UInt, _ room: UInt, due: UInt64) {
    let index = device.pointee.next
    let frame = places + index
    let (descriptor, buffer) = ring.place(offset, room: room)
    var header = frame.pointee.header
    // Each pass is later in capture time, so that flows age across passes.
    header.timestamp &+= device.pointee.pass &* lap
    descriptor.initialize(to: ReceivedFrame(header: header, hash: hashes[index], due: due))
    buffer.copyMemory(from: bytes + frame.pointee.offset, byteCount: Int(header.capturedLength))
    advance()
  }

  @inline(__always) private func advance() {
    device.pointee.taken &+= 1
    device.pointee.next += 1
    if device.pointee.next == count {
      device.pointee.next = 0
      device.pointee.pass &+= 1
    }
  }
}
