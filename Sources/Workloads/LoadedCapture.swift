// A capture in memory, spread over the receive queues as a network card would: by the symmetric hash of each flow.
//
// Invariant: constant once made; the bytes lie in one block, in the order of the capture.

public import PacketCapture

/// One frame of a loaded capture.
struct LoadedFrame {
  var offset: Int
  var header: FrameHeader
}

/// The frames of a capture, for replay.
public final class LoadedCapture: @unchecked Sendable {
  // Sendable: nothing changes after `init`.

  /// Every frame, in the order of the capture.
  let frames: [LoadedFrame]
  let bytes: UnsafeMutableRawBufferPointer
  /// The hash of each frame's flow; 0 for frames that are no flow's.
  let hashes: [UInt32]
  /// Lengths on the wire, together.
  public let wireBytes: UInt64
  /// Where a cut capture ended, if salvaged.
  public let salvagedAt: UInt64?
  /// The capture's frames did not fit into the memory that was allowed; these are its first ones.
  public let isPartial: Bool
  /// How long the capture lasts, in nanoseconds of its own time; at least 1 ms, so that rates are finite.
  let duration: Int64
  /// The greatest captured length.
  let longest: Int
  /// How many frames it has.
  public var frameCount: Int { frames.count }

  /// Reads a capture.
  ///
  /// - Parameters:
  ///   - path: the file; `-` is standard input.
  ///   - salvage: whether a capture that was cut in a record is read up to there.
  ///   - memoryLimit: how many bytes of frames are kept at most; the rest of the capture is not read.
  public init(path: String, salvage: Bool = false, memoryLimit: Int = 1 << 30) throws(CaptureError) {
    var reader = try CaptureReader(path: path, salvage: salvage)
    var frames: [LoadedFrame] = []
    var hashes: [UInt32] = []
    var data: [UInt8] = []
    var wire: UInt64 = 0
    var full = false
    while !full,
      try reader.next({ header, bytes in
        guard data.count + bytes.count <= memoryLimit, frames.count < 1 << 28 else {
          full = true
          return
        }
        frames.append(LoadedFrame(offset: data.count, header: header))
        data.append(contentsOf: bytes)
        wire &+= UInt64(header.wireLength)
        if case .flow(let frame) = FrameDecoder.decode(bytes, header: header) {
          hashes.append(frame.key.symmetricHash)
        } else {
          hashes.append(0)
        }
      })
    {}
    self.frames = frames
    let first = frames.map(\.header.timestamp).min() ?? 0
    let last = frames.map(\.header.timestamp).max() ?? 0
    duration = max(last &- first, 1_000_000)
    longest = Int(frames.map(\.header.capturedLength).max() ?? 0)
    self.hashes = hashes
    wireBytes = wire
    salvagedAt = reader.salvagedAt
    isPartial = full
    bytes = .allocate(byteCount: max(data.count, 1), alignment: 64)
    bytes.copyBytes(from: data)
  }

  deinit { bytes.deallocate() }

  /// The frames that the card puts into queue `queue` of `count`.
  func queue(_ queue: Int, of count: Int) -> [Int] {
    frames.indices.filter { (Int(hashes[$0]) &* count) >> 32 == queue }
  }

  /// The captured bytes of a frame.
  func bytes(of frame: LoadedFrame) -> UnsafeRawBufferPointer {
    // Within the block: the offset and length were made while it was filled.
    UnsafeRawBufferPointer(
      rebasing: bytes[frame.offset..<frame.offset + Int(frame.header.capturedLength)])
  }
}
