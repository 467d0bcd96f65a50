// A listening port as an asynchronous sequence of connections.
//
// Law: connections that nobody has taken wait in a queue of bounded length; beyond it they are reset. State is under the guard.

/// A TCP port whose connections are taken by a task.
public final class TCPStreamListener: AsyncSequence, @unchecked Sendable {
  // Sendable: every stored property is constant or under the guard.
  public typealias Element = TCPStream

  private let stack: NetworkStack
  private let backlog: Int
  private var listener: TCPListener?
  private var waiting: [TCPStream] = []
  private var taker: (number: UInt, continuation: CheckedContinuation<TCPStream?, Never>)?
  private var isClosed = false
  /// How many were reset because the queue was full.
  private var refusals = 0

  /// Listens on a port; `backlog` connections may wait to be taken.
  public init(
    _ stack: NetworkStack, address: NetworkAddress? = nil, port: UInt16, backlog: Int = 128
  ) throws(NetworkError) {
    self.stack = stack
    self.backlog = backlog
    listener = try TCPListener(stack, address: address, port: port) { [weak self] connection in
      self?.accept(connection) ?? false
    }
  }

  deinit { listener?.close() }

  /// How many connections were reset because nobody took them. Any thread below softNet.
  public var refused: Int { stack.enter { refusals } }

  /// Under the guard.
  private func accept(_ connection: TCPConnection) -> Bool {
    guard !isClosed else { return false }
    if let taker {
      self.taker = nil
      taker.continuation.resume(returning: TCPStream(connection))
    } else if waiting.count < backlog {
      waiting.append(TCPStream(connection))
    } else {
      refusals += 1
      return false
    }
    return true
  }

  /// The next connection; nil once it is closed or the task cancelled. One task at a time.
  public func next() async -> TCPStream? {
    let number = WaitNumber.next()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        stack.enter {
          precondition(taker == nil, "one task takes a listener's connections at a time")
          if !waiting.isEmpty { return continuation.resume(returning: waiting.removeFirst()) }
          if isClosed || Task.isCancelled { return continuation.resume(returning: nil) }
          taker = (number, continuation)
        }
      }
    } onCancel: {
      stack.enterLater { [self] in
        guard let waiting = taker, waiting.number == number else { return }
        taker = nil
        waiting.continuation.resume(returning: nil)
      }
    }
  }

  /// Accepts no more, and resets what nobody has taken.
  public func close() {
    stack.enter {
      isClosed = true
      for stream in waiting { stream.connection.abort() }
      waiting.removeAll()
      taker?.continuation.resume(returning: nil)
      taker = nil
    }
    listener?.close()
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    let listener: TCPStreamListener
    public mutating func next() async -> TCPStream? { await listener.next() }
  }
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: self) }
}
