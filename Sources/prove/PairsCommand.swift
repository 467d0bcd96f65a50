// `prove pairs`.

import ArgumentParser
import CoreProofs

struct PairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "pairs", abstract: "…")

  func run() throws {}
}
