// The benchmarks' report: what is written can be read again, keeps to the published schema, and says of each row what is so.

import Foundation
import TestSupport
import Testing

@testable import ComparisonReport

/// One row of each kind: met, missed, without a goal, and with a peer that is missing.
func sampleBenchmarks() -> BenchmarkReport {
  let distribution = BenchmarkReport.Distribution(
    samples: 1_000,
    points: [
      .init(share: 0.5, value: 26_000), .init(share: 0.99, value: 40_000),
      .init(share: 0.999, value: 1.2e6),
    ])
  return BenchmarkReport(
    machine: .init(cpu: "A processor <&>", os: "Linux 6", processors: 2, load: 0.25), date: "2026-11-26",
    commit: "abcdef0", command: "Benchmarks/run", rounds: 9,
    rows: [
      BenchmarkReport.Row(
        name: "mask", title: "mask & unmask", unit: "ns", peerName: "sigmask", ours: rounds(2),
        peer: rounds(400), goal: .atMost(0.01), note: "The kernel's <own> mask."),
      BenchmarkReport.Row(
        name: "raise", title: "raise", unit: "ns", peerName: "pthread_mutex", ours: rounds(6),
        peer: rounds(5), goal: .atMost(0.8), note: "One lock.", remark: "turns taken <again>: 2"),
      BenchmarkReport.Row(
        name: "raise", title: "raise", unit: "ns", peerName: "ck", ours: rounds(6), peer: [],
        goal: .atLeast(2),
        note: "Missing: not there.", isMissing: true),
      BenchmarkReport.Row(
        name: "wake", title: "wake", unit: "ns", peerName: "futex", ours: rounds(27_000),
        peer: rounds(26_000),
        goal: nil, note: "", oursDistribution: distribution, peerDistribution: distribution),
    ])
}

@Suite("The benchmarks' report")
struct BenchmarkTests {
  @Test("keeps to the published schema, which refuses any damage")
  func schema() throws {
    let validator = try SchemaValidator(published: "softint.benchmarks-1.schema.json")
    let json = sampleBenchmarks().json
    #expect(try validator.findings(in: Data(json.utf8)) == [])
    for (sound, broken) in [
      ("softint.benchmarks/1", "softint.benchmarks/2"), ("\"atMost\"", "\"most\""),
      ("\"load\": 0.25", "\"load\": \"0\""),
      ("\"met\": false", "\"met\": 0"), ("2026-11-26", "26 November"),
      ("\"peerName\": \"futex\"", "\"peerName\": \"\""),
      ("\"remark\": \"\"", "\"remark\": 0"), ("\"missing\": true", "\"missing\": \"yes\""),
      ("\"samples\"", "\"count\""),
    ] {
      let damaged = json.replacingOccurrences(of: sound, with: broken)
      #expect(damaged != json, "the sample holds \(sound)")
      #expect(try !validator.findings(in: Data(damaged.utf8)).isEmpty, "\(broken) passed")
    }
  }

  @Test("is read as it was written")
  func readsWhatWasWritten() throws {
    let report = sampleBenchmarks()
    let read = try BenchmarkReport(json: [UInt8](report.json.utf8))
    #expect(read.rows.map(\.name) == report.rows.map(\.name))
    #expect(read.json == report.json)
    #expect(read.rows[1].remark == "turns taken <again>: 2" && read.rows[0].remark.isEmpty)
    #expect(read.rows[2].isMissing && read.rows[2].goal == .atLeast(2))
    #expect(read.rows[3].oursDistribution == report.rows[3].oursDistribution)
  }

