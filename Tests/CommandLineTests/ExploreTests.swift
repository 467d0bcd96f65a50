// `softint explore`: verdicts and their exit statuses, lists, replays, pages, several scenarios, interruptions.

import Foundation
import TestSupport
import Testing

@Suite("softint explore")
struct ExploreTests {
  private static func example(_ name: String) -> String {
    repositoryFile("Examples/Scenarios/\(name).json").path
  }

  /// The example with its expectation taken out or replaced.
  private static func changed(_ name: String, _ expect: String, in directory: TemporaryDirectory) throws
    -> String
  {
    let text = try String(contentsOfFile: example(name), encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.hasPrefix("  \"expect\":") ? Substring(expect) : $0
    }
    let path = directory.file("changed.json")
    try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("The list has every example of the repository, and they are the same to the byte")
  func list() throws {
    let run = try Softint.run("explore", "--list")
    #expect(run.status == 0 && run.errors.isEmpty)
    let names = try FileManager.default.contentsOfDirectory(
      atPath: repositoryFile("Examples/Scenarios").path
    ).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    #expect(run.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init) == names)
    // What is bundled is what the file says: results differ in the name of the file only.
    for name in ["smallest", "unraised-read"] {
      let bundled = try Softint.run("explore", name, "--json").output
      let file = try Softint.run("explore", Self.example(name), "--json").output
      #expect(bundled == file.replacing(Self.example(name), with: name))
    }
  }

  @Test("Verdicts and their exit statuses")
  func statuses() throws {
    let directory = try TemporaryDirectory()
    #expect(try Softint.run("explore", "smallest").status == 0)
    #expect(try Softint.run("explore", "unraised-read").status == 0)
    let nothing = try Self.changed("unraised-read", "", in: directory)
    #expect(try Softint.run("explore", nothing).status == 1)
    let other = try Self.changed("unraised-read", "  \"expect\": {\"verdict\": \"holds\"},", in: directory)
    let run = try Softint.run("explore", other)
    #expect(run.status == 2)
    #expect(run.output.contains("NOT AS EXPECTED"))
    #expect(try Softint.run("explore", "timeout-raises", "--schedules", "2").status == 3)
    #expect(try Softint.run("explore", "smallest", "--strategy", "random", "--schedules", "10").status == 3)
  }

  @Test("A discipline replaces every way in, and has an expectation of its own")
  func discipline() throws {
    let disjoint = try Softint.run("explore", "timeout-raises", "--discipline", "disjoint", "--json")
    #expect(disjoint.status == 0)
    #expect(disjoint.output.contains("\"verdict\": \"violation\""))
    #expect(disjoint.output.contains("\"rule\": \"disjointRaises\""))
    let ordered = try Softint.run("explore", "slow-timeout-raises", "--discipline", "ordered")
    #expect(ordered.status == 0)
  }

  @Test("A story has a replay string that tells it again, with status 1")
  func replay() throws {
    let first = try Softint.run("explore", "plain-lock-across-a-raise")
    #expect(first.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.hasPrefix("Again: ") })
    let command = try #require(
      first.output.firstMatch(of: /Again: softint explore --replay ([^ ]+) ([^ \n]+)/))
    #expect(command.2 == "plain-lock-across-a-raise")
    let again = try Softint.run("explore", "--replay", String(command.1), String(command.2))
    #expect(again.status == 1)
    let story = first.output[first.output.range(of: "\n\n     CPU 0")!.lowerBound...]
    #expect(again.output == story.dropFirst())
    let holds = try Softint.run("explore", "--replay", "p", "raised-read")
    #expect(holds.status == 0 && holds.output == "This schedule breaks no rule.\n")
    #expect(try Softint.run("explore", "--replay", "?", "raised-read").status == 64)
    #expect(try Softint.run("explore", "--replay", "p2.zz", "raised-read").status == 64)
  }

