// The IPv4 header (RFC 791) as far as the flow needs it.

extension FrameDecoder {
  @inline(__always)
  static func ipv4(_ frame: ByteView, at start: Int, wireLength: Int) -> DecodeOutcome {
    guard frame.has(1, at: start) else { return .skipped(.truncated) }
    let first = frame.byte(at: start)
    guard first >> 4 == 4 else { return .skipped(.badVersion) }
    let headerLength = Int(first & 0x0f) * 4
    guard headerLength >= 20 else { return .skipped(.badHeaderLength) }
    guard frame.has(20, at: start) else { return .skipped(.truncated) }

    // Segmentation offload hands packets to the capture before their length is known, as 0. Otherwise
    // the length rules, not the frame's end: behind the packet lies padding or a checksum.
    let total = Int(frame.network(UInt16.self, at: start + 2))
    let length = total == 0 ? max(wireLength, frame.count) - start : total
    guard length >= headerLength else { return .skipped(total == 0 ? .truncated : .badLength) }

    let fragmentOffset = frame.network(UInt16.self, at: start + 6) & 0x1fff
    return transport(
      frame,
      of: NetworkPacket(
        source: IPAddress(v4: frame.network(UInt32.self, at: start + 12)),
        destination: IPAddress(v4: frame.network(UInt32.self, at: start + 16)),
        proto: frame.byte(at: start + 9),
        transport: fragmentOffset == 0 ? start + headerLength : nil,
        end: start + length, ipBytes: UInt32(truncatingIfNeeded: length)))
  }
}
