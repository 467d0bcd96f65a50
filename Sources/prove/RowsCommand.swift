// `prove rows`.

import ArgumentParser
import CoreProofs

struct RowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "rows", abstract: "…")

  func run() throws {}
}
