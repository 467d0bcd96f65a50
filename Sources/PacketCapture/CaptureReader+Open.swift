// Opening a capture: the descriptor, and what the first bytes say the file is.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension CaptureReader {
  /// Opens a capture.
  ///
  /// - Parameters:
  ///   - path: the file, or `-` for standard input, which is read but not closed.
  ///   - salvage: whether a capture that was cut mid-record is read up to there, instead of ending in an
  ///     error. Other damage is an error all the same.
  public init(path: String, salvage: Bool = false) throws(CaptureError) {
    guard path != "-" else {
      try self.init(.descriptor(0, owned: false), name: "standard input", salvage: salvage)
      return
    }
    var descriptor = open(path, O_RDONLY | O_CLOEXEC)
    while descriptor < 0, errno == EINTR { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      let code = errno
      let missing = code == ENOENT || code == ENOTDIR
      throw CaptureError(missing ? .notFound : .unreadable(code), file: path)
    }
    try self.init(.descriptor(descriptor, owned: true), name: path, salvage: salvage)
  }

  /// Reads a capture from an open descriptor, which stays the caller's.
  ///
  /// - Parameters:
  ///   - descriptor: any descriptor that `read(2)` takes: a file, a pipe, a socket.
  ///   - name: how errors name it.
  ///   - salvage: as for ``init(path:salvage:)``.
  public init(descriptor: Int32, name: String, salvage: Bool = false) throws(CaptureError) {
    try self.init(.descriptor(descriptor, owned: false), name: name, salvage: salvage)
  }

  /// Reads a capture from memory.
  ///
  /// - Parameters:
  ///   - bytes: the capture.
  ///   - name: how errors name it.
  ///   - salvage: as for ``init(path:salvage:)``.
  ///   - piece: the most bytes that one read gives; a small number behaves as a slow pipe does.
  public init(
    bytes: [UInt8], name: String, salvage: Bool = false, piece: Int = .max
  ) throws(CaptureError) {
    precondition(piece > 0, "a piece has at least one byte")
    try self.init(.memory(bytes, next: 0, piece: piece), name: name, salvage: salvage)
  }

  /// The beginnings of files that compressors write.
  private static let compressors: [(start: [UInt8], name: String)] = [
    ([0x1f, 0x8b], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"),
    ([0x42, 0x5a, 0x68], "bzip2"), ([0x04, 0x22, 0x4d, 0x18], "lz4"),
  ]

  /// Tells formats apart by their first bytes and reads the format's header.
  mutating func openFormat() throws(CaptureError) -> Format {
    _ = try fill(PcapFile.headerLength)
    let start = ByteView(stream.window)
    guard start.count > 0 else { throw CaptureError(.empty, file: name) }
    for (magic, compressor) in Self.compressors
    where start.count >= magic.count && magic.indices.allSatisfy({ start.byte(at: $0) == magic[$0] }) {
      throw CaptureError(.compressed(compressor), file: name)
    }
    guard start.count >= 4 else {
      guard Self.magics.contains(where: { Self.begins($0, with: start) }) else {
        throw CaptureError(.notACapture, file: name)
      }
      throw error(.truncatedHeader(has: UInt64(start.count), needs: UInt64(PcapFile.headerLength)))
    }
    let magic = start.network(UInt32.self, at: 0)
    if magic == PcapNGSection.magic {
      _ = try readSection()  // a cut at the very start throws, under salvage too
      return .pcapng
    }
    guard let variant = PcapFile.Variant(magic: magic) else {
      throw CaptureError(.notACapture, file: name)
    }
    return .pcap(try openPcap(variant))
  }

  private static let magics = PcapFile.Variant.magics + [PcapNGSection.magic]

  /// Whether the bytes, fewer than four, are the first of a magic number.
  private static func begins(_ magic: UInt32, with start: ByteView) -> Bool {
    (0..<start.count).allSatisfy { start.byte(at: $0) == UInt8(truncatingIfNeeded: magic >> (24 - 8 * $0)) }
  }
}

extension ReadFailure {
  var isDirectory: Bool { code == EISDIR }
}
