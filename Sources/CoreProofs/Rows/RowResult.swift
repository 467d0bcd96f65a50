// What a row came to: with its rule, and without.
//
// Law: a row is good if every schedule of its bound was run and holds (a sample: if every one of it holds), and if everything that
// switches the rule off was reported as what the row says.

public import Exploration
public import SoftInterrupts

/// One way to be without the rule, and what the exploration made of it.
public struct Refutation: Sendable {
  /// What the program does wrong; empty where it is the row's own.
  public var wrong: String
  /// The rule of the core that is off.
  public var mutant: Mutant?
  public var exploration: Exploration
  /// Whether it was reported, and as what it should be.
  public var isGood: Bool

  public var finding: Finding? { exploration.finding }
}

/// A row that was run.
public struct RowResult: Sendable {
  public var proof: Proof
  public var exploration: Exploration
  public var refutations: [Refutation]
  public var time: Duration

  /// The hazard's number: "H37".
  public var number: String { String(proof.name.prefix { $0 != " " }) }
  /// The situation: the name without its number.
  public var situation: String { String(proof.name.drop { $0 != " " }.dropFirst()) }

  public var holds: Bool {
    switch (exploration.verdict, proof.strategy) {
    case (.holds, _), (.bounded, .random), (.bounded, .priorities): true
    default: false
    }
  }
  public var isGood: Bool { holds && refutations.allSatisfy(\.isGood) }
}

extension Proof {
  /// Runs the proof with its rule on and, in builds with mutants, off. `refuting` is false where the mutants of others run.
  ///
  /// The selection of a mutant is the process's: one proof at a time.
  public func check(refuting: Bool = true) throws -> RowResult {
    let clock = ContinuousClock()
    let begin = clock.now
    let exploration = try explore()
    var refutations: [Refutation] = []
    if refuting { refutations = try refuted() }
    return RowResult(
      proof: self, exploration: exploration, refutations: refutations, time: clock.now - begin)
  }

  private func refuted() throws -> [Refutation] {
    var list: [Refutation] = []
    #if Mutants
      for mutant in mutants {
        let exploration = try Mutant.with(mutant) { try explore() }
        let isGood = exploration.finding.map { finds.isEmpty || finds.contains($0.rule) } ?? false
        list.append(Refutation(wrong: "", mutant: mutant, exploration: exploration, isGood: isGood))
      }
    #endif
    for program in wrong {
      let exploration = try explorer.explore(program.program)
      list.append(
        Refutation(
          wrong: program.name, exploration: exploration,
          isGood: exploration.finding?.rule == program.reports))
      #if Mutants
        if let mutant = program.mutant {
          let exploration = try Mutant.with(mutant) { try explorer.explore(program.program) }
          list.append(
            Refutation(
              wrong: program.name, mutant: mutant, exploration: exploration,
              isGood: exploration.finding?.rule == program.becomes))
        }
      #endif
    }
    return list
  }

  /// The machine and the schedules, in a few words.
  public var bound: String {
    var text = cpus == 1 ? "1 CPU" : "\(cpus) CPUs"
    if recognition == .anywhere { text += ", interrupts anywhere" }
    if memory == .rc11 { text += ", RC11" }
    switch strategy {
    case .exhaustive(.none), .everyChoice(.none): text += ", all"
    case .exhaustive(.some(let bound)), .everyChoice(.some(let bound)):
      text += ", up to \(bound) preemptions"
    case .random, .priorities: text += ", a sample"
    }
    return text
  }
}
