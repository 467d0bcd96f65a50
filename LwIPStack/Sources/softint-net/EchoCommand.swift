// `softint-net echo`: gives back what comes, by TCP and UDP.
//
// Law: nothing is taken from the sender that was not given back yet: the window is the back-pressure.

import ArgumentParser
import LwIPStack
import NetworkServers

struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo", abstract: "Give back what comes, by TCP and UDP.")

  @OptionGroup var options: StackOptions

  func run() throws {
    EndSignal.block()
    let served = try options.start(isUDPToo: true)[0]
    let (stack, port) = (served.stack, served.port)
    do throws(NetworkError) {
      let listener = try TCPListener(stack, port: port) { connection in
        EchoSession.begin(connection)
        return true
      }
      let endpoint = try UDPEndpoint(stack, port: port) { endpoint, bytes, address, port in
        // A datagram for which there is no room is lost, as datagrams are.
        try? endpoint.send(bytes, to: address, port: port)
      }
      announce("listening, try: nc \(served.host) \(port)")
      EndSignal.wait()
      listener.close()
      endpoint.close()
    } catch {
      stack.shutdown()
      throw CommandFailure.system(error.description)
    }
    stack.shutdown()
  }
}

/// One connection's bytes that were not given back yet. Under the stack's guard.
final class EchoSession {
  private var waiting: [UInt8] = []
  private var hasEnded = false

  static func begin(_ connection: TCPConnection) {
    let session = EchoSession()
    connection.takesAtOnce = false
    connection.setNoDelay(true)
    connection.onReceive = { connection, bytes in
      session.waiting.append(contentsOf: bytes)
      session.pump(connection)
    }
    connection.onSent = { connection, _ in session.pump(connection) }
    connection.onEnd = { connection in
      session.hasEnded = true
      session.pump(connection)
    }
  }

  private func pump(_ connection: TCPConnection) {
    let written = (try? connection.write(waiting)) ?? 0
    waiting.removeFirst(written)
    connection.take(written)
    if waiting.isEmpty && hasEnded { connection.close() }
  }
}
