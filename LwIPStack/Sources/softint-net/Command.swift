// The command line: its verbs, and the one place where the process ends.
//
// Law: standard output says how to reach the server and what was counted; whatever goes wrong is one line on standard error and an exit
// status in the manner of `sysexits(3)`.

import ArgumentParser
import Glibc

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
    Glibc.exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  func run() throws {
    throw ValidationError("no verb is given, the verbs are serve, echo, iperf, compare, get and names")
  }

  private static func status(of arguments: [String]) -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return 0
    } catch let failure as CommandFailure {
      complain(failure.message)
      return failure.status
    } catch {
      let text = message(for: error)
      if exitCode(for: error) == .success {
        print(text)
        return 0
      }
      let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
      complain(lines.joined(separator: " "))
      return 64
    }
  }

  private static func complain(_ message: String) {
    let line = "softint-net: \(message)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
  }
}

/// A command that cannot go on: one line, without the program's name, and the exit status.
struct CommandFailure: Error {
  var message: String
  var status: Int32
  static func usage(_ message: String) -> CommandFailure { CommandFailure(message: message, status: 64) }
  static func system(_ message: String) -> CommandFailure { CommandFailure(message: message, status: 71) }
}

/// Waits for SIGINT or SIGTERM. They are blocked in every thread that is made after `block()`.
enum EndSignal {
  static func block() {
    var set = set
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }
  static func wait() {
    var set = set
    var number: Int32 = 0
    // Blocked, so it stays pending until somebody waits for it.
    while sigwait(&set, &number) != 0 {}
  }
  private static var set: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    return set
  }
}
