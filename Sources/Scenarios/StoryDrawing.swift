// The drawing of a story: one lane a CPU, visitor or device, time down the page.
//
// Law: a lane's state is drawn from one of its moments to the next, as the timeline has it; nothing is measured or guessed.

import ComparisonReport
import Exploration
import SoftInterrupts

struct StoryDrawing {
  private let finding: Finding
  private var timeline: Timeline { finding.timeline }
  /// The moments that are drawn, a row each.
  private let rows: [Timeline.Moment]
  /// The lanes that are drawn: CPUs, and who does something.
  private let lanes: [Int]

  private enum Size {
    static let row = 22
    static let head = 46
    /// The steps' numbers.
    static let margin = 56
    static let lane = 318
    /// What a level takes of a lane's width.
    static let level = 9
    static let levels = level * Level.count
    static let most = 160
    static let characters = 35
  }

  init(_ finding: Finding) {
    self.finding = finding
    let timeline = finding.timeline
    let detailFrom = timeline.steps - 9
    let told = timeline.moments.filter { moment in
      moment.step >= detailFrom || moment.notes.contains { !$0.isDetail }
    }
    rows = Array(told.suffix(Size.most))
    lanes = timeline.lanes.indices.filter { lane in
      timeline.isCPU[lane] || told.contains { $0.lane == lane }
    }
  }

  private var width: Int { Size.margin + lanes.count * Size.lane }
  private var height: Int { Size.head + (rows.count + 1) * Size.row + 34 }
  private var bottom: Int { Size.head + rows.count * Size.row }
  private func top(_ row: Int) -> Int { Size.head + row * Size.row }
  private func left(_ lane: Int) -> Int { Size.margin + lane * Size.lane }

  var svg: String {
    var svg =
      "<svg class=\"story\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" "
      + "aria-label=\"\(HTMLText.escape("\(finding.rule): \(finding.message)"))\">\n"
    for row in stride(from: 0, to: rows.count, by: 2) {
      svg +=
        "<rect class=\"band\" x=\"0\" y=\"\(top(row))\" width=\"\(width)\" height=\"\(Size.row)\"/>\n"
    }
    for (place, lane) in lanes.enumerated() { svg += self.lane(lane, place) }
    for (row, moment) in rows.enumerated() where row == 0 || rows[row - 1].step != moment.step {
      svg +=
        "<text class=\"quiet\" x=\"\(Size.margin - 10)\" y=\"\(top(row) + 15)\" text-anchor=\"end\">\(moment.step)</text>\n"
    }
    svg += ending
    return svg + "</svg>\n"
  }

  /// Where it went wrong.
  private var ending: String {
    let y = bottom + 4
    let place = rows.last.flatMap { lanes.firstIndex(of: $0.lane) } ?? 0
    let line = finding.message.split(separator: "\n").first.map(String.init) ?? ""
    return """
      <line class="wrong" x1="\(Size.margin)" x2="\(width)" y1="\(y)" y2="\(y)"/>
      <circle class="wrong-dot" cx="\(left(place) + Size.levels + 4)" cy="\(y)" r="5"/>
      <text class="wrong-text" x="\(Size.margin)" y="\(y + 22)">\(HTMLText.escape("\(finding.rule)"))</text>
      <text x="\(Size.margin)" y="\(y + 42)">\(HTMLText.escape(Self.shortened(line, lanes.count * 44)))</text>

      """
  }

  // MARK: One lane

  private func lane(_ lane: Int, _ place: Int) -> String {
    let x = left(place)
    var svg = "<text class=\"lane\" x=\"\(x)\" y=\"18\">\(HTMLText.escape(timeline.lanes[lane]))</text>\n"
    let mine = rows.indices.filter { rows[$0].lane == lane }
    let hasLevels =
      timeline.isCPU[lane] || mine.contains { rows[$0].level != .none || !rows[$0].gates.isEmpty }
    if hasLevels {
      svg += scale(x)
      for (index, row) in mine.enumerated() {
        let end = index + 1 < mine.count ? mine[index + 1] : rows.count
        svg += state(rows[row], x, top(row), (end - row) * Size.row)
      }
    }
    for row in mine { svg += notes(rows[row], hasLevels ? x + Size.levels + 10 : x, top(row)) }
    return svg
  }

  /// Where each level stands: an initial, and a line that the eye can follow.
  private func scale(_ x: Int) -> String {
    let initials = ["–", "c", "b", "n", "s", "v", "s", "h"]
    var svg = ""
    for level in Level.allCases {
      let at = x + Int(level.rawValue) * Size.level
      svg +=
        "<text class=\"tick\" x=\"\(at + Size.level / 2)\" y=\"38\" text-anchor=\"middle\">\(initials[Int(level.rawValue)])</text>"
      svg += "<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(Size.head)\" y2=\"\(bottom)\"/>"
    }
    let end = x + Size.levels
    svg += "<line class=\"grid\" x1=\"\(end)\" x2=\"\(end)\" y1=\"\(Size.head)\" y2=\"\(bottom)\"/>\n"
    return svg
  }

