// The third shape of a comparison: its tables in a page, each load's in a section of its own.
//
// Law: writing replaces the sections of the loads that were measured and leaves the others as they are, so that a page can be measured load by
// load. Each section says how, when and where it was measured.

import Glibc
import NetworkServers

/// When and where something is measured, in words.
enum MeasuringPlace {
  static var now: String {
    var seconds = time(nil)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    var date = [CChar](repeating: 0, count: 32)
    strftime(&date, date.count, "%Y-%m-%d %H:%M UTC", &fields)
    let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let isVirtual = line("/proc/cpuinfo", "flags").contains("hypervisor")
    return
      "\(text(date)), \(processors) processors (\(line("/proc/cpuinfo", "model name")))\(isVirtual ? " of a virtual machine" : ""), Linux \(kernel)"
  }

  /// How many threads wanted to run when nothing was measured yet, over the last minute.
  static var load: Double {
    var averages = [0.0]
    return getloadavg(&averages, 1) == 1 ? averages[0] : 0
  }

  private static var kernel: String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
  /// What follows a name and a colon in a file of the kernel's.
  private static func line(_ path: String, _ name: String) -> String {
    let words = ((try? ComparePage.read(path)) ?? "").split(separator: "\n").first { $0.hasPrefix(name) }
    return words?.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) } ?? ""
  }
}

/// The sections of a page.
enum ComparePage {
  private static let marks = ("<!-- compare:begin -->", "<!-- compare:end -->")
  private static func mark(_ load: CompareLoad) -> String { "<!-- compare:\(load.rawValue) -->" }

  /// A page's text with the sections of a report in it; nil without marks.
  static func merge(_ report: CompareReport, into text: String) -> String? {
    guard let begin = text.firstRange(of: marks.0), let end = text.firstRange(of: marks.1),
      begin.upperBound <= end.lowerBound
    else { return nil }
    let before = String(text[begin.upperBound..<end.lowerBound])
    let sections = CompareLoad.allCases.compactMap { load in
      report.tables.first { $0.load == load }.map(report.section) ?? section(load, in: before)
    }
    return text[..<begin.upperBound] + "\n" + sections.joined(separator: "\n") + text[end.lowerBound...]
  }

  /// The section of a load, with its mark and its last line's end.
  private static func section(_ load: CompareLoad, in text: String) -> String? {
    guard let begin = text.firstRange(of: mark(load)) else { return nil }
    let rest = text[begin.upperBound...]
    let next = CompareLoad.allCases.compactMap { rest.firstRange(of: mark($0))?.lowerBound }.min()
    var lines = text[begin.lowerBound..<(next ?? text.endIndex)].split(
      separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  fileprivate static func lines(_ report: CompareReport, _ table: CompareTable) -> [String] {
    let cells = report.cells(table)
    var lines = [
      mark(table.load), "**\(table.load.title)**", "",
      "`softint-net \(report.command)`: \(report.settings); medians. \(report.place); load average before it: \(CompareReport.number(report.loadBefore, digits: 2)).",
      "", "| " + cells[0].joined(separator: " | ") + " |",
      "| --- |" + String(repeating: " ---: |", count: cells[0].count - 1),
    ]
    lines += cells.dropFirst().map { "| " + $0.joined(separator: " | ") + " |" } + [""]
    return lines + report.notes(table).map { "- \($0)" }
  }

  static func read(_ path: String) throws(CommandFailure) -> String {
    guard let file = fopen(path, "re") else { throw .init(message: "\(path) cannot be read", status: 66) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension CompareReport {
  func section(_ table: CompareTable) -> String {
    ComparePage.lines(self, table).joined(separator: "\n") + "\n"
  }

  /// Puts the tables between the marks of a file, whole or not at all.
  func write(into path: String) throws(CommandFailure) {
    guard let whole = ComparePage.merge(self, into: try ComparePage.read(path)) else {
      throw .init(message: "\(path): no marks <!-- compare:begin --> and <!-- compare:end -->", status: 65)
    }
    guard let out = fopen("\(path).new", "we"), whole.withCString({ fputs($0, out) }) >= 0, fclose(out) == 0,
      rename("\(path).new", path) == 0
    else { throw .init(message: "\(path) cannot be written", status: 73) }
  }
}
