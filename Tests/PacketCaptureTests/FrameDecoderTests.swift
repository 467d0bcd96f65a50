// What the decoder answers for each link layer and each header chain, whole.

import Testing

@testable import PacketCapture

/// A frame and the flow it belongs to.
struct Chain: Sendable, CustomTestStringConvertible {
  var name: String
  var link: LinkType
  var frame: [UInt8]
  var outcome: DecodeOutcome
  var testDescription: String { name }

  static let tcp4 = Packet.flow(6, flags: 0x12, ipBytes: 40)
  static let tcp6 = Packet.flow(6, v6: true, flags: 0x12, ipBytes: 60)

  /// Every link layer around an IPv4 and an IPv6 packet.
  static let links: [Chain] = {
    let four = Packet.ipv4(6, Packet.tcp())
    let six = Packet.ipv6(6, Packet.tcp())
    return [
      Chain(name: "Ethernet", link: .ethernet, frame: Link.ethernet(Link.ipv4, four), outcome: tcp4),
      Chain(name: "Ethernet, v6", link: .ethernet, frame: Link.ethernet(Link.ipv6, six), outcome: tcp6),
      Chain(
        name: "VLAN", link: .ethernet, frame: Link.ethernet(Link.ipv4, four, tags: [0x8100]), outcome: tcp4),
      Chain(
        name: "QinQ", link: .ethernet, frame: Link.ethernet(Link.ipv6, six, tags: [0x88a8, 0x8100]),
        outcome: tcp6),
      Chain(
        name: "old QinQ", link: .ethernet,
        frame: Link.ethernet(Link.ipv4, four, tags: [0x9100, 0x8100, 0x8100]), outcome: tcp4),
      Chain(name: "raw", link: .rawIP, frame: four, outcome: tcp4),
      Chain(name: "raw, v6", link: .rawIP, frame: six, outcome: tcp6),
      Chain(name: "IPv4 link", link: .ipv4, frame: four, outcome: tcp4),
      Chain(name: "IPv6 link", link: .ipv6, frame: six, outcome: tcp6),
      Chain(name: "cooked 1", link: .linuxCooked1, frame: Link.cooked1(Link.ipv4, four), outcome: tcp4),
      Chain(
        name: "cooked 1, VLAN", link: .linuxCooked1, frame: Link.cooked1(Link.ipv6, six, tags: [0x8100]),
        outcome: tcp6),
      Chain(name: "cooked 2", link: .linuxCooked2, frame: Link.cooked2(Link.ipv6, six), outcome: tcp6),
      Chain(
        name: "cooked 2, VLAN", link: .linuxCooked2, frame: Link.cooked2(Link.ipv4, four, tags: [0x8100]),
        outcome: tcp4),
      Chain(name: "loop", link: .loop, frame: Link.loopback(2, four, bigEndian: true), outcome: tcp4),
      Chain(name: "loop, v6", link: .loop, frame: Link.loopback(24, six, bigEndian: true), outcome: tcp6),
    ]
      + [true, false].map {
        Chain(name: "null", link: .null, frame: Link.loopback(2, four, bigEndian: $0), outcome: tcp4)
      }
      + [UInt32(10), 23, 24, 28, 30].map {
        Chain(
          name: "null, v6 as \($0)", link: .null, frame: Link.loopback($0, six, bigEndian: false),
          outcome: tcp6)
      }
  }()

