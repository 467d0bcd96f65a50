// Bytes on their way out: a fixed piece of memory that is filled, handed to a sink and filled again.
// Invariant: `count <= capacity`; a write past the end traps, so who writes checks for room first.

/// A preallocated buffer with writes in network byte order.
struct ByteBuffer: ~Copyable {
  // Unsafe: `capacity` bytes, allocated here and freed in `deinit`; the first `count` are initialized.
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(capacity: Int) {
    memory = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  var capacity: Int { memory.count }
  var room: Int { memory.count - count }

  mutating func removeAll() { count = 0 }

  /// Appends an integer in network byte order.
  @inline(__always)
  mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
    precondition(room >= MemoryLayout<Integer>.size, "the buffer is full")
    // In bounds by the check above; `storeBytes` needs no alignment.
    memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: Integer.self)
    count += MemoryLayout<Integer>.size
  }

  /// Appends as many of the bytes as there is room for; answers how many.
  mutating func append(contentsOf bytes: UnsafeRawBufferPointer) -> Int {
    let taken = min(room, bytes.count)
    // In bounds: `taken` fits both, and the caller's bytes are not the buffer's own.
    memory[count..<(count + taken)].copyBytes(from: bytes[..<taken])
    count += taken
    return taken
  }

  /// Overwrites bytes written before by an integer in network byte order.
  mutating func replace<Integer: FixedWidthInteger>(at offset: Int, with value: Integer) {
    precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= count, "outside what was written")
    memory.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
  }

  /// Writes everything to a sink and empties the buffer.
  mutating func flush(to sink: OutputSink) throws(OutputError) {
    guard count > 0 else { return }
    let bytes = UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes
    try sink.write(bytes)
    count = 0
  }
}
