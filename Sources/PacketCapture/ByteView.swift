// The one place where bytes that came from outside are loaded. Invariant: every load is checked against
// the view's end in every build, so a decoder that forgets a check stops instead of reading past it.

/// A borrowed run of bytes with checked loads; valid as long as the memory it was made from.
struct ByteView {
  private let base: UnsafeRawPointer?
  let count: Int

  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress
    count = bytes.count
  }

  /// Whether `length` bytes lie at `offset`; neither is negative.
  @inline(__always)
  func has(_ length: Int, at offset: Int) -> Bool {
    offset <= count && length <= count - offset
  }

  @inline(__always)
  private func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
    precondition(offset >= 0 && has(MemoryLayout<T>.size, at: offset), "load past the end of the bytes")
    // A view of no bytes fails the check above, so there is memory here, and the load lies within it.
    return base.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: type)
  }

  @inline(__always)
  func byte(at offset: Int) -> UInt8 { load(UInt8.self, at: offset) }

  /// The integer at `offset` in network byte order.
  @inline(__always)
  func network<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
    T(bigEndian: load(type, at: offset))
  }

  /// The integer at `offset` in the given byte order.
  @inline(__always)
  func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int, bigEndian: Bool) -> T {
    let raw = load(type, at: offset)
    return bigEndian ? T(bigEndian: raw) : T(littleEndian: raw)
  }

  /// The bytes from `offset` on, `length` of them.
  @inline(__always)
  func slice(at offset: Int, length: Int) -> UnsafeRawBufferPointer {
    precondition(offset >= 0 && length >= 0 && has(length, at: offset), "slice past the end of the bytes")
    return UnsafeRawBufferPointer(start: base.map { $0 + offset }, count: length)
  }
}
