// The memory between a CPU's device and its input: descriptors and buffers, as of a network card.
//
// Law: the producer (the device's handler) fills the places head ..< tail + capacity and alone writes the first line of `words`;
// the consumer (the input, on whichever CPU the discipline lets it run) reads the places head ..< tail and alone writes the
// second. A batch is published by one release of `tail` and given back by one release of `head` after the last look at it,
// so a frame costs no word of its own, and no buffer is overwritten while somebody looks at it. The producer takes back the
// buffers of places given back and uses the latest first: however deep the ring, only as many live in the cache as are in use.
//
// All of it is reached by address: objects would have their references counted on lines that the CPUs share.

import HostedMachine
import PacketCapture

/// A frame in a receive buffer.
struct ReceivedFrame {
  var header: FrameHeader
  /// What the card computed of addresses and ports, as cards do (receive side scaling).
  var hash: UInt32
  /// When the frame was due, in ticks; 0 in a closed loop.
  var due: UInt64
}

struct ReceiveRing {
  typealias Word = HostedMachine.Word

  let capacity: UInt
  /// A buffer's size, a multiple of a cache line.
  let frameSize: Int
  private let descriptors: UnsafeMutablePointer<ReceivedFrame>
  private let buffers: UnsafeMutableRawPointer
  /// The number of the buffer in each place; the producer writes it before the place is published.
  private let bufferOf: UnsafeMutablePointer<UInt32>
  /// The producer's: buffers that are in no place, the best on top.
  private let free: UnsafeMutablePointer<UInt32>
  private let words: UnsafeMutablePointer<Word>

  /// Two lines for each side: processors fetch lines in pairs.
  private static var side: Int { 16 }

  /// - Parameter capacity: a power of two.
  init(capacity: Int, longest: Int) {
    precondition(
      capacity > 0 && capacity & (capacity - 1) == 0, "a receive ring's capacity is a power of two")
    self.capacity = UInt(capacity)
    frameSize = max((longest + 63) / 64 * 64, 64)
    descriptors = Self.allocate(capacity, of: ReceivedFrame.self)
    buffers = .allocate(byteCount: frameSize * capacity, alignment: 128)
    // Touched now: the first lap of a measurement is not for page faults.
    buffers.initializeMemory(as: UInt8.self, repeating: 0, count: frameSize * capacity)
    bufferOf = Self.allocate(capacity, of: UInt32.self)
    bufferOf.initialize(repeating: 0, count: capacity)
    free = Self.allocate(capacity, of: UInt32.self)
    for index in 0..<capacity { (free + index).initialize(to: UInt32(capacity - 1 - index)) }
    words = Self.allocate(2 * Self.side, of: Word.self)
    words.initialize(repeating: Word(0), count: 2 * Self.side)
  }

  private static func allocate<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
    UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride, alignment: 128)
      .bindMemory(to: type, capacity: count)
  }

  func deallocate() {
    descriptors.deallocate()
    buffers.deallocate()
    bufferOf.deallocate()
    free.deallocate()
    words.deallocate()
  }

  // Written by the producer: how many frames were ever published, and what it knows of `head`.
  private var tail: UnsafeMutablePointer<Word> { words }
  private var knownHead: UnsafeMutablePointer<Word> { words + 1 }
  // Written by the consumer: how many it has given back, and what it knows of `tail`.
  private var head: UnsafeMutablePointer<Word> { words + Self.side }
  private var knownTail: UnsafeMutablePointer<Word> { words + Self.side + 1 }

  @inline(__always) private func index(_ frame: UInt) -> Int { Int(frame & (capacity &- 1)) }

  /// Frames given back. Any thread.
  var done: UInt64 { UInt64(Word.load(head, .acquire)) }

  // MARK: Producer

  /// Takes back what the consumer gave back; how many frames fit now.
  @inline(__always) func room() -> UInt {
    let at = Word.load(tail, .relaxed)
    let known = Word.load(knownHead, .relaxed)
    // Acquire: pairs with the release in `giveBack`; the consumer looks at those places no more.
    let seen = Word.load(head, .acquire)
    // As many buffers are free as places were empty: those go on top.
    var top = Int(capacity &- (at &- known))
    var frame = known
    while frame != seen {
      free[top] = bufferOf[index(frame)]
      top += 1
      frame &+= 1
    }
    Word.store(knownHead, seen, .relaxed)
    return capacity &- (at &- seen)
  }

  /// The next place but `offset`, to be filled, where there is room for `room` frames, as ``room()`` said before any was filled.
  @inline(__always)
  func place(
    _ offset: UInt, room: UInt
  ) -> (descriptor: UnsafeMutablePointer<ReceivedFrame>, buffer: UnsafeMutableRawPointer) {
    let index = index(Word.load(tail, .relaxed) &+ offset)
    let buffer = free[Int(room &- 1 &- offset)]
    bufferOf[index] = buffer
    return (descriptors + index, buffers + Int(buffer) * frameSize)
  }

  /// Release: publishes places and buffers.
  @inline(__always) func publish(_ count: UInt) {
    Word.store(tail, Word.load(tail, .relaxed) &+ count, .release)
  }

  // MARK: Consumer

  /// How many frames lie ready, at most `limit`.
  @inline(__always) func ready(_ limit: UInt) -> UInt {
    let at = Word.load(head, .relaxed)
    if Word.load(knownTail, .relaxed) &- at < limit {
      // Acquire: pairs with `publish`.
      Word.store(knownTail, Word.load(tail, .acquire), .relaxed)
    }
    return min(Word.load(knownTail, .relaxed) &- at, limit)
  }

  /// A ready frame, counted from the oldest.
  @inline(__always)
  func frame(_ offset: UInt) -> (descriptor: UnsafePointer<ReceivedFrame>, bytes: UnsafeRawPointer) {
    let index = index(Word.load(head, .relaxed) &+ offset)
    return (UnsafePointer(descriptors + index), UnsafeRawPointer(buffers + Int(bufferOf[index]) * frameSize))
  }

  /// Release: the places may be filled again.
  @inline(__always) func giveBack(_ count: UInt) {
    Word.store(head, Word.load(head, .relaxed) &+ count, .release)
  }
}
