// How a command ends: the exit statuses and the failure that carries one.

import FlowMeter
import PacketCapture

/// Exit statuses, those of `sysexits(3)` and of shells for signals.
enum ExitStatus {
  static let success: Int32 = 0
  /// The disciplines of a comparison computed different flow tables.
  static let digestsDiffer: Int32 = 1
  /// A scenario breaks a rule, and nothing is expected of it.
  static let violation: Int32 = 1
  /// A scenario came to something else than what it expects.
  static let notAsExpected: Int32 = 2
  /// A limit ended an exploration before it had a verdict.
  static let bounded: Int32 = 3
  static let usage: Int32 = 64
  static let data: Int32 = 65
  /// A file that cannot be read.
  static let noInput: Int32 = 66
  /// The system does not provide what the command needs.
  static let system: Int32 = 71
  static let interrupted: Int32 = 130
  /// The reader of standard output has gone.
  static let brokenPipe: Int32 = 141
  static let terminated: Int32 = 143

  /// The list in the help of each verb.
  static let help = """
    Exit status: 0 success; 64 wrong usage; 65 wrong data in the capture; 66 no capture that can be read; 73 an \
    output file cannot be created; 74 an output cannot be written; 141 the reader of standard output has gone.
    """

  /// That of `explore`, which has verdicts.
  static let exploreHelp = """
    Exit status: 0 success; 64 wrong usage, or a replay string of another program; 65 a scenario is wrong; 66 no \
    scenario that can be read; 73 an output file cannot be created; 74 an output cannot be written; 141 the reader \
    of standard output has gone. Success is: as expected, or no violation where nothing is expected. Also: 1 a \
    violation where nothing is expected; 2 not as expected; 3 a limit or a sample without a verdict; 130 or 143 \
    interrupted. Of several scenarios the worst counts.
    """
}

/// A command that cannot go on: what to say on standard error, if anything, and the exit status.
struct CommandFailure: Error {
  /// One line, without the program's name.
  var message: String?
  var status: Int32

  /// A wrong combination of arguments, found after parsing.
  static func usage(_ message: String) -> CommandFailure {
    CommandFailure(message: message, status: ExitStatus.usage)
  }

  init(message: String?, status: Int32) {
    self.message = message
    self.status = status
  }

  init(_ error: CaptureError) { self.init(message: error.description, status: error.exitStatus) }

  /// A reader that has gone wants to hear nothing more.
  init(_ error: OutputError) {
    if error.isClosedPipe, error.file == StandardStreams.outputName {
      self.init(message: nil, status: ExitStatus.brokenPipe)
    } else {
      self.init(message: error.description, status: error.exitStatus)
    }
  }
}
