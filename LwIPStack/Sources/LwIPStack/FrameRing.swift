// Frames between two levels: a slab of slots that go round.
//
// Law: a slot is the producer's, or in `full`, or the consumer's, or in `free`; each of the two rings has one producer and one consumer. So
// neither side locks, and neither allocates once it is made.

import HostedMachine
import SoftInterrupts
import Synchronization

/// A bounded queue of frames between one producer and one consumer, which may be on different CPUs and levels.
public final class FrameRing: @unchecked Sendable {
  // Sendable: the slab is handed over slot by slot through the rings; the counts are the producer's.

  /// A frame where it lies.
  public struct Slot: Sendable {
    let address: UInt
    public var length: Int
    public var bytes: UnsafeMutableRawPointer {
      // Made from the slab's pointers alone.
      UnsafeMutableRawPointer(bitPattern: address)!
    }
  }

  public let slotSize: Int
  private let slab: UnsafeMutableRawPointer
  private let full: Ring<Slot, HostedMachine>
  private let free: Ring<Slot, HostedMachine>
  // Written by the producer alone, read by anybody. Relaxed: counts, which publish nothing.
  private let drops = Atomic<UInt64>(0)
  private let frames = Atomic<UInt64>(0)
  /// Frames for which there was no room.
  public var dropped: UInt64 { drops.load(ordering: .relaxed) }
  /// Frames put in.
  public var count: UInt64 { frames.load(ordering: .relaxed) }
  /// Slots that were asked for and not used. Producer's.
  /// Exclusivity is not checked: the producer is one context, and a push or pop calls nobody.
  @exclusivity(unchecked) private var spares: [Slot] = []

  init(capacity: Int, slotSize: Int) {
    self.slotSize = slotSize
    slab = .allocate(byteCount: capacity * slotSize, alignment: 64)
    full = Ring(capacity: capacity)
    free = Ring(capacity: capacity)
    for index in 0..<capacity {
      _ = free.push(Slot(address: UInt(bitPattern: slab + index * slotSize), length: 0))
    }
  }

  deinit { slab.deallocate() }

  /// Producer: whether ``space(_:)`` has a slot.
  var hasSpace: Bool { !spares.isEmpty || free.count > 0 }

  /// Producer: an empty slot of ``slotSize`` bytes; nil, counted as a drop, if there is none or the frame is too long.
  func space(_ length: Int) -> Slot? {
    if length <= slotSize {
      if let slot = spares.popLast() ?? free.pop() { return slot }
    }
    drops.store(dropped &+ 1, ordering: .relaxed)
    return nil
  }

  /// Producer: puts a slot in, with `length` bytes.
  func put(_ slot: Slot, length: Int) {
    frames.store(count &+ 1, ordering: .relaxed)
    // There are no more slots than places.
    _ = full.push(Slot(address: slot.address, length: length))
  }

  /// Producer: a slot that it did not use is the next one that it gets.
  func keep(_ slot: Slot) { spares.append(slot) }

  /// Producer: copies a frame in; false, counted as a drop, if there is no room.
  @discardableResult func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let slot = space(bytes.count) else { return false }
    if let base = bytes.baseAddress { slot.bytes.copyMemory(from: base, byteCount: bytes.count) }
    put(slot, length: bytes.count)
    return true
  }

  /// Consumer: the next frame; it is given back by ``release(_:)``.
  func next() -> Slot? { full.pop() }
  /// Consumer.
  func release(_ slot: Slot) { _ = free.push(slot) }
  /// A hint for who is neither.
  var waiting: Int { full.count }
}
