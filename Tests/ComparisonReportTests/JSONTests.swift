// The JSON rendering: valid whatever the model holds, and in the published shape.

import Foundation
import TestSupport
import Testing

@testable import ComparisonReport

@Suite("The JSON rendering")
struct JSONTests {
  private static let hostile =
    "\u{0}\u{1B}[31m\"\\</script>\n\r\t\u{7F}\u{85}\u{2028}\u{202E}\u{1F600}é\u{FFFF}"

  private func parse(_ comparison: Comparison) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(comparison.json.utf8))
    return try #require(value as? [String: Any])
  }

  private func result(_ name: String, in root: [String: Any]) throws -> [String: Any] {
    let results = try #require(root["results"] as? [[String: Any]])
    return try #require(results.first { $0["discipline"] as? String == name })
  }

  @Test("keeps to the published schema in every state of a run", arguments: ComparisonCases.all)
  func matchesSchema(_ example: ComparisonCase) throws {
    let validator = try SchemaValidator(published: "softint.compare-1.schema.json")
    #expect(try validator.findings(in: Data(example.comparison.json.utf8)) == [])
  }

  @Test("is refused by the schema after any damage")
  func schemaIsStrict() throws {
    let validator = try SchemaValidator(published: "softint.compare-1.schema.json")
    let json = Comparison.sample().json
    let damage = [
      ("\"softint.compare/1\"", "\"softint.compare/2\""), ("\"interrupted\"", "\"stopped\""),
      ("\"level\": \"softNet\"", "\"level\": \"softnet\""), ("\"cpus\": 2", "\"cpus\": 0"),
      ("\"discipline\": \"ordered\"", "\"discipline\": \"orderly\""), ("\"seed\": 42", "\"seed\": \"42\""),
      ("\"feasible\": false", "\"feasible\": true"), ("\"reason\": null", "\"reason\": \"none\""),
      ("\"share\": 0.56", "\"share\": 64"), ("\"p50\"", "\"median\""),
    ]
    for (sound, broken) in damage {
      let damaged = json.replacingOccurrences(of: sound, with: broken)
      #expect(damaged != json, "the sample holds \(sound)")
      #expect(try !validator.findings(in: Data(damaged.utf8)).isEmpty, "\(broken) passed")
    }
  }

  @Test("gives the figures of the shape: ratios to bigLock and oneCPU, latencies in nanoseconds")
  func figures() throws {
    let root = try parse(.sample())
    let ordered = try result("ordered", in: root)
    #expect(ordered["framesPerSecond"] as? Double == 3_860_000)
    #expect(ordered["ratio"] as? Double == 1.5628)
    #expect(ordered["ratioToOneCPU"] as? Double == 1.4789)
    #expect(ordered["baseRatio"] as? Double == 2.4211)
    #expect(ordered["drops"] as? Int == 0)
    #expect(ordered["digest"] as? String == "5f3a9c0e77d1b264")
    let latency = try #require((ordered["latency"] as? [String: Any])?["softNet"] as? [String: Any])
    let p99 = try #require(latency["p99"] as? Double)
    let rounds = series(29_600 / 6, 29_600).rounds
    #expect(p99 == Interval(samples: rounds.compactMap { $0.percentile(0.99).map { Double($0) } })?.median)
    #expect(latency["samples"] as? Int == 18_000)
  }

  @Test("gives null for the figures of an infeasible discipline, and its reason")
  func infeasible() throws {
    let disjoint = try result("disjoint", in: parse(.sample()))
    #expect(disjoint["feasible"] as? Bool == false)
    #expect((disjoint["reason"] as? String)?.contains("softClock") == true)
    for name in [
      "framesPerSecond", "ratio", "ratioToOneCPU", "baseRatio", "latency", "latencyParked", "drops", "digest",
    ] { #expect(disjoint[name] is NSNull, "\(name)") }
  }

  @Test("survives hostile text unchanged, without a control character in the output")
  func hostileText() throws {
    var comparison = Comparison.sample()
    comparison.capture.file = JSONTests.hostile
    comparison.commandLine = [JSONTests.hostile]
    let json = comparison.json
    let harmful = json.unicodeScalars.filter { $0 != "\n" && !TerminalText.isHarmless($0) }
    #expect(harmful.isEmpty)
    let capture = try #require(try parse(comparison)["capture"] as? [String: Any])
    #expect(capture["file"] as? String == JSONTests.hostile)
  }

  @Test(
    "writes numbers that read back, and null for what is none",
    arguments: [
      (0.0, "0"), (-0.0, "0"), (1, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e15, "1000000000000000"),
      (1e300, "1e+300"),
      (1e-300, "1e-300"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
    ])
  func numbers(number: Double, text: String) {
    #expect(JSONWriter.text(of: number) == text)
  }

  @Test("writes nested and empty containers in their order")
  func containers() {
    let value = JSONValue.object([
      ("b", .array([])), ("a", .array([.null, .bool(true), .integer(-1), .unsigned(.max)])),
      ("c", .object([])),
    ])
    #expect(
      value.text == """
        {
          "b": [],
          "a": [
            null,
            true,
            -1,
            18446744073709551615
          ],
          "c": {}
        }

        """)
  }

  @Test("says the same twice")
  func deterministic() {
    #expect(Comparison.sample().json == Comparison.sample().json)
  }
}
