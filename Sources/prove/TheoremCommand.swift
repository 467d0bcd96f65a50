// `prove theorem`: random spl-correct programs, the same made wrong, and the bounds of fairness.
//
// Invariant: a line says what was run and no more; what fails is printed with its seed, the program made small, the story and the
// replay string. Exit 1 if something failed that should hold.

import ArgumentParser
import CoreProofs
import Exploration
import SoftInterrupts

struct TheoremCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "theorem",
    abstract: "Explore random spl-correct programs, programs made wrong, and the bounds of fairness.",
    discussion: """
      Without a flag: programs of both flavours. Cumulative ones (cumulative raises, no masks, no MP-safe handlers) are held against \
      every outcome on one processor; mixed ones have exact raises, masks with per-CPU cells and MP-safe handlers. Each is \
      explored with 0, 1, … preemptions as long as the limit of schedules allows, then sampled by random priorities.
      """)

  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "How many seeds.") var programs = 100
  @Option(help: "CPUs of the programs, 2 or 3.") var cpus = 2
  @Option(help: "Only this flavour: cumulative or mixed.") var flavour: Flavour?
  @Option(help: "Preemptions of the exhaustive explorations, at most.") var preemptions = 2
  @Option(help: "Schedules of each of them, at most.") var schedules = 600
  @Option(help: "Random schedules where that was too few.") var samples = 200
  @Flag(help: "Make the programs wrong, and count what is caught.") var broken = false
  @Option(help: "Only this way to make them wrong.") var breaker: Breaker?
  @Flag(help: "The bounds of fairness instead, for K and both budgets of 1 and 2.") var fairness = false
  @Flag(help: "Print each program.") var show = false
  @Flag(help: "Print one JSON object instead of text.") var json = false
  #if Mutants
    @Option(help: "A rule to switch off: how many programs until it is found.") var mutant: String?
  #endif

  func validate() throws {
    guard (2...3).contains(cpus) else { throw ValidationError("--cpus is 2 or 3") }
    guard (1...1_000_000).contains(programs), schedules > 0, samples >= 0, (0...9).contains(preemptions)
    else {
      throw ValidationError("--programs is 1 to 1000000, --schedules at least 1, --preemptions 0 to 9")
    }
  }

  var effort: TheoremEffort {
    var effort = TheoremEffort()
    (effort.preemptions, effort.schedules, effort.samples) = (preemptions, schedules, samples)
    return effort
  }

  func run() throws {
    #if Mutants
      if let mutant { return try hunt(mutant) }
    #endif
    let isGood = fairness ? try runFairness() : broken ? try runBroken() : try runPrograms()
    if !isGood { throw ExitCode(1) }
  }

  // MARK: Programs

  private func runPrograms() throws -> Bool {
    let clock = ContinuousClock()
    var parts: [String] = []
    var isGood = true
    for flavour in Flavour.allCases where self.flavour == nil || self.flavour == flavour {
      if show {
        for seed in seed..<seed + UInt64(programs) {
          print("seed \(seed)\n\(ProgramGenerator.program(seed: seed, cpus: cpus, flavour))\n")
        }
      }
      let start = clock.now
      let summary = try TheoremSummary.run(
        seed: seed, count: programs, cpus: cpus, flavour, effort,
        progress: { summary in
          if summary.programs.isMultiple(of: 500) {
            note("\(flavour.rawValue): \(summary.programs) programs")
          }
        })
      let seconds = (clock.now - start) / .seconds(1)
      if !summary.failures.isEmpty { isGood = false }
      if json {
        parts.append(object(summary))
        continue
      }
      print("\(flavour.rawValue), \(cpus) CPUs, seeds \(seed) to \(seed + UInt64(summary.programs) - 1):")
      print(
        "  \(summary.programs) programs, \(summary.schedules) schedules, \(summary.steps) points, \(Int(seconds)) s"
      )
      for extent in extents(summary) { print("  \(extent.count) \(extent.text)") }
      if summary.compared > 0 {
        print(
          "  outcomes of \(summary.compared) programs compared (\(summary.trivial) have only one): "
            + "\(summary.reached) reached of \(summary.possible) that one processor has")
      }
      if summary.tooLarge > 0 {
        print("  \(summary.tooLarge) had too many states on one processor to compare")
      }
      print("  violations: \(summary.failures.count)")
      for failure in summary.failures { try tell(failure) }
    }
    if json { print("{\"format\":\"softint.theorem/1\",\"flavours\":[\(parts.joined(separator: ","))]}") }
    return isGood
  }

  private func extents(_ summary: TheoremSummary) -> [(count: Int, text: String)] {
    var list: [(Int, String)] = []
    for bound in stride(from: preemptions, through: 0, by: -1) {
      guard let count = summary.extents[.bounded(bound)] else { continue }
      let rest = bound < preemptions ? ", then a sample" : ""
      list.append((count, "with all schedules up to \(bound) preemptions\(rest)"))
    }
    if let count = summary.extents[.cut] { list.append((count, "cut before that, and sampled")) }
    return list
  }

  private func tell(_ failure: TheoremFailure) throws {
    print("\nseed \(failure.seed) fails:\n\(failure.program)\n\(failure.finding)")
    let small = try failure.program.shrunk(
      failure.finding, TheoremSetting(seed: failure.seed), seed: failure.seed, effort)
    print("\nmade small:\n\(small.program)\n\(small.finding)\n")
  }

  private func object(_ summary: TheoremSummary) -> String {
    let extents = extents(summary).map { "{\"programs\":\($0.count),\"extent\":\(quoted($0.text))}" }
    let failures = summary.failures.map { failure in
      "{\"seed\":\(failure.seed),\"program\":\(quoted("\(failure.program)")),"
        + "\"rule\":\(quoted("\(failure.finding.rule)")),\"story\":\(quoted(failure.finding.story)),"
        + "\"replay\":\(quoted(failure.finding.replay))}"
    }
    return "{\"flavour\":\(quoted(summary.flavour.rawValue)),\"cpus\":\(summary.cpus),\"seed\":\(seed),"
      + "\"programs\":\(summary.programs),\"schedules\":\(summary.schedules),\"steps\":\(summary.steps),"
      + "\"extents\":[\(extents.joined(separator: ","))],\"compared\":\(summary.compared),"
      + "\"reached\":\(summary.reached),\"possible\":\(summary.possible),\"tooLarge\":\(summary.tooLarge),"
      + "\"failures\":[\(failures.joined(separator: ","))]}"
  }

  // MARK: Broken ones

  private func runBroken() throws -> Bool {
    let breakers = breaker.map { [$0] } ?? Breaker.allCases
    let summary = try BreakerSummary.run(seed: seed, count: programs, cpus: cpus, effort, breakers: breakers)
    if json {
      let rows = breakers.map { breaker in
        let row = summary.rows[breaker] ?? .init()
        let rules = row.rules.map { "\(quoted("\($0.key)")):\($0.value)" }.sorted().joined(separator: ",")
        return "{\"breaker\":\(quoted(breaker.rawValue)),\"broken\":\(row.broken),\"caught\":\(row.caught),"
          + "\"schedules\":\(row.schedules),\"rules\":{\(rules)}}"
      }
      print(
        "{\"format\":\"softint.theorem/1\",\"cpus\":\(cpus),\"seed\":\(seed),\"programs\":\(programs),"
          + "\"breakers\":[\(rows.joined(separator: ","))]}")
      return true
    }
    print("breaker              broken caught schedules  by")
    for breaker in breakers {
      let row = summary.rows[breaker] ?? .init()
      let rules = row.rules.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }.joined(
        separator: ", ")
      print(
        padded(breaker.rawValue, 20, left: true), padded("\(row.broken)", 6), padded("\(row.caught)", 6),
        padded("\(row.schedules)", 9), " " + rules)
    }
    for missed in summary.missed where show {
      print("\nnot caught: seed \(missed.seed), \(missed.program.breaker.rawValue)")
      print("\(missed.program.correct)\nmade wrong:\n\(missed.program.broken)")
    }
    return true
  }

  // MARK: Fairness

  private func runFairness() throws -> Bool {
    var isGood = true
    var rows: [String] = []
    if !json { print("K budgets bound                 at most   worst  schedules") }
    for patience in 1...2 {
      for budget in 1...2 {
        for bound in FairnessBound.all(patience: patience, budget: budget) {
          // What does not depend on the budgets is explored once.
          if budget > 1 && !bound.dependsOnBudgets { continue }
          let result = try bound.explore()
          let exploration = result.exploration
          if exploration.finding != nil { isGood = false }
          let isAll = if case .holds = exploration.verdict { true } else { false }
          rows.append(
            "{\"patience\":\(patience),\"budget\":\(budget),\"bound\":\(quoted(bound.name)),"
              + "\"claim\":\(quoted(bound.claim)),\"atMost\":\(bound.bound),\"worst\":\(result.worst),"
              + "\"schedules\":\(exploration.schedules),\"complete\":\(isAll),"
              + "\"holds\":\(exploration.finding == nil)}")
          if json { continue }
          print(
            patience, padded("\(budget)", 7), padded(bound.name, 20, left: true), padded("\(bound.bound)", 8),
            padded("\(result.worst)", 7), " \(exploration)")
        }
      }
    }
    if json { print("{\"format\":\"softint.theorem/1\",\"fairness\":[\(rows.joined(separator: ","))]}") }
    return isGood
  }

  #if Mutants
    private func hunt(_ name: String) throws {
      if name == "fairness" {
        for bound in FairnessBound.all(patience: 1, budget: 1) + FairnessBound.all(patience: 2, budget: 2) {
          for mutant in bound.mutants {
            let exploration = try Mutant.with(mutant) { try bound.explore().exploration }
            let found = exploration.finding.map { "\($0.rule)" } ?? "not found"
            print(
              "\(bound.name), K \(bound.configuration.patience), \(mutant): \(found), \(exploration.schedules) schedules"
            )
          }
        }
        return
      }
      guard let mutant = Mutant.allCases.first(where: { "\($0)" == name }) else {
        throw ValidationError("no mutant is called \(name)")
      }
      let found = try Mutant.with(mutant) {
        try TheoremSummary.seedThatFinds(cpus: cpus, from: seed, within: programs, effort)
      }
      guard let found else { return print("\(name): not found by \(programs) seeds of both flavours") }
      print("\(name): found by seed \(found.seed), \(found.flavour.rawValue): \(found.finding.rule)")
    }
  #endif

  // MARK: Text

  private func note(_ text: String) { if !json { print("  … \(text)") } }

  private func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + space : space + text
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension Flavour: ExpressibleByArgument {}
extension Breaker: ExpressibleByArgument {}
