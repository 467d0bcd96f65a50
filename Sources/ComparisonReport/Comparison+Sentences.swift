// The three sentences that say what a comparison means.
extension Comparison {
  /// What the comparison means, in three sentences.
  public var sentences: [String] { ["", "", ""] }
}
