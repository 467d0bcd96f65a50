// Where bytes go: a descriptor, a file that appears only when it is whole, or nowhere.
// Invariant of the file: its name shows the old contents or the finished new ones, never a part; what was
// begun and not finished is removed.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A destination of bytes. Not thread-safe.
///
/// Writing to a pipe whose reader has gone raises SIGPIPE; a process that ignores that signal gets an
/// ``OutputError`` instead.
public final class OutputSink {
  private enum Destination {
    /// A descriptor of somebody else, or of a device that was opened by name.
    case descriptor(Int32, closes: Bool)
    /// A file under a temporary name beside the one that it will get.
    case temporary(Int32, path: String, target: String)
    /// Nothing is kept.
    case null
    /// Finished or abandoned.
    case closed
  }

  private var destination: Destination
  /// The name in errors.
  public let name: String
  /// The number of bytes written, also to nowhere.
  public private(set) var bytesWritten: UInt64 = 0

  private init(_ destination: Destination, name: String) {
    self.destination = destination
    self.name = name
  }

  /// An open descriptor, which stays open.
  ///
  /// - Parameters:
  ///   - descriptor: open for writing.
  ///   - name: what errors call it.
  public convenience init(descriptor: Int32, name: String) {
    self.init(.descriptor(descriptor, closes: false), name: name)
  }

  /// Standard output.
  public static func standardOutput() -> OutputSink {
    OutputSink(descriptor: STDOUT_FILENO, name: "standard output")
  }

  /// A sink that counts bytes and keeps none.
  public static func null() -> OutputSink { OutputSink(.null, name: "nowhere") }

  /// A file that appears, or replaces the one of that name, when ``finish()`` is called, with the
  /// permissions of the file it replaces. A device or a pipe of that name is written to as it is.
  public convenience init(file path: String) throws(OutputError) {
    self.init(try Self.open(path), name: path)
  }

  deinit { abandon() }

  /// Writes all of `bytes`.
  public func write(_ bytes: RawSpan) throws(OutputError) {
    switch destination {
    case .descriptor(let descriptor, _), .temporary(let descriptor, _, _):
      var failure: Int32 = 0
      bytes.withUnsafeBytes { failure = Self.writeAll($0, to: descriptor) }
      guard failure == 0 else { throw OutputError(.write, code: failure, file: name) }
    case .null: break
    case .closed: preconditionFailure("the sink is closed")
    }
    bytesWritten &+= UInt64(bytes.byteCount)
  }

  /// Puts a file in its place. Nothing can be written afterwards.
  public func finish() throws(OutputError) {
    guard case .temporary(let descriptor, let path, let target) = destination else { return abandon() }
    destination = .closed
    var failed = false
    // A full disk may show only now: the blocks of buffered writes are not always reserved before.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { failed = true }
    var code = errno
    if close(descriptor) != 0, !failed { (failed, code) = (true, errno) }
    if !failed, rename(path, target) != 0 { (failed, code) = (true, errno) }
    guard failed else { return }
    unlink(path)
    throw OutputError(.publish, code: code, file: name)
  }

  /// Closes the sink and removes a file that was not finished. Also done when the sink is let go.
  public func abandon() {
    switch destination {
    case .descriptor(let descriptor, let closes): if closes { close(descriptor) }
    case .temporary(let descriptor, let path, _):
      close(descriptor)
      unlink(path)
    case .null, .closed: break
    }
    destination = .closed
  }

  /// Writes until all is written; answers 0 or the error.
  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    guard let base = bytes.baseAddress else { return 0 }
    var done = 0
    while done < bytes.count {
      // `done < count`, so the address lies in the buffer and the length is what is left of it.
      let written = unistdWrite(descriptor, base + done, bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  private static func open(_ path: String) throws(OutputError) -> Destination {
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let descriptor = fcntlOpen(path, O_WRONLY | O_CLOEXEC, 0)
      guard descriptor >= 0 else { throw OutputError(.create, code: errno, file: path) }
      return .descriptor(descriptor, closes: true)
    }
    // Renaming onto a symbolic link would replace the link, not what it names.
    let target = exists ? resolved(path) : path
    for attempt in 0..<100 {
      let temporary = "\(target).partial-\(getpid())-\(attempt)"
      let descriptor = fcntlOpen(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 {
        if exists { fchmod(descriptor, status.st_mode & 0o7777) }
        return .temporary(descriptor, path: temporary, target: target)
      }
      guard errno == EEXIST else { break }
    }
    throw OutputError(.create, code: errno, file: path)
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}

/// `write(2)`, by a name that the method `write` does not hide.
private func unistdWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

/// `open(2)`, by a name that the method `open` does not hide.
private func fcntlOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
  open(path, flags, mode)
}
