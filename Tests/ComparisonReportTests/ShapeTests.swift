// The curves' report: what is written can be read again and keeps to the published schema; the picture and the tables have every point.

import Foundation
import TestSupport
import Testing

@testable import ComparisonReport

/// Both kinds of axes, a zero on a logarithmic one, a bound, a missing point, a goal that is met and one that is missed.
func sampleShape() -> ShapeReport {
  ShapeReport(
    machine: .init(cpu: "A processor <&>", os: "Linux 6", processors: 2, load: 0.25), date: "2026-11-26",
    commit: "abcdef0", command: "Benchmarks/shape", isQuick: false,
    curves: [
      .init(
        "cpus-throughput", "Throughput & CPUs", .measured,
        x: .init("CPUs", isLogarithmic: true), y: .init("frames", "M/s"),
        series: [
          .init(
            "ordered <own>",
            points: [
              .init(x: 1, rounds: [1, 2, 3]), .init(x: 2, rounds: [4, 5, 6]), .init(x: 32, rounds: [.nan]),
            ]),
          .init("bound", isBound: true, points: [.init(x: 1, rounds: [7])]),
        ], rounds: 3, note: "Note <b>.",
        verdicts: [
          .init("least by peak", value: 0.8, goal: .atLeast(0.7)),
          .init("least by peak, too", value: 0.6, goal: .atLeast(0.7)),
        ]),
      .init(
        "park-latency", "Park", .simulated, x: .init("polled", "µs", isLogarithmic: true),
        y: .init("latency", "µs", isLogarithmic: true),
        series: [.init("p50", points: [.init(x: 0, rounds: [20]), .init(x: 900, rounds: [0.1])])], rounds: 1,
        note: ""),
    ])
}

@Suite("The curves' report")
struct ShapeTests {
  @Test("keeps to the published schema, which refuses any damage")
  func schema() throws {
    let validator = try SchemaValidator(published: "softint.shape-1.schema.json")
    let json = sampleShape().json
    #expect(try validator.findings(in: Data(json.utf8)) == [])
    for (sound, broken) in [
      ("softint.shape/1", "softint.shape/2"), ("\"atLeast\"", "\"least\""), ("\"measured\"", "\"guessed\""),
      ("\"bound\": true", "\"bound\": 1"), ("\"met\": false", "\"met\": 0"),
      ("\"logarithmic\": true", "\"logarithmic\": \"yes\""), ("2026-11-26", "26 November"),
      ("cpus-throughput", "CPUs throughput"), ("\"quick\"", "\"fast\""), ("\"median\"", "\"mean\""),
    ] {
      let damaged = json.replacingOccurrences(of: sound, with: broken)
      #expect(damaged != json, "the sample holds \(sound)")
      #expect(try !validator.findings(in: Data(damaged.utf8)).isEmpty, "\(broken) passed")
    }
  }

  @Test("is read as it was written")
  func readsWhatWasWritten() throws {
    let report = sampleShape()
    let read = try ShapeReport(json: [UInt8](report.json.utf8))
    #expect(read.json == report.json)
    #expect(read.curves[0].verdicts == report.curves[0].verdicts)
    #expect(read.curves[1] == report.curves[1])
  }

