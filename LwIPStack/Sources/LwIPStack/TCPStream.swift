// A TCP connection as asynchronous sequences: for code that runs in tasks, at level none.
//
// Law: what has come and was not read yet is not taken, so the other end's window closes while nobody reads. At most one reader and one
// writer wait; each is resumed once. All state is under the stack's guard, which is held across no suspension.

import CLwIPStack

/// A TCP connection whose bytes are read and written by tasks.
public final class TCPStream: AsyncSequence, @unchecked Sendable {
  // Sendable: every stored property is constant or under the guard.

  public typealias Element = [UInt8]

  let connection: TCPConnection
  private var stack: NetworkStack { connection.stack }
  private var chunks: [[UInt8]] = []
  private var hasEnded = false
  private var failure: NetworkError?
  private var reader: (number: UInt, continuation: CheckedContinuation<[UInt8]?, any Error>)?
  private var writer: (number: UInt, continuation: CheckedContinuation<Void, any Error>)?
  private var connector: CheckedContinuation<Void, any Error>?

  /// Takes over a connection's callbacks. Under the guard.
  init(_ connection: TCPConnection) {
    self.connection = connection
    connection.takesAtOnce = false
    connection.onReceive = { [self] _, bytes in chunks.append(Array(bytes)) }
    connection.onArrival = { [self] _ in serveReader() }
    connection.onEnd = { [self] _ in
      hasEnded = true
      serveReader()
    }
    connection.onSent = { [self] _, _ in serveWriter() }
    connection.onConnect = { [self] _ in
      connector?.resume()
      connector = nil
    }
    connection.onFailure = { [self] _, why in
      failure = why
      connector?.resume(throwing: why)
      connector = nil
      serveReader()
      serveWriter()
    }
  }

  /// Connects.
  ///
  /// - Throws: ``NetworkError``; `CancellationError` if the task is cancelled, and then the connection is reset.
  public static func connect(
    _ stack: NetworkStack, to address: NetworkAddress, port: UInt16
  ) async throws -> TCPStream {
    let stream = try stack.enter { () throws(NetworkError) in
      var made: TCPStream?
      _ = try TCPConnection.connect(stack, to: address, port: port) { made = TCPStream($0) }
      return made!
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        stack.enter {
          if let failure = stream.failure {
            continuation.resume(throwing: failure)
          } else if Task.isCancelled {
            stream.connection.abort()
            continuation.resume(throwing: CancellationError())
          } else if stream.connection.isConnected {
            continuation.resume()
          } else {
            stream.connector = continuation
          }
        }
      }
    } onCancel: {
      stack.enterLater {
        guard let waiting = stream.connector else { return }
        stream.connector = nil
        stream.connection.abort()
        waiting.resume(throwing: CancellationError())
      }
    }
    return stream
  }

  // MARK: Reading

  /// The next bytes that came; nil after the other end's last. One task at a time. Throws as ``connect(_:to:port:)``.
  public func read() async throws -> [UInt8]? {
    let number = WaitNumber.next()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        stack.enter {
          precondition(reader == nil, "one task reads a stream at a time")
          if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
          reader = (number, continuation)
          serveReader()
        }
      }
    } onCancel: {
      stack.enterLater { [self] in cancelRead(number) }
    }
  }

  /// Whether a task waits for bytes. Under the guard.
  var isAwaited: Bool { reader != nil }

  /// Ends one wait, if it is not over. Under the guard.
  func cancelRead(_ number: UInt) {
    guard let waiting = reader, waiting.number == number else { return }
    reader = nil
    waiting.continuation.resume(throwing: CancellationError())
  }

  /// Under the guard.
  private func serveReader() {
    guard let waiting = reader?.continuation else { return }
    if !chunks.isEmpty {
      let chunk = chunks.count == 1 ? chunks[0] : Array(chunks.joined())
      chunks.removeAll()
      reader = nil
      connection.take(chunk.count)
      waiting.resume(returning: chunk)
    } else if let failure {
      reader = nil
      waiting.resume(throwing: failure)
    } else if hasEnded || !connection.isOpen {
      reader = nil
      waiting.resume(returning: nil)
    }
  }

  /// How many bytes have come that nobody has read. Any thread below softNet.
  public var buffered: Int { stack.enter { chunks.reduce(0) { $0 + $1.count } } }

  // MARK: Writing

  /// Queues all of `bytes` and sends them; returns when lwIP has them, so who writes goes no faster than the other end reads. One task at
  /// a time. Throws as ``connect(_:to:port:)``; how much was sent is not known then.
  public func write(_ bytes: [UInt8]) async throws {
    var done = 0
    while true {
      done += try stack.enter { () throws(NetworkError) in
        if let failure { throw failure }
        let count = try connection.write(bytes, from: done)
        connection.flush()
        return count
      }
      if done == bytes.count { return }
      let number = WaitNumber.next()
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          stack.enter {
            precondition(writer == nil, "one task writes a stream at a time")
            if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
            writer = (number, continuation)
            // There may be room since.
            if connection.room > 0 || failure != nil || !connection.isOpen { serveWriter() }
          }
        }
      } onCancel: {
        stack.enterLater { [self] in
          guard let waiting = writer, waiting.number == number else { return }
          writer = nil
          waiting.continuation.resume(throwing: CancellationError())
        }
      }
    }
  }

  /// Under the guard.
  private func serveWriter() {
    guard let waiting = writer?.continuation else { return }
    writer = nil
    if let failure { return waiting.resume(throwing: failure) }
    if !connection.isOpen { return waiting.resume(throwing: NetworkError.notConnected) }
    waiting.resume()
  }

  /// Sends no more; reading goes on.
  public func endWriting() throws(NetworkError) {
    try stack.enter { () throws(NetworkError) in
      if let failure { throw failure }
      try connection.closeSending()
    }
  }

  /// Ends it in order. Who waits for it is told.
  public func close() {
    stack.enter {
      connection.close()
      serveReader()
      serveWriter()
    }
  }

  /// Resets it. Who waits for it is told.
  public func abort() {
    stack.enter {
      connection.abort()
      serveReader()
      serveWriter()
    }
  }

  // MARK: AsyncSequence

  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: TCPStream
    public mutating func next() async throws -> [UInt8]? { try await stream.read() }
  }
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
