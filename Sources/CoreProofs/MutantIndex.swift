// Which explorations are to find each mutant: the lists of proofs, asked by the rule that is off.
//
// Law: nothing is listed here that is not listed where it is explored; so a mutant without a finder has no exploration.

public import Exploration
public import SoftInterrupts

/// An exploration that finds a mutant.
public struct MutantFinder: Sendable {
  /// Where it is from: "row", "check", "mend", "pair", "bound" or "order".
  public var kind: String
  /// The proof's name, or the program's that is wrong without anybody saying so.
  public var name: String
  /// What the mutant may be reported as; empty: as anything.
  public var finds: [Rule]
  let run: @Sendable () throws -> Exploration

  #if Mutants
    /// Explores it with the rule off. The selection is the process's: one at a time.
    public func explore(without mutant: Mutant) throws -> Exploration {
      try Mutant.with(mutant) { try run() }
    }
  #endif
}

extension Mutant {
  /// The explorations that find it.
  public var finders: [MutantFinder] {
    var list: [MutantFinder] = []
    for (kind, proofs) in [("row", Rows.all), ("check", Checks.all), ("mend", Checks.mends)] {
      for proof in proofs {
        if proof.mutants.contains(self) {
          list.append(
            MutantFinder(kind: kind, name: proof.name, finds: proof.finds) { try proof.explore() })
        }
        for wrong in proof.wrong where wrong.mutant == self {
          list.append(
            MutantFinder(
              kind: kind, name: "\(proof.name): the program \(wrong.name)",
              finds: wrong.becomes.map { [$0] } ?? []
            ) { try proof.explorer.explore(wrong.program) })
        }
      }
    }
    for (mutant, company) in Company.refuted where mutant == self {
      list.append(
        MutantFinder(kind: "pair", name: company.description, finds: []) {
          try company.proof(preemptions: 2).explore()
        })
    }
    for bound in FairnessBound.all(patience: 1, budget: 1) + FairnessBound.all(patience: 2, budget: 2)
    where bound.mutants.contains(self) {
      list.append(
        MutantFinder(kind: "bound", name: "\(bound.name), K = \(bound.configuration.patience)", finds: []) {
          try bound.explore().exploration
        })
    }
    // Its program ends with the rule on as well, so it is in no list of proofs.
    if self == .openTwice {
      list.append(
        MutantFinder(kind: "check", name: "a guard is opened once", finds: [.expectation]) {
          try Explorer(cpus: 1, configuration: .exploration, strategy: .exhaustive()).explore(
            Checks.opensTwice)
        })
    }
    // Found by programs that orders are explored with.
    let byOrders: [Mutant: (program: String, finds: [Rule])] = [
      .suspensionsOnce: ("suspended, then let in as mpSafe, on the way, SC", [.dataRace, .takenBack]),
      .stampLate: ("two ordered handlers of a busy CPU, RC11 by priorities", [.outOfOrder]),
    ]
    if let (name, finds) = byOrders[self] {
      for program in OrderingPrograms.all where program.description == name {
        list.append(MutantFinder(kind: "order", name: name, finds: finds) { try program.explore() })
      }
    }
    return list
  }
}
