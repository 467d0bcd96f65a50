// What a comparison found: rows, goals, and two of their three shapes: text and JSON (softint-net.compare/1).
//
// Law: figures of a row are medians of its rounds; a ratio is the median of the rounds' ratios, for rounds of the same number stood side by
// side. A round that did not end counts for nothing, and is told of below the table; a row of such rounds alone is not in it.

import Glibc
import NetworkServers

struct CompareRow {
  var name: String
  /// Of each round; nil where it did not end.
  var rounds: [Sample?]
  var samples: [Sample] { rounds.compactMap { $0 } }

  func median(_ value: (Sample) -> Double?) -> Double? { Self.median(samples.compactMap(value)) }
  var rate: Double { median(\.rate)! }
  var least: Double { samples.map(\.rate).min()! }
  var most: Double { samples.map(\.rate).max()! }
  var errors: Int { samples.reduce(0) { $0 + $1.errors } }
  var refutation: String? { samples.compactMap(\.refutation).first }

  static func median(_ values: [Double]) -> Double? {
    if values.isEmpty { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median of the rounds' ratios of ours to another's.
  func ratio(to other: CompareRow, _ value: (Sample) -> Double?) -> Double? {
    Self.median(
      zip(rounds, other.rounds).compactMap { mine, its in
        guard let mine = mine.flatMap(value), let its = its.flatMap(value), its > 0 else { return nil }
        return mine / its
      })
  }
}

/// What was wanted, and what was found.
struct CompareGoal {
  var text: String
  var wanted: Double
  var found: Double
  var isAtMost = false
  var isMet: Bool { isAtMost ? found <= wanted : found >= wanted }
}

struct CompareTable {
  var load: CompareLoad
  var rows: [CompareRow]
  /// What did not end.
  var unended: [String]

  init(load: CompareLoad, rows: [CompareRow]) {
    self.load = load
    self.rows = rows.filter { !$0.samples.isEmpty }
    unended = rows.filter { $0.rounds.contains { $0 == nil } }.map { row in
      "\(row.name): \(row.rounds.count - row.samples.count) of \(row.rounds.count) rounds did not end, and are left out"
    }
  }

  private func row(_ name: String) -> CompareRow? { rows.first { $0.name == name } }
  /// The better of some.
  private func best(_ names: [String]) -> CompareRow? { names.compactMap(row).max { $0.rate < $1.rate } }

  /// The goals of which all rows are there.
  var goals: [CompareGoal] {
    var goals: [CompareGoal] = []
    func want(
      _ text: String, _ wanted: Double, _ mine: CompareRow?, _ other: CompareRow?, isAtMost: Bool = false,
      _ value: (Sample) -> Double? = { $0.rate }
    ) {
      if let mine, let other, let found = mine.ratio(to: other, value) {
        goals.append(CompareGoal(text: text, wanted: wanted, found: found, isAtMost: isAtMost))
      }
    }
    let baseline = best(["coreLock.mailbox", "coreLock.lock"])
    let plain = best(["bigLock", "oneCPU"])
    switch load {
    case .wrk:
      want("footing: bigLock to oneCPU", 0.95, row("bigLock"), row("oneCPU"))
      for mine in ["ordered", "ordered.pipelined"] {
        want("\(mine) to \(baseline?.name ?? ""), requests", 1.0, row(mine), baseline)
        want("\(mine) to \(baseline?.name ?? ""), p99", 0.7, row(mine), baseline, isAtMost: true) { $0.p99 }
      }
    case .iperf, .iperfReverse:
      want("footing: bigLock to oneCPU", 0.95, row("bigLock"), row("oneCPU"))
      want("ordered to \(baseline?.name ?? "")", 1.0, row("ordered"), baseline)
    case .slow:
      want(
        "ordered, fast requests: slow work at softBio to the same at softNet", 10,
        row("ordered.slowAt.softBio"),
        row("ordered.slowAt.softNet"))
      // The baseline at its best too: a worker of its own does the slow work.
      let worker = best(["coreLock.mailbox.slowAt.worker", "coreLock.lock.slowAt.worker"])
      let mine = row("ordered.slowAt.softBio")
      want("the same to \(worker?.name ?? ""), requests", 1.0, mine, worker)
      want("the same to \(worker?.name ?? ""), p99", 0.7, mine, worker, isAtMost: true) { $0.p99 }
    case .work:
      want("footing: bigLock to oneCPU", 0.95, row("bigLock"), row("oneCPU"))
      want("ordered to \(plain?.name ?? ""), requests", 1.3, row("ordered"), plain)
      want("ordered to \(plain?.name ?? ""), the probe's p99", 0.2, row("ordered"), plain, isAtMost: true) {
        $0.probeP99
      }
    case .stacks:
      let one = best(["ordered.stacks1", "ordered.stacks1.pipelined"])
      want("two stacks to the better of one, \(one?.name ?? "")", 1.6, row("ordered.stacks2"), one)
      want("two stacks to two under one giant lock", 1.6, row("ordered.stacks2"), row("bigLock.stacks2"))
    }
    return goals
  }
}

struct CompareReport {
  var command: String
  var cpus, rounds, seconds, connections, slowConnections: Int
  var tables: [CompareTable]
  /// When and where, and the machine's load before.
  var place = ""
  var loadBefore = 0.0

  // MARK: Text

  static func number(_ value: Double?, digits: Int = 0) -> String {
    guard let value else { return "" }
    if digits == 0 { return "\(Int(value.rounded()))" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * scale).rounded())
    let rest = "\(scaled % Int(scale))"
    return "\(scaled / Int(scale)).\(String(repeating: "0", count: digits - rest.count))\(rest)"
  }

  /// A table's cells: the head first.
  func cells(_ table: CompareTable) -> [[String]] {
    let digits = table.load.isIperf ? 2 : 0
    let hasTimes = table.rows.contains { $0.median(\.p99) != nil }
    let hasCPU = table.rows.contains { $0.median(\.cpuMicroseconds) != nil }
    let hasProbe = table.rows.contains { $0.median(\.probeP99) != nil }
    var head = ["", table.load.unit, "least–most"]
    if hasTimes { head += ["p50 µs", "p99 µs"] }
    if hasCPU { head.append("CPU µs/request") }
    if hasProbe { head.append("probe p99 µs") }
    head.append("errors")
    return [head]
      + table.rows.map { row in
        var line = [
          row.name, Self.number(row.rate, digits: digits),
          "\(Self.number(row.least, digits: digits))–\(Self.number(row.most, digits: digits))",
        ]
        if hasTimes { line += [Self.number(row.median(\.p50)), Self.number(row.median(\.p99))] }
        if hasCPU { line.append(Self.number(row.median(\.cpuMicroseconds), digits: 2)) }
        if hasProbe { line.append(Self.number(row.median(\.probeP99))) }
        line.append("\(row.errors)")
        return line
      }
  }

  /// What is said below a table.
  func notes(_ table: CompareTable) -> [String] {
    table.goals.map { goal in
      "\(goal.text): \(Self.number(goal.found, digits: 2)) (goal: \(goal.isAtMost ? "at most" : "at least") \(Self.number(goal.wanted, digits: 2))): \(goal.isMet ? "met" : "missed")"
    } + table.unended
      + table.rows.compactMap { row in row.refutation.map { "\(row.name) is refuted: \($0)" } }
  }

  var settings: String {
    let slow = tables.contains { $0.load == .slow } ? ", \(slowConnections) of slow requests" : ""
    return "\(rounds) rounds of \(seconds) s, \(connections) connections\(slow), \(cpus) CPUs"
  }

  var text: String {
    var lines = [settings]
    for table in tables {
      let cells = cells(table)
      let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max()! }
      lines += ["", table.load.title]
      for line in cells {
        lines.append(
          zip(line, widths).enumerated().map { index, cell in
            let space = String(repeating: " ", count: cell.1 - cell.0.count)
            return index == 0 ? cell.0 + space : space + cell.0
          }.joined(separator: "  "))
      }
      lines += notes(table)
    }
    return lines.joined(separator: "\n")
  }

