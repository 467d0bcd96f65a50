// The capacity bars of the page: one for each discipline, with its interval and two lines to hold it against.
//
// Invariant: bars start at zero and share one linear scale; widths are in percent, so that text keeps its size.

extension Comparison {
  var capacityChart: String {
    let measured = results.compactMap { result in
      framesPerSecond(result.discipline).map { (discipline: result.discipline, rate: $0) }
    }
    guard !measured.isEmpty else { return "<p>No capacity was measured.</p>\n" }
    let oneCPU = framesPerSecond(.oneCPU)?.median
    let limit = oneCPU.flatMap { one in machine.parallelLimit.map { one * $0.median } }
    let most = (measured.map(\.rate.high) + [oneCPU, limit].compactMap { $0 }).max() ?? 0
    let scale = most > 0 ? most * 1.02 : 1
    let top = 26.0
    let step = 42.0
    let height = top + step * Double(measured.count)
    var svg = ""
    for (index, bar) in measured.enumerated() {
      svg += capacityBar(bar.discipline, bar.rate, scale: scale, top: top + step * Double(index))
    }
    for name in Self.names(oneCPU: oneCPU, limit: limit, scale: scale) {
      let anchor = name.at > 0.8 ? "end" : name.at < 0.2 ? "start" : "middle"
      svg +=
        "<text class=\"quiet\" x=\"\(HTMLText.percent(name.at))\" y=\"12\" text-anchor=\"\(anchor)\">\(name.text)</text>\n"
    }
    for line in [oneCPU, limit].compactMap({ $0 }) {
      let x = HTMLText.percent(line / scale)
      for index in measured.indices {
        // Across the bars only, so that no line runs through the text above them.
        let y = top + step * Double(index)
        svg +=
          "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(HTMLText.coordinate(y + 16))\" "
          + "y2=\"\(HTMLText.coordinate(y + 36))\"/>\n"
      }
    }
    let label = measured.map { "\($0.discipline) \(NumberText.compact($0.rate.median))" }
    return "<figure><figcaption>Frames per second, closed loop; the median over the rounds, the whisker its "
      + "interval.</figcaption><svg width=\"100%\" height=\"\(HTMLText.coordinate(height))\" role=\"img\" "
      + "aria-label=\"Capacity in frames per second: \(Comparison.list(label)).\">\n\(svg)</svg></figure>\n"
  }

  /// What the lines are called, and where: in one text, from left to right, where two would not fit beside each other.
  private static func names(
    oneCPU: Double?, limit: Double?, scale: Double
  ) -> [(text: String, at: Double)] {
    if let oneCPU, let limit, abs(limit - oneCPU) / scale < 0.15 {
      let names = limit < oneCPU ? "S × one CPU, one CPU" : "one CPU, S × one CPU"
      return [(names, (oneCPU + limit) / 2 / scale)]
    }
    return [("one CPU", oneCPU), ("S × one CPU", limit)].compactMap { text, line in
      line.map { (text, $0 / scale) }
    }
  }

  private func capacityBar(_ discipline: Discipline, _ rate: Interval, scale: Double, top: Double) -> String {
    let ratio = capacityRatio(discipline, to: .bigLock).map { " · \(NumberText.ratio($0.median)) × bigLock" }
    let text =
      "\(NumberText.compact(rate.median))\u{A0}frames/s" + (discipline == .bigLock ? "" : ratio ?? "")
    let tip =
      "\(discipline): \(NumberText.compact(rate.median))\u{A0}frames/s "
      + "(\(NumberText.range(rate, NumberText.compact)))" + (ratio ?? "")
    let low = HTMLText.percent(rate.low / scale)
    let high = HTMLText.percent(rate.high / scale)
    let middle = HTMLText.coordinate(top + 26)
    return "<g class=\"\(discipline)\" data-tip=\"\(tip)\">"
      + "<text x=\"0\" y=\"\(HTMLText.coordinate(top + 13))\"><tspan font-weight=\"600\">\(discipline)</tspan>"
      + "<tspan class=\"quiet\" dx=\"8\">\(text)</tspan></text>"
      + "<rect class=\"bar\" x=\"0\" y=\"\(HTMLText.coordinate(top + 19))\" height=\"14\" rx=\"2\" "
      + "width=\"\(HTMLText.percent(rate.median / scale))\"/>"
      + "<line class=\"whisker\" x1=\"\(low)\" x2=\"\(high)\" y1=\"\(middle)\" y2=\"\(middle)\"/></g>\n"
  }
}
