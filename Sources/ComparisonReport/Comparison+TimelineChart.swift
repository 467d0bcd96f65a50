// The timelines of the page: what each CPU did at each level during a few milliseconds of each discipline.
//
// Invariant: all timelines share one time scale, so that lengths compare. The size of the drawing is bounded: what
// would be narrower than a hair is drawn as a hair, and hairs that touch become one.

extension Comparison {
  /// The width of the drawing in its own units, and the narrowest thing in it.
  private static let units = 6000.0
  private static let hair = 5.0
  private static let rowHeight = 15.0

  private struct Row: Hashable {
    let cpu: Int
    let level: LevelName
  }

  var timelineCharts: String {
    let drawn = results.compactMap { result -> (Discipline, [TimelineSpan])? in
      let spans = (result.measurements?.timeline ?? []).filter { $0.end > $0.start }
      return spans.isEmpty ? nil : (result.discipline, spans)
    }
    guard !drawn.isEmpty else { return "<p>No timeline was recorded.</p>\n" }
    let length = drawn.map { Comparison.end($0.1) - Comparison.start($0.1) }.max() ?? 1
    let levels = LevelName.allCases.reversed().filter { level in
      drawn.contains { $0.1.contains { $0.level == level } }
    }
    var html = "<ul class=\"legend\" aria-label=\"What a CPU does\">"
    for (kind, meaning) in [
      (TimelineSpan.Kind.run, "runs a handler or base code of the level"),
      (.raise, "is raised to the level"), (.wait, "waits for the level's gate"),
    ] {
      let bar = Comparison.band(of: kind)
      html +=
        "<li><span><svg width=\"26\" height=\"15\" aria-hidden=\"true\"><rect class=\"\(kind)\" width=\"26\" "
        + "y=\"\(HTMLText.coordinate(bar.top))\" height=\"\(HTMLText.coordinate(bar.height))\"/></svg>\(meaning)"
        + "</span></li>"
    }
    html += "</ul>\n"
    for (discipline, spans) in drawn { html += timeline(discipline, spans, levels, length) }
    return html
  }

  private static func start(_ spans: [TimelineSpan]) -> UInt64 { spans.map(\.start).min() ?? 0 }
  private static func end(_ spans: [TimelineSpan]) -> UInt64 { spans.map(\.end).max() ?? 0 }

  /// Where in its row a span is drawn: kinds differ in height and place, not in colour alone.
  private static func band(of kind: TimelineSpan.Kind) -> (top: Double, height: Double) {
    switch kind {
    case .run: (2, 11)
    case .raise: (5, 5)
    case .wait: (10, 3)
    }
  }

  private func timeline(
    _ discipline: Discipline, _ spans: [TimelineSpan], _ levels: [LevelName], _ length: UInt64
  ) -> String {
    let cpus = Set(spans.map(\.cpu)).sorted()
    let rows = cpus.flatMap { cpu in levels.map { Row(cpu: cpu, level: $0) } }
    let height = Comparison.rowHeight * Double(rows.count)
    let groupHeight = Comparison.rowHeight * Double(levels.count)
    var svg = ""
    for (group, cpu) in cpus.enumerated() {
      let top = groupHeight * Double(group)
      if group % 2 == 0 {
        svg +=
          "<rect class=\"band\" x=\"0\" y=\"\(HTMLText.coordinate(top))\" width=\"100%\" "
          + "height=\"\(HTMLText.coordinate(groupHeight))\"/>"
      }
      for (index, level) in levels.enumerated() {
        let y = HTMLText.coordinate(top + Comparison.rowHeight * (Double(index) + 0.5) + 4)
        let name = (index == 0 ? "<tspan font-weight=\"600\">CPU \(cpu)</tspan> · " : "") + "\(level)"
        svg += "<text class=\"quiet\" x=\"-8\" y=\"\(y)\" text-anchor=\"end\">\(name)</text>"
      }
    }
    svg += "\n" + timeAxis(length, height)
    let size = HTMLText.coordinate(height)
    svg +=
      "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"\(size)\" viewBox=\"0 0 \(Int(Comparison.units)) \(size)\" "
      + "preserveAspectRatio=\"none\">" + paths(spans, rows, length) + "</svg>\n"
    let names = rows.map { "CPU \($0.cpu) · \($0.level)" }.joined(separator: "|")
    svg +=
      "<rect class=\"hit\" x=\"0\" y=\"0\" width=\"100%\" height=\"\(size)\" data-rows=\"\(names)\" "
      + "data-span=\"\(length)\"/>"
    return "<figure><figcaption><b>\(discipline)</b>: \(HTMLText.escape(busyText(spans)))</figcaption>"
      + "<div class=\"timeline\"><svg width=\"100%\" height=\"\(HTMLText.coordinate(height + 22))\" role=\"img\" "
      + "aria-label=\"Timeline of \(discipline): \(HTMLText.escape(busyText(spans)))\">\n\(svg)</svg></div></figure>\n"
  }

