// The proofs of the core, run by a machine: `prove rows`, `prove pairs`, …
//
// A tool of the project's own, in release builds, because debug ones explore ten times slower: the tables of
// Documentation/Proofs.md are what it prints.

import ArgumentParser

@main struct Prove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Explore the core under every schedule of small programs, and with its rules switched off.",
    subcommands: commands)

  private static var commands: [any ParsableCommand.Type] {
    var list: [any ParsableCommand.Type] = [
      RowsCommand.self, PairsCommand.self, TheoremCommand.self, OrderingsCommand.self, SpeedCommand.self,
    ]
    #if Mutants
      list.append(MutantsCommand.self)
    #endif
    return list
  }
}
