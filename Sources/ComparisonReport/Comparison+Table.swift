// The terminal rendering: a table of at most 80 columns, what belongs to it, and the three sentences.
//
// Invariant: no line is wider than 80 columns and no control character comes out, except the escape codes of
// `.color`, which take no column. Whoever prints decides on the style: a terminal, and no NO_COLOR.

/// Whether the text may hold escape codes.
public enum TableStyle: Sendable {
  /// Text alone.
  case plain
  /// With SGR escape codes for a terminal.
  case color
}

extension Comparison {
  /// The width that no line exceeds.
  public static let tableColumns = 80

  /// The comparison for a terminal, ended by a line feed.
  ///
  /// - Parameter style: `.color` only if the text goes to a terminal and `NO_COLOR` is not set.
  public func table(style: TableStyle = .plain) -> String {
    let ink = Ink(style: style)
    var lines = heading(ink)
    lines.append("")
    lines += capacityTable(ink)
    lines.append("")
    lines += footing(ink)
    if results.contains(where: { $0.measurements?.parked != nil }) {
      lines.append("")
      lines += parkedTable(ink)
    }
    lines.append("")
    for sentence in sentences { lines += wrapped(sentence) }
    return lines.joined(separator: "\n") + "\n"
  }

  func wrapped(_ text: String, first: String = "", rest: String = "") -> [String] {
    TerminalText.wrap(text, columns: Comparison.tableColumns, first: first, rest: rest)
  }

  private func heading(_ ink: Ink) -> [String] {
    let cpus = machine.cpus == 1 ? "1 CPU" : "\(machine.cpus) CPUs"
    let rounds =
      (interrupted ? "interrupted after \(roundsDone) of " : "") + "\(settings.rounds) rounds"
    return wrapped(
      "\(capture.file): \(NumberText.grouped(capture.frames)) frames, \(NumberText.bytes(capture.bytes))"
    )
      + wrapped(
        "\(cpus), \(machine.cpu), \(machine.os); \(rounds) of \(NumberText.plain(settings.seconds)) s, "
          + "open loop at \(NumberText.plain(settings.loadPercent)) % of one CPU, seed \(settings.seed), "
          + "witness \(settings.witness ? "on" : "off"), statistics \(settings.statistics ? "on" : "off")"
      ).map(ink.faint)
  }

  // The columns: name 8, median 5, interval 11, ratios 7, 6 and 5, p99 7 and 10, drops 5, digest 6.
  private func row(_ cells: [String]) -> String {
    let widths = [8, 5, 11, 7, 6, 5, 7, 10, 5, 6]
    return zip(cells, widths).enumerated().map { index, cell in
      index == 0 ? TerminalText.left(cell.0, cell.1) : TerminalText.right(cell.0, cell.1)
    }.joined(separator: " ")
  }

  private func capacityTable(_ ink: Ink) -> [String] {
    let idle = mainIdleMode == .park ? "p99 µs, parked" : "p99 µs, polling"
    var lines = [
      TerminalText.right("frames/s", 26) + TerminalText.right("frames/s ×", 15)
        + TerminalText.right("base", 7) + TerminalText.right(idle, 17),
      row([
        "", "median", "interval", "bigLock", "oneCPU", "× big", "softNet", "softSerial", "drops", "digest",
      ]),
    ].map(ink.bold)
    for result in results {
      if let reason = result.reason {
        let indent = String(repeating: " ", count: 9)
        let name = TerminalText.left(result.discipline.rawValue, 8) + " "
        lines += wrapped("infeasible: " + reason, first: name, rest: indent)
      } else {
        lines.append(row(cells(of: result)).replacingSuffix("DIFFER", with: ink.alarm("DIFFER")))
      }
    }
    return lines
  }

  private func cells(of result: DisciplineResult) -> [String] {
    let discipline = result.discipline
    let capacity = framesPerSecond(discipline)
    let loop = mainIdleMode.flatMap(result.openLoop)
    func text(_ interval: Interval?, _ format: (Double) -> String) -> String {
      interval.map { format($0.median) } ?? NumberText.missing
    }
    let digest =
      switch digestAgrees(discipline) {
      case true?: "same"
      case false?: "DIFFER"
      case nil: NumberText.missing
      }
    return [
      discipline.rawValue,
      text(capacity, NumberText.compact),
      capacity.map { NumberText.range($0, NumberText.compact) } ?? NumberText.missing,
      text(capacityRatio(discipline, to: .bigLock), NumberText.ratio),
      text(capacityRatio(discipline, to: .oneCPU), NumberText.ratio),
      text(baseRatio(discipline), NumberText.ratio),
      text(loop?.softNet.percentile(0.99), NumberText.microseconds),
      text(loop?.softSerial.percentile(0.99), NumberText.microseconds),
      result.measurements?.drops.map(NumberText.count) ?? NumberText.missing,
      digest,
    ]
  }

  private func parkedTable(_ ink: Ink) -> [String] {
    func row(_ cells: [String]) -> String {
      TerminalText.left(cells[0], 8)
        + cells.dropFirst().enumerated().map { index, cell in
          TerminalText.right(cell, index == 4 ? 11 : 8)
        }.joined()
    }
    var lines = [
      TerminalText.left("parked", 8) + TerminalText.right("softNet, µs", 32)
        + TerminalText.right("softSerial, µs", 35),
      row(["", "p50", "p99", "p99.9", "max", "p50", "p99", "p99.9", "max"]),
    ].map(ink.bold)
    for result in results {
      guard let loop = result.measurements?.parked else { continue }
      lines.append(
        row([result.discipline.rawValue] + percentiles(loop.softNet) + percentiles(loop.softSerial)))
    }
    return lines
  }

  private func percentiles(_ series: LatencySeries) -> [String] {
    [0.5, 0.99, 0.999].map { quantile in
      series.percentile(quantile).map { NumberText.microseconds($0.median) } ?? NumberText.missing
    } + [series.max.map { NumberText.microseconds(Double($0)) } ?? NumberText.missing]
  }
}

/// The few escape codes that a table uses, or none.
struct Ink {
  let style: TableStyle

  func bold(_ text: String) -> String { coded(text, "1") }
  func faint(_ text: String) -> String { coded(text, "2") }
  func alarm(_ text: String) -> String { coded(text, "1;31") }

  private func coded(_ text: String, _ code: String) -> String {
    style == .color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with replacement: String) -> String {
    hasSuffix(suffix) ? dropLast(suffix.count) + replacement : self
  }
}
