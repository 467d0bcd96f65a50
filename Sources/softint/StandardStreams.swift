// Standard output and standard error: what is data, what is said to a person, and what a terminal allows.
//
// Invariant: after `prepare()` descriptors 0, 1 and 2 are open, so that no file that is opened later gets
// one of those numbers; writing to a pipe whose reader has gone is an error, not a signal.

import FlowMeter
import Glibc

enum StandardStreams {
  /// How errors call standard output.
  static let outputName = "standard output"

  /// Makes the descriptors and signals fit for use. Call it first.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    // The lowest free number is always the one in question. The mode is the wrong one, so that reading a
    // closed standard input or writing to a closed standard output fails all the same.
    if fcntl(STDIN_FILENO, F_GETFD) < 0 { _ = open("/dev/null", O_WRONLY) }
    if fcntl(STDOUT_FILENO, F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
    if fcntl(STDERR_FILENO, F_GETFD) < 0 { _ = open("/dev/null", O_WRONLY) }
  }

  /// Writes data to standard output.
  static func print(_ text: String) throws(CommandFailure) {
    try write { (output) throws(OutputError) in
      try output.write(text)
      try output.flush()
    }
  }

  /// Has data written to standard output.
  static func write(_ body: (TextOutput) throws(OutputError) -> Void) throws(CommandFailure) {
    do throws(OutputError) {
      try body(TextOutput(OutputSink.standardOutput()))
    } catch { throw CommandFailure(error) }
  }

  /// Says on standard error what is wrong, in one line after the program's name.
  static func complain(_ message: String) { note("softint: " + message) }

  /// Says that a cut capture was read as far as it goes.
  static func noteSalvage(of name: String, at offset: UInt64) {
    complain("\(name): byte \(offset): the capture is cut here and was read up to it")
  }

  /// Says a line on standard error. Nobody can be told if that fails.
  static func note(_ line: String) { writeToStandardError(oneLine(line) + "\n") }

  /// Writes text to standard error as it is.
  static func writeToStandardError(_ text: String) {
    let output = TextOutput(OutputSink(descriptor: STDERR_FILENO, name: "standard error"))
    try? output.write(text)
    try? output.flush()
  }

  /// Whether escape codes may go to standard output.
  static var allowsColor: Bool {
    guard isatty(STDOUT_FILENO) == 1 else { return false }
    // By the convention of no-color.org: set and not empty.
    if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
    if let terminal = getenv("TERM"), strcmp(terminal, "dumb") != 0 { return true }
    return false
  }

  /// Text that comes from arguments may hold anything; a line stays one line and moves no cursor.
  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: line += "\\u{\(String(scalar.value, radix: 16))}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
