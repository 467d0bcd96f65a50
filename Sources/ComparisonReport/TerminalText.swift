// Text for a terminal: what may be printed, how wide it is, and where a line breaks.
//
// Invariant: nothing that comes out of `harmless` can move the cursor or change a colour, however hostile the
// name of a capture is; no line that `wrap` returns is wider than asked.

package enum TerminalText {
  /// Whether a scalar can be written as it is: no control, no invisible or bidirectional formatting, no
  /// line or paragraph separator, nothing private or unassigned.
  static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }

  /// The text with everything that is not harmless replaced by `?`.
  package static func harmless(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(isHarmless(scalar) ? scalar : "?") }
    return String(result)
  }

  /// How many columns harmless text takes.
  static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  /// Marks that combine take no column; East Asian wide characters and pictographs take two.
  private static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F000...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }

  /// The text, right-aligned in `columns`; never cut.
  static func right(_ text: String, _ columns: Int) -> String {
    String(repeating: " ", count: max(0, columns - width(text))) + text
  }

  /// The text, left-aligned in `columns`; never cut.
  static func left(_ text: String, _ columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - width(text)))
  }

  /// Breaks text at blanks into lines of at most `columns`; a word that is too long is cut.
  ///
  /// The first line follows `first`, the others `rest`; both count towards the width.
  package static func wrap(_ text: String, columns: Int, first: String = "", rest: String = "") -> [String] {
    var lines: [String] = []
    var line = first
    var used = width(first)
    var isEmpty = true
    func flush() {
      lines.append(line)
      line = rest
      used = width(rest)
      isEmpty = true
    }
    for word in harmless(text).split(separator: " ") {
      let length = width(String(word))
      if !isEmpty && used + 1 + length > columns { flush() }
      if !isEmpty {
        line += " "
        used += 1
      }
      for scalar in word.unicodeScalars {
        let step = width(scalar)
        if used + step > columns && !isEmpty { flush() }
        line.unicodeScalars.append(scalar)
        used += step
        isEmpty = false
      }
    }
    if !isEmpty || lines.isEmpty { lines.append(line) }
    return lines
  }
}
