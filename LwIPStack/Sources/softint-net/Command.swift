// The command line: its verbs, and the one place where the process ends.
//
// Law: standard output says how to reach the server and what was counted; whatever goes wrong is one line on standard error and an exit
// status in the manner of `sysexits(3)`.

import ArgumentParser
import Glibc
import NetworkServers

@main
struct SoftintNet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "softint-net",
    abstract: "lwIP, a TCP/IP stack that is not thread-safe, at softNet.",
    discussion: """
      Example: softint-net serve
      Example: softint-net serve --device tap:tap0 --root public

      Exit status: 0 ended by SIGINT or SIGTERM; 64 wrong usage; 66 a directory that cannot be read; 71 the device or port \
      cannot be had.
      """,
    version: "0.1.0",
    subcommands: [
      ServeCommand.self, EchoCommand.self, IperfCommand.self, CompareCommand.self, GetCommand.self,
      NamesCommand.self,
      ConformCommand.self,
    ])

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    Glibc.exit(programStatus(Self.self, "softint-net", Array(CommandLine.arguments.dropFirst())))
  }

  func run() throws {
    throw ValidationError("no verb is given, the verbs are serve, echo, iperf, compare, get and names")
  }
}
