// A result as one page that needs no network: what was run, what it came to, and the story as a drawing.
//
// Law: the page's own content policy forbids every fetch; all text from outside is escaped; the drawing says nothing that the story
// beside it does not say in words.

import ComparisonReport
import Exploration
import SoftInterrupts

extension ScenarioResult {
  /// The result as one HTML document without references to anything outside of it.
  public var html: String {
    let title = HTMLText.escape(scenario.name)
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title) · softint explore</title>
      <style>\(HTMLStyle.css)\(StoryStyle.css)</style></head>
      <body><main>
      <p class="kicker">softint explore · \(HTMLText.escape(file)) · \(HTMLText.escape(setting))</p>
      <h1>\(title)</h1>
      \(verdict)
      <div class="lead"><p>\(HTMLText.escape(scenario.history.joined(separator: " ")))</p></div>
      \(exploration.finding.map(storySections) ?? "")
      \(outcomeTable)
      <h2>Figures</h2>
      \(figures)
      </main></body></html>

      """
  }

  private var verdict: String {
    var sentence = meaning
    if let compared = comparedToExpectation { sentence += " (\(compared))" }
    let isBad = exploration.finding != nil || judgement == .notAsExpected
    return "<p class=\"\(isBad ? "alarm" : "good")\" role=\"note\">\(HTMLText.escape(sentence))</p>"
  }

  private func storySections(_ finding: Finding) -> String {
    let words = finding.rule.text
    var html = ""
    if !finding.timeline.moments.isEmpty {
      html += """
        <h2>What happened</h2>
        <p class="hint">Time goes down; a row is a step at which something can be seen. In each lane the shaded part is the IPL, a bar is
        a gate that it holds, at the place of its level, and a dashed frame the gate that it waits for. Every bar is to lie in the shade.</p>
        <div class="scroll" role="region" tabindex="0" aria-label="The story as a drawing">
        \(StoryDrawing(finding).svg)</div>
        \(StoryDrawing.legend)

        """
    }
    html += """
      <h2>The rule: \(HTMLText.escape("\(finding.rule)"))</h2>
      <p>\(HTMLText.escape(words.what))</p>
      <p>\(HTMLText.escape(words.protects))</p>
      <p><b>How to mend it.</b> \(HTMLText.escape(words.mend))</p>
      <h2>The story in words</h2>
      <div class="scroll"><pre>\(HTMLText.escape(finding.story, keepingLines: true))</pre></div>
      <p>Again: <code>softint explore --replay \(HTMLText.escape(finding.replay))\(under) \(HTMLText.escape(file))</code></p>

      """
    return html
  }

  private var under: String { scenario.discipline.map { " --discipline \($0.rawValue)" } ?? "" }

  private var outcomeTable: String {
    if exploration.outcomes.isEmpty { return "" }
    let rows = exploration.outcomes.sorted { $0.key < $1.key }.map {
      "<tr><th scope=\"row\" class=\"t\">\(HTMLText.escape($0.key))</th><td>\(NumberText.grouped(UInt64($0.value)))</td></tr>"
    }
    return """
      <h2>What it came to</h2>
      <div class="scroll"><table><thead><tr><th scope="col" class="t">outcome</th><th scope="col">schedules</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  private var figures: String {
    func count(_ number: Int) -> String { NumberText.grouped(UInt64(number)) }
    var items = [
      ("schedules", count(exploration.schedules)), ("redundant runs", count(exploration.redundant)),
      ("points", count(exploration.steps)), ("strategy", HTMLText.escape(scenario.strategy.words)),
    ]
    if let finding = exploration.finding {
      items += [
        (
          "the story has",
          "\(count(finding.steps)) points, \(Strategy.words(preemptions: finding.preemptions))"
        )
      ]
    }
    return HTMLText.definitions(items)
  }
}
