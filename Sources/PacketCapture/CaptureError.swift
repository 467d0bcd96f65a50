// Why a capture cannot be read, for the person who gave it: always one line that names the file, the
// place where it applies, what is wrong, and what to do about it.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A capture that cannot be opened or read on.
public struct CaptureError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: Sendable, Hashable {
    /// There is no such file.
    case notFound
    /// The path names a directory.
    case isDirectory
    /// The file cannot be opened; the value is `errno`.
    case unreadable(Int32)
    /// Reading failed on the way; the value is `errno`.
    case readFailed(Int32)
    /// There is not one byte.
    case empty
    /// The first bytes are those of no capture format.
    case notACapture
    /// The first bytes are those of this compressor: "gzip", "zstd", "xz", "bzip2" or "lz4".
    case compressed(String)
    /// The capture's own header is incomplete.
    case truncatedHeader(has: UInt64, needs: UInt64)
    /// The capture ends within a record or block.
    case truncatedRecord(has: UInt64, claims: UInt64)
    /// A record claims more than ``CaptureReader/maximumRecord`` bytes.
    case recordTooLarge(UInt32)
    /// Frames are of a link type that is not decoded.
    case unknownLinkType(UInt32)
    /// The format is known, this version of it is not.
    case unsupportedVersion(major: UInt16, minor: UInt16)
    /// A pcapng block contradicts itself; the text says how.
    case malformedBlock(String)
  }

  /// What is wrong.
  public var kind: Kind
  /// The file as it was named, or "standard input".
  public var file: String
  /// The byte offset in the file at which the offending header, record or block begins.
  public var offset: UInt64?

  /// Makes an error about a file.
  public init(_ kind: Kind, file: String, offset: UInt64? = nil) {
    self.kind = kind
    self.file = file
    self.offset = offset
  }

  /// The exit status for a command, in the manner of `sysexits(3)`: 66 if there is no input that can be
  /// read, 65 if the input's data are wrong.
  public var exitStatus: Int32 {
    switch kind {
    case .notFound, .isDirectory, .unreadable, .readFailed: 66
    default: 65
    }
  }

  /// One line: file, byte offset where it applies, what is wrong, what to do.
  public var description: String {
    let place = offset.map { ": byte \($0)" } ?? ""
    return "\(Self.oneLine(file))\(place): \(problem); \(remedy)"
  }

  /// A name on one line: control characters (which a file name may hold) are shown as `\u{…}`.
  private static func oneLine(_ name: String) -> String {
    var line = ""
    for scalar in name.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator:
        line += "\\u{\(String(scalar.value, radix: 16))}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}

extension CaptureError {
  private var problem: String {
    switch kind {
    case .notFound: "there is no such file"
    case .isDirectory: "this is a directory, not a capture"
    case .unreadable(let code): "cannot be opened: \(Self.text(of: code))"
    case .readFailed(let code): "reading failed: \(Self.text(of: code))"
    case .empty: "the capture is empty, without even a header"
    case .notACapture: "this is neither a pcap nor a pcapng capture"
    case .compressed(let how): "the capture is compressed with \(how)"
    case .truncatedHeader(let has, let needs):
      "the capture is cut in its header: \(has) of \(needs) bytes are there"
    case .truncatedRecord(let has, let claims):
      "the capture is cut in a record: \(has) of the \(claims) bytes that it claims are there"
    case .recordTooLarge(let claims):
      "a record claims \(claims) bytes, the limit is \(CaptureReader.maximumRecord)"
    case .unknownLinkType(let number): "link type \(number) is not known"
    case .unsupportedVersion(let major, let minor):
      "version \(major).\(minor) of the format is not known"
    case .malformedBlock(let how): how
    }
  }

  private var remedy: String {
    switch kind {
    case .notFound: "check the path"
    case .isDirectory: "name a capture file in it"
    case .unreadable: "check who may read it"
    case .readFailed: "check the device, or copy the capture and try again"
    case .empty: "check that whatever wrote it had packets to write and room to write them"
    case .notACapture: "give a file written by tcpdump, dumpcap or Wireshark"
    case .compressed(let how): "decompress it first: \(how) -d"
    case .truncatedHeader: "nothing can be read from it, capture or copy it again"
    case .truncatedRecord: "read what is whole with --salvage"
    case .recordTooLarge, .malformedBlock: "the file is damaged there, copy or capture it again"
    case .unknownLinkType:
      "capture Ethernet, raw IP, Linux cooked or loopback (tcpdump -y EN10MB, or -i any)"
    case .unsupportedVersion: "convert it: editcap -F pcap IN OUT"
    }
  }

  private static func text(of code: Int32) -> String {
    // glibc's strerror answers from static or thread-local storage that is valid until the next call.
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }
}
