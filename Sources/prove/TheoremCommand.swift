// `prove theorem`.

import ArgumentParser
import CoreProofs

struct TheoremCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "theorem", abstract: "…")

  func run() throws {}
}
