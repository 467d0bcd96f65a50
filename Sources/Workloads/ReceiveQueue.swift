// One CPU's receive queue: what the card has for it, and the ring into which the device's handler moves it.
//
// Law: the device's handler of the CPU produces, the CPU's softNet input consumes. A buffer is reused only when the ring has
// handed it back: there are twice as many buffers as places in the ring, so the frame that the consumer is looking at is not
// overwritten (the producer is at most one ring ahead of the last frame popped).

import HostedMachine
import PacketCapture
import SoftInterrupts

/// A frame in a receive buffer.
struct ReceivedFrame {
  var buffer: UnsafeMutableRawPointer
  var header: FrameHeader
  /// When the frame was due, in ticks; 0 in a closed loop.
  var due: UInt64
}

/// When the card has frames.
enum Arrival {
  /// Always, until `passes` passes are through or `stop` is set.
  case closed(passes: Int)
  /// Frame number n of the queue (over all passes) is due at start + n × interval.
  case open(start: UInt64, interval: Double)
}

final class ReceiveQueue: @unchecked Sendable {
  // Sendable: producer and consumer fields are each one side's; see above.

  static let capacity = 512
  /// How many frames a device's handler moves in one run.
  static let batch = 64

  /// Keeps the frames' memory.
  let capture: LoadedCapture
  /// The frames of this queue, in capture order: indices into `frames`.
  let order: [Int]
  // The same by address: going through the objects would count references on lines that all CPUs share, for each frame.
  private let places: UnsafeMutablePointer<LoadedFrame>
  private let bytes: UnsafeRawPointer
  private let lap: Int64
  let ring = Ring<ReceivedFrame, HostedMachine>(capacity: capacity)
  let buffers: UnsafeMutableRawPointer
  let bufferSize: Int

  /// How many frames one lap has.
  let count: Int

  // Producer: the device.
  var arrival = Arrival.closed(passes: 0)
  var next = 0
  var pass: Int64 = 0
  var moved: UInt64 = 0
  var pushed: UInt64 = 0
  var drops: UInt64 = 0
  /// Set when the measurement is over.
  let isOver: Flag

  // Consumer: the input.
  let done = Counter()

  init(_ capture: LoadedCapture, order: [Int], isOver: Flag) {
    self.capture = capture
    self.order = order
    count = order.count
    self.isOver = isOver
    places = .allocate(capacity: max(order.count, 1))
    for (index, frame) in order.enumerated() { (places + index).initialize(to: capture.frames[frame]) }
    bytes = UnsafeRawPointer(capture.bytes.baseAddress!)
    lap = capture.duration &+ 1_000_000
    bufferSize = max((capture.longest + 63) / 64 * 64, 64)
    buffers = .allocate(byteCount: bufferSize * Self.capacity * 2, alignment: 64)
  }

  deinit {
    buffers.deallocate()
    places.deallocate()
  }

  /// Whether the card has a frame now that the ring has room for.
  func isReady(_ now: UInt64) -> Bool {
    guard count > 0, !isOver.isSet else { return false }
    switch arrival {
    case .closed(let passes): return pass < passes && ring.count < Self.capacity
    case .open: return dueTicks(moved) <= now
    }
  }

  /// When frame n is due, in ticks.
  func dueTicks(_ n: UInt64) -> UInt64 {
    guard case .open(let start, let interval) = arrival else { return 0 }
    return start &+ UInt64(Double(n) * interval)
  }

  /// Moves up to a batch of frames; how many, and whether more are ready.
  func move() -> (moved: Int, more: Bool) {
    var taken = 0
    let now = HostedMachine.ticks()
    while taken < Self.batch, isReady(now) {
      let frame = places[next]
      // The producer's own count of its ring is never too low.
      if ring.count >= Self.capacity {
        // Open loop only: the card's frame is lost.
        drops &+= 1
        advance()
        taken += 1
        continue
      }
      let index = Int(truncatingIfNeeded: pushed) & (2 * Self.capacity - 1)
      let buffer = buffers + index * bufferSize
      var header = frame.header
      // Each pass is later in capture time, so that flows age across passes.
      header.timestamp &+= pass &* lap
      let due = dueTicks(moved)
      buffer.copyMemory(from: bytes + frame.offset, byteCount: Int(header.capturedLength))
      _ = ring.push(ReceivedFrame(buffer: buffer, header: header, due: due))
      pushed &+= 1
      advance()
      taken += 1
    }
    return (taken, isReady(HostedMachine.ticks()))
  }

  private func advance() {
    moved &+= 1
    next += 1
    if next == count {
      next = 0
      pass &+= 1
    }
  }
}
