// What a capture says about a frame besides its bytes.

/// The record header of one captured frame, in one form for every capture format.
public struct FrameHeader: Sendable, Hashable {
  /// Capture time in nanoseconds since 1970-01-01 UTC.
  ///
  /// It lies in ±2⁶² (1823…2116; a time beyond that is held at the bound), so the difference of two
  /// timestamps never overflows. A frame whose format has no time bears that of the frame before it.
  public var timestamp: Int64
  /// Length of the frame on the wire in bytes; never less than ``capturedLength``.
  public var wireLength: UInt32
  /// Number of bytes of the frame that the capture holds.
  public var capturedLength: UInt32
  /// What the bytes begin with.
  public var link: LinkType

  /// Makes a header from its fields.
  public init(timestamp: Int64, wireLength: UInt32, capturedLength: UInt32, link: LinkType) {
    self.timestamp = timestamp
    self.wireLength = wireLength
    self.capturedLength = capturedLength
    self.link = link
  }
}
