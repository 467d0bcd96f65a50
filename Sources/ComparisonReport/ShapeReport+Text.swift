// The curves as text: a table for each, for the terminal and for the page, and the page with its tables replaced.
//
// Invariant: every point and every verdict is in the table, missed goals included; in a page only what stands between the marks of
// the report's own curves is changed.

extension ShapeReport {
  /// All of it for a terminal.
  public var text: String {
    heading + "\n" + curves.map { "\n" + $0.title + "\n" + $0.lines + $0.remarks("") }.joined()
  }

  /// Machine, date and commit in one line each.
  var heading: String {
    let count = machine.processors == 1 ? "1 processor" : "\(machine.processors) processors"
    return "\(TerminalText.harmless(machine.cpu)), \(count), \(TerminalText.harmless(machine.os)), "
      + "load \(NumberText.plain(machine.load)) when it began\n"
      + "\(date), commit \(commit)\(isQuick ? "; a quick look, not for print" : "")"
  }

  /// `page` with what stands between `<!-- shape:NAME begin -->` and `<!-- shape:NAME end -->` replaced for each curve.
  ///
  /// - Returns: the page, and the names of the curves for which it has no marks.
  public func replaced(in page: String) -> (page: String, without: [String]) {
    var page = page
    var without: [String] = []
    for curve in curves {
      let (begin, end) = ("<!-- shape:\(curve.name) begin -->", "<!-- shape:\(curve.name) end -->")
      guard let first = page.firstRange(of: begin),
        let last = page[first.upperBound...].firstRange(of: end)
      else {
        without.append(curve.name)
        continue
      }
      page =
        page[..<first.upperBound] + "\n" + markdown(of: curve) + page[last.lowerBound...]
    }
    return (page, without)
  }

  private func markdown(of curve: Curve) -> String {
    let what =
      switch curve.origin {
      case .measured: "**Measured**"
      case .simulated: "**Simulated**"
      case .both: "**Measured and simulated**"
      }
    let rounds = curve.rounds > 1 ? ", medians of \(curve.rounds) alternating rounds with 95 % intervals" : ""
    return """
      \(what): `\(command)`, \(date), commit \(commit)\(rounds). \(curve.note)

      ```text
      \(curve.lines)```

      \(curve.remarks("- "))
      """
  }
}

extension ShapeReport.Curve {
  /// The table: a line for each place, a column for each series.
  var lines: String {
    var cells = [[x.label + unit(x)] + series.map { $0.name + ($0.isBound ? " (bound)" : "") }]
    for place in places {
      cells.append(
        [NumberText.short(place)]
          + series.map { series in
            guard let point = series.points.first(where: { $0.x == place }), let median = point.median else {
              return NumberText.missing
            }
            let text = NumberText.significant(median)
            guard point.rounds.count > 1, let interval = point.interval else { return text }
            return
              "\(text) (\(NumberText.significant(interval.low))–\(NumberText.significant(interval.high)))"
          })
    }
    let widths = cells[0].indices.map { column in cells.map { TerminalText.width($0[column]) }.max() ?? 0 }
    var text = "\(y.label)\(unit(y))\n"
    for line in cells {
      text +=
        line.enumerated().map { TerminalText.right($1, widths[$0]) }.joined(separator: "  ") + "\n"
    }
    return text
  }

  private func unit(_ axis: ShapeReport.Axis) -> String { axis.unit.isEmpty ? "" : ", \(axis.unit)" }

  /// The verdicts, one a line.
  func remarks(_ bullet: String) -> String {
    verdicts.map { "\(bullet)\($0.line)\n" }.joined()
  }
}

extension ShapeReport.Verdict {
  /// One line.
  public var line: String {
    "\(text): \(NumberText.significant(value)), goal \(goal.text): \(met ? "met" : "missed")"
  }
}

extension NumberText {
  /// A place along an axis: whole numbers in full, others with three digits at most.
  static func short(_ number: Double) -> String {
    number.isFinite && number.magnitude < 1e15 && number == number.floored
      ? (number < 0 ? "-" : "") + grouped(UInt64(number.magnitude)) : significant(number)
  }
}