  @Test("A rule is explained, by its name or as a story calls it")
  func explain() throws {
    let run = try Softint.run("explore", "--explain", "dataRace")
    #expect(run.status == 0)
    for word in ["what", "protects", "mend"] { #expect(run.output.contains("\n  \(word) ")) }
    #expect(try Softint.run("explore", "--explain", "data race").output == run.output)
    let all = try Softint.run("explore", "--explain", "all").output
    #expect(all.contains(run.output) && all.contains("\nwaitOutOfOrder\n"))
    #expect(all.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("What cannot be read is one line with file, place and remedy")
  func unreadable() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("bad.json")
    try "{\n \"scenario\": \"softint.scenario/1\",\n \"name\": \"n\",\n \"cpus\": 99\n}".write(
      toFile: path, atomically: true, encoding: .utf8)
    let run = try Softint.run("explore", path)
    #expect(run.status == 65 && run.output.isEmpty)
    #expect(run.errors == "softint: \(path):4: $.cpus: a whole number from 1 to 16 is wanted\n")
    let missing = try Softint.run("explore", "no-such-scenario")
    #expect(missing.status == 66)
    #expect(missing.errors.contains("--list"))
    #expect(try Softint.run("explore", directory.path).status == 66)
    let empty = try Softint.run("explore", "-")
    #expect(empty.status == 65 && empty.errors.contains("standard input:1: column 1: the text is empty"))
  }

  @Test("Several scenarios are all run, and the worst counts")
  func several() throws {
    let run = try Softint.run("explore", "smallest", "no-such-scenario", "raised-read")
    #expect(run.status == 66)
    #expect(
      run.output.contains("Two threads try the same gate") && run.output.contains("Base code raises to read"))
    #expect(try Softint.run("explore", "smallest", "raised-read").status == 0)
    let mixed = try Softint.run("explore", "timeout-raises", "smallest", "--schedules", "2", "--json")
    #expect(mixed.status == 3)
    #expect(mixed.output.components(separatedBy: "\"schema\": \"softint.explore/1\"").count == 3)
  }

  @Test("Parts of a search are results like any other, and make a whole")
  func parts() throws {
    let directory = try TemporaryDirectory()
    let schema = try SchemaValidator(published: "softint.explore-1.schema.json")
    var files: [String] = []
    for part in 0..<2 {
      let run = try Softint.run(
        "explore", "callout-freed", "--shard", "\(part)/2", "--split-depth", "8", "--json")
      #expect(try schema.findings(in: Data(run.output.utf8)).isEmpty, "\(run.output)\(run.errors)")
      files.append(directory.file("part\(part).json"))
      try run.output.write(toFile: files[part], atomically: true, encoding: .utf8)
    }
    let whole = try Softint.run("explore", "--merge", files[0], files[1], "--json")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try schema.findings(in: Data(whole.output.utf8)).isEmpty, "\(whole.output)")
    #expect(try Softint.run("explore", "--merge", files[0], files[0]).status == 65)
    #expect(try Softint.run("explore", "--merge", files[0]).status == 65)
  }

  @Test("A page is written whole, or not at all")
  func page() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("page.html")
    #expect(try Softint.run("explore", "unraised-read", "--html", path).status == 0)
    let page = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n")
        && page.contains("<svg class=\"story\""))
    let bad = try Softint.run("explore", "no-such-scenario", "--html", directory.file("none.html"))
    #expect(bad.status == 66)
    #expect(try directory.contents == ["page.html"])
    #expect(try Softint.run("explore", "smallest", "--html", "/no/such/folder/x").status == 73)
  }

  @Test("A signal ends it with what there is", arguments: [("INT", SIGINT, 130), ("TERM", SIGTERM, 143)])
  func interrupted(name: String, signal: Int32, status: Int32) throws {
    // Tests may run where SIGINT is ignored, in the background of a script; env undoes that.
    let program = try RunningProgram(
      URL(filePath: "/usr/bin/env"),
      [
        "--default-signal=\(name)", Softint.program.path, "explore", "card-and-base", "--strategy", "every",
        "--schedules", "1000000000000", "--json",
      ], input: "/dev/null", environment: [:])
    // The first line of progress says that it is under way.
    while program.errorsSoFar.isEmpty, program.isRunning { sched_yield() }
    program.send(signal)
    let run = try program.end()
    #expect(run.status == status)
    #expect(run.output.contains("\"interrupted\": true"))
    #expect(run.output.contains("\"verdict\": \"bounded\""))
    let schema = try SchemaValidator(published: "softint.explore-1.schema.json")
    #expect(try schema.findings(in: Data(run.output.utf8)).isEmpty)
  }
}
