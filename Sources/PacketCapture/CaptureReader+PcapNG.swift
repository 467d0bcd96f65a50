// The newer format: blocks, each with its length at both ends, in sections that have a byte order and
// interfaces of their own. Source: draft-ietf-opsawg-pcapng.

/// What the current section of a pcapng said so far.
struct PcapNGSection {
  /// The type of a section header block, the same in both byte orders.
  static let magic: UInt32 = 0x0a0d_0d0a
  /// The least length of a section header block, which has no options.
  static let headerLength = 28

  var bigEndian = false
  var interfaces: [PcapNGInterface] = []
  var hasKnownLink = false
}

/// The block types that are read; every other one is stepped over.
private enum BlockType {
  static let interface: UInt32 = 1
  static let obsoletePacket: UInt32 = 2
  static let simplePacket: UInt32 = 3
  static let enhancedPacket: UInt32 = 6
}

extension CaptureReader {
  /// Finds the next packet block, taking in the section headers and interfaces before it.
  mutating func advanceBlocks() throws(CaptureError) -> Bool {
    while true {
      guard try fill(12) else {
        return stream.available == 0 ? false : try cut(claims: 12)
      }
      let view = ByteView(stream.window)
      if view.network(UInt32.self, at: 0) == PcapNGSection.magic {
        guard try readSection() else { return false }
        continue
      }
      let type = view.integer(UInt32.self, at: 0, bigEndian: section.bigEndian)
      switch type {
      case BlockType.enhancedPacket, BlockType.simplePacket, BlockType.obsoletePacket:
        let least: UInt32 = type == BlockType.simplePacket ? 16 : 32
        guard let length = try wholeBlock(atLeast: least) else { return false }
        let place =
          type == BlockType.simplePacket ? simplePacket() : timedPacket(type == BlockType.enhancedPacket)
        try deliver(place, length: length)
        return true
      case BlockType.interface:
        guard let length = try wholeBlock(atLeast: 20) else { return false }
        try readInterface(length)
        stream.drop(length)
      default:
        let length = try blockLength(atLeast: 12)
        guard try skipBlock(length) else { return false }
      }
    }
  }

  /// Reads the section header block at the window's start; false if it is cut, under salvage.
  mutating func readSection() throws(CaptureError) -> Bool {
    guard try fill(PcapNGSection.headerLength) else {
      return try cut(claims: UInt64(PcapNGSection.headerLength))
    }
    let view = ByteView(stream.window)
    switch view.network(UInt32.self, at: 8) {
    case 0x1a2b_3c4d: section = PcapNGSection(bigEndian: true)
    case 0x4d3c_2b1a: section = PcapNGSection(bigEndian: false)
    default: throw error(.malformedBlock("a section header has no byte-order mark"))
    }
    let major = view.integer(UInt16.self, at: 12, bigEndian: section.bigEndian)
    let minor = view.integer(UInt16.self, at: 14, bigEndian: section.bigEndian)
    // Some writers call the same format 1.2; the draft tells readers to take it.
    guard major == 1, minor == 0 || minor == 2 else {
      throw error(.unsupportedVersion(major: major, minor: minor))
    }
    let length = try blockLength(atLeast: UInt32(PcapNGSection.headerLength))
    return try skipBlock(length)
  }

  /// The length that the block at the window's start states at its beginning.
  private mutating func blockLength(atLeast least: UInt32) throws(CaptureError) -> UInt32 {
    let length = ByteView(stream.window).integer(UInt32.self, at: 4, bigEndian: section.bigEndian)
    guard length >= least else {
      throw error(.malformedBlock("a block claims \(length) bytes, its kind has at least \(least)"))
    }
    guard length % 4 == 0 else {
      throw error(.malformedBlock("a block claims \(length) bytes, which is no multiple of 4"))
    }
    return length
  }

  /// The length of the block at the window's start, all of which is then in the window; nil if it is cut,
  /// under salvage.
  private mutating func wholeBlock(atLeast least: UInt32) throws(CaptureError) -> Int? {
    let length = Int(try blockLength(atLeast: least))
    guard length <= Self.windowCapacity else {
      throw error(.malformedBlock("a block claims \(length) bytes, the limit is \(Self.windowCapacity)"))
    }
    guard try fill(length) else {
      _ = try cut(claims: UInt64(length))
      return nil
    }
    try checkEnd(of: length, at: stream.position, in: length - 4)
    return length
  }

  /// Drops the block at the window's start, which may be longer than the window; false if it is cut,
  /// under salvage.
  private mutating func skipBlock(_ length: UInt32) throws(CaptureError) -> Bool {
    let start = stream.position
    let body = UInt64(length) - 4
    let skipped = try skip(body)
    guard skipped == body, try fill(4) else {
      return try cut(claims: UInt64(length), has: skipped + UInt64(stream.available), at: start)
    }
    try checkEnd(of: Int(length), at: start, in: 0)
    stream.drop(4)
    return true
  }

  /// A block states its length again at its end; a difference means that the file is damaged.
  private func checkEnd(of length: Int, at start: UInt64, in offset: Int) throws(CaptureError) {
    let again = ByteView(stream.window).integer(UInt32.self, at: offset, bigEndian: section.bigEndian)
    guard Int(again) == length else {
      throw CaptureError(
        .malformedBlock("a block claims \(length) bytes at its start and \(again) at its end"),
        file: name, offset: start)
    }
  }
}