  /// Every network-layer chain, without a link layer.
  static let packets: [Chain] = {
    let options = Packet.ipv4(17, Packet.udp(), options: [UInt8](repeating: 1, count: 40))
    let icmp: [UInt8] = [8, 0, 0, 0, 0, 1, 0, 1]
    func six(_ name: String, _ next: UInt8, _ payload: [UInt8], _ outcome: DecodeOutcome) -> Chain {
      Chain(name: name, link: .ipv6, frame: Packet.ipv6(next, payload), outcome: outcome)
    }
    func four(_ name: String, _ frame: [UInt8], _ outcome: DecodeOutcome) -> Chain {
      Chain(name: name, link: .ipv4, frame: frame, outcome: outcome)
    }
    let all: [UInt8] =
      Packet.extensionHeader(next: 60) + Packet.extensionHeader(next: 43, more: 1)
      + Packet.extensionHeader(next: 44) + Packet.fragmentHeader(next: 51, offset: 0, more: true)
      + Packet.authenticationHeader(next: 60) + Packet.extensionHeader(next: 6, more: 2)
      + Packet.tcp(flags: 1)
    return [
      four("UDP", Packet.ipv4(17, Packet.udp()), Packet.flow(17, ipBytes: 32)),
      four("40 bytes of options", options, Packet.flow(17, ipBytes: 72)),
      four("ICMP", Packet.ipv4(1, icmp), Packet.flow(1, ports: false, ipBytes: 28)),
      four("SCTP", Packet.ipv4(132, Packet.udp()), Packet.flow(132, ports: false, ipBytes: 32)),
      four("first fragment", Packet.ipv4(17, Packet.udp(), fragment: 0x2000), Packet.flow(17, ipBytes: 32)),
      four(
        "later fragment", Packet.ipv4(17, zeros(8), fragment: 0x2002),
        Packet.flow(17, ports: false, ipBytes: 28)),
      four("last fragment", Packet.ipv4(6, [9], fragment: 3), Packet.flow(6, ports: false, ipBytes: 21)),
      four("don't fragment", Packet.ipv4(17, Packet.udp(), fragment: 0x4000), Packet.flow(17, ipBytes: 32)),
      four("tunnel", Packet.ipv4(4, options), Packet.flow(4, ports: false, ipBytes: 92)),
      four("length 0", Packet.ipv4(6, Packet.tcp(), total: 0), tcp4),
      six("UDP, v6", 17, Packet.udp(), Packet.flow(17, v6: true, ipBytes: 52)),
      six("ICMPv6", 58, icmp, Packet.flow(58, v6: true, ports: false, ipBytes: 48)),
      six("no next header", 59, [], Packet.flow(59, v6: true, ports: false, ipBytes: 40)),
      six("encrypted", 50, zeros(16), Packet.flow(50, v6: true, ports: false, ipBytes: 56)),
      six("all extension headers", 0, all, Packet.flow(6, v6: true, flags: 1, ipBytes: 40 + all.count)),
      six(
        "later fragment, v6", 44, Packet.fragmentHeader(next: 17, offset: 5, more: false) + zeros(8),
        Packet.flow(17, v6: true, ports: false, ipBytes: 56)),
      six(
        "later fragment behind routing", 43,
        Packet.extensionHeader(next: 44) + Packet.fragmentHeader(next: 60, offset: 1, more: true) + zeros(8),
        Packet.flow(60, v6: true, ports: false, ipBytes: 64)),
      Chain(
        name: "length 0, v6", link: .ipv6, frame: Packet.ipv6(6, Packet.tcp(), length: 0), outcome: tcp6),
    ]
  }()
}

@Suite("A frame decodes to its flow")
struct FrameDecoderTests {
  @Test("Into the caller's memory it decodes the same", arguments: Chain.links)
  func inPlace(chain: Chain) {
    let place = UnsafeMutablePointer<DecodeOutcome>.allocate(capacity: 1)
    defer { place.deallocate() }
    place.initialize(to: .skipped(.tooManyHeaders))
    let length = UInt32(chain.frame.count)
    let header = FrameHeader(timestamp: 0, wireLength: length, capturedLength: length, link: chain.link)
    chain.frame.withUnsafeBytes { FrameDecoder.decode($0, header: header, into: place) }
    #expect(place.pointee == chain.outcome)
  }

  @Test("in every link layer", arguments: Chain.links)
  func link(_ chain: Chain) {
    #expect(decode(chain.frame, chain.link) == chain.outcome)
  }

  @Test("through every chain of network headers", arguments: Chain.packets)
  func packet(_ chain: Chain) {
    #expect(decode(chain.frame, chain.link) == chain.outcome)
  }

  @Test(
    "cut at every length it is truncated or right, never anything else",
    arguments: Chain.links + Chain.packets)
  func cut(_ chain: Chain) {
    var decoded = 0
    for length in 0..<chain.frame.count {
      // An array of its own for each length: the Address Sanitizer sees a load past it.
      let piece = [UInt8](chain.frame[..<length])
      let header = FrameHeader(
        timestamp: 0, wireLength: UInt32(chain.frame.count), capturedLength: UInt32(length), link: chain.link)
      switch piece.withUnsafeBytes({ FrameDecoder.decode($0, header: header) }) {
      case .skipped(let reason):
        #expect(reason == .truncated, "\(length) bytes")
        #expect(decoded == 0, "\(length) bytes are truncated though fewer were enough")
      case .flow(var frame):
        // Only the flags may be missing from a packet whose ports are there.
        guard case .flow(let whole) = chain.outcome else { return }
        if frame.tcpFlags == 0 { frame.tcpFlags = whole.tcpFlags }
        #expect(frame == whole, "\(length) bytes")
        decoded += 1
      }
    }
    #expect(decode([], chain.link) == .skipped(.truncated))
  }

  @Test("and its direction follows who sent it")
  func direction() {
    // The server's address is the smaller one in IPv4, the client's in IPv6.
    guard case .flow(let four) = decode(Packet.ipv4(6, Packet.tcp()), .ipv4),
      case .flow(let six) = decode(Packet.ipv6(6, Packet.tcp()), .ipv6)
    else {
      Issue.record("no flow")
      return
    }
    #expect(!four.aToB && four.key.a.address == Packet.server4 && four.key.a.port == Packet.serverPort)
    #expect(six.aToB && six.key.a.address == Packet.client6 && six.key.a.port == Packet.clientPort)
  }

