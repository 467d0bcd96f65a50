// The benchmarks as one page: for each row every round of every side, and where single values were recorded, their distributions.
//
// Invariant: the page fetches nothing and runs nothing; all text from outside is escaped. Sides of one row share one logarithmic axis.

extension BenchmarkReport {
  /// The page.
  public var html: String {
    let (met, goals) = score
    var page = """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(met) of \(goals) goals met · benchmarks</title>
      <style>\(HTMLStyle.css)
      .strip { padding-left: 13rem; padding-right: 1rem; }</style></head>
      <body><main>
      <p class="kicker">\(HTMLText.escape(command))</p>
      <h1>\(met) of \(goals) goals met</h1>
      <div class="lead">\(heading.split(separator: "\n").map { "<p>\(HTMLText.prose(String($0)))</p>" }.joined())</div>
      <p class="hint">Each dot is a round, each upright mark the median of a side. Ratios are ours by the peer's within a round. A goal
      that says "at most" wants the ratio below it.</p>

      """
    for name in names { page += section(rows.filter { $0.name == name }) }
    page += "<h2>All figures</h2>\n" + figureTable
    return page + "</main></body></html>\n"
  }

  /// The rows' names in their order, each once.
  private var names: [String] {
    var seen: Set<String> = []
    return rows.map(\.name).filter { seen.insert($0).inserted }
  }

  private func section(_ rows: [Row]) -> String {
    guard let first = rows.first else { return "" }
    var html = "<h2 id=\"\(HTMLText.escape(first.name))\">\(HTMLText.prose(first.title))</h2>\n"
    for row in rows {
      let verdict = row.met.map { $0 ? "" : " <span class=\"bad\">missed</span>" } ?? ""
      let goal = row.goal.map { ", goal \($0.text)" } ?? ""
      let ratio = row.ratio.map { "ratio \(NumberText.significant($0))" } ?? "missing"
      let interval =
        row.interval.map { " (\(NumberText.significant($0.low))–\(NumberText.significant($0.high)))" } ?? ""
      html +=
        "<p class=\"hint\"><b>\(HTMLText.escape(row.peerName))</b>: \(ratio)\(interval)\(goal)\(verdict). "
        + "\(HTMLText.prose(row.note))\(row.remark.isEmpty ? "" : " In this run: " + HTMLText.prose(row.remark) + ".")</p>\n"
    }
    return html + strip(rows, first.unit) + curves(rows, first.unit)
  }

  // MARK: Rounds

  /// One line of dots for ours, and one for each peer.
  private func strip(_ rows: [Row], _ unit: String) -> String {
    let sides = [("ours", rows[0].ours)] + rows.filter { !$0.isMissing }.map { ($0.peerName, $0.peer) }
    guard let scale = LogScale(enclosing: sides.flatMap(\.1)) else { return "" }
    let step = 26.0
    let height = step * Double(sides.count)
    var svg = axis(scale, height, unit)
    for (index, side) in sides.enumerated() {
      let y = HTMLText.coordinate(step * (Double(index) + 0.5))
      svg += "<g class=\"\(Self.colour(index))\">"
      svg +=
        "<text x=\"-10\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(HTMLText.escape(side.0))</text>\n"
      for value in side.1 where value.isFinite {
        svg += "<circle class=\"dot\" cx=\"\(HTMLText.percent(scale.position(value)))\" cy=\"\(y)\" r=\"4\"/>"
      }
      let median = Bootstrap.median(of: side.1)
      if median.isFinite {
        let x = HTMLText.percent(scale.position(median))
        svg +=
          "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(HTMLText.coordinate(step * Double(index) + 4))\" "
          + "y2=\"\(HTMLText.coordinate(step * Double(index + 1) - 4))\"/>"
      }
      svg += "</g>\n"
    }
    return "<figure><div class=\"strip\"><svg width=\"100%\" height=\"\(HTMLText.coordinate(height + 26))\" "
      + "role=\"img\" aria-label=\"Rounds of each side\">\n\(svg)</svg></div></figure>\n"
  }

  // MARK: Distributions

  private static let curveHeight = 230.0

