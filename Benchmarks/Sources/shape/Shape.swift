// The command line of the curves: what is measured, and what is written of it.
//
// Law: the tables are on standard output, progress is on standard error, an error is one line. A file is written whole or not at all. A
// quick look is never written into a page.

import ArgumentParser
import ComparisonReport
import Foundation
import Gauges
import HostedMachine
import Workloads

@main struct Shape: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks/shape",
    abstract: "Measure how figures change with CPUs, handlers, levels, load and waiting, as curves.",
    discussion: """
      Each CURVE is the name of a group of --list, or of one of its curves, whose whole group is measured then. All take \
      about \(allGroups.reduce(0) { $0 + $1.seconds } / 60 + 1) minutes. Each point is the median of alternating rounds with its \
      95 % bootstrap interval; what is simulated says so. Measure with nothing else running.
      """)

  @Option(
    name: .customLong("json"),
    help: ArgumentHelp("Write the figures, schema softint.shape/1.", valueName: "file"))
  var jsonFile: String?
  @Option(name: .customLong("html"), help: ArgumentHelp("Write a page with the plots.", valueName: "file"))
  var htmlFile: String?
  @Flag(help: "A look of some seconds: two rounds, short turns, few points.") var quick = false
  @Option(help: "Rounds of each point (default: 5 to 9, by the curve).") var rounds: Int?
  @Flag(help: "List the curves, and measure nothing.") var list = false
  @Option(
    help: ArgumentHelp(
      "Write the tables between their marks in a page, and its pictures beside it.", valueName: "page"))
  var update: String?
  @Option(help: ArgumentHelp("Measure nothing: take the figures of a file of --json.", valueName: "file"))
  var from: String?
  @Option(help: .hidden) var root = "."
  @Option(help: .hidden) var commit = "unknown"
  @Argument(help: ArgumentHelp("What to measure; all by default.", valueName: "curve"))
  var curves: [String] = []

  func validate() throws {
    if quick && update != nil { throw ValidationError("--quick is not for print: leave out --update") }
    if from != nil && (quick || !curves.isEmpty) {
      throw ValidationError("--from measures nothing: leave out --quick and CURVE")
    }
    if let rounds, !(1...1_000).contains(rounds) {
      throw ValidationError("--rounds is a number from 1 to 1000")
    }
    for name in curves where !allGroups.contains(where: { $0.matches(name) }) {
      throw ValidationError("there is no curve \"\(name)\"; --list has them")
    }
  }

  func run() throws {
    do { try work() } catch let error as ExitCode { throw error } catch {
      FileHandle.standardError.write(Data("Benchmarks/shape: \(error)\n".utf8))
      throw ExitCode(1)
    }
  }

  private func work() throws {
    if list {
      for group in allGroups {
        print(column(group.name, 12), column("\(group.seconds) s", 7, right: true), group.title)
      }
      return
    }
    // Before anything is measured: what is asked for can be written.
    let page = try update.map { path in
      guard let page = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw Failure("\(path): cannot be read")
      }
      return page
    }
    let report = try from.map(read) ?? measure()
    if let jsonFile { try write(report.json, jsonFile) }
    if let htmlFile { try write(report.html, htmlFile) }
    if let update, let page { try rewrite(page, update, report) }
    print(report.text, terminator: "")
  }

  /// The tables of a page, and the pictures that it shows.
  private func rewrite(_ page: String, _ path: String, _ report: ShapeReport) throws {
    if report.isQuick { throw Failure("the figures are of a quick look, which is not for print") }
    let (text, without) = report.replaced(in: page)
    for name in without {
      FileHandle.standardError.write(Data("Benchmarks/shape: \(path) has no marks for \(name)\n".utf8))
    }
    if without.count == report.curves.count { throw Failure("\(path) has no marks for any of these curves") }
    let directory = URL(filePath: path).deletingLastPathComponent()
    for curve in report.curves where text.contains("(Shape/\(curve.name).svg)") {
      try write(curve.svg, directory.appending(path: "Shape/\(curve.name).svg").path)
    }
    try write(text, path)
  }

  private func measure() throws -> ShapeReport {
    guard HostedMachine.allowedProcessors().count >= 2 else {
      throw Failure("two processors are needed; one is allowed")
    }
    let isTerminal = isatty(STDERR_FILENO) == 1
    let groups = allGroups.filter { group in curves.isEmpty || curves.contains(where: group.matches) }
    let load = loadAverage()
    var found: [Curve] = []
    for (index, group) in groups.enumerated() {
      let place = "\(index + 1)/\(groups.count)"
      if !isTerminal { FileHandle.standardError.write(Data("\(place) \(group.name)\n".utf8)) }
      let setting = Setting(root: root, isQuick: quick, roundsAsked: rounds) { text in
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K\(place) \(text)".utf8)) }
      }
      do { found += try group.measure(setting) } catch { throw Failure("\(group.name): \(error)") }
    }
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    return ShapeReport(
      machine: .init(
        cpu: MachineInfo.processor, os: MachineInfo.os, processors: HostedMachine.allowedProcessors().count,
        load: load), date: today(), commit: commit,
      command: (["Benchmarks/shape"] + (quick ? ["--quick"] : [])
        + (rounds.map { ["--rounds", "\($0)"] } ?? []) + curves).joined(separator: " "),
      isQuick: quick, curves: found)
  }

  private func read(_ path: String) throws -> ShapeReport {
    let bytes = try bytes(of: path)
    do throws(BenchmarkFileError) { return try ShapeReport(json: bytes) } catch {
      throw Failure("\(path): \(error)")
    }
  }

}

extension Group {
  /// By its own name, or that of one of its curves, which begin with it.
  func matches(_ text: String) -> Bool { text == name || text.hasPrefix(name + "-") }
}
