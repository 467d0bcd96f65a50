// The names that the articles have to explain, asked of the core itself.

import SoftInterrupts

extension ReadmeTests {
  static var rules: [String] { Violation.Rule.allCases.map { "\($0)" } }
  static var bounds: [String] { Mirror(reflecting: Configuration()).children.compactMap(\.label) }
}
