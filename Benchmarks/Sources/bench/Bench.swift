// The instrument's command line: what is measured, and what is written of it.
//
// Law: the table, or what was asked for, is on standard output; progress is on standard error; an error is one line. A file is written
// whole or not at all.

import ArgumentParser
import ComparisonReport
import Foundation
import Gauges
import HostedMachine
import Workloads

@main struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks/run",
    abstract:
      "Measure each operation beside its peers: alternating rounds of one process, ratios with intervals.",
    discussion: """
      Each ROW is a name of --list, or the beginning of names. The ratio is ours by the peer's within a round; what is \
      printed is its median and its 95 % bootstrap interval. Peers that were not installed when this was built are \
      named as missing. Measure with nothing else running.
      """)

  @Option(
    name: .customLong("json"),
    help: ArgumentHelp("Write the figures, schema softint.benchmarks/1.", valueName: "file"))
  var jsonFile: String?
  @Option(
    name: .customLong("html"),
    help: ArgumentHelp("Write a page that draws the distributions.", valueName: "file"))
  var htmlFile: String?
  @Option(help: "Rounds of each side.") var rounds = 9
  @Flag(help: "List the rows, and measure nothing.") var list = false
  @Option(
    help: ArgumentHelp(
      "Say which rows moved beyond their intervals since a file of --json.", valueName: "old.json"))
  var compare: String?
  @Option(help: ArgumentHelp("Measure nothing: take the figures of a file of --json.", valueName: "file"))
  var from: String?
  @Flag(help: "Write the table into README.md, between its marks.") var readme = false
  @Option(help: .hidden) var root = "."
  @Option(help: .hidden) var commit = "unknown"
  @Argument(help: ArgumentHelp("Rows to measure; all by default.", valueName: "row"))
  var rows: [String] = []

  func validate() throws {
    guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds is a number from 1 to 1000") }
  }

  func run() throws {
    do { try work() } catch let error as ExitCode { throw error } catch {
      FileHandle.standardError.write(Data("Benchmarks/run: \(error)\n".utf8))
      throw ExitCode(1)
    }
  }

  private func work() throws {
    let experiments = allExperiments(root: root)
    if list {
      for figure in experiments.flatMap(\.figures) { print(column(figure.name, 28), figure.title) }
      return
    }
    let names = experiments.flatMap(\.figures).map(\.name)
    for row in rows where !names.contains(where: { $0.hasPrefix(row) }) {
      throw Failure("there is no row \"\(row)\"; --list has them")
    }
    let old = try compare.map(read)
    let report = try from.map(read) ?? measure(experiments)
    if let jsonFile { try write(report.json, jsonFile) }
    if let htmlFile { try write(report.html, htmlFile) }
    if readme {
      let path = root + "/README.md"
      guard let page = try report.replaced(in: String(contentsOfFile: path, encoding: .utf8)) else {
        throw Failure("README.md has no marks <!-- benchmarks:begin --> and <!-- benchmarks:end -->")
      }
      try write(page, path)
    }
    if let old { print(changes(report, since: old)) } else { print(report.table, terminator: "") }
  }

  private func measure(_ experiments: [Experiment]) throws -> BenchmarkReport {
    guard HostedMachine.allowedProcessors().count >= 2 else {
      throw Failure("two processors are needed; one is allowed")
    }
    let isTerminal = isatty(STDERR_FILENO) == 1
    let total = experiments.filter { wanted($0) }.count
    var found: [BenchmarkReport.Row] = []
    let load = loadAverage()
    for (index, experiment) in experiments.filter(wanted).enumerated() {
      if !isTerminal {
        FileHandle.standardError.write(Data("\(index + 1)/\(total) \(experiment.figures[0].name)\n".utf8))
      }
      let runner = Runner(rounds: rounds) { text in
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K\(index + 1)/\(total) \(text)".utf8)) }
      }
      found += try runner.rows(of: experiment) { name in
        rows.isEmpty || rows.contains { name.hasPrefix($0) }
      }
    }
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    var command = "Benchmarks/run"
    if rounds != 9 { command += " --rounds \(rounds)" }
    for row in rows { command += " \(row)" }
    return BenchmarkReport(
      machine: .init(
        cpu: MachineInfo.processor, os: MachineInfo.os, processors: HostedMachine.allowedProcessors().count,
        load: load), date: today(), commit: commit, command: command, rounds: rounds,
      rows: found)
  }

  private func wanted(_ experiment: Experiment) -> Bool {
    rows.isEmpty || experiment.figures.contains { figure in rows.contains { figure.name.hasPrefix($0) } }
  }

  private func read(_ path: String) throws -> BenchmarkReport {
    let bytes = try bytes(of: path)
    do throws(BenchmarkFileError) { return try BenchmarkReport(json: bytes) } catch {
      throw Failure("\(path): \(error)")
    }
  }

  private func changes(_ report: BenchmarkReport, since old: BenchmarkReport) -> String {
    let (rows, onlyHere, onlyThere) = report.changes(since: old)
    let moved = rows.filter(\.hasMoved)
    var text =
      "\(old.commit) → \(report.commit): \(moved.count) of \(rows.count) rows moved beyond their intervals\n"
    for row in moved { text += row.text + "\n" }
    if !onlyHere.isEmpty {
      text += "only in the new run, or without a ratio: \(onlyHere.joined(separator: ", "))\n"
    }
    if !onlyThere.isEmpty { text += "only in the old run: \(onlyThere.joined(separator: ", "))\n" }
    return text
  }
}
