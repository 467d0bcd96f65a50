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

  @Option(
    help: ArgumentHelp(
      "1, or 2: another stack with a gate of its own, on the next port (slirp and memory).", valueName: "n"),
    transform: ServeCommand.stacks)
  var stacks: Int = 1

  @Flag(help: "Work at other levels beside it: an access log, its analysis, a probe.") var work = false

  func run() throws {
    let site = if let root { try Site(directory: root) } else { Site.bundled }
    EndSignal.block()
    try ServiceRun.http(try options.start(stacks: stacks), site, work: work)
  }

  private static func stacks(_ text: String) throws -> Int {
    guard let count = Int(text), (1...2).contains(count) else { throw ValidationError("give 1 or 2") }
    return count
  }
}
