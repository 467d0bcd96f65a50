// From the link layer to the start of the IP header: which version the link announces, and where.

extension FrameDecoder {
  /// Where the IP header begins, by the version that the link layer announced.
  enum NetworkLayer {
    case ipv4(Int)
    case ipv6(Int)
    case skipped(SkipReason)
  }

  @inline(__always)
  static func network(of frame: ByteView, link: LinkType) -> NetworkLayer {
    switch link {
    case .ethernet: etherType(frame, at: 12)
    case .linuxCooked1: etherType(frame, at: 14)
    case .linuxCooked2: cooked2(frame)
    case .rawIP: byVersion(frame)
    case .ipv4: .ipv4(0)
    case .ipv6: .ipv6(0)
    case .null: family(frame, networkOrderOnly: false)
    case .loop: family(frame, networkOrderOnly: true)
    case .other: .skipped(.unknownLink)
    }
  }

  /// The layer that the EtherType at `start` announces; its header follows, behind any VLAN tags.
  @inline(__always)
  private static func etherType(_ frame: ByteView, at start: Int) -> NetworkLayer {
    guard frame.has(2, at: start) else { return .skipped(.truncated) }
    return payload(frame, of: frame.network(UInt16.self, at: start), at: start + 2)
  }

  /// Cooked version 2 has the EtherType first and the payload behind its 20 bytes.
  @inline(__always)
  private static func cooked2(_ frame: ByteView) -> NetworkLayer {
    guard frame.has(20, at: 0) else { return .skipped(.truncated) }
    return payload(frame, of: frame.network(UInt16.self, at: 0), at: 20)
  }

  /// Steps over VLAN tags. A tag is two bytes of its own and the EtherType of what follows.
  @inline(__always)
  private static func payload(_ frame: ByteView, of first: UInt16, at start: Int) -> NetworkLayer {
    var type = first
    var start = start
    var tags = 0
    while true {
      switch type {
      case 0x0800: return .ipv4(start)
      case 0x86dd: return .ipv6(start)
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard tags < maximumTags else { return .skipped(.tooManyHeaders) }
        guard frame.has(4, at: start) else { return .skipped(.truncated) }
        type = frame.network(UInt16.self, at: start + 2)
        start += 4
        tags += 1
      case 0x8847, 0x8848, 0x8863, 0x8864, 0x88e5, 0x88e7: return .skipped(.unsupportedEtherType)
      default: return .skipped(.notIP)  // also an 802.3 length, which is at most 1500
      }
    }
  }

  @inline(__always)
  private static func byVersion(_ frame: ByteView) -> NetworkLayer {
    guard frame.has(1, at: 0) else { return .skipped(.truncated) }
    switch frame.byte(at: 0) >> 4 {
    case 4: return .ipv4(0)
    case 6: return .ipv6(0)
    default: return .skipped(.badVersion)
    }
  }

  /// The address family of a loopback header. The null link type has it in the byte order of the machine
  /// that captured, which the capture does not tell; families are small numbers, so only one order
  /// gives a known one. IPv6 has another number on each system.
  @inline(__always)
  private static func family(_ frame: ByteView, networkOrderOnly: Bool) -> NetworkLayer {
    guard frame.has(4, at: 0) else { return .skipped(.truncated) }
    var family = frame.network(UInt32.self, at: 0)
    if !networkOrderOnly, family > 0xffff { family = family.byteSwapped }
    switch family {
    case 2: return .ipv4(4)
    case 10, 23, 24, 28, 30: return .ipv6(4)  // Linux; Windows; NetBSD, OpenBSD; FreeBSD; macOS
    default: return .skipped(.notIP)
    }
  }
}
