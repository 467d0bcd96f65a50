// `prove orderings`.

import ArgumentParser
import CoreProofs

struct OrderingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "orderings", abstract: "…")

  func run() throws {}
}
