// The log: who came, who went, what was said. It is written at softBio, where a slow disk keeps up nobody above.
//
// Law: the levels above hand lines over through a ring and schedule the handler here; nobody at softNet formats or writes. A failed
// write ends the log and is reported once; the game goes on.

import Glibc

enum Line: Sendable {
  case joined(UInt16, name: String, Endpoint)
  case left(UInt16)
  case timedOut(UInt16)
  case said(UInt16, String)
  case started(Endpoint)
  case stopped(tick: UInt32)
}

struct Journal {
  private var descriptor: Int32 = -1
  private var text: [UInt8] = []
  private(set) var lines = 0
  /// Why writing has ended; an errno.
  private(set) var failure: Int32?

  /// Without a file it only counts.
  init(file: String?) throws(Failure) {
    guard let file else { return }
    descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .system("\(file) cannot be written", 73) }
  }

  mutating func add(_ line: Line) {
    lines += 1
    guard descriptor >= 0 else { return }
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var stamp = [CChar](repeating: 0, count: 32)
    strftime(&stamp, stamp.count, "%Y-%m-%dT%H:%M:%SZ ", &parts)
    text += stamp.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    let words =
      switch line {
      case .joined(let id, let name, let endpoint): "player \(id) joined from \(endpoint) as \(name)"
      case .left(let id): "player \(id) left"
      case .timedOut(let id): "player \(id) timed out"
      case .said(let id, let text): "player \(id): \(text)"
      case .started(let endpoint): "listening on \(endpoint)"
      case .stopped(let tick): "stopped after \(tick) ticks"
      }
    text += words.utf8
    text.append(UInt8(ascii: "\n"))
    if text.count >= 1 << 16 { write() }
  }

  /// Writes what has gathered. Files are not non-blocking: this may take as long as the disk does, which is why it is done here.
  mutating func write() {
    guard descriptor >= 0, !text.isEmpty else { return }
    var done = 0
    while done < text.count {
      let count = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, text.count - done) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 {
        failure = errno
        close()
        break
      }
      done += count
    }
    text.removeAll(keepingCapacity: true)
  }

  struct End: Sendable {
    var lines: Int
    var failure: Int32?
  }

  /// Writes the rest, and closes.
  mutating func end() -> End {
    write()
    close()
    return End(lines: lines, failure: failure)
  }

  private mutating func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}
