// A server on a stack, from its first line to its last: the same for softint-net and for the baseline.
//
// Law: the stack is shut down when it returns, whatever came of it.

import ArgumentParser
import LwIPStack

package enum ServiceRun {
  /// Serves files until SIGINT or SIGTERM, which are blocked. `work`: also at other levels, beside the first stack.
  package static func http(
    _ served: [DeviceOptions.Served], _ site: Site, work: Bool = false
  ) throws(CommandFailure) {
    let first = served[0].stack
    var servers: [HTTPServer] = []
    var others: OtherLevels?
    do throws(CommandFailure) {
      if work { others = try OtherLevels(first) }
      for one in served {
        let server = HTTPServer(one.stack, site)
        if servers.isEmpty { server.others = others }
        servers.append(server)
        try server.start(port: one.port)
      }
    } catch {
      first.shutdown()
      withExtendedLifetime((servers, others)) {}
      throw error
    }
    let places = served.map { "http://\($0.host):\($0.port)/" }.joined(separator: " ")
    announce(
      "listening, \(served[0].clients == nil ? "try: curl \(places)" : "clients in memory ask for \(places)")"
    )
    EndSignal.wait()
    for one in served { one.clients?.stop() }
    for server in servers { server.stop() }
    others?.stop()
    let counts = served.map { $0.stack.counts }
    let violations = first.system.violations
    first.shutdown()
    withExtendedLifetime((servers, others)) {}
    for (server, counts) in zip(servers, counts) {
      let asserted =
        first.isCoreLocked
        ? "lwIP asserted its own lock itself"
        : "lwIP asserted its lock \(counts.assertions) times, in vain \(counts.failures) times"
      let kernel = counts.droppedByKernel.map { ", \($0) dropped by the kernel" } ?? ""
      announce(
        "served \(server.requests) requests; \(asserted); frames: \(counts.framesIn) in, \(counts.droppedIn) dropped\(kernel); \(counts.framesOut) out, \(counts.droppedOut) dropped"
      )
    }
    for clients in served.compactMap(\.clients) { announce(line(clients.counts)) }
    for replay in served.compactMap(\.replay) {
      announce(
        "replayed \(replay.played) of \(replay.frames) frames (\(replay.leftOut) left out), \(replay.answers) sent"
      )
    }
    if let report = others?.report {
      announce(
        "work at other levels: \(report.logged) lines logged, \(report.pages) pages analysed; probe p50 \(report.probe.quantile(0.5)) ns, p99 \(report.probe.quantile(0.99)) ns"
      )
    }
    // Under disjoint: what refutes it.
    var seen: Set<String> = []
    for violation in violations where seen.insert(violation.context).inserted {
      announce("violation: \(violation)")
    }
  }

  private static func line(_ counts: MemoryClientCounts) -> String {
    "clients: \(counts.requests) answers, \(Int(counts.requestsPerSecond))/s, p50 \(counts.times.quantile(0.5)) ns, p99 \(counts.times.quantile(0.99)) ns; \(counts.errors) errors, \(counts.resets) resets, \(counts.repeated) repeated"
  }

  /// Is iperf3's server until SIGINT or SIGTERM, which are blocked.
  package static func iperf(_ served: DeviceOptions.Served) throws(CommandFailure) {
    let (stack, port, host) = (served.stack, served.port, served.host)
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
      let endpoint = try UDPEndpoint(stack, port: port) { endpoint, bytes, address, port in
        server.take(bytes, endpoint, address, port)
      }
      announce("listening, try: iperf3 -c \(host) -p \(port)")
      EndSignal.wait()
      listener.close()
      endpoint.close()
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
