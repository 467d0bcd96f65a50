// Help and version are data: on standard output, with status 0.

import Testing

@Suite("Help and version")
struct HelpTests {
  @Test("--version is a number and nothing else", arguments: [["--version"], ["flows", "--version"]])
  func version(arguments: [String]) throws {
    let run = try Softint.start(arguments).end()
    #expect(run.output.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
  }

  @Test("The help names the verbs", arguments: [["--help"], ["-h"], ["help"]])
  func help(arguments: [String]) throws {
    let run = try Softint.start(arguments).end()
    #expect(run.output.contains("\n  compare  "))
    #expect(run.output.contains("\n  flows  "))
    #expect(run.output.contains("\n  explore  "))
    #expect(run.output.contains("\n  simulate  "))
    #expect(run.output.contains("Example: softint compare"))
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
  }

  @Test(
    "The help of a verb has an example, the exit statuses and every option",
    arguments: [
      (
        "compare",
        [
          "--cpus", "--disciplines", "--load", "--seconds", "--idle", "--seed", "--json", "--html",
          "--salvage", "--quiet",
        ]
      ),
      (
        "explore",
        [
          "--list", "--explain", "--replay", "--discipline", "--strategy", "--preemptions", "--schedules",
          "--seed", "--memory", "--recognition", "--jobs", "--shard", "--split-depth", "--checkpoint",
          "--merge", "--json", "--html", "--quiet",
        ]
      ),
      (
        "simulate",
        [
          "--cpus", "--disciplines", "--model", "--seconds-simulated", "--load", "--seed", "--json",
          "--salvage", "--quiet",
        ]
      ),
      ("flows", ["--csv", "--json", "--export", "--cpus", "--discipline", "--top", "--salvage"]),
    ])
  func verb(_ verb: String, options: [String]) throws {
    let run = try Softint.run(verb, "--help")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output.contains("Example: softint \(verb)"))
    #expect(run.output.contains("Exit status: 0 success; 64 "))
    for option in options { #expect(run.output.contains("\n  \(option) "), "\(option)") }
    #expect(!run.output.contains("\u{1B}"))
    let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("USAGE:") }
    #expect(lines.allSatisfy { $0.count <= 80 })
  }
}
