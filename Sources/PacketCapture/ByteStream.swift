// A window over a stream of bytes, from a descriptor or from memory. Invariant: `start <= end <=
// capacity`; the bytes in between are the stream's next ones, the first at offset `position`. Memory
// stays at the capacity however long the stream is. All raw memory of the reader lives here.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Owns a buffer and what it is filled from.
struct ByteStream: ~Copyable {
  /// Where bytes come from.
  enum Source {
    /// A descriptor; closed at the end unless it was only lent.
    case descriptor(Int32, owned: Bool)
    /// Bytes in memory, of which a read gives at most `piece`, as a pipe does.
    case memory([UInt8], next: Int, piece: Int)
  }

  private var source: Source
  private let buffer: UnsafeMutableRawPointer
  private let capacity: Int
  private var start = 0
  private var end = 0
  private var atEnd = false
  /// The offset in the stream of the next byte.
  private(set) var position: UInt64 = 0

  /// A stream whose window holds up to `capacity` bytes; memory sources need no more than they have.
  init(_ source: Source, capacity: Int) {
    self.source = source
    if case .memory(let bytes, _, _) = source {
      self.capacity = min(capacity, max(bytes.count, 1))
    } else {
      self.capacity = capacity
    }
    buffer = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit {
    buffer.deallocate()
    if case .descriptor(let descriptor, owned: true) = source { close(descriptor) }
  }

  /// The number of bytes in the window.
  var available: Int {
    @inline(__always) get { end - start }
  }

  /// The bytes in the window; valid until the next call that changes the stream.
  var window: UnsafeRawBufferPointer {
    // Within the allocation by the invariant above.
    @inline(__always) get { UnsafeRawBufferPointer(start: buffer + start, count: end - start) }
  }

  /// Fills the window to `count` bytes, which is at most the capacity, unless the stream ends before.
  /// Answers whether it did, or the `errno` of a read that failed.
  @inline(__always)
  mutating func fill(_ count: Int) throws(ReadFailure) -> Bool {
    if end - start >= count { return true }
    return try refill(count)
  }

  @inline(never)
  private mutating func refill(_ count: Int) throws(ReadFailure) -> Bool {
    let held = end - start
    // A memory source has a capacity of all its bytes: what does not fit there is not there.
    let wanted = min(count, capacity)
    if start > 0 {
      buffer.copyMemory(from: buffer + start, byteCount: held)
      start = 0
      end = held
    }
    while end < wanted, !atEnd { try readSome() }
    return end >= count
  }

  /// Drops `count` bytes, within the window or beyond it; answers how many there were to drop.
  mutating func skip(_ count: UInt64) throws(ReadFailure) -> UInt64 {
    var left = count
    while true {
      let step = Int(min(left, UInt64(end - start)))
      start += step
      position += UInt64(step)
      left -= UInt64(step)
      if left == 0 || atEnd { return count - left }
      start = 0
      end = 0
      try readSome()
    }
  }

  /// Drops `count` bytes of the window.
  @inline(__always)
  mutating func drop(_ count: Int) {
    precondition(count >= 0 && count <= end - start, "more bytes dropped than the window holds")
    start += count
    position += UInt64(count)
  }

  /// One read into the free end of the window, which is not full. A signal only means to try again.
  private mutating func readSome() throws(ReadFailure) {
    switch source {
    case .descriptor(let descriptor, _):
      var got = read(descriptor, buffer + end, capacity - end)
      while got < 0, errno == EINTR { got = read(descriptor, buffer + end, capacity - end) }
      guard got >= 0 else { throw ReadFailure(code: errno) }
      if got == 0 { atEnd = true }
      end += got
    case .memory(let bytes, let next, let piece):
      let got = min(bytes.count - next, capacity - end, piece)
      if got == 0 { atEnd = true }
      bytes.withUnsafeBytes { all in
        // `got` bytes are free at `end`, and there at `next`, by the minimum above.
        UnsafeMutableRawBufferPointer(start: buffer + end, count: got)
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: all[next..<next + got]))
      }
      end += got
      source = .memory(bytes, next: next + got, piece: piece)
    }
  }
}

/// A read that failed, with its `errno`.
struct ReadFailure: Error {
  var code: Int32
}
