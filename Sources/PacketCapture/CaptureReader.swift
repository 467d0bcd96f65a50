// Reads a capture as a stream of frames, in one pass and bounded memory: the file may be larger than
// memory, or a pipe. Invariant: the window starts at a record or block boundary between two calls, and
// after the end or an error no further frame comes. The formats are in `CaptureReader+Pcap.swift` and
// `CaptureReader+PcapNG.swift`.

/// A reader of pcap and pcapng captures.
///
/// ```swift
/// var reader = try CaptureReader(path: "-")
/// while try reader.next({ header, bytes in
///   if case .flow(let frame) = FrameDecoder.decode(bytes, header: header) { count(frame) }
/// }) {}
/// ```
///
/// Both byte orders are read; pcap with micro- and nanoseconds, and with the longer records of the
/// modified format `a1b2cd34`; pcapng with any number of sections and interfaces, their resolutions and
/// offsets of time, and enhanced, simple and obsolete packet blocks. Unknown blocks are stepped over.
///
/// A pcap of an unknown link type is refused. In a pcapng, an interface of an unknown link type is
/// refused at its first frame if its section has no interface of a known one so far; beside a known one
/// its frames are delivered as they are, and ``FrameDecoder`` counts them as
/// ``SkipReason/unknownLink``.
public struct CaptureReader: ~Copyable {
  /// The greatest number of bytes a record may claim, 256 KiB, as tcpdump has it.
  public static let maximumRecord = 262_144
  /// The greatest number of interfaces in a pcapng section.
  public static let maximumInterfaces = 65_536
  /// Room in the window for a record, and for the header and the options of the block around it.
  static let windowCapacity = 2 * maximumRecord

  /// What kind of capture this is, with what its header said.
  enum Format {
    case pcap(PcapFile)
    case pcapng
    /// The end was reached or an error thrown.
    case finished
  }

  var format = Format.finished
  /// Of a pcapng: what the current section said so far.
  var section = PcapNGSection()
  var stream: ByteStream
  let name: String
  let salvage: Bool
  /// The frame that `advance()` found; its bytes lie in the stream's window until the next call.
  @usableFromInline var header = FrameHeader(timestamp: 0, wireLength: 0, capturedLength: 0, link: .rawIP)
  @usableFromInline var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The record or block that holds the frame, to be dropped when the next one is asked for.
  var pending = 0

  /// The number of frames delivered.
  public internal(set) var framesRead: UInt64 = 0

  /// The number of bytes of the capture taken in, headers included.
  public var bytesRead: UInt64 { stream.position + UInt64(pending) }

  /// Where a capture that was cut mid-record ends: the offset of the record that is not whole. Only set
  /// under salvage, and nil for a capture that is whole.
  public internal(set) var salvagedAt: UInt64?

  /// Takes a stream and reads the capture's header from it.
  init(_ source: ByteStream.Source, name: String, salvage: Bool) throws(CaptureError) {
    stream = ByteStream(source, capacity: Self.windowCapacity)
    self.name = name
    self.salvage = salvage
    format = try openFormat()
  }

  /// Calls `body` with the next frame.
  ///
  /// - Parameter body: gets the frame's header and its captured bytes, which are valid only in the call.
  /// - Returns: false at the end of the capture, when `body` was not called.
  /// - Throws: a ``CaptureError``, after which there is no further frame.
  /// - Complexity: O(bytes of the record); no allocation.
  @inlinable
  @discardableResult
  public mutating func next(
    _ body: (FrameHeader, UnsafeRawBufferPointer) -> Void
  ) throws(CaptureError) -> Bool {
    guard try advance() else { return false }
    body(header, bytes)
    return true
  }

  /// Finds the next frame and points `header` and `bytes` at it.
  @usableFromInline
  mutating func advance() throws(CaptureError) -> Bool {
    stream.drop(pending)
    pending = 0
    let found: Bool
    do throws(CaptureError) {
      switch format {
      case .pcap(let file): found = try advance(file)
      case .pcapng: found = try advanceBlocks()
      case .finished: return false
      }
    } catch {
      format = .finished
      throw error
    }
    if found { framesRead += 1 } else { format = .finished }
    return found
  }
}

extension CaptureReader {
  /// Reads on until the window holds `count` bytes; false if the capture ends before.
  @inline(__always)
  mutating func fill(_ count: Int) throws(CaptureError) -> Bool {
    do throws(ReadFailure) {
      return try stream.fill(count)
    } catch { throw failure(error) }
  }

  func failure(_ failure: ReadFailure) -> CaptureError {
    // A directory can be opened and only refuses to be read.
    let kind: CaptureError.Kind = failure.isDirectory ? .isDirectory : .readFailed(failure.code)
    return CaptureError(kind, file: name, offset: failure.isDirectory ? nil : stream.position)
  }

  /// An error about the record or block at the window's start.
  func error(_ kind: CaptureError.Kind) -> CaptureError {
    CaptureError(kind, file: name, offset: stream.position)
  }

  /// Drops `count` bytes, within the window or beyond it; answers how many there were to drop.
  mutating func skip(_ count: UInt64) throws(CaptureError) -> UInt64 {
    do throws(ReadFailure) {
      return try stream.skip(count)
    } catch { throw failure(error) }
  }

  /// The capture ends within the record or block at the window's start, or at `start`, which claims
  /// `claims` bytes: under salvage the end of what is whole, otherwise an error. Always answers false.
  /// A capture that begins with the cut holds nothing to salvage.
  mutating func cut(claims: UInt64, has: UInt64? = nil, at start: UInt64? = nil) throws(CaptureError) -> Bool
  {
    let start = start ?? stream.position
    let has = has ?? UInt64(stream.available)
    guard start > 0 else {
      throw CaptureError(.truncatedHeader(has: has, needs: claims), file: name, offset: start)
    }
    guard salvage else {
      throw CaptureError(.truncatedRecord(has: has, claims: claims), file: name, offset: start)
    }
    salvagedAt = start
    return false
  }
}
