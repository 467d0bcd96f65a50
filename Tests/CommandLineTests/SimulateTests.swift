// What `softint simulate` prints, from which files, and that it prints the same again.

import Foundation
import TestSupport
import Testing

/// The parts of a simulation's JSON that the tests look at.
private struct SimulationDocument: Decodable {
  struct Row: Decodable, Equatable {
    struct Latencies: Decodable, Equatable {
      var count: UInt64
      var p99: UInt64?
    }
    var discipline: String
    var cpus: Int
    var framesPerSecond: Double
    var timesOneCPU: Double
    var gateWaiting: Double
    var softNet: Latencies
    var softSerial: Latencies
  }
  struct LeftOut: Decodable { var discipline: String }
  var rows: [Row]
  var leftOut: [LeftOut]
  var operations: UInt64
  var sentences: [String]

  init(_ text: String) throws {
    let validator = try SchemaValidator(published: "softint.simulate-1.schema.json")
    #expect(try validator.findings(in: Data(text.utf8)) == [])
    self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
  }
}

@Suite("softint simulate")
struct SimulateTests {
  private static let short = ["simulate", "--cpus", "1,2", "--seconds-simulated", "0.001", "--quiet"]
  private static let model = repositoryFile("Benchmarks/Models/epyc-two-processors.json")

  @Test("The JSON satisfies its schema, and the same seed gives the same table")
  func json() throws {
    func document(_ seed: String) throws -> SimulationDocument {
      let run = try Softint.start(
        Self.short + ["--disciplines", "oneCPU,ordered,disjoint", "--json", "--seed", seed]
      ).end()
      #expect(run.status == 0 && run.errors.isEmpty)
      return try SimulationDocument(run.output)
    }
    let first = try document("3")
    #expect(first.rows.map(\.discipline) == ["oneCPU", "ordered", "ordered"])
    #expect(first.rows.map(\.cpus) == [1, 1, 2])
    #expect(first.leftOut.map(\.discipline) == ["disjoint"])
    #expect(
      first.rows.allSatisfy { $0.framesPerSecond > 0 && $0.softNet.count > 0 && $0.softSerial.count > 0 })
    let again = try document("3")
    #expect(again.rows == first.rows && again.operations == first.operations)
    #expect(try document("4").rows != first.rows)
  }

  @Test("The table is plain text of 80 columns and says what was left out")
  func table() throws {
    let run = try Softint.start(Self.short + ["--disciplines", "bigLock,threads"]).end()
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    for text in ["\nbigLock ", "\nthreads needs a model", "Left out: memory bandwidth"] {
      #expect(run.output.contains(text))
    }
  }

  @Test(
    "Where nothing asked for can be simulated it is one line and status 64, not an empty table",
    arguments: ["threads", "threads,disjoint"])
  func nothingToSimulate(_ disciplines: String) throws {
    let run = try Softint.start(Self.short + ["--disciplines", disciplines]).end()
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors.hasPrefix("softint: neither threads"), "\(run.errors)")
  }

  @Test("The bundled model is the published file, and fits its schema")
  func bundled() throws {
    let file = try Data(contentsOf: Self.model)
    let validator = try SchemaValidator(published: "softint.costs-1.schema.json")
    #expect(try validator.findings(in: file) == [])
    let options = Self.short + ["--disciplines", "oneCPU", "--json"]
    let bundled = try SimulationDocument(try Softint.start(options).end().output)
    let named = try SimulationDocument(
      try Softint.start(options + ["--model", Self.model.path]).end().output)
    #expect(bundled.rows == named.rows && bundled.operations == named.operations)
  }

  @Test("A model that is wrong is one line and status 65; one that is not there, 66")
  func wrongModels() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("model.json")
    let good = try String(contentsOf: Self.model, encoding: .utf8)
    let deep = String(repeating: "[", count: 100_000)
    let cases: [(text: String, problem: String)] = [
      ("", "no JSON: line 1, column 1: the text is empty: an object is wanted"),
      ("{", "no JSON: line 1, column 2: a name in double quotes is wanted"),
      (deep, "no JSON: line 1, column 66: nested deeper than 64"),
      ("{\"a\":\"\\ud800\"}", "no JSON: line 1, column 13: half a surrogate pair"),
      ("[1e999]", "no JSON: line 1, column 7: a number beyond what a double holds"),
      ("{}", "/schema is not \"softint.costs/1\"; make the file with micro costs --json"),
      (
        good.replacingOccurrences(
          of: "\"loadHit\": {\"nanoseconds\": ", with: "\"loadHit\": {\"nanoseconds\": -"),
        "/costs/loadHit/nanoseconds is not a number from 0 to 1000000000"
      ),
      (good.replacingOccurrences(of: "\"loadHit\"", with: "\"loadMiss\""), "/costs/loadHit is missing"),
      (good.replacingOccurrences(of: "\"ageingRun\"", with: "\"ageing\""), "/stages/ageingRun is missing"),
      (String(repeating: " ", count: 1 << 20 + 1), "it is larger than a model can be (1 MiB)"),
    ]
    for (text, problem) in cases {
      try Data(text.utf8).write(to: URL(filePath: path))
      let run = try Softint.start(Self.short + ["--model", path]).end()
      #expect(run.errors == "softint: \(path): \(problem)\n")
      #expect(run.status == 65 && run.output.isEmpty)
    }
    let run = try Softint.start(Self.short + ["--model", directory.file("none.json")]).end()
    #expect(run.status == 66 && run.errors.hasSuffix("none.json: No such file or directory\n"))
  }
}
