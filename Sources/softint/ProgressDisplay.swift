// Progress on standard error: one line that is written over on a terminal, elsewhere a line now and then.
//
// Invariant: no escape codes, and after `finish()` the cursor is at the start of an empty line.

import Glibc

/// Shows how far a long command is.
final class ProgressDisplay {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  /// When something was shown last; nil if nothing was.
  private var last: ContinuousClock.Instant?
  /// Nothing is shown before.
  private let begin: ContinuousClock.Instant
  /// How many columns of the terminal's line hold text.
  private var columns = 0

  /// - Parameter delay: what is over before shows nothing.
  init(after delay: Duration = .zero) { begin = ContinuousClock.now + delay }

  /// Shows a state, unless there is one already that is too recent.
  ///
  /// - Parameter fraction: how much of the work is done, from 0 to 1; nil if nobody knows.
  func show(_ text: String, fraction: Double? = nil) {
    let now = clock.now
    if now < begin { return }
    if let last, now - last < (isTerminal ? .milliseconds(100) : .seconds(5)) { return }
    last = now
    let percent = fraction.map { "\(Int((min(max($0, 0), 1) * 100).rounded(.down))) % " } ?? ""
    let line = percent + text
    if isTerminal {
      overwrite(with: String(line.unicodeScalars.prefix(Self.width - 1).map(Character.init)))
    } else {
      StandardStreams.complain(line)
    }
  }

  /// Takes the line away.
  func finish() {
    guard isTerminal, columns > 0 else { return }
    overwrite(with: "")
  }

  private func overwrite(with text: String) {
    let length = text.unicodeScalars.count
    let rest = String(repeating: " ", count: max(0, columns - length))
    StandardStreams.writeToStandardError("\r\(text)\(rest)" + (text.isEmpty ? "\r" : ""))
    columns = length
  }

  /// The width of the terminal.
  private static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
    return Int(size.ws_col)
  }
}