  // MARK: JSON

  private static func quoted(_ text: String) -> String {
    // Names, words of the witness and arguments: quotation marks and backslashes at most.
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
  }
  private static func value(_ number: Double?) -> String { number.map { "\($0)" } ?? "null" }

  var json: String {
    let tables = tables.map { table in
      let results = table.rows.map { row in
        "{\"name\":\(Self.quoted(row.name)),\"rate\":\(row.rate),\"least\":\(row.least),\"most\":\(row.most),\"rounds\":[\(row.samples.map { "\($0.rate)" }.joined(separator: ","))],\"p50Microseconds\":\(Self.value(row.median(\.p50))),\"p99Microseconds\":\(Self.value(row.median(\.p99))),\"cpuMicrosecondsPerRequest\":\(Self.value(row.median(\.cpuMicroseconds))),\"probeP99Microseconds\":\(Self.value(row.median(\.probeP99))),\"errors\":\(row.errors),\"refutation\":\(row.refutation.map(Self.quoted) ?? "null")}"
      }
      let goals = table.goals.map { goal in
        "{\"goal\":\(Self.quoted(goal.text)),\"\(goal.isAtMost ? "atMost" : "atLeast")\":\(goal.wanted),\"found\":\(goal.found),\"met\":\(goal.isMet)}"
      }
      return
        "{\"load\":\"\(table.load.rawValue)\",\"unit\":\"\(table.load.unit)\",\"results\":[\(results.joined(separator: ","))],\"goals\":[\(goals.joined(separator: ","))]}"
    }
    return
      "{\"schema\":\"softint-net.compare/1\",\"command\":\(Self.quoted(command)),\"rounds\":\(rounds),\"seconds\":\(seconds),\"connections\":\(connections),\"slowConnections\":\(slowConnections),\"cpus\":\(cpus),\"tables\":[\(tables.joined(separator: ","))]}"
  }
}
