// The classic format: a file header of 24 bytes, then records, each a header and the captured bytes.
// Source: draft-ietf-opsawg-pcap; the modified format is that of old Linux libpcap patches.

/// What the header of a pcap file said.
struct PcapFile {
  static let headerLength = 24

  /// How a file is written, by its magic number.
  struct Variant {
    var bigEndian: Bool
    /// Nanoseconds in a unit of a record's fraction of a second.
    var fractionUnit: Int64
    var recordHeaderLength: Int

    private static let microseconds: UInt32 = 0xa1b2_c3d4
    private static let nanoseconds: UInt32 = 0xa1b2_3c4d
    private static let modified: UInt32 = 0xa1b2_cd34

    /// The magic numbers as they read in network order, of files of either order.
    static let magics = [microseconds, nanoseconds, modified].flatMap { [$0, $0.byteSwapped] }

    /// The variant with this magic number, read in network order; nil if there is none.
    init?(magic: UInt32) {
      bigEndian = magic >> 24 == 0xa1
      switch bigEndian ? magic : magic.byteSwapped {
      case Self.microseconds: (fractionUnit, recordHeaderLength) = (1_000, 16)
      case Self.nanoseconds: (fractionUnit, recordHeaderLength) = (1, 16)
      case Self.modified: (fractionUnit, recordHeaderLength) = (1_000, 24)
      default: return nil
      }
    }
  }

  var variant: Variant
  var link: LinkType
}

extension CaptureReader {
  /// Reads the file header at the window's start.
  mutating func openPcap(_ variant: PcapFile.Variant) throws(CaptureError) -> PcapFile {
    guard try fill(PcapFile.headerLength) else {
      throw error(
        .truncatedHeader(has: UInt64(stream.available), needs: UInt64(PcapFile.headerLength)))
    }
    let view = ByteView(stream.window)
    let major = view.integer(UInt16.self, at: 4, bigEndian: variant.bigEndian)
    let minor = view.integer(UInt16.self, at: 6, bigEndian: variant.bigEndian)
    guard major == 2 else { throw error(.unsupportedVersion(major: major, minor: minor)) }
    // The upper six bits say how long a frame check sequence is; it lies behind the IP packet.
    let number = view.integer(UInt32.self, at: 20, bigEndian: variant.bigEndian) & 0x03ff_ffff
    let link = LinkType(pcapValue: number)
    guard link.isKnown else { throw error(.unknownLinkType(number)) }
    stream.drop(PcapFile.headerLength)
    return PcapFile(variant: variant, link: link)
  }

  /// Finds the next record.
  ///
  /// A record longer than the file's snapshot length is delivered as it is: its bytes are there, and
  /// writers are known to state a wrong snapshot length.
  mutating func advance(_ file: PcapFile) throws(CaptureError) -> Bool {
    let headerLength = file.variant.recordHeaderLength
    guard try fill(headerLength) else {
      return stream.available == 0 ? false : try cut(claims: UInt64(headerLength))
    }
    let order = file.variant.bigEndian
    let record = ByteView(stream.window)
    let seconds = record.integer(UInt32.self, at: 0, bigEndian: order)
    let fraction = record.integer(UInt32.self, at: 4, bigEndian: order)
    let captured = record.integer(UInt32.self, at: 8, bigEndian: order)
    let wire = record.integer(UInt32.self, at: 12, bigEndian: order)
    guard captured <= UInt32(Self.maximumRecord) else { throw error(.recordTooLarge(captured)) }
    let length = headerLength + Int(captured)
    guard try fill(length) else { return try cut(claims: UInt64(length)) }

    header = FrameHeader(
      timestamp: Int64(seconds) * 1_000_000_000 + Int64(fraction) * file.variant.fractionUnit,
      wireLength: max(wire, captured), capturedLength: captured, link: file.link)
    bytes = ByteView(stream.window).slice(at: headerLength, length: Int(captured))
    pending = length
    return true
  }
}
