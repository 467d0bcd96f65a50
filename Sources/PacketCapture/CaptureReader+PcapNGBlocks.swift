// What is inside the blocks of a pcapng that are read: interfaces with their options, and packets in the
// three forms the format has had. Each is called with the whole block in the window.

/// Where a packet block says its packet is.
struct PacketPlace {
  var interface: Int
  /// In the interface's unit; nil for a block without a time.
  var time: UInt64?
  var captured: UInt32
  var wire: UInt32
  /// The offset of the packet in its block.
  var start: Int
}

extension CaptureReader {
  /// Adds the interface whose description block of `length` bytes is at the window's start.
  mutating func readInterface(_ length: Int) throws(CaptureError) {
    guard section.interfaces.count < Self.maximumInterfaces else {
      throw error(.malformedBlock("a section has more than \(Self.maximumInterfaces) interfaces"))
    }
    let order = section.bigEndian
    let block = ByteView(stream.window)
    var interface = PcapNGInterface(
      link: LinkType(pcapValue: UInt32(block.integer(UInt16.self, at: 8, bigEndian: order))),
      snapLength: block.integer(UInt32.self, at: 12, bigEndian: order))

    var offset = 16
    let end = length - 4
    while offset < end {
      // Blocks and options are multiples of 4 long, so the 4 bytes of an option's head are there.
      let code = block.integer(UInt16.self, at: offset, bigEndian: order)
      if code == 0 { break }
      let size = Int(block.integer(UInt16.self, at: offset + 2, bigEndian: order))
      let value = offset + 4
      guard size <= end - value else {
        throw error(.malformedBlock("option \(code) of an interface runs past the end of its block"))
      }
      switch (code, size) {
      case (9, 1): interface.resolution = TimeResolution(option: block.byte(at: value))
      case (14, 8): interface.offset = block.integer(Int64.self, at: value, bigEndian: order)
      case (9, _), (14, _):
        throw error(.malformedBlock("option \(code) of an interface has \(size) bytes"))
      default: break
      }
      offset = value + (size + 3) / 4 * 4
    }
    if interface.link.isKnown { section.hasKnownLink = true }
    section.interfaces.append(interface)
  }

  /// The packet of an enhanced or an obsolete packet block, which differ in the interface's number.
  mutating func timedPacket(_ isEnhanced: Bool) -> PacketPlace {
    let order = section.bigEndian
    let block = ByteView(stream.window)
    let interface =
      isEnhanced
      ? Int(block.integer(UInt32.self, at: 8, bigEndian: order))
      : Int(block.integer(UInt16.self, at: 8, bigEndian: order))
    let high = block.integer(UInt32.self, at: 12, bigEndian: order)
    let low = block.integer(UInt32.self, at: 16, bigEndian: order)
    return PacketPlace(
      interface: interface, time: UInt64(high) << 32 | UInt64(low),
      captured: block.integer(UInt32.self, at: 20, bigEndian: order),
      wire: block.integer(UInt32.self, at: 24, bigEndian: order), start: 28)
  }

  /// The packet of a simple packet block: of the first interface, without a time, and cut at the
  /// interface's snapshot length.
  mutating func simplePacket() -> PacketPlace {
    let wire = ByteView(stream.window).integer(UInt32.self, at: 8, bigEndian: section.bigEndian)
    let limit = section.interfaces.first?.snapLength ?? 0
    return PacketPlace(
      interface: 0, time: nil, captured: limit == 0 ? wire : min(wire, limit), wire: wire, start: 12)
  }

  /// Points the reader's header and bytes at a packet of the block of `length` bytes at the window's start.
  mutating func deliver(_ place: PacketPlace, length: Int) throws(CaptureError) {
    guard place.captured <= UInt32(Self.maximumRecord) else { throw error(.recordTooLarge(place.captured)) }
    guard Int(place.captured) <= length - 4 - place.start else {
      throw error(
        .malformedBlock("a packet of \(place.captured) bytes runs past the end of its block of \(length)"))
    }
    guard place.interface < section.interfaces.count else {
      throw error(
        .malformedBlock(
          "a packet is of interface \(place.interface), the section has \(section.interfaces.count)"))
    }
    let interface = section.interfaces[place.interface]
    if case .other(let number) = interface.link, !section.hasKnownLink {
      throw error(.unknownLinkType(number))
    }
    header = FrameHeader(
      timestamp: place.time.map(interface.timestamp) ?? header.timestamp,
      wireLength: max(place.wire, place.captured), capturedLength: place.captured, link: interface.link)
    bytes = ByteView(stream.window).slice(at: place.start, length: Int(place.captured))
    pending = length
  }
}
