// `prove orderings`: each order that the core states, weakened in turn.

import ArgumentParser
import CoreProofs
import SoftInterrupts

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

struct OrderingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderings",
    abstract: "Weaken each memory ordering of the core in turn, and say what finds it.",
    discussion: """
      Needs a build with the trait Mutants. First every program is explored with all orders as stated, and must hold; then each \
      order that the programs execute is weakened alone, one half at a time. Exit status 1 if a program does not hold as stated.

      In the repository's folder: it reads the core's sources, for names of orders that stay when lines move.
      """)

  @Flag(help: "A JSON object instead of text.") var json = false
  @Flag(help: "A table in Markdown instead of text.") var markdown = false
  @Flag(help: "Only run the programs as stated.") var stated = false
  @Option(help: "Only programs whose name contains this.") var program: String?
  @Option(help: "So many schedules for each sample, instead of the programs' own number.") var sample: Int?
  @Option(help: "At most so many schedules of each program for a weakening.") var limit = 2_000
  @Flag(help: "Then all that nobody found, one added after the other.") var together = false
  @Option(
    help: "Only run, for each order in this page's table, the program that is said to find it: it must.")
  var check: String?
  @Argument(help: "Only sites whose file:line contains one of these; all without.") var sites: [String] = []

  func run() throws {
    #if Mutants
      try sweep()
    #else
      throw ValidationError(
        "prove orderings needs the trait Mutants: swift build -c release --traits default,Mutants --scratch-path .build-mutants --product prove"
      )
    #endif
  }
}

#if Mutants
  extension OrderingsCommand {
    private func sweep() throws {
      if let check { return try self.check(page: check) }
      let names = try StatedNames()
      let isText = !json && !markdown
      let programs = OrderingPrograms.all.filter { program == nil || $0.description.contains(program!) }
        .map { sample == nil ? $0 : $0.sampled(sample!) }
      let sweep = try OrderingSweep(programs) { program, exploration in
        if isText {
          print(
            "\(program): \(exploration.finding.map { "\($0)" } ?? exploration.description), \(exploration.steps) points"
          )
        }
      }
      if let (program, finding) = sweep.broken.first {
        if !isText { print("\(program) does not hold as stated: \(finding)") }
        throw ExitCode(1)
      }
      if stated { return }
      let wanted = sweep.allSites.filter { site in
        sites.isEmpty || sites.contains { "\(site)".contains($0) }
      }
      var results: [WeakenedSite] = []
      for site in wanted {
        for part in site.parts {
          let result = try sweep.weaken(site, part, limit: limit)
          results.append(result)
          note(line(result, names))
        }
      }
      if together {
        let missed = results.filter { $0.found == nil }.map { ($0.site, $0.part) }
        note("together:")
        let (gone, backed) = try sweep.weakenTogether(missed, limit: limit) { note("  \($0)") }
        for result in backed { note("backed by others: " + line(result, names)) }
        for (site, part) in gone { note("gone besides the others: \(site) −\(part.rawValue)") }
        note("\(backed.count) found once others are gone, \(gone.count) gone at once")
      }
      if markdown { printMarkdown(results, names) }
      if json { printJSON(sweep, results) }
      let found = results.filter { $0.found != nil }.count
      if isText { print("\(found) of \(results.count) weakenings of \(wanted.count) sites found") }
    }

    /// Progress, beside what is printed at the end.
    private func note(_ text: String) {
      if json || markdown {
        var line = text + "\n"
        line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
      } else {
        print(text)
      }
      fflush(nil)
    }

    private func text(_ order: MemoryOrder?) -> String { order.map { "\($0)" } ?? "fence" }

    private func line(_ result: WeakenedSite, _ names: StatedNames) -> String {
      let what = "\(result.site) \(names.name(result.site, result.part))"
      guard let found = result.found else {
        return "NOT FOUND \(what) (\(result.programs) programs, \(result.schedules) schedules)"
      }
      return "found     \(what): \(found.program), \(found.schedules) schedules, \(found.rule)"
    }

    /// The tables of the page: what was found, and what was not, without its reasons.
    private func printMarkdown(_ results: [WeakenedSite], _ names: StatedNames) {
      print("| order, without | found by | schedules | rule |")
      print("| --- | --- | --- | --- |")
      for result in results {
        guard let found = result.found else { continue }
        print(
          "| \(names.name(result.site, result.part)) | \(found.program) | \(found.schedules) | \(found.rule) |"
        )
      }
      print("")
      print("| order, without | programs | schedules | why |")
      print("| --- | --- | --- | --- |")
      for result in results where result.found == nil {
        print("| \(names.name(result.site, result.part)) | \(result.programs) | \(result.schedules) | |")
      }
    }

    private func printJSON(_ sweep: OrderingSweep, _ results: [WeakenedSite]) {
      func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
          + "\""
      }
      let programs = zip(sweep.programs, sweep.baselines).map { program, result in
        "{\"name\":\(quoted("\(program)")),\"schedules\":\(result.schedules),\"points\":\(result.steps),"
          + "\"result\":\(quoted(result.description))}"
      }
      let sites = results.map { result in
        let found = result.found.map {
          "{\"program\":\(quoted($0.program)),\"schedules\":\($0.schedules),\"rule\":\(quoted($0.rule))}"
        }
        return
          "{\"file\":\(quoted(result.site.file)),\"line\":\(result.site.line),\"column\":\(result.site.column),"
          + "\"function\":\(quoted(result.site.function)),\"operation\":\"\(result.site.operation.rawValue)\","
          + "\"order\":\"\(text(result.site.order))\",\"without\":\"\(result.part.rawValue)\",\"programs\":\(result.programs),"
          + "\"schedules\":\(result.schedules),\"found\":\(found ?? "null")}"
      }
      print("{\"format\":\"softint.orderings/1\",\"programs\":[\(programs.joined(separator: ","))],")
      print("\"weakenings\":[\(sites.joined(separator: ",\n"))]}")
    }
  }
#endif
