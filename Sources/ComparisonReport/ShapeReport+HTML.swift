// The curves as one page: for each its picture, what it says, its goals, and its figures behind a fold.
//
// Invariant: the page fetches nothing and runs nothing; all text from outside is escaped.

extension ShapeReport {
  /// The page.
  public var html: String {
    let (met, goals) = score
    let title = goals == 0 ? "The shape" : "The shape: \(met) of \(goals) goals met"
    var page = """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(HTMLText.escape(title))</title>
      <style>\(HTMLStyle.css)
      .shape { max-width: 60rem; height: auto; } pre { overflow-x: auto; font-size: .85rem; }</style></head>
      <body><main>
      <p class="kicker">\(HTMLText.escape(command))</p>
      <h1>\(HTMLText.prose(title))</h1>
      <div class="lead">\(heading.split(separator: "\n").map { "<p>\(HTMLText.prose(String($0)))</p>" }.joined())</div>
      <p class="hint">A mark is the median of its rounds, the upright line through it the 95 % bootstrap interval. Dotted lines without
      marks are bounds, not findings.</p>

      """
    for curve in curves { page += section(curve) }
    return page + "</main></body></html>\n"
  }

  private func section(_ curve: Curve) -> String {
    let rounds = curve.rounds > 1 ? ", \(curve.rounds) alternating rounds" : ""
    let origin = curve.origin == .both ? "measured and simulated" : curve.origin.rawValue
    var html =
      "<h2 id=\"\(HTMLText.escape(curve.name))\">\(HTMLText.prose(curve.title))</h2>\n"
      + "<p class=\"hint\"><b>\(origin)</b>\(rounds). \(HTMLText.prose(curve.note))</p>\n"
    for verdict in curve.verdicts {
      html += "<p\(verdict.met ? "" : " class=\"bad\"")>\(HTMLText.prose(verdict.line))</p>\n"
    }
    return html + "<figure>\(curve.svg)</figure>\n<details><summary>Figures</summary><pre>"
      + "\(HTMLText.escape(curve.lines, keepingLines: true))</pre></details>\n"
  }
}
