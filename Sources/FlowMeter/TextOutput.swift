// Text on its way to a sink, through one buffer. Invariant: text reaches the sink in order, and all of it
// has when `flush()` returns.

/// A buffered writer of UTF-8 text. Not thread-safe.
public final class TextOutput {
  private let sink: OutputSink
  private var buffer: ByteBuffer

  /// Writes to `sink`, in pieces of `bufferSize` bytes.
  public init(_ sink: OutputSink, bufferSize: Int = 65_536) {
    precondition(bufferSize >= 1, "a buffer has room for something")
    self.sink = sink
    buffer = ByteBuffer(capacity: bufferSize)
  }

  /// Adds text.
  public func write(_ text: String) throws(OutputError) {
    var text = text
    var failure: OutputError?
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      do throws(OutputError) {
        while true {
          let taken = buffer.append(contentsOf: rest)
          guard taken < rest.count else { return }
          rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
          try buffer.flush(to: sink)
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Hands what was added so far to the sink.
  public func flush() throws(OutputError) { try buffer.flush(to: sink) }
}
