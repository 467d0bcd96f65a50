// The command line: its verbs, and the one place where the process ends.
//
// Invariant: standard output carries data alone; whatever goes wrong is one line on standard error and an
// exit status in the manner of `sysexits(3)`.

import ArgumentParser
import Glibc

@main
struct Softint: ParsableCommand {
  /// The version of the program, as `--version` prints it.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "softint",
    abstract: "Soft interrupts off the big lock, shown on packet captures.",
    discussion: """
      Example: softint compare

      Data go to standard output, everything else to standard error. A reader that goes away (| head) ends \
      the command quietly with exit status 141.
      """,
    version: version,
    subcommands: [CompareCommand.self, FlowsCommand.self, ExploreCommand.self, SimulateCommand.self])

  /// Runs the command line of the process and ends it.
  static func main() {
    StandardStreams.prepare()
    Glibc.exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  func run() throws {
    throw ValidationError("no verb is given, the verbs are compare, flows, explore and simulate")
  }

  private static func status(of arguments: [String]) -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return ExitStatus.success
    } catch let failure as CommandFailure {
      return report(failure)
    } catch {
      // Help and version are asked for as errors of the parser; anything else is wrong usage.
      let message = message(for: error)
      return exitCode(for: error) == .success ? print(message) : reportUsage(message, arguments)
    }
  }

  private static func print(_ text: String) -> Int32 {
    do throws(CommandFailure) {
      try StandardStreams.print(text + "\n")
      return ExitStatus.success
    } catch { return report(error) }
  }

  private static func report(_ failure: CommandFailure) -> Int32 {
    if let message = failure.message { StandardStreams.complain(message) }
    return failure.status
  }

  private static func reportUsage(_ message: String, _ arguments: [String]) -> Int32 {
    let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
    let verb = arguments.first.flatMap { verbs.contains($0) ? " \($0)" : nil } ?? ""
    StandardStreams.complain(UsageText.line(message))
    StandardStreams.note("See 'softint\(verb) --help'.")
    return ExitStatus.usage
  }
}

/// What is made of the parser's messages: one line, beginning and ending as the program's own do.
enum UsageText {
  static func line(_ message: String) -> String {
    let lines = message.split(separator: "\n").map { $0.drop { $0 == " " } }
    var line = lines.joined(separator: " ")
    while line.hasSuffix(".") { line.removeLast() }
    return line.prefix(1).lowercased() + line.dropFirst()
  }
}
