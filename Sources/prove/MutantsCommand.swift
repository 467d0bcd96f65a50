// `prove mutants`: which exploration finds each rule that is switched off.
//
// Law: the list is that of the proofs themselves, and a line says what was run just now; exit 1 if a mutant has no exploration, or one
// that does not find it.

#if Mutants
  import ArgumentParser
  import CoreProofs
  import SoftInterrupts

  struct MutantsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "mutants",
      abstract: "Switch off every rule of the core, and say which exploration misses it.")

    @Argument(help: "Rules, by their names; all without.") var names: [String] = []
    @Flag(help: "Stop at the first exploration that finds a rule missing.") var first = false

    func run() throws {
      let mutants = Mutant.allCases.filter { $0 != .none && (names.isEmpty || names.contains("\($0)")) }
      if mutants.isEmpty { throw ValidationError("no rule is called \(names.joined(separator: " or "))") }
      var bad = 0
      print("| rule off | found by | after | reported as |\n| --- | --- | ---: | --- |")
      for mutant in mutants {
        let finders = mutant.finders
        if finders.isEmpty {
          bad += 1
          print("| `\(mutant)` | NOTHING | | |")
        }
        for finder in first ? Array(finders.prefix(1)) : finders {
          let exploration = try finder.explore(without: mutant)
          let finding = exploration.finding
          let isGood = finding.map { finder.finds.isEmpty || finder.finds.contains($0.rule) } ?? false
          if !isGood { bad += 1 }
          let rule = finding.map { "\($0.rule)\(isGood ? "" : ", NOT AS IT SHOULD BE")" } ?? "NOT FOUND"
          print("| `\(mutant)` | \(finder.kind) \(finder.name) | \(exploration.schedules) | \(rule) |")
        }
      }
      if bad > 0 { throw ExitCode(1) }
    }
  }
#endif
