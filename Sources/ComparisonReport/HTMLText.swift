// Text for the page: escaping, and the few elements that are written often.
//
// Invariant: whatever comes from outside (file names, handler names, reasons, command lines) passes `escape`, also
// inside attributes, which are always in double quotes; nothing outside text goes into scripts or styles.

package enum HTMLText {
  /// The text as HTML content or as the value of an attribute. Control and formatting characters, which could
  /// turn the direction of what follows, become U+FFFD.
  package static func escape(_ text: String, keepingLines: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where keepingLines: result += "\n"
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(TerminalText.isHarmless(scalar) ? scalar : "\u{FFFD}")
      }
    }
    return result
  }

  /// Prose as HTML content, whose numbers do not break away from their units.
  static func prose(_ text: String) -> String {
    [" ×", " %", " ns", " µs", " ms", " s,"].reduce(escape(text)) { html, unit in
      html.replacing(unit, with: "\u{A0}" + unit.dropFirst())
    }
  }

  /// A fraction of the width, for coordinates that follow the width of the page.
  static func percent(_ fraction: Double) -> String {
    NumberText.fixed(min(max(fraction.isFinite ? fraction : 0, -1), 2) * 100, 2) + "%"
  }

  /// A coordinate with one decimal; the shortest text, as curves have thousands.
  static func coordinate(_ value: Double) -> String {
    JSONWriter.text(of: value.rounded(decimals: 1))
  }

  /// A table that scrolls by itself when it is wider than the page. The cells are HTML.
  static func table(caption: String, head: [String], rows: [[String]], textColumns: Int = 1) -> String {
    var html =
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(escape(caption))\"><table>"
    html += "<caption>\(escape(caption))</caption><thead><tr>"
    for (index, cell) in head.enumerated() {
      html += "<th scope=\"col\"\(index < textColumns ? " class=\"t\"" : "")>\(cell)</th>"
    }
    html += "</tr></thead><tbody>\n"
    for row in rows {
      html += "<tr>"
      for (index, cell) in row.enumerated() {
        if index == 0 {
          html += "<th scope=\"row\" class=\"t\">\(cell)</th>"
        } else {
          html += "<td\(index < textColumns ? " class=\"t\"" : "")>\(cell)</td>"
        }
      }
      html += "</tr>\n"
    }
    return html + "</tbody></table></div>\n"
  }

  /// A definition list of names and HTML values.
  package static func definitions(_ items: [(String, String)]) -> String {
    "<dl>" + items.map { "<div><dt>\(escape($0.0))</dt><dd>\($0.1)</dd></div>" }.joined() + "</dl>\n"
  }
}

/// A logarithmic scale whose ends are powers of ten.
struct LogScale {
  let low: Int
  let high: Int

  /// The decades that enclose all positive `values`; `nil` if there is none.
  init?(enclosing values: [Double]) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    guard let least = positive.min(), let most = positive.max() else { return nil }
    low = Int(LogScale.log10(least).floored)
    // Rounding in the logarithm of an exact power of ten must not open another decade.
    high = max(low + 1, -Int((1e-9 - LogScale.log10(most)).floored))
  }

  /// Where a value stands, from 0 at the low end to 1 at the high one; values outside are clamped.
  func position(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    return min(max((LogScale.log10(value) - Double(low)) / Double(high - low), 0), 1)
  }

  /// The common logarithm of a positive number, to 1e-12; here so that the page is the same on every platform.
  static func log10(_ value: Double) -> Double {
    let z = (value.significand - 1) / (value.significand + 1)
    var term = z
    var sum = 0.0
    for power in stride(from: 1, through: 27, by: 2) {
      sum += term / Double(power)
      term *= z * z
    }
    return (Double(value.exponent) * 0.693_147_180_559_945_3 + 2 * sum) / 2.302_585_092_994_045_7
  }
}
