// What a step is: something that serves the sockets. And the sockets, which are the same in all steps.
//
// Law: each event loop has a socket where clients ask and one, connected, that asks the upstream; the kernel spreads the clients over
// the first kind and lets nobody but the upstream send to the second.

import DNSForwarding
import Glibc
import NIOCore
import NIOPosix

typealias Datagram = AddressedEnvelope<ByteBuffer>

protocol Serving: Sendable {
  /// Puts what serves a socket into its pipeline; on its event loop.
  func attach(_ channel: any Channel, asksUpstream: Bool) throws
  /// Stops when the sockets are closed, and waits until it has; what happened.
  func stop() async -> ForwarderCounts
}

struct Sockets {
  let upstream: [any Channel]
  let listeners: [any Channel]

  static func open(_ group: MultiThreadedEventLoopGroup, _ options: Options, for serving: any Serving)
    async throws
    -> Sockets
  {
    func bootstrap(_ loop: any EventLoop, asksUpstream: Bool) -> DatagramBootstrap {
      DatagramBootstrap(group: loop)
        .channelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
        // Up to 32 datagrams with one system call; none is longer than what was promised to the upstream, or is of use.
        .channelOption(.datagramVectorReadMessageCount, value: 32)
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 2_048))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try serving.attach(channel, asksUpstream: asksUpstream) }
        }
    }
    var upstream: [any Channel] = []
    var listeners: [any Channel] = []
    var address = options.listen.address
    for loop in group.makeIterator() {
      do {
        upstream.append(
          try await bootstrap(loop, asksUpstream: true).connect(to: options.upstream.address).get())
      } catch { throw SocketError("cannot reach \(options.upstream.text)", error) }
    }
    for loop in group.makeIterator() {
      do {
        let listener = try await bootstrap(loop, asksUpstream: false).bind(to: address).get()
        // The port that the first was given, if any would do.
        if let bound = listener.localAddress { address = bound }
        listeners.append(listener)
      } catch { throw SocketError("cannot listen on \(options.listen.text)", error) }
    }
    return Sockets(upstream: upstream, listeners: listeners)
  }

  func close() async {
    for channel in listeners + upstream { try? await channel.close().get() }
  }
}

struct SocketError: Error, CustomStringConvertible {
  let description: String
  init(_ what: String, _ error: any Error) {
    let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    description = "\(what): \(reason)"
  }
}
