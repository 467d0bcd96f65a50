// `prove pairs`: every public operation of the core against every other, and the triples.

import ArgumentParser
import CoreProofs
import Exploration
import Foundation
import SimulatedMachine
import SoftInterrupts

extension Recognition: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "points": self = .points
    case "anywhere": self = .anywhere
    default: return nil
    }
  }
}

struct PairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairs",
    abstract: "Explore every public operation of the core against every other, on two CPUs; and the triples.",
    discussion: """
      Each is explored with 0, 1, 2 … preemptions, every schedule of one bound before the next, until a bound has more \
      schedules than the limit: "≤ 1, then 4000" is all schedules with at most one preemption, and 4000 of those with more, \
      which are a sample. Exit status 1 if one breaks a rule.
      """)

  @Argument(help: "Only those whose name contains one of these, or is one.") var names: [String] = []
  @Flag(help: "One object, softint.prove.pairs/1.") var json = false
  @Flag(help: "Tables for the documentation.") var markdown = false
  @Flag(help: "A line for each, not only for the worst.") var all = false
  @Option(help: "The bound that is wanted; higher ones are tried where they are cheap.") var preemptions = 2
  @Option(help: "Schedules of one bound.") var limit = 4_000
  @Option(help: "Where interrupts are recognised: points or anywhere; without it both.")
  var recognition: Recognition?
  @Flag(help: "The triples only.") var triples = false
  #if Mutants
    @Option(help: "Switch one rule of the core off, by its name: then a violation is what is expected.")
    var mutant: String?
  #endif
  @Option(help: "Run one schedule, of the one that is named.") var replay: String?

  func validate() throws {
    guard preemptions >= 0 && preemptions <= 8 else { throw ValidationError("--preemptions is 0 to 8") }
    guard limit >= 1 else { throw ValidationError("--limit is at least 1") }
  }

  func run() throws {
    #if Mutants
      if let mutant {
        guard let selected = Mutant.allCases.first(where: { "\($0)" == mutant }) else {
          throw ValidationError("no mutant is called \(mutant)")
        }
        return try Mutant.with(selected, explore)
      }
    #endif
    try explore()
  }

  private func explore() throws {
    let recognitions = recognition.map { [$0] } ?? [.points, .anywhere]
    var companies = recognitions.flatMap { (triples ? [] : Company.pairs($0)) + Company.triples($0) }
    var handOffs = recognitions.map { Proof.handOff($0, preemptions: preemptions) }
    if !names.isEmpty {
      let isWanted = { (name: String) in
        names.contains { name == $0 || (!names.contains(name) && name.contains($0)) }
      }
      companies = companies.filter { isWanted($0.name) }
      handOffs = handOffs.filter { isWanted($0.name) }
    }
    if let replay {
      guard companies.count == 1, let finding = try companies[0].replay(replay) else {
        throw ValidationError("no violation; --replay needs the full name of one pair, and its --recognition")
      }
      print(finding)
      throw ExitCode(1)
    }

    var verdicts: [CompanyVerdict] = []
    let start = ContinuousClock.now
    for company in companies {
      let verdict = try company.explore(Depth(preemptions: preemptions, limit: limit))
      verdicts.append(verdict)
      if let finding = verdict.finding { note("\(company)\n\(finding)\n") }
      if verdicts.count % 50 == 0 {
        note(
          "\(verdicts.count) of \(companies.count), \(verdicts.reduce(0) { $0 + $1.schedules }) schedules\n")
      }
    }
    var written: [(proof: Proof, exploration: Exploration)] = []
    for var proof in handOffs {
      proof.limits.schedules = limit * 25
      written.append((proof, try proof.explore()))
      if let finding = written.last?.exploration.finding { note("\(proof)\n\(finding)\n") }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)

    let report = PairsReport(verdicts: verdicts, written: written, preemptions: preemptions, limit: limit)
    if json {
      print(try report.json())
    } else {
      print(report.text(isMarkdown: markdown, listsAll: all))
      if !markdown { print("\(seconds.formatted(.number.precision(.fractionLength(0)))) s") }
    }
    if report.violations > 0 { throw ExitCode(1) }
  }

  private func note(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