  private func timeAxis(_ length: UInt64, _ height: Double) -> String {
    let step = Comparison.tickStep(length)
    return (0...(length / step)).map { index in
      let time = index * step
      let x = HTMLText.percent(Double(time) / Double(length))
      let anchor = time == 0 ? "start" : length - time < step / 4 ? "end" : "middle"
      return
        "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(HTMLText.coordinate(height + 4))\"/>"
        + "<text class=\"quiet\" x=\"\(x)\" y=\"\(HTMLText.coordinate(height + 17))\" text-anchor=\"\(anchor)\">"
        + "\(NumberText.plain(Double(time) / 1e6)) ms</text>\n"
    }.joined()
  }

  /// A round step, 1, 2 or 5 times a power of ten nanoseconds, that gives at most five ticks.
  private static func tickStep(_ length: UInt64) -> UInt64 {
    var decade: UInt64 = 1
    while length / decade >= 50 { decade *= 10 }
    return [1, 2, 5, 10].map { $0 * decade }.first { length / $0 < 5 } ?? 10 * decade
  }

  /// The text form of a timeline: how much of it each kind takes, over all CPUs.
  private func busyText(_ spans: [TimelineSpan]) -> String {
    let whole = Double(Comparison.end(spans) - Comparison.start(spans)) * Double(Set(spans.map(\.cpu)).count)
    let parts = TimelineSpan.Kind.allCases.compactMap { kind -> String? in
      let sum = spans.lazy.filter { $0.kind == kind }.reduce(0.0) { $0 + Double($1.end - $1.start) }
      guard sum > 0, whole > 0 else { return nil }
      let verb = kind == .run ? "running" : kind == .raise ? "raised" : "waiting"
      return "\(verb) \(NumberText.percent(sum / whole))"
    }
    return parts.joined(separator: ", ") + " of the CPUs' time"
  }

  /// One path for each row and kind.
  private func paths(_ spans: [TimelineSpan], _ rows: [Row], _ length: UInt64) -> String {
    let start = Comparison.start(spans)
    let places = Dictionary(uniqueKeysWithValues: zip(rows, rows.indices))
    var svg = ""
    for kind in TimelineSpan.Kind.allCases {
      let bar = Comparison.band(of: kind)
      var byRow: [Int: [(low: Double, high: Double)]] = [:]
      for span in spans.filter({ $0.kind == kind }).sorted(by: { $0.start < $1.start }) {
        guard let row = places[Row(cpu: span.cpu, level: span.level)] else { continue }
        let low = Double(span.start - start) / Double(length) * Comparison.units
        let high = max(low + Comparison.hair, Double(span.end - start) / Double(length) * Comparison.units)
        Comparison.append((low, high), to: &byRow[row, default: []])
      }
      let path = byRow.sorted { $0.key < $1.key }.map { row, pieces in
        let y = HTMLText.coordinate(Comparison.rowHeight * Double(row) + bar.top)
        return pieces.map { piece in
          "M\(HTMLText.coordinate(piece.low)) \(y)h\(HTMLText.coordinate(piece.high - piece.low))"
            + "v\(HTMLText.coordinate(bar.height))h\(HTMLText.coordinate(piece.low - piece.high))z"
        }.joined()
      }.joined()
      if !path.isEmpty { svg += "<path class=\"\(kind)\" d=\"\(path)\"/>\n" }
    }
    return svg
  }

  /// Adds a piece, joined to the last one if the gap between them could not be seen.
  private static func append(
    _ piece: (low: Double, high: Double), to pieces: inout [(low: Double, high: Double)]
  ) {
    if let last = pieces.last, piece.low - last.high < hair / 2 {
      pieces[pieces.count - 1].high = max(last.high, piece.high)
    } else {
      pieces.append(piece)
    }
  }
}
