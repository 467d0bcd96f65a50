// A server on a stack, from its first line to its last: the same for softint-net and for the baseline.
//
// Law: the stack is shut down when it returns, whatever came of it.

import ArgumentParser
import LwIPStack

package enum ServiceRun {
  /// Serves files until SIGINT or SIGTERM, which are blocked.
  package static func http(_ stack: NetworkStack, _ site: Site, _ port: UInt16, _ host: String)
    throws(CommandFailure)
  {
    let server = HTTPServer(stack, site)
    do {
      try server.start(port: port)
    } catch {
      stack.shutdown()
      throw error
    }
    announce("listening, try: curl http://\(host):\(port)/")
    EndSignal.wait()
    server.stop()
    let counts = stack.counts
    let violations = stack.system.violations
    stack.shutdown()
    withExtendedLifetime(server) {}
    announce(
      "served \(server.requests) requests; lwIP asserted its lock \(counts.assertions) times, in vain \(counts.failures) times"
    )
    // Under disjoint: what refutes it.
    var seen: Set<String> = []
    for violation in violations where seen.insert(violation.context).inserted {
      announce("violation: \(violation)")
    }
  }

  /// Is iperf3's server until SIGINT or SIGTERM, which are blocked.
  package static func iperf(_ stack: NetworkStack, _ port: UInt16, _ host: String) throws(CommandFailure) {
    let server = IperfServer()
    defer {
      stack.shutdown()
      // Until nothing is called any more.
      withExtendedLifetime(server) {}
    }
    do throws(NetworkError) {
      let listener = try TCPListener(stack, port: port) { connection in
        server.accept(connection)
        return true
      }
      announce("listening, try: iperf3 -c \(host) -p \(port)")
      EndSignal.wait()
      listener.close()
    } catch { throw .system(error.description) }
  }
}

/// Runs a command; its exit status. What is wrong is said.
package func programStatus(_ type: any ParsableCommand.Type, _ name: String, _ arguments: [String]) -> Int32 {
  do {
    var command = try type.parseAsRoot(arguments)
    try command.run()
    return 0
  } catch let failure as CommandFailure {
    complain(name, failure.message)
    return failure.status
  } catch {
    let text = type.message(for: error)
    if type.exitCode(for: error) == .success {
      print(text)
      return 0
    }
    let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
    complain(name, lines.joined(separator: " "))
    return 64
  }
}