  /// The share of the values that is at most so large; upwards each tenfold fewer that remain takes as much room.
  private func curves(_ rows: [Row], _ unit: String) -> String {
    var sides: [(String, Distribution)] = []
    if let ours = rows.compactMap(\.oursDistribution).first { sides.append(("ours", ours)) }
    for row in rows { if let peer = row.peerDistribution { sides.append((row.peerName, peer)) } }
    guard let scale = LogScale(enclosing: sides.flatMap { $0.1.points.map(\.value) }) else { return "" }
    let height = Self.curveHeight
    var svg = axis(scale, height, unit)
    for share in [0.5, 0.9, 0.99, 0.999, 0.9999] {
      let y = HTMLText.coordinate(height * (1 - Self.depth(share)))
      svg +=
        "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/><text class=\"quiet\" x=\"-10\" "
        + "y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(NumberText.plain(share * 100)) %</text>\n"
    }
    var legend = "<ul class=\"legend\">"
    for (index, side) in sides.enumerated() {
      // Colours as in the strip above: ours first, then the peers that were there.
      let colour = Self.colour(index)
      legend +=
        "<li><span class=\"\(colour)\"><svg width=\"34\" height=\"10\" aria-hidden=\"true\"><line class=\"curve\" "
        + "x1=\"0\" x2=\"34\" y1=\"5\" y2=\"5\"/></svg>\(HTMLText.escape(side.0))</span></li>"
      let points = side.1.points.map { point in
        HTMLText.coordinate(1_000 * scale.position(point.value)) + ","
          + HTMLText.coordinate(1_000 * (1 - Self.depth(point.share)))
      }
      svg +=
        "<g class=\"\(colour)\"><svg x=\"0\" y=\"0\" width=\"100%\" height=\"\(HTMLText.coordinate(height))\" "
        + "viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\"><polyline class=\"curve\" points=\""
        + points.joined(separator: " ") + "\"/></svg></g>\n"
    }
    return legend
      + "</ul>\n<figure><div class=\"strip\"><svg width=\"100%\" height=\"\(HTMLText.coordinate(height + 26))\" "
      + "role=\"img\" aria-label=\"Distributions of single values\">\n\(svg)</svg></div></figure>\n"
  }

  /// How far up a share stands: 0 for none, 1 for 99.999 %.
  private static func depth(_ share: Double) -> Double {
    min(max(-LogScale.log10(max(1 - share, 1e-9)) / 5, 0), 1)
  }

  private static let colours = ["ordered", "bigLock", "mpSafe", "threads", "mixed", "oneCPU", "disjoint"]
  private static func colour(_ index: Int) -> String { colours[index % colours.count] }

  private func axis(_ scale: LogScale, _ height: Double, _ unit: String) -> String {
    var svg = ""
    for decade in scale.low...scale.high {
      let x = HTMLText.percent(Double(decade - scale.low) / Double(scale.high - scale.low))
      var value = 1.0
      for _ in 0..<decade.magnitude { value = decade < 0 ? value / 10 : value * 10 }
      let label = NumberText.significant(value)
      svg +=
        "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(HTMLText.coordinate(height))\"/>"
        + "<text class=\"quiet\" x=\"\(x)\" y=\"\(HTMLText.coordinate(height + 18))\" text-anchor=\"middle\">"
        + "\(label)\(decade == scale.low ? " " + HTMLText.escape(unit) : "")</text>\n"
    }
    return svg
  }

  private var figureTable: String {
    HTMLText.table(
      caption: "Medians; the interval is that of the ratio",
      head: ["row", "peer", "unit", "ours", "theirs", "ratio", "95 %", "goal", ""],
      rows: rows.map { row in
        [
          HTMLText.escape(row.name), HTMLText.escape(row.peerName), HTMLText.escape(row.unit),
          row.oursMedian.map(NumberText.significant) ?? NumberText.missing,
          row.isMissing ? "missing" : row.peerMedian.map(NumberText.significant) ?? NumberText.missing,
          row.ratio.map(NumberText.significant) ?? NumberText.missing,
          row.interval.map { "\(NumberText.significant($0.low))–\(NumberText.significant($0.high))" }
            ?? NumberText.missing,
          row.goal?.text ?? "", row.met == false ? "<span class=\"bad\">missed</span>" : "",
        ]
      }, textColumns: 3)
  }
}
