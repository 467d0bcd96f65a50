// The benchmarks as a table of text, and as the part of a page between two marks.
//
// Invariant: every row is there, those that are lost and those whose peer is missing included; no line is wider than the columns need;
// what is remarked of rows stands under them, a line each.

extension BenchmarkReport {
  /// The table, with where and how it was measured above it.
  public var table: String { heading + "\n\n" + Self.lines(rows) }

  private static func lines(_ rows: [Row]) -> String {
    var cells = [["", "ours", "", "peer", "theirs", "ratio", "95 % interval", "goal", ""]]
    var last = ""
    for row in rows {
      let name = row.name == last ? "" : row.name
      last = row.name
      cells.append([
        name, row.oursMedian.map(NumberText.significant) ?? NumberText.missing, row.unit, row.peerName,
        row.isMissing ? "missing" : row.peerMedian.map(NumberText.significant) ?? NumberText.missing,
        row.ratio.map(NumberText.significant) ?? NumberText.missing,
        row.interval.map { "\(NumberText.significant($0.low))–\(NumberText.significant($0.high))" }
          ?? NumberText.missing,
        row.goal?.text ?? "", row.met == false ? "missed" : "",
      ])
    }
    let leftAligned: Set<Int> = [0, 2, 3, 7, 8]
    let widths = cells[0].indices.map { column in cells.map { TerminalText.width($0[column]) }.max() ?? 0 }
    var text = ""
    for line in cells {
      var parts = ""
      for (column, cell) in line.enumerated() {
        if column > 0 { parts += column == 2 ? " " : "  " }
        parts +=
          leftAligned.contains(column)
          ? TerminalText.left(cell, widths[column]) : TerminalText.right(cell, widths[column])
      }
      while parts.last == " " { parts.removeLast() }
      text += parts + "\n"
    }
    let remarks = rows.filter { !$0.remark.isEmpty }
    if !remarks.isEmpty { text += "\n" }
    for row in remarks { text += "\(row.name), \(row.peerName): \(row.remark)\n" }
    return text
  }

  /// Machine, date, commit and rounds in one line each.
  var heading: String {
    let count = machine.processors == 1 ? "1 processor" : "\(machine.processors) processors"
    return "\(TerminalText.harmless(machine.cpu)), \(count), \(TerminalText.harmless(machine.os)), "
      + "load \(NumberText.plain(machine.load)) when it began\n"
      + "\(date), commit \(commit); medians of \(rounds) alternating rounds; ratio: ours by the peer's of a round"
  }

  /// How many goals there are, and how many are met.
  public var score: (met: Int, goals: Int) {
    let verdicts = rows.compactMap(\.met)
    return (verdicts.filter { $0 }.count, verdicts.count)
  }

  /// What stands in a page: the command, the rows that have a goal, lost ones included, and all rows behind a fold.
  public var markdown: String {
    let (met, goals) = score
    return """
      `\(command)`; \(met) of \(goals) goals met. The goals are the project's own; these are all rows that have one, those that are lost included:

      ```text
      \(heading)

      \(Self.lines(rows.filter { $0.goal != nil }))```

      <details><summary>All rows, with peers that have no goal</summary>

      ```text
      \(Self.lines(rows))```

      </details>

      """
  }

  /// `page` with what stands between its marks `<!-- benchmarks:begin -->` and `<!-- benchmarks:end -->` replaced; `nil` if it does not
  /// have both, in this order.
  public func replaced(in page: String) -> String? {
    let (begin, end) = ("<!-- benchmarks:begin -->", "<!-- benchmarks:end -->")
    guard let first = page.firstRange(of: begin),
      let last = page[first.upperBound...].firstRange(of: end)
    else { return nil }
    return page[..<first.upperBound] + "\n" + markdown + page[last.lowerBound...]
  }
}

extension BenchmarkReport.Goal {
  var text: String {
    switch self {
    case .atMost(let most): "≤ \(NumberText.plain(most))"
    case .atLeast(let least): "≥ \(NumberText.plain(least))"
    }
  }
}

extension NumberText {
  /// Three significant digits, as short as they are: `0.00411`, `5.90`, `1,234`.
  static func significant(_ number: Double) -> String {
    guard number.isFinite else { return missing }
    let size = number.magnitude
    if size >= 1e9 { return compact(number) }
    if size >= 999.5 {
      let whole = number.nearestWhole
      return (whole < 0 ? "-" : "") + grouped(UInt64(whole.magnitude))
    }
    if size >= 99.95 { return fixed(number, 0) }
    if size >= 9.995 { return fixed(number, 1) }
    if size >= 0.9995 { return fixed(number, 2) }
    if size >= 0.09995 { return fixed(number, 3) }
    if size >= 0.009995 { return fixed(number, 4) }
    if size >= 0.000_995 || size == 0 { return size == 0 ? "0" : fixed(number, 5) }
    var (mantissa, exponent) = (number, 0)
    while mantissa.magnitude < 1, exponent < 300 {
      mantissa *= 10
      exponent += 1
    }
    return "\(fixed(mantissa, 1))e-\(exponent)"
  }

  /// The nearest number of six significant digits.
  static func sixDigits(_ number: Double) -> Double {
    guard number.isFinite, number != 0 else { return number }
    var decimals = 6
    var size = number.magnitude
    while size >= 1, decimals > 0 {
      size /= 10
      decimals -= 1
    }
    while size < 0.1, decimals < 15 {
      size *= 10
      decimals += 1
    }
    return number.rounded(decimals: decimals)
  }
}
