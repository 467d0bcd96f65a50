// Files that commands write beside standard output. Invariant: a file that cannot be made is refused before
// the work begins, and it appears only when it is whole.

import FlowMeter
import Glibc

/// A file to be written when the work is done.
struct OutputFile {
  let path: String

  /// Refuses a file that cannot be created, or that is the input.
  ///
  /// - Parameters:
  ///   - option: the option that named it, for the message.
  ///   - input: the capture, which must not be replaced; nil if it is not a file.
  init(_ path: String, option: String, input: String?) throws(CommandFailure) {
    self.path = path
    guard !path.isEmpty else { throw .usage("\(option) names no file") }
    var output = stat()
    let exists = stat(path, &output) == 0
    if exists, let input {
      var source = stat()
      if stat(input, &source) == 0, source.st_dev == output.st_dev, source.st_ino == output.st_ino {
        throw .usage("\(option) names the capture itself, name another file")
      }
    }
    // Opening a pipe or a device is not without effect, so only plain files are tried.
    guard !exists || output.st_mode & S_IFMT == S_IFREG else {
      if output.st_mode & S_IFMT == S_IFDIR {
        throw CommandFailure(OutputError(.create, code: EISDIR, file: path))
      }
      return
    }
    do throws(OutputError) {
      try OutputSink(file: path).abandon()
    } catch { throw CommandFailure(error) }
  }

  /// Writes the file and puts it in place.
  func write(_ body: (OutputSink) throws(OutputError) -> Void) throws(CommandFailure) {
    do throws(OutputError) {
      let sink = try OutputSink(file: path)
      defer { sink.abandon() }
      try body(sink)
      try sink.finish()
    } catch { throw CommandFailure(error) }
  }
}