  @Test("padding behind the packet counts for nothing")
  func padding() {
    let short = Link.ethernet(Link.ipv4, Packet.ipv4(17, Packet.udp()) + zeros(14))
    #expect(decode(short, .ethernet) == Packet.flow(17, ipBytes: 32))
    // Two bytes of UDP header: the ports must not be made of padding.
    let lying = Link.ethernet(Link.ipv4, Packet.ipv4(17, Packet.udp(), total: 22) + zeros(14))
    #expect(decode(lying, .ethernet) == .skipped(.badLength))
  }

  @Test("a length of 0 stands for the frame on the wire, however little was captured")
  func offload() {
    let frame = Link.ethernet(Link.ipv4, Packet.ipv4(6, Packet.tcp(), total: 0))
    let header = FrameHeader(
      timestamp: 0, wireLength: 60_014, capturedLength: UInt32(frame.count), link: .ethernet)
    #expect(
      frame.withUnsafeBytes { FrameDecoder.decode($0, header: header) }
        == Packet.flow(6, flags: 0x12, ipBytes: 60_000))
  }
}

@Suite("A frame of no flow says why")
struct SkippedFrameTests {
  static let cases: [(String, LinkType, [UInt8], SkipReason)] = {
    var version5 = Packet.ipv4(6, Packet.tcp())
    version5[0] = 0x55
    var shortHeader = Packet.ipv4(6, Packet.tcp())
    shortHeader[0] = 0x44
    let eight = [UInt16](repeating: 0x8100, count: FrameDecoder.maximumTags)
    let four = Packet.ipv4(6, Packet.tcp())
    let chain = (0...FrameDecoder.maximumExtensionHeaders).flatMap { _ in Packet.extensionHeader(next: 60) }
    return [
      ("ARP", .ethernet, Link.ethernet(0x0806, zeros(28)), .notIP),
      ("an 802.3 length", .ethernet, Link.ethernet(1500, zeros(60)), .notIP),
      ("a cooked 802.3 frame", .linuxCooked1, Link.cooked1(4, zeros(60)), .notIP),
      ("another address family", .null, Link.loopback(7, zeros(60), bigEndian: false), .notIP),
      ("loop in the wrong order", .loop, Link.loopback(2, four, bigEndian: false), .notIP),
      ("MPLS", .ethernet, Link.ethernet(0x8847, zeros(60)), .unsupportedEtherType),
      ("PPPoE", .ethernet, Link.ethernet(0x8864, zeros(60)), .unsupportedEtherType),
      ("nine tags", .ethernet, Link.ethernet(Link.ipv4, four, tags: eight + [0x8100]), .tooManyHeaders),
      ("version 5", .rawIP, version5, .badVersion),
      ("version 6 announced as 4", .ethernet, Link.ethernet(Link.ipv4, Packet.ipv6(59, [])), .badVersion),
      ("version 4 announced as 6", .ipv6, four, .badVersion),
      ("a header of 16 bytes", .ipv4, shortHeader, .badHeaderLength),
      ("a total length below the header", .ipv4, Packet.ipv4(6, Packet.tcp(), total: 19), .badLength),
      ("a payload length below the ports", .ipv6, Packet.ipv6(6, Packet.tcp(), length: 3), .badLength),
      (
        "a payload length within an extension header", .ipv6, Packet.ipv6(0, zeros(16), length: 4), .badLength
      ),
      ("an extension header past the payload", .ipv6, Packet.ipv6(60, [58, 9] + zeros(30)), .badLength),
      ("17 extension headers", .ipv6, Packet.ipv6(60, chain), .tooManyHeaders),
      ("an unknown link type", .other(147), four, .unknownLink),
    ]
  }()

  @Test("by one stable reason", arguments: cases)
  func reason(name: String, link: LinkType, frame: [UInt8], reason: SkipReason) {
    #expect(decode(frame, link) == .skipped(reason), "\(name)")
  }

  @Test("eight tags and sixteen extension headers are still read")
  func limits() {
    let tags = [UInt16](repeating: 0x8100, count: FrameDecoder.maximumTags)
    #expect(
      decode(Link.ethernet(Link.ipv4, Packet.ipv4(6, Packet.tcp()), tags: tags), .ethernet) == Chain.tcp4)
    let count = FrameDecoder.maximumExtensionHeaders
    let headers = (1...count).flatMap { Packet.extensionHeader(next: $0 == count ? 6 : 60) }
    #expect(
      decode(Packet.ipv6(60, headers + Packet.tcp()), .ipv6)
        == Packet.flow(6, v6: true, flags: 0x12, ipBytes: 60 + headers.count))
  }

  @Test("names and numbers of reasons are part of the output format")
  func names() {
    #expect(
      SkipReason.allCases.map { "\($0.rawValue) \($0)" } == [
        "0 not-ip", "1 truncated", "2 bad-version", "3 bad-header-length", "4 bad-length", "5 unknown-link",
        "6 unsupported-ethertype", "7 too-many-headers",
      ])
  }
}
