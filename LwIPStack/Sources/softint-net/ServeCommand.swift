// `softint-net serve`: the HTTP server's command.

import ArgumentParser
import LwIPStack
import NetworkServers

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
    try ServiceRun.http(stack, site, options.port, host)
  }
}
