// Why something could not be written, for the person who asked for it: always one line.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An output that could not be created, written or put in its place.
public struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What failed.
  public enum Step: Sendable, Hashable {
    /// Creating the file.
    case create
    /// Writing to it.
    case write
    /// Giving the finished file its name.
    case publish
  }

  /// What failed.
  public var step: Step
  /// The system's error number.
  public var code: Int32
  /// The file as it was named, or "standard output".
  public var file: String

  /// Makes an error about an output.
  public init(_ step: Step, code: Int32, file: String) {
    self.step = step
    self.code = code
    self.file = file
  }

  /// Whether the reader of a pipe has gone. A command that writes to standard output may end silently then.
  public var isClosedPipe: Bool { code == EPIPE }

  /// The exit status for a command, in the manner of `sysexits(3)`: 73 if the file cannot be created, 74 if
  /// writing fails.
  public var exitStatus: Int32 { step == .create ? 73 : 74 }

  /// One line: file, what is wrong, what to do.
  public var description: String { "\(Self.oneLine(file)): \(problem); \(remedy)" }

  private var problem: String {
    // glibc's strerror answers from static or thread-local storage that is valid until the next call.
    let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return switch step {
    case .create: "cannot be created: \(reason)"
    case .write: "writing failed: \(reason)"
    case .publish: "the finished file cannot be put in place: \(reason)"
    }
  }

  private var remedy: String {
    switch code {
    case ENOSPC, EDQUOT: "make room or name a file on another disk"
    case EFBIG: "raise the limit on file sizes (ulimit -f)"
    case EPIPE: "the reader has gone"
    case ENOENT, ENOTDIR: "check that the directory exists"
    case EISDIR: "name a file, not a directory"
    case EACCES, EPERM, EROFS: "check who may write there"
    default: "check the path and the device"
    }
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