  @Test(
    "refuses what is no such file in one line with its place",
    arguments: [
      ("[", "no JSON: line 1"), ("{}", "/schema is not"),
      ("{\"schema\": \"softint.shape/1\"}", "/machine/cpu is not a string"),
      (
        "{\"schema\": \"softint.shape/1\", \"machine\": {\"cpu\": \"\", \"os\": \"\", \"processors\": 1, \"load\": 0}, \"date\": \"\", \"commit\": \"\", \"command\": \"\", \"quick\": false, \"curves\": [{\"origin\": \"guessed\"}]}",
        "/curves/0/origin is none that there is"
      ),
    ])
  func refuses(_ text: String, _ problem: String) {
    let error = #expect(throws: BenchmarkFileError.self) { try ShapeReport(json: [UInt8](text.utf8)) }
    #expect(error?.description.contains(problem) == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test("has every point, interval and verdict in its text, and a dash where there is none")
  func text() {
    let text = sampleShape().text
    for part in [
      "2.00 (1.00–3.00)", "5.00 (4.00–6.00)", "–", "bound (bound)", "0.800, goal ≥ 0.7: met",
      "0.600, goal ≥ 0.7: missed", "frames, M/s", "900",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(sampleShape().score == (1, 2))
  }

  @Test("replaces what is between the marks of its own curves, and names those without marks")
  func replaces() throws {
    let report = sampleShape()
    let page =
      "a\n<!-- shape:cpus-throughput begin -->\nold\n<!-- shape:cpus-throughput end -->\nb\n"
      + "<!-- shape:other begin -->\nkept\n<!-- shape:other end -->\n"
    let (new, without) = report.replaced(in: page)
    #expect(without == ["park-latency"])
    #expect(new.hasPrefix("a\n<!-- shape:cpus-throughput begin -->\n**Measured**"))
    #expect(new.contains("<!-- shape:cpus-throughput end -->\nb\n") && new.contains("kept"))
    #expect(!new.contains("old") && new.contains("5.00 (4.00–6.00)") && new.contains("missed"))
    #expect(report.replaced(in: new).page == new)
  }

  @Test("draws pictures that are whole, fetch nothing, and escape what is not their own")
  func picture() throws {
    for curve in sampleShape().curves {
      let svg = curve.svg
      let parser = XMLCheck()
      #expect(parser.isWellFormed(svg))
      #expect(!svg.contains("<own>") && !svg.contains("nan") && !svg.contains("http-equiv"))
    }
    let first = sampleShape().curves[0].svg
    // A mark for each point that there is, and one in the legend; none for the bound.
    #expect(first.components(separatedBy: "<circle").count - 1 == 3)
    #expect(first.contains("class=\"bound\""))
    #expect(
      ShapeReport.Curve(
        "none", "", .measured, x: .init(""), y: .init(""), series: [], rounds: 1, note: ""
      ).svg.isEmpty)
    let html = sampleShape().html
    #expect(html.contains("default-src 'none'") && !html.contains("<script"))
    #expect(!html.contains("Note <b>") && html.contains("measured") && html.contains("simulated"))
  }
}

/// Counts of elements that are opened and closed, for pictures and nothing else.
private struct XMLCheck {
  func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      guard let end = rest[start...].firstIndex(of: ">") else { return false }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return false }
      } else if !tag.hasSuffix("/") {
        open.append(tag.prefix { $0 != " " && $0 != "\n" })
      }
    }
    return open.isEmpty
  }
}

@Suite("A plot's axis")
struct PlotScaleTests {
  @Test("keeps the order of values, within 0 to 1", arguments: [true, false])
  func order(_ isLogarithmic: Bool) throws {
    let values = [0.5, 1, 3, 20, 900]
    let scale = try #require(PlotScale(values, isLogarithmic: isLogarithmic))
    let places = values.map(scale.position)
    #expect(places == places.sorted() && Set(places).count == values.count)
    #expect(places.allSatisfy { (0...1).contains($0) })
  }

  @Test("has ascending marks within it, at round values")
  func marks() throws {
    let linear = try #require(PlotScale([0, 41.7], isLogarithmic: false))
    #expect(linear.marks == [0, 10, 20, 30, 40])
    let decades = try #require(PlotScale([0.5, 3_000], isLogarithmic: true))
    #expect(decades.marks == [1, 10, 100, 1_000])
    let narrow = try #require(PlotScale([1, 40], isLogarithmic: true))
    #expect(narrow.marks == [1, 2, 5, 10, 20])
    #expect(narrow.marks.allSatisfy { (0...1).contains(narrow.position($0)) })
  }

  @Test("puts a zero apart from the least value of a logarithmic axis, and needs a finite value")
  func zero() throws {
    let scale = try #require(PlotScale([0, 10, 1_000], isLogarithmic: true))
    #expect(scale.position(0) == 0 && scale.position(10) > 0.1)
    #expect(scale.marks.first == 0)
    #expect(PlotScale([.nan], isLogarithmic: false) == nil)
  }

  @Test(
    "labels its marks shortly",
    arguments: [
      (0, "0"), (0.1, "0.1"), (5_000, "5000"), (20_000, "20k"), (3e6, "3M"), (2e9, "2G"), (16_384, "16.4k"),
    ])
  func labels(_ value: Double, _ text: String) { #expect(NumberText.mark(value) == text) }
}
