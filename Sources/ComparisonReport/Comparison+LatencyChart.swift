// The latency curves of the page: which share of all frames is done within which time.
//
// Invariant: all panels share one logarithmic time axis; the vertical axis is logarithmic in the share that is *not*
// done, so that the tail takes as much room as the body. A curve ends where its samples do.

extension Comparison {
  private static let nines = 4.0
  private static let panelHeight = 250.0
  private static let dashes: [Discipline: String] = [
    .oneCPU: "2 3", .bigLock: "9 3", .disjoint: "1 4", .mpSafe: "12 3 2 3", .threads: "5 3", .mixed: "16 3",
  ]

  private struct Panel {
    let level: String
    let mode: IdleMode
    let curves: [(discipline: Discipline, histogram: LatencyHistogram)]
  }

  private var panels: [Panel] {
    [IdleMode.poll, .park].flatMap { mode in
      [("softNet", \OpenLoop.softNet), ("softSerial", \OpenLoop.softSerial)].map { level, path in
        Panel(
          level: level, mode: mode,
          curves: results.compactMap { result in
            guard let merged = result.openLoop(mode)?[keyPath: path].merged, merged.count > 0 else {
              return nil
            }
            return (result.discipline, merged)
          })
      }
    }
  }

  var latencyCharts: String {
    let panels = self.panels
    let ends = panels.flatMap(\.curves).flatMap { curve in
      [0.001, 0.9999].compactMap { curve.histogram.percentile($0).map { Double(max($0, 1)) } }
    }
    guard let scale = LogScale(enclosing: ends) else { return "<p>\(HTMLText.escape(latencySentence))</p>\n" }
    let shown = Discipline.allCases.filter { discipline in
      panels.contains { $0.curves.contains { $0.discipline == discipline } }
    }
    var html = "<ul class=\"legend\" aria-label=\"Disciplines; press to single one out\">"
    for discipline in shown {
      html +=
        "<li><button type=\"button\" class=\"\(discipline)\" data-name=\"\(discipline)\" aria-pressed=\"false\">"
        + "<svg width=\"34\" height=\"10\" aria-hidden=\"true\"><line class=\"curve\" x1=\"0\" x2=\"34\" y1=\"5\" "
        + "y2=\"5\"\(dash(discipline))/></svg>\(discipline)</button></li>"
    }
    html += "</ul>\n<div class=\"panels\" id=\"panels\">\n"
    for panel in panels where !panel.curves.isEmpty { html += figure(panel, scale) }
    return html + "</div>\n"
  }

  private func dash(_ discipline: Discipline) -> String {
    Comparison.dashes[discipline].map { " stroke-dasharray=\"\($0)\"" } ?? ""
  }

  private func figure(_ panel: Panel, _ scale: LogScale) -> String {
    let height = Comparison.panelHeight
    var svg = ""
    for (share, label) in [
      (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"),
    ] {
      let y = HTMLText.coordinate(height * (1 - Comparison.depth(share)))
      svg +=
        "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/>"
        + "<text class=\"quiet\" x=\"-8\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(label)</text>\n"
    }
    var tick = 1.0
    for _ in 0..<max(0, scale.low) { tick *= 10 }
    for decade in scale.low...scale.high {
      let x = HTMLText.percent(Double(decade - scale.low) / Double(scale.high - scale.low))
      svg +=
        "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(HTMLText.coordinate(height))\"/>"
        + "<text class=\"quiet\" x=\"\(x)\" y=\"\(HTMLText.coordinate(height + 18))\" text-anchor=\"middle\">"
        + "\(Comparison.tickLabel(tick))</text>\n"
      tick *= 10
    }
    for curve in panel.curves { svg += series(curve.discipline, curve.histogram, scale) }
    let idle = panel.mode == .poll ? "idle CPUs poll" : "idle CPUs park"
    let p99 = panel.curves.compactMap { curve in
      curve.histogram.percentile(0.99).map { "\(curve.discipline) \(NumberText.duration(Double($0)))" }
    }
    return "<figure><figcaption><b>\(panel.level)</b>, \(idle)</figcaption><div class=\"latency\">"
      + "<svg width=\"100%\" height=\"\(HTMLText.coordinate(height + 26))\" role=\"img\" aria-label=\"Latencies at "
      + "\(panel.level), \(idle). 99 % are done within: \(Comparison.list(p99)).\">\n\(svg)</svg></div></figure>\n"
  }

  private func series(_ discipline: Discipline, _ histogram: LatencyHistogram, _ scale: LogScale) -> String {
    let height = Comparison.panelHeight
    var svg =
      "<g class=\"series \(discipline)\" data-name=\"\(discipline)\">"
      + "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"\(HTMLText.coordinate(height))\" viewBox=\"0 0 1000 1000\" "
      + "preserveAspectRatio=\"none\"><polyline class=\"curve\"\(dash(discipline)) points=\""
      + points(histogram, scale) + "\"/></svg>"
    for (share, label) in [(0.5, "50 %"), (0.99, "99 %"), (0.999, "99.9 %")] {
      guard let value = histogram.percentile(share), Double(histogram.count) * (1 - share) >= 1 else {
        continue
      }
      let x = HTMLText.percent(scale.position(Double(value)))
      let y = HTMLText.coordinate(height * (1 - Comparison.depth(share)))
      svg +=
        "<circle class=\"dot\" cx=\"\(x)\" cy=\"\(y)\" r=\"3.5\"/><circle class=\"hit\" cx=\"\(x)\" "
        + "cy=\"\(y)\" r=\"9\" data-tip=\"\(discipline): \(label) within \(NumberText.duration(Double(value)))\"/>"
    }
    return svg + "</g>\n"
  }

  /// The curve in a square of 1000, without the points that nobody could tell from their neighbours.
  private func points(_ histogram: LatencyHistogram, _ scale: LogScale) -> String {
    var points: [String] = []
    var last = (x: -9.0, y: -9.0)
    let total = Double(histogram.count)
    func add(_ x: Double, _ y: Double) {
      points.append("\(HTMLText.coordinate(x)),\(HTMLText.coordinate(y))")
      last = (x, y)
    }
    for point in histogram.cumulative {
      // The share below one whole sample is not known: the last point stands where one sample remains.
      let share = min(Double(point.count) / total, 1 - 1 / (total + 1))
      let x = 1000 * scale.position(Double(max(point.nanoseconds, 1)))
      let y = 1000 * (1 - Comparison.depth(share))
      if points.isEmpty && y < 1000 { add(x, 1000) }
      if (x - last.x).magnitude + (y - last.y).magnitude >= 4 { add(x, y) }
      if y <= 0 { break }
    }
    return points.joined(separator: " ")
  }

  /// How far up a share stands: 0 for none, 1 for 99.99 %.
  private static func depth(_ share: Double) -> Double {
    min(max(-LogScale.log10(max(1 - share, 1e-9)) / nines, 0), 1)
  }

  /// A power of ten of nanoseconds as its axis shows it.
  private static func tickLabel(_ nanoseconds: Double) -> String {
    for (unit, size) in [("s", 1e9), ("ms", 1e6), ("µs", 1e3)] where nanoseconds >= size {
      return "\(NumberText.plain(nanoseconds / size)) \(unit)"
    }
    return "\(NumberText.plain(nanoseconds)) ns"
  }
}
