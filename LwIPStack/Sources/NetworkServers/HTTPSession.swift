// One connection of the HTTP server.
//
// Law: under the stack's guard. Answers go out in the order of their requests: while one is being worked on elsewhere none is read.
// Bytes are taken from the sender as requests are, so a client that only sends is stopped by its window.
// Exclusivity is not checked at run time for what each frame or request touches: it is under the guard, so one context has it, and no
// access is kept across a call that could come back here (each is a load, a store, or an `append` whose argument is no property of this).

import Glibc
import LwIPStack

final class HTTPSession {
  private let server: HTTPServer
  @exclusivity(unchecked) private var input: [UInt8] = []
  /// How much of `input` has been read.
  @exclusivity(unchecked) private var read = 0
  /// Bytes of a body that are to be skipped.
  @exclusivity(unchecked) private var toSkip = 0
  @exclusivity(unchecked) private var output: [UInt8] = []
  @exclusivity(unchecked) private var written = 0
  /// A file's bytes that come after `output`; not copied until lwIP has room for them.
  @exclusivity(unchecked) private var files: [(bytes: [UInt8], at: Int)] = []
  @exclusivity(unchecked) private var isClosing = false
  @exclusivity(unchecked) private var hasEnded = false
  /// Seconds since something came or went.
  @exclusivity(unchecked) private var idle = 0
  /// The last small answer, and the whole head that was so answered: a client that asks again sends the same bytes.
  @exclusivity(unchecked) private var memo: (head: [UInt8], answer: [UInt8], second: Int)?
  /// A request is being worked on elsewhere.
  @exclusivity(unchecked) var isBusy = false
  /// In the server's list of those that wait for the log.
  @exclusivity(unchecked) var isWaiting = false

  /// How many seconds a client may be silent, and how many an unfinished request may take.
  private static let patience = 60
  private static let requestPatience = 20
  /// A file below this size is copied behind its head, and goes out in one segment with it.
  private static let small = 4_096

  init(_ server: HTTPServer) { self.server = server }

  func begin(_ connection: TCPConnection) {
    connection.takesAtOnce = false
    connection.setNoDelay(true)
    connection.onReceive = { [self] connection, bytes in
      if isClosing { return connection.take(bytes.count) }
      if read == input.count {
        input.removeAll(keepingCapacity: true)
        read = 0
      }
      if input.isEmpty { idle = 0 }
      input.append(contentsOf: bytes)
    }
    connection.onArrival = { [self] connection in process(connection) }
    connection.onSent = { [self] connection, _ in
      idle = 0
      pump(connection)
      // There is room for the answers to what has come meanwhile.
      process(connection)
    }
    connection.onEnd = { [self] connection in
      hasEnded = true
      if !isBusy && isIdle { close(connection) }
    }
    connection.onFailure = { [self] _, _ in server.sessionEnded() }
    connection.onTick = { [self] connection in tick(connection) }
  }

  private var isIdle: Bool { written == output.count && files.isEmpty }

  /// Reads and answers what has come, unless too much waits to go out.
  func process(_ connection: TCPConnection) {
    while !isBusy && !isClosing && connection.isOpen && files.isEmpty && output.count - written < 65_536 {
      if toSkip > 0 {
        let count = min(toSkip, input.count - read)
        toSkip -= count
        advance(count, connection)
        if toSkip > 0 { break }
      }
      if read == input.count || !server.mayAnswer(self, connection) { break }
      if repeats(connection) { continue }
      var used = 0
      do {
        guard let request = try HTTPRequest.read(input[read...], used: &used) else { break }
        let head = input[read..<(read + used)]
        let before = output.count
        toSkip = request.bodyLength
        advance(used, connection)
        if server.answer(request, connection, self), files.isEmpty, !isClosing, !isBusy, toSkip == 0 {
          memo = (Array(head), Array(output[before...]), server.second)
        }
      } catch { refuse(error) }
    }
    pump(connection)
  }

  /// Answers as before, if the same is asked within the same second.
  private func repeats(_ connection: TCPConnection) -> Bool {
    guard let memo, input.count - read >= memo.head.count else { return false }
    let isSame = memo.head.withUnsafeBytes { head in
      input.withUnsafeBytes { memcmp(head.baseAddress!, $0.baseAddress! + read, head.count) == 0 }
    }
    // The answer says the time.
    guard isSame, memo.second == server.second else { return false }
    advance(memo.head.count, connection)
    server.count(memo.answer.count)
    output.append(contentsOf: memo.answer)
    return true
  }

  private func advance(_ count: Int, _ connection: TCPConnection) {
    read += count
    connection.take(count)
  }

  private func refuse(_ failure: HTTPRequest.Failure) {
    let status =
      switch failure {
      case .bad: "400 Bad Request"
      case .tooLong: "431 Request Header Fields Too Large"
      case .noSuchVersion: "505 HTTP Version Not Supported"
      case .notImplemented: "501 Not Implemented"
      }
    output.append(contentsOf: server.head(status, "text/plain", 0, nil).utf8)
    isClosing = true
  }

  /// Queues an answer.
  func reply(_ head: String, _ body: [UInt8]?, _ request: HTTPRequest) {
    output.append(contentsOf: head.utf8)
    if let body, !request.isHead {
      if body.count <= Self.small { output.append(contentsOf: body) } else { files.append((body, 0)) }
    }
    if !request.keepsAlive { isClosing = true }
  }

  /// Writes what there is room for; ends the connection after the last answer.
  func pump(_ connection: TCPConnection) {
    guard connection.isOpen else { return }
    do throws(NetworkError) {
      if written < output.count {
        written += try connection.write(output, from: written, more: !files.isEmpty)
      }
      while written == output.count, let file = files.first {
        let count = try connection.write(file.bytes, from: file.at)
        if file.at + count == file.bytes.count { files.removeFirst() } else { files[0].at += count }
        if count == 0 { break }
      }
    } catch {
      server.sessionEnded()
      return connection.abort()
    }
    guard written == output.count else { return }
    output.removeAll(keepingCapacity: true)
    written = 0
    if files.isEmpty && !isBusy && (isClosing || (hasEnded && read == input.count)) { close(connection) }
  }

  private func close(_ connection: TCPConnection) {
    guard connection.isOpen else { return }
    server.sessionEnded()
    connection.close()
  }

  private func tick(_ connection: TCPConnection) {
    if isBusy { return }
    idle += 1
    let isUnfinished = read < input.count || toSkip > 0
    if idle > (isUnfinished && isIdle ? Self.requestPatience : Self.patience) {
      server.sessionEnded()
      connection.abort()
    } else {
      // A write that failed for want of memory is tried again.
      pump(connection)
    }
  }
}
