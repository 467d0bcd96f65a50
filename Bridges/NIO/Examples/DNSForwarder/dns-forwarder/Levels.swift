// What the steps at levels share: the system, who a client is, and how something is sent.

import DNSForwarding
import Dispatch
import HostedMachine
import NIOCore
import SoftInterrupts
import SoftInterruptsNIO

typealias Port = LevelPort<Datagram, Datagram>
typealias System = InterruptSystem<HostedMachine>

/// Somebody who asked.
struct Client: Sendable {
  let connection: Port.Connection
  let address: SocketAddress
}

typealias LevelWorld = World<Client, Port.Connection>

extension LevelWorld {
  /// What has arrived, in one piece: parsed, looked up, encoded.
  mutating func take(_ arrival: Port.Arrival, now: UInt64) -> [Out] {
    let connection = arrival.connection
    let asksUpstream = connection.remoteAddress != nil
    switch arrival.event {
    case .opened:
      if asksUpstream { forwarder.add(connection) }
      return []
    case .message(let datagram):
      let bytes = Array(datagram.data.readableBytesView)
      if asksUpstream { return answer(bytes, from: connection, now: now) }
      let client = Client(connection: connection, address: datagram.remoteAddress)
      return query(bytes, from: client, now: now).map { [$0] } ?? []
    // A socket that has an error (the upstream refuses, say) goes on; what was asked times out.
    case .failed, .writable, .closed: return []
    }
  }
}

/// Sends: posts to connections, whatever is held.
func send(_ out: LevelWorld.Out, _ upstream: SocketAddress) {
  switch out {
  case .reply(let client, let bytes):
    client.connection.write(
      Datagram(remoteAddress: client.address, data: ByteBuffer(bytes: bytes)), onFailure: .ignored)
  case .ask(let connection, let bytes):
    connection.write(Datagram(remoteAddress: upstream, data: ByteBuffer(bytes: bytes)), onFailure: .ignored)
  }
}

/// Runs `body`, which waits, on a thread that may.
func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(returning: body()) }
  }
}
