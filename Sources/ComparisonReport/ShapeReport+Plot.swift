// A curve as a picture: an SVG that stands for itself, for a page and for a document.
//
// Invariant: nothing is fetched and nothing runs; text from outside is escaped; every series has a colour, a dash and a mark of its own, a
// bound is dashed and has no marks; a label is left out where it would lie on the one before.

extension ShapeReport.Curve {
  private static let width = 760.0
  private static let left = 66.0
  private static let right = 26.0
  private static let top = 20.0
  private static let plot = 270.0

  /// The picture, ended by a line feed; empty for a curve without points.
  public var svg: String {
    let values = series.flatMap(\.points)
    let ends = values.flatMap { [$0.median ?? .nan, $0.interval?.low ?? .nan, $0.interval?.high ?? .nan] }
    guard let along = PlotScale(values.map(\.x), isLogarithmic: x.isLogarithmic, fromZero: false),
      let up = PlotScale(ends, isLogarithmic: y.isLogarithmic)
    else { return "" }
    let entries = legend
    let height = Self.top + Self.plot + 58 + Double(entries.rows) * 20
    var svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"shape\" viewBox=\"0 0 \(HTMLText.coordinate(Self.width)) "
      + "\(HTMLText.coordinate(height))\" role=\"img\" aria-label=\"\(HTMLText.escape(title))\">\n"
      + "<style>\(Self.style)</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
    svg += grid(along, up)
    for (index, line) in series.enumerated() { svg += drawing(line, index, along, up) }
    return svg + entries.svg + "</svg>\n"
  }

  private func place(_ value: Double, _ along: PlotScale) -> Double {
    Self.left + along.position(value) * (Self.width - Self.left - Self.right)
  }
  private func height(_ value: Double, _ up: PlotScale) -> Double {
    Self.top + (1 - up.position(value)) * Self.plot
  }

  // MARK: Axes

  private func grid(_ along: PlotScale, _ up: PlotScale) -> String {
    var svg = ""
    let bottom = HTMLText.coordinate(Self.top + Self.plot)
    let (leftEnd, rightEnd) = (
      HTMLText.coordinate(Self.left), HTMLText.coordinate(Self.width - Self.right)
    )
    // Few places are marked themselves; many by round numbers.
    var end = -1.0
    for mark in places.count <= 13 && along.isLogarithmic ? places : along.marks {
      let at = place(mark, along)
      let position = HTMLText.coordinate(at)
      let text = NumberText.mark(mark)
      svg +=
        "<line class=\"grid\" x1=\"\(position)\" x2=\"\(position)\" y1=\"\(Self.top)\" y2=\"\(bottom)\"/>"
      let half = Double(text.count) * 3.6
      if at - half > end + 6 {
        svg +=
          "<text class=\"quiet\" x=\"\(position)\" y=\"\(HTMLText.coordinate(Self.top + Self.plot + 17))\" "
          + "text-anchor=\"middle\">\(HTMLText.escape(text))</text>\n"
        end = at + half
      }
    }
    for mark in up.marks {
      let at = HTMLText.coordinate(height(mark, up))
      svg +=
        "<line class=\"grid\" x1=\"\(leftEnd)\" x2=\"\(rightEnd)\" y1=\"\(at)\" y2=\"\(at)\"/><text class=\"quiet\" "
        + "x=\"\(HTMLText.coordinate(Self.left - 8))\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">"
        + "\(HTMLText.escape(NumberText.mark(mark)))</text>\n"
    }
    let middle = HTMLText.coordinate((Self.left + Self.width - Self.right) / 2)
    let side = HTMLText.coordinate(Self.top + Self.plot / 2)
    svg +=
      "<text x=\"\(middle)\" y=\"\(HTMLText.coordinate(Self.top + Self.plot + 38))\" text-anchor=\"middle\">"
      + "\(HTMLText.escape(Self.named(x)))</text>\n<text transform=\"translate(14 \(side)) rotate(-90)\" "
      + "text-anchor=\"middle\">\(HTMLText.escape(Self.named(y)))</text>\n"
    return svg
  }

  private static func named(_ axis: ShapeReport.Axis) -> String {
    axis.label + (axis.unit.isEmpty ? "" : ", \(axis.unit)")
  }

  // MARK: Lines

