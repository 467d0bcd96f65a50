// The terminal rendering of a simulation: a table of at most 80 columns, and the sentences that say what it means.
//
// Invariant: no line is wider than 80 columns and no control character comes out, except the escape codes of `.color`.

extension Simulation {
  /// The simulation for a terminal, ended by a line feed.
  ///
  /// - Parameter style: `.color` only if the text goes to a terminal and `NO_COLOR` is not set.
  public func table(style: TableStyle = .plain) -> String {
    let ink = Ink(style: style)
    var lines = wrapped(
      "\(capture.file): \(NumberText.grouped(capture.frames)) frames, \(NumberText.bytes(capture.bytes))")
    lines += wrapped(
      "simulated with \(modelName) (\(model.cpu), \(model.date)): "
        + "\(NumberText.duration(simulatedSeconds * 1e9)) for each run, open loop at "
        + "\(NumberText.plain(loadPercent)) % of one CPU, seed \(seed)"
    ).map(ink.faint)
    lines.append("")
    lines.append(
      ink.bold(
        TerminalText.right("waiting", 36) + TerminalText.right("gates'", 8)
          + TerminalText.right("softNet, µs", 16)
          + TerminalText.right("softSerial, µs", 20)))
    lines.append(
      ink.bold(row(["", "CPUs", "frames/s", "× one", "for gates", "line", "p50", "p99", "p50", "p99"])))
    var previous: Discipline?
    for entry in rows {
      let isLossy = entry.drops > 0
      let line = row(
        [
          previous == entry.discipline ? "" : entry.discipline.rawValue, String(entry.cpus),
          NumberText.compact(entry.framesPerSecond), NumberText.ratio(ratio(entry)),
          NumberText.percent(entry.gateWaiting), NumberText.percent(entry.gateLine),
        ]
          + [entry.softNet, entry.softSerial].flatMap { histogram in
            [0.5, 0.99].map { part in
              histogram.percentile(part).map { NumberText.microseconds(Double($0)) } ?? NumberText.missing
            }
          })
      lines.append(line + (isLossy ? " *" : ""))
      previous = entry.discipline
    }
    for entry in leftOut {
      lines += wrapped("\(TerminalText.left(entry.discipline.rawValue, 8)) \(entry.reason)")
    }
    if rows.contains(where: { $0.drops > 0 }) { lines.append("* lost frames at that load") }
    lines.append("")
    for sentence in sentences { lines += wrapped(sentence) }
    return lines.joined(separator: "\n") + "\n"
  }

  private func wrapped(_ text: String) -> [String] {
    TerminalText.wrap(TerminalText.harmless(text), columns: Comparison.tableColumns, first: "", rest: "")
  }

  // The columns: name 8, CPUs 5, rate 9, ratio 7, waiting 10, line 7, then latencies of 8 each.
  private func row(_ cells: [String]) -> String {
    let widths = [8, 5, 9, 7, 10, 7, 8, 8, 8, 8]
    return zip(cells, widths).enumerated().map { index, cell in
      index == 0 ? TerminalText.left(cell.0, cell.1) : TerminalText.right(cell.0, cell.1)
    }.joined()
  }

  // MARK: Sentences

  /// What the table means.
  public var sentences: [String] {
    var sentences: [String] = []
    for discipline in Discipline.allCases where discipline != .oneCPU {
      let rows = rows.filter { $0.discipline == discipline }.sorted { $0.cpus < $1.cpus }
      guard let last = rows.last, let best = rows.max(by: { $0.framesPerSecond < $1.framesPerSecond }) else {
        continue
      }
      var text =
        "\(discipline.rawValue): at most \(NumberText.ratio(ratio(best))) times one CPU, on \(best.cpus)"
      if last.cpus > best.cpus { text += ", and \(NumberText.ratio(ratio(last))) times on \(last.cpus)" }
      if let limited = rows.first(where: { $0.gateLine > 0.5 }) {
        text += "; from \(limited.cpus) on the line of the gate word is under way more than half of the time"
      } else if let limited = rows.first(where: { $0.busiestLineShare > 0.5 }) {
        text +=
          "; from \(limited.cpus) on the line of \(limited.busiestLine) is under way more than half of the time"
      }
      sentences.append(text + ".")
    }
    sentences.append(Self.limits)
    return sentences
  }
}