  private func state(_ moment: Timeline.Moment, _ x: Int, _ y: Int, _ height: Int) -> String {
    let shade = (Int(moment.level.rawValue) + 1) * Size.level
    var svg = ""
    if moment.level != .none {
      svg +=
        "<rect class=\"ipl l-\(moment.level)\" x=\"\(x)\" y=\"\(y)\" width=\"\(shade)\" height=\"\(height)\"><title>IPL \(moment.level)</title></rect>"
    }
    for level in Level.allCases where moment.gates.contains(level.gate) {
      svg +=
        "<rect class=\"gate l-\(level)\" x=\"\(x + Int(level.rawValue) * Size.level + 1)\" y=\"\(y)\" width=\"\(Size.level - 2)\" "
        + "height=\"\(height)\"><title>holds gate \(level)</title></rect>"
    }
    if let waits = moment.waitsFor {
      for level in Level.allCases where waits.hasSuffix(" \(level)") {
        svg +=
          "<rect class=\"awaited\" x=\"\(x + Int(level.rawValue) * Size.level + 1)\" y=\"\(y + 1)\" width=\"\(Size.level - 2)\" "
          + "height=\"\(max(4, height - 2))\"><title>waits for \(HTMLText.escape(waits))</title></rect>"
      }
    }
    return svg + "\n"
  }

  private func notes(_ moment: Timeline.Moment, _ x: Int, _ y: Int) -> String {
    // Single words of the core only where there is nothing else to say.
    let isDetail = moment.notes.allSatisfy(\.isDetail)
    let text = moment.notes.filter { isDetail || !$0.isDetail }.map(\.text).joined(separator: "; ")
    let shown = Self.shortened(text, Size.characters)
    let title = shown == text ? "" : "<title>\(HTMLText.escape(text))</title>"
    return
      "<text\(isDetail ? " class=\"quiet\"" : "") x=\"\(x)\" y=\"\(y + 15)\">\(title)\(HTMLText.escape(shown))</text>\n"
  }

  private static func shortened(_ text: String, _ most: Int) -> String {
    text.count > most ? text.prefix(most - 1) + "…" : text
  }

  /// The levels' colours.
  static var legend: String {
    let items = Level.allCases.map {
      "<li><span><svg width=\"14\" height=\"14\"><rect class=\"gate l-\($0)\" width=\"14\" height=\"14\" rx=\"2\"/></svg>\($0)\($0 == .none ? ", the big lock" : "")</span></li>"
    }
    return "<ul class=\"legend\" aria-label=\"The levels, lowest first\">\(items.joined())</ul>"
  }
}

enum StoryStyle {
  static let css = """

    :root { --l-none: #6b7078; --l-softClock: #3d8fc4; --l-softBio: #00855f; --l-softNet: #0060a0; --l-softSerial: #b04f86;
      --l-vm: #a87400; --l-sched: #c65500; --l-high: #b3261e; }
    @media (prefers-color-scheme: dark) { :root { --l-none: #9aa0a8; --l-softClock: #7cc4ee; --l-softBio: #35c99b;
      --l-softNet: #4aa3e0; --l-softSerial: #e79ac8; --l-vm: #efc14a; --l-sched: #ff8f4f; --l-high: #ff8a80; } }
    .good { border-left: 4px solid var(--raise); background: var(--band); padding: .6rem .9rem; margin: .8rem 0; max-width: 46rem; }
    pre { font: 13px/1.35 ui-monospace, monospace; margin: 0; }
    svg.story .lane { font-weight: 600; font-size: 14px; }
    svg.story .tick { fill: var(--soft); font-size: 10px; }
    .ipl { fill: var(--l); opacity: .2; } .gate { fill: var(--l); }
    .awaited { fill: none; stroke: var(--alarm); stroke-width: 1.6; stroke-dasharray: 3 2; }
    .wrong { stroke: var(--alarm); stroke-width: 2; } .wrong-dot { fill: var(--alarm); }
    svg .wrong-text { fill: var(--alarm); font-weight: 600; }
    .l-none { --l: var(--l-none); } .l-softClock { --l: var(--l-softClock); } .l-softBio { --l: var(--l-softBio); }
    .l-softNet { --l: var(--l-softNet); } .l-softSerial { --l: var(--l-softSerial); } .l-vm { --l: var(--l-vm); }
    .l-sched { --l: var(--l-sched); } .l-high { --l: var(--l-high); }
    """
}