  private func drawing(
    _ line: ShapeReport.Series, _ index: Int, _ along: PlotScale, _ up: PlotScale
  ) -> String {
    let points = line.points.compactMap { point in point.median.map { (point, $0) } }
    let path = points.map { point, median in
      HTMLText.coordinate(place(point.x, along)) + "," + HTMLText.coordinate(height(median, up))
    }
    var svg =
      "<g class=\"\(Self.colour(line, index))\"><polyline class=\"line\" points=\"\(path.joined(separator: " "))\"/>"
    if !line.isBound {
      for (point, median) in points {
        let (at, middle) = (place(point.x, along), height(median, up))
        if point.rounds.count > 1, let interval = point.interval {
          let x = HTMLText.coordinate(at)
          svg +=
            "<line class=\"spread\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(HTMLText.coordinate(height(interval.high, up)))\" "
            + "y2=\"\(HTMLText.coordinate(height(interval.low, up)))\"/>"
        }
        svg += Self.mark(index, at, middle)
      }
    }
    return svg + "</g>\n"
  }

  private static let colourCount = 7
  private static func colour(_ line: ShapeReport.Series, _ index: Int) -> String {
    line.isBound ? "bound" : "s\(index % colourCount)"
  }

  /// A circle, a square, a diamond or a triangle.
  private static func mark(_ index: Int, _ x: Double, _ y: Double) -> String {
    func at(_ dx: Double, _ dy: Double) -> String {
      HTMLText.coordinate(x + dx) + "," + HTMLText.coordinate(y + dy)
    }
    switch index % 4 {
    case 0:
      return
        "<circle class=\"mark\" cx=\"\(HTMLText.coordinate(x))\" cy=\"\(HTMLText.coordinate(y))\" r=\"4\"/>"
    case 1:
      return
        "<rect class=\"mark\" x=\"\(HTMLText.coordinate(x - 3.5))\" y=\"\(HTMLText.coordinate(y - 3.5))\" width=\"7\" height=\"7\"/>"
    case 2:
      return "<polygon class=\"mark\" points=\"\(at(0, -5)) \(at(5, 0)) \(at(0, 5)) \(at(-5, 0))\"/>"
    default: return "<polygon class=\"mark\" points=\"\(at(0, -5)) \(at(4.6, 4)) \(at(-4.6, 4))\"/>"
    }
  }

  /// The names of the series, in as many rows as they need.
  private var legend: (svg: String, rows: Int) {
    var svg = ""
    var (at, row) = (Self.left, 0)
    for (index, line) in series.enumerated() {
      let width = 54 + Double(line.name.count) * 7.1
      if at + width > Self.width && at > Self.left { (at, row) = (Self.left, row + 1) }
      let y = Self.top + Self.plot + 60 + Double(row) * 20
      svg +=
        "<g class=\"\(Self.colour(line, index))\"><line class=\"line\" x1=\"\(HTMLText.coordinate(at))\" "
        + "x2=\"\(HTMLText.coordinate(at + 26))\" y1=\"\(HTMLText.coordinate(y))\" y2=\"\(HTMLText.coordinate(y))\"/>"
        + (line.isBound ? "" : Self.mark(index, at + 13, y))
        + "<text x=\"\(HTMLText.coordinate(at + 32))\" y=\"\(HTMLText.coordinate(y + 4))\">"
        + "\(HTMLText.escape(line.name))</text></g>\n"
      at += width
    }
    return (svg, row + 1)
  }

  /// Colours are those of the comparison's page (after Okabe and Ito), never the only sign: each line has a mark and a dash.
  private static let style = """
    .shape{font:13px system-ui,sans-serif;--paper:#fcfcfa;--ink:#1b1d20;--soft:#595f67;--rule:#d9dbd7}
    .shape .s0{--c:#0072b2;--d:none}.shape .s1{--c:#c65500;--d:7 3}.shape .s2{--c:#00855f;--d:2 3}.shape .s3{--c:#a87400;--d:9 3 2 3}
    .shape .s4{--c:#b04f86;--d:4 2}.shape .s5{--c:#5d6269;--d:none}.shape .s6{--c:#7a4fb0;--d:6 2 2 2}.shape .bound{--c:#1b1d20;--d:1 4}
    @media (prefers-color-scheme:dark){.shape{--paper:#15171a;--ink:#e8e9ea;--soft:#a3a9b1;--rule:#3a3e44}
    .shape .s0{--c:#56b4e9}.shape .s1{--c:#ff8f4f}.shape .s2{--c:#35c99b}.shape .s3{--c:#efc14a}.shape .s4{--c:#e79ac8}
    .shape .s5{--c:#b4b9c0}.shape .s6{--c:#b39ae7}.shape .bound{--c:#e8e9ea}}
    .shape .paper{fill:var(--paper)}.shape text{fill:var(--ink);stroke:none;font-size:13px}.shape .quiet{fill:var(--soft);font-size:12px}
    .shape .grid{stroke:var(--rule)}.shape .line{fill:none;stroke:var(--c);stroke-width:2;stroke-dasharray:var(--d)}
    .shape .spread{stroke:var(--c);stroke-width:1.5;opacity:.55}.shape .mark{fill:var(--c);stroke:var(--paper);stroke-width:1}
    """
}
