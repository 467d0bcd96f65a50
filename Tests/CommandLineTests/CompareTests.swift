// What `softint compare` prints and writes, and how it ends when it is interrupted or an output fails. What it
// measures is the affair of other suites; here a run is as short as it can be.

import Foundation
import TestSupport
import Testing

/// The parts of a comparison's JSON that the command line answers for.
private struct ComparisonDocument: Decodable {
  struct Result: Decodable {
    var discipline: String
    var digest: String?
  }
  struct Capture: Decodable {
    var file: String
    var frames: Int
  }
  struct Settings: Decodable {
    var loadPercent: Double
    var seed: UInt64
    var idle: [String]
  }
  struct Machine: Decodable { var cpus: Int }

  var version: String
  var interrupted: Bool
  var digestsAgree: Bool
  var machine: Machine
  var capture: Capture
  var settings: Settings
  var results: [Result]

  init(_ text: String) throws {
    let validator = try SchemaValidator(published: "softint.compare-1.schema.json")
    #expect(try validator.findings(in: Data(text.utf8)) == [])
    self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
  }
}

@Suite("softint compare", .serialized)
struct CompareTests {
  private static let short = [
    "compare", "--disciplines", "oneCPU,ordered", "--idle", "poll", "--seconds", "1",
  ]

  @Test("The JSON satisfies its schema and says what was asked for")
  func json() throws {
    let run = try Softint.start(
      Self.short + ["--json", "--quiet", "--seed", "7", "--load", "40", "--cpus", "1"]
    ).end()
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let document = try ComparisonDocument(run.output)
    #expect(try Softint.run("--version").output == document.version + "\n")
    #expect((document.interrupted, document.digestsAgree) == (false, true))
    #expect(document.machine.cpus == 1)
    #expect(document.capture.file == "bundled capture")
    let bundled = repositoryFile("Sources/softint/Resources/bundled.pcapng").path
    #expect(try UInt64(document.capture.frames) == FlowsDocument.frames(of: bundled))
    #expect((document.settings.loadPercent, document.settings.seed) == (40, 7))
    #expect(document.settings.idle == ["poll"])
    #expect(document.results.map(\.discipline) == ["oneCPU", "ordered"])
    #expect(document.results[0].digest != nil)
  }

  @Test("The table is plain text of 80 columns, and the page a whole document beside it")
  func table() throws {
    let directory = try TemporaryDirectory()
    let page = directory.file("page.html")
    let run = try Softint.start(Self.short + ["--quiet", "--html", page]).end()
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(!run.output.contains("\u{1B}"))
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    for name in ["bundled capture: ", "\noneCPU ", "\nordered "] { #expect(run.output.contains(name)) }
    let html = try String(contentsOf: URL(filePath: page), encoding: .utf8)
    #expect(html.hasPrefix("<!DOCTYPE html>"))
    #expect(html.trimmingCharacters(in: .newlines).hasSuffix("</html>"))
    #expect(try directory.contents == ["page.html"])
  }

  @Test("A page that cannot be written does not take the table along")
  func fullDisk() throws {
    let run = try Softint.start(Self.short + ["--quiet", "--html", "/dev/full"]).end()
    #expect(run.status == 74)
    #expect(run.errors.hasPrefix("softint: /dev/full: writing failed: "))
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(run.output.contains("\nordered "))
  }

  @Test(
    "A signal ends it with what it has and the status of a shell",
    arguments: [("INT", SIGINT, 130), ("TERM", SIGTERM, 143)])
  func interrupted(name: String, signal: Int32, status: Int32) throws {
    // Tests may run where SIGINT is ignored, in the background of a script; env undoes that.
    let program = try RunningProgram(
      URL(filePath: "/usr/bin/env"),
      [
        "--default-signal=\(name)", Softint.program.path, "compare", "--disciplines", "oneCPU,ordered",
        "--seconds", "3600", "--json",
      ], input: "/dev/null", environment: [:])
    // The first line of progress says that the measurement is under way.
    while program.errorsSoFar.isEmpty, program.isRunning { sched_yield() }
    program.send(signal)
    let run = try program.end()
    #expect(run.status == status)
    #expect(run.errors.split(separator: "\n").allSatisfy { $0.wholeMatch(of: /softint: [0-9]+ % .+/) != nil })
    #expect(try ComparisonDocument(run.output).interrupted)
  }
}
