// `softint-net conform`: the application that hand-made segments meet (Tests/conformance). The program that it is compared with has the same one on
// lwIP's own thread and lock: Tests/conformance-reference.c.
//
// Law: what it does with lwIP, and in which order, is what the reference does, or the transcripts would differ for no reason.

import ArgumentParser
import LwIPStack
import NetworkServers

struct ConformCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conform", abstract: "The application of the conformance test.", shouldDisplay: false)

  @OptionGroup var options: StackOptions

  func run() throws {
    EndSignal.block()
    let served = try options.start(isUDPToo: true)[0]
    let (stack, host) = (served.stack, served.host)
    do throws(NetworkError) {
      try withExtendedLifetime(ConformingApplication(stack)) {
        announce("listening, try: nc \(host) 7")
        EndSignal.wait()
      }
    } catch {
      stack.shutdown()
      throw CommandFailure.system(error.description)
    }
    let counts = stack.counts
    stack.shutdown()
    announce("lwIP asserted its lock \(counts.assertions) times, in vain \(counts.failures) times")
  }
}

/// TCP: 7 gives back, 9 takes nothing, 13 closes when something comes. UDP: 7 gives back, 9 is told to connect.
private struct ConformingApplication {
  private let listeners: [TCPListener]
  private let endpoints: [UDPEndpoint]

  init(_ stack: NetworkStack) throws(NetworkError) {
    func echo(_ connection: TCPConnection) {
      connection.onReceive = { connection, bytes in _ = try? connection.write(bytes) }
      connection.onEnd = { $0.close() }
    }
    listeners = [
      try TCPListener(stack, port: 7) { connection in
        echo(connection)
        return true
      },
      try TCPListener(stack, port: 9) { connection in
        connection.takesAtOnce = false
        return true
      },
      try TCPListener(stack, port: 13) { connection in
        connection.onReceive = { connection, _ in connection.close() }
        return true
      },
    ]
    endpoints = [
      try UDPEndpoint(stack, port: 7) { endpoint, bytes, address, port in
        try? endpoint.send(bytes, to: address, port: port)
      },
      try UDPEndpoint(stack, port: 9) { _, bytes, address, _ in
        guard bytes.count == 2 else { return }
        _ = try? TCPConnection.connect(
          stack, to: address, port: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), echo)
      },
    ]
  }
}
