// The end of a channel's pipeline that is a level.
//
// Law: events of a channel go to the level in the order in which they came; none is lost and none waits in NIO for a gate. While
// something is kept because the level is behind, the channel does not read: what is kept is at most what one read had brought.

public import NIOCore

/// A channel handler that delivers into a ``LevelPort``, which made it.
///
/// It ends the pipeline for messages: `channelRead` goes no further, all other events do.
public final class LevelChannelHandler<Inbound: Sendable, Outbound: Sendable>: ChannelDuplexHandler {
  public typealias InboundIn = Inbound
  public typealias OutboundIn = Any
  public typealias OutboundOut = Outbound
  typealias Port = LevelPort<Inbound, Outbound>

  /// The channel as the level sees it.
  public let connection: LevelPort<Inbound, Outbound>.Connection
  private var link: Port.Link { connection.link }
  private var context: ChannelHandlerContext?
  /// What was refused, the oldest first. Not empty: the link has us in its queue.
  var kept = CircularBuffer<Port.Arrival>()
  var undelivered = 0
  private var isOpen = false
  /// The level has been told, or will be: it hears nothing more of this channel.
  private var isClosed = false
  private var isToBeFlushed = false
  /// A read was asked for and not passed on.
  private var wantsRead = false
  /// The level wants nothing of this channel now.
  private var isPaused = false

  init(_ connection: Port.Connection) { self.connection = connection }

  // MARK: To the level

  private func deliver(_ event: Port.Event) {
    let arrival = Port.Arrival(connection: connection, event: event)
    if link.isOver || isClosed { return link.drop(arrival) }
    if kept.isEmpty && link.intake.offer(arrival) { return }
    kept.append(arrival)
    if kept.count == 1 { link.wait(self) }
  }

  private func open(_ context: ChannelHandlerContext) {
    if isOpen || isClosed { return }
    isOpen = true
    connection.localAddress = context.localAddress
    connection.remoteAddress = context.remoteAddress
    deliver(.opened)
    link.ring()
  }

  private func shut() {
    if !isOpen { return }
    isOpen = false
    deliver(.closed)
    isClosed = true
    link.ring()
  }

  public func handlerAdded(context: ChannelHandlerContext) {
    precondition(context.eventLoop === link.loop, "the handler was made for a channel of another event loop")
    self.context = context
    connection.handler = self
    link.add(self)
    if context.channel.isActive { open(context) }
  }

  public func handlerRemoved(context: ChannelHandlerContext) {
    shut()
    link.remove(self)
    connection.handler = nil
    self.context = nil
    // Whoever asked for a read that was not passed on gets it from now on.
    if wantsRead { context.read() }
  }

  public func channelActive(context: ChannelHandlerContext) {
    open(context)
    context.fireChannelActive()
  }

  public func channelInactive(context: ChannelHandlerContext) {
    shut()
    context.fireChannelInactive()
  }

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    deliver(.message(unwrapInboundIn(data)))
  }

  public func channelReadComplete(context: ChannelHandlerContext) {
    // One schedule for all that was read.
    link.ring()
    context.fireChannelReadComplete()
  }

  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.writable.store(context.channel.isWritable, ordering: .relaxed)
    deliver(.writable(context.channel.isWritable))
    link.ring()
    context.fireChannelWritabilityChanged()
  }

  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    deliver(.failed(error))
    link.ring()
    context.fireErrorCaught(error)
  }

  // MARK: Reading

  public func read(context: ChannelHandlerContext) {
    if kept.isEmpty && !isPaused { context.read() } else { wantsRead = true }
  }

  func readIfWanted() {
    guard wantsRead, kept.isEmpty, !isPaused else { return }
    wantsRead = false
    context?.read()
  }

  func setReading(_ isReading: Bool) {
    isPaused = !isReading
    readIfWanted()
  }

  // MARK: From the level

  /// True if somebody is to flush.
  func write(_ message: Outbound, _ onFailure: Port.WriteFailure) -> Bool {
    guard let context else { return false }
    var promise: EventLoopPromise<Void>?
    if case .told = onFailure {
      promise = context.eventLoop.makePromise()
      promise?.futureResult.assumeIsolated().whenFailure { error in
        self.link.unwritten()
        self.deliver(.failed(error))
        self.link.ring()
      }
    }
    context.write(wrapOutboundOut(message), promise: promise)
    defer { isToBeFlushed = true }
    return !isToBeFlushed
  }

  func flush() {
    guard isToBeFlushed else { return }
    isToBeFlushed = false
    context?.flush()
  }

  func close(now: Bool) {
    guard let context else { return }
    flush()
    if now { return context.close(promise: nil) }
    // Closing the output comes after what was written; what has no output of its own to close (a datagram socket) has sent it all, or
    // has it fail.
    let output = context.eventLoop.makePromise(of: Void.self)
    output.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(promise: nil) }
    context.close(mode: .output, promise: output)
  }

  // MARK: The end of the port

  func dropKept() {
    for arrival in kept { link.drop(arrival) }
    kept.removeAll()
  }

  func portEnded() {
    dropKept()
    context?.fireErrorCaught(LevelPortError.ended(undelivered: undelivered))
    close(now: false)
  }
}
