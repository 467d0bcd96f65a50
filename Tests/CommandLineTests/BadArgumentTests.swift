// Nonsense on the command line is one line and where to read more, status 64, and nothing on standard output.

import TestSupport
import Testing

/// A command line, and what standard error says of it.
struct BadArguments: CustomTestStringConvertible, Sendable {
  var arguments: [String]
  var line: String
  var testDescription: String { arguments.joined(separator: " ") }

  init(_ arguments: String, _ line: String) {
    self.arguments = arguments.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    self.line = line
  }
}

private let disciplines = "the disciplines are oneCPU, bigLock, ordered, disjoint, mpSafe, threads, mixed"
private let cpus = "give a whole number from 1 to 64"
private let load = "give a number of percent from 1 to 500"
private let seconds = "give a number of seconds from 1 to 86400"

private func invalid(_ arguments: String, _ option: String, _ remedy: String) -> BadArguments {
  let value = arguments.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init) ?? ""
  return BadArguments(arguments, "the value '\(value)' is invalid for '\(option)': \(remedy)")
}

@Suite("Nonsense arguments")
struct BadArgumentTests {
  private static let cases: [BadArguments] =
    ["0", "-1", "65", "abc", "", "1.5", "99999999999999999999"].map {
      invalid("compare --cpus \($0)", "--cpus <n>", cpus)
    }
    + ["0", "-5", "1000", "nan", "inf", "x"].map { invalid("compare --load \($0)", "--load <percent>", load) }
    + ["0", "-1", "nan", "1e99"].map { invalid("compare --seconds \($0)", "--seconds <s>", seconds) }
    + ["-1", "1.0", "18446744073709551616"].map {
      invalid("compare --seed \($0)", "--seed <n>", "give a whole number from 0 to 18446744073709551615")
    }
    + ["x", "biglock", "ordered,,mixed", ""].map {
      invalid("compare --disciplines \($0)", "--disciplines <list>", disciplines)
    }
    + ["0", "129", "2,", "x"].map {
      invalid(
        "simulate --cpus \($0)", "--cpus <list>", "give whole numbers from 1 to 128 with commas between")
    }
    + ["0", "11", "nan"].map {
      invalid(
        "simulate --seconds-simulated \($0)", "--seconds-simulated <s>",
        "give a number of seconds from 0.001 to 10")
    }
    + [invalid("simulate --cpus 2,2", "--cpus <list>", "2 is there twice")]
    + ["0", "-3", "many"].map {
      invalid("flows x --top \($0)", "--top <n>", "give a whole number from 1 to 2147483647")
    }
    + [
      invalid("compare --disciplines mixed,mixed", "--disciplines <list>", "mixed is there twice"),
      BadArguments("explore", "give a scenario; --list names those that are bundled"),
      BadArguments("explore smallest --list", "give scenarios, --list or --explain, one of them"),
      BadArguments("explore smallest card-and-base --html x", "--html is for one scenario"),
      BadArguments("explore smallest --replay p --json", "--replay tells a story as text only"),
      BadArguments("explore --explain nonsense", "there is no rule nonsense; --explain all lists them"),
      invalid(
        "explore smallest --discipline threads", "--discipline <name>",
        "the disciplines are oneCPU, bigLock, ordered, disjoint, mpSafe"),
      invalid(
        "explore smallest --preemptions -1", "--preemptions <n>",
        "give a whole number from 0 to 1000, or none"),
      invalid(
        "explore smallest --strategy all", "--strategy <kind>",
        "the strategies are exhaustive, every, random, priorities"),
      invalid("explore smallest --memory tso", "--memory <model>", "give sc or rc11"),
      invalid("explore smallest --recognition never", "--recognition <where>", "give points or anywhere"),
      BadArguments(
        "explore smallest --strategy random --preemptions 1", "--preemptions is for exhaustive and every"),
      BadArguments("explore smallest --seed 1 --strategy every", "--seed is for random and priorities"),
      BadArguments("explore smallest card-and-base --shard 0/2", "--shard is for one scenario"),
      BadArguments(
        "explore smallest --checkpoint x --jobs 2", "--checkpoint is for one thread: leave out --jobs"),
      invalid(
        "explore smallest --shard 2/2", "--shard <i/n>", "give i/n: part i of n parts, i from 0 to n - 1"),
      invalid("compare --idle x", "--idle <poll|park>", "give poll or park"),
      BadArguments("compare --cpus", "missing value for '--cpus <n>'"),
      BadArguments("compare a b", "unexpected argument 'b'"),
      BadArguments("compare --jsno", "unknown option '--jsno'. Did you mean '--json'?"),
      BadArguments("compare --html", "missing value for '--html <file>'"),
      BadArguments("flows", "missing expected argument '<capture>'"),
      BadArguments("flows --json", "missing expected argument '<capture>'"),
      BadArguments("flows a b", "unexpected argument 'b'"),
      BadArguments("flows x --csv --json", "give --csv or --json, not both"),
      BadArguments("flows x --json --top 3", "--top is for the table, not for --csv or --json"),
      invalid("flows x --cpus 0", "--cpus <n>", cpus),
      invalid("flows x --discipline none", "--discipline <name>", disciplines),
      BadArguments(
        "flows x --discipline disjoint",
        "the flow meter cannot run with disjoint levels; choose one of oneCPU, bigLock, ordered, mpSafe, threads, mixed"
      ),
      BadArguments("flows x -xyz", "unknown option '-xyz'"),
    ]

  @Test("A verb says what is wrong and where its help is", arguments: cases)
  func verbs(_ bad: BadArguments) throws {
    let run = try Softint.start(bad.arguments).end()
    #expect(run.errors == "softint: \(bad.line)\nSee 'softint \(bad.arguments[0]) --help'.\n")
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
  }

  @Test(
    "Without a verb there is something to say too",
    arguments: [
      ([], "no verb is given, the verbs are compare, flows, explore and simulate"),
      (["frobnicate"], "unexpected argument 'frobnicate'"),
      (["--colour"], "unknown option '--colour'"),
    ])
  func noVerb(arguments: [String], line: String) throws {
    let run = try Softint.start(arguments).end()
    #expect(run.errors == "softint: \(line)\nSee 'softint --help'.\n")
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
  }

  @Test("An argument with line feeds and escape codes still makes one harmless line")
  func hostile() throws {
    let run = try Softint.run("compare", "--cpus", "a\nb\u{1B}[2J\u{2028}")
    #expect(
      run.errors
        == "softint: the value 'a b\\u{1b}[2J\\u{2028}' is invalid for '--cpus <n>': \(cpus)\n"
        + "See 'softint compare --help'.\n")
  }
}
