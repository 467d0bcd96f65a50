// The file that a search is kept in while it goes on.
//
// Law: it is replaced as a whole, so whoever reads it finds the state of some moment; it is gone when the search is over.

import FlowMeter
import Glibc
import Synchronization

final class CheckpointFile: Sendable {
  let path: String
  /// When it was last written; the lock is held while it is.
  private let last: Mutex<ContinuousClock.Instant>

  /// Refuses a file that cannot be made.
  init(_ path: String) throws(CommandFailure) {
    self.path = path
    if access(path, F_OK) != 0 { _ = try OutputFile(path, option: "--checkpoint", input: nil) }
    last = Mutex(ContinuousClock.now)
  }

  /// Writes it now and then. A failure is told at the end, when it is written again.
  func refresh(_ text: () -> String?) {
    last.withLock { last in
      if ContinuousClock.now - last < .seconds(5) { return }
      last = ContinuousClock.now
      if let text = text() { try? write(text) }
    }
  }

  /// The search has ended: with something to go on from, or for good.
  func finish(_ text: String?) throws(CommandFailure) {
    if let text { return try write(text) }
    unlink(path)
  }

  private func write(_ text: String) throws(CommandFailure) {
    try OutputFile(path, option: "--checkpoint", input: nil).write { (sink) throws(OutputError) in
      let output = TextOutput(sink)
      try output.write(text + "\n")
      try output.flush()
    }
  }
}