  @Test(
    "refuses what is no such file in one line with its place",
    arguments: [
      ("[", "no JSON: line 1"), ("{}", "/schema is not"),
      ("{\"schema\": \"softint.benchmarks/1\"}", "/machine/cpu is not a string"),
      (
        "{\"schema\": \"softint.benchmarks/1\", \"machine\": {\"cpu\": \"\", \"os\": \"\", \"processors\": 1, \"load\": 0}, \"date\": \"\", \"commit\": \"\", \"command\": \"\", \"rounds\": 1, \"rows\": [{}]}",
        "/rows/0/name is not a string"
      ),
    ])
  func refuses(_ text: String, _ problem: String) {
    let error = #expect(throws: BenchmarkFileError.self) { try BenchmarkReport(json: [UInt8](text.utf8)) }
    #expect(error?.description.contains(problem) == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test("takes ratios within rounds, so that what slows a whole round does not count")
  func ratiosWithinRounds() {
    let row = BenchmarkReport.Row(
      name: "a", title: "", unit: "ns", peerName: "b", ours: [10, 20, 40, 80, 160],
      peer: [20, 40, 80, 160, 320],
      goal: .atMost(0.5), note: "")
    #expect(row.ratio == 0.5 && row.met == true)
    #expect(row.interval?.low == 0.5 && row.interval?.high == 0.5)
  }

  @Test("judges by the goal's direction; without a goal or a peer there is no verdict")
  func verdicts() {
    #expect(sampleBenchmarks().rows.map(\.met) == [true, false, nil, nil])
    #expect(sampleBenchmarks().score == (1, 2))
    var row = sampleBenchmarks().rows[1]
    row.goal = .atLeast(1)
    #expect(row.met == true)
  }

  @Test("has every row in the table, those that are lost or missing included")
  func table() {
    let table = sampleBenchmarks().table
    for text in ["pthread_mutex", "missed", "ck", "missing", "futex", "≤ 0.01", "2026-11-26", "abcdef0"] {
      #expect(table.contains(text))
    }
    #expect(table.hasSuffix("\n\nraise, pthread_mutex: turns taken <again>: 2\n"))
    #expect(sampleBenchmarks().html.contains("In this run: turns taken &lt;again&gt;: 2."))
  }

  @Test(
    "writes three digits, whatever the size",
    arguments: [
      (1_234_567.0, "1,234,567"), (412.4, "412"), (41.24, "41.2"), (4.124, "4.12"), (0.4124, "0.412"),
      (0.04124, "0.0412"),
      (0.004124, "0.00412"), (0.0000031, "3.1e-6"), (0, "0"), (-12.34, "-12.3"), (.nan, "–"),
    ])
  func significantDigits(_ number: Double, _ text: String) {
    #expect(NumberText.significant(number) == text)
  }

  @Test("has the rows with a goal in the page, and all of them behind the fold")
  func markdown() throws {
    let parts = sampleBenchmarks().markdown.components(separatedBy: "<details>")
    try #require(parts.count == 2)
    #expect(parts[0].contains("pthread_mutex") && parts[0].contains("missed") && !parts[0].contains("futex"))
    #expect(parts[1].contains("pthread_mutex") && parts[1].contains("futex"))
  }

  @Test("replaces what is between the marks of a page and nothing else")
  func replaces() throws {
    let report = sampleBenchmarks()
    let page = "before\n<!-- benchmarks:begin -->\nold\n<!-- benchmarks:end -->\nafter\n"
    let new = try #require(report.replaced(in: page))
    #expect(
      new.hasPrefix("before\n<!-- benchmarks:begin -->\n")
        && new.hasSuffix("<!-- benchmarks:end -->\nafter\n"))
    #expect(!new.contains("old") && new.contains("pthread_mutex"))
    #expect(report.replaced(in: new) == new)
    #expect(report.replaced(in: "no marks") == nil)
  }

  @Test("names the rows that moved beyond their intervals, and no others")
  func changes() {
    let old = sampleBenchmarks()
    var new = old
    #expect(new.changes(since: old).rows.filter(\.hasMoved).isEmpty)
    new.rows[1].ours = rounds(4)
    new.rows.append(new.rows[0])
    new.rows[4].peerName = "another"
    let (rows, onlyHere, onlyThere) = new.changes(since: old)
    #expect(rows.filter(\.hasMoved).map(\.peerName) == ["pthread_mutex"])
    #expect(onlyHere == ["raise against ck", "mask against another"])
    #expect(onlyThere.isEmpty)
  }

  @Test("draws a page that fetches nothing, runs nothing, and escapes what is not its own")
  func page() {
    let html = sampleBenchmarks().html
    #expect(html.contains("default-src 'none'") && !html.contains("<script"))
    #expect(!html.contains("<own>") && !html.contains("<&>"))
    #expect(!html.contains("\u{FFFD}"))
    #expect(html.contains("polyline") && !html.contains("nan") && !html.contains("\"–\""))
  }
}

@Suite("The bootstrap interval")
struct BootstrapTests {
  @Test("holds the median, and is the same again")
  func interval() throws {
    let samples = (0..<25).map { Double(($0 * 7) % 25) }
    let first = try #require(Bootstrap.interval(ofMedianOf: samples))
    #expect(first.low <= 12 && 12 <= first.high && first.low > 0 && first.high < 24)
    let again = try #require(Bootstrap.interval(ofMedianOf: samples))
    #expect(first == again)
  }

  @Test("is narrower the less the samples differ")
  func width() throws {
    let wide = try #require(Bootstrap.interval(ofMedianOf: rounds(100, count: 15, spread: 0.5)))
    let narrow = try #require(Bootstrap.interval(ofMedianOf: rounds(100, count: 15, spread: 0.01)))
    #expect(narrow.high - narrow.low < (wide.high - wide.low) / 10)
  }

  @Test("covers the true median of a known distribution about as often as it says")
  func coverage() {
    // 200 sets of 15 draws, uniform on 0 … 1, whose median is 1/2.
    var state: UInt64 = 7
    var covered = 0
    for _ in 0..<200 {
      let samples = (0..<15).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / 0x1p53
      }
      if let interval = Bootstrap.interval(ofMedianOf: samples), interval.low <= 0.5, interval.high >= 0.5 {
        covered += 1
      }
    }
    #expect(covered >= 180 && covered < 200)
  }

  @Test("has no value without a finite sample")
  func empty() {
    #expect(Bootstrap.interval(ofMedianOf: [.nan]) == nil)
  }
}
