// `softint-net serve`: the HTTP server's command.

import ArgumentParser
import Glibc
import LwIPStack

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve files by HTTP/1.1 over lwIP at softNet.",
    discussion: """
      Also: /stats, what was counted; /slow, 2 ms of work at softBio; /slow?at=softNet, the same where it holds the stack up.

      Example: softint-net serve
      Example: softint-net serve --root public --discipline bigLock --port 8081
      """)

  @OptionGroup var options: StackOptions

  @Option(
    help: ArgumentHelp("Serve what is in this directory now (default: one page).", valueName: "directory"))
  var root: String?

  func run() throws {
    let site = if let root { try Site(directory: root) } else { Site.bundled }
    EndSignal.block()
    let (stack, host) = try options.start(isUDPToo: false)
    let server = HTTPServer(stack, site)
    do {
      try server.start(port: options.port)
    } catch {
      stack.shutdown()
      throw error
    }
    announce("listening, try: curl http://\(host):\(options.port)/")
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
}

/// Says a line on standard output at once, also to a pipe.
func announce(_ line: String) {
  print(line)
  // All streams: the name of the one is no constant to Swift.
  fflush(nil)
}
